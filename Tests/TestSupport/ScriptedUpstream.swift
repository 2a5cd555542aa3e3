import CLinux
import Glibc

/// An XMPP server that does what a test tells it, right or wrong.
package final class ScriptedUpstream {
    /// The port on 127.0.0.1.
    package let port: UInt16
    private var descriptor: Int32
    /// What keeps others from the port when nobody listens there; -1 when nothing does.
    private var keeper: Int32 = -1

    /// Listens; connections are established before anybody accepts them.
    ///
    /// - Parameters:
    ///   - receiveBuffer: bytes of the receive buffer; small for a server that soon takes nothing more.
    ///   - backlog: how many connections may wait before further ones get no answer, less one.
    package init(receiveBuffer: Int32? = nil, backlog: Int32 = 1_024) throws {
        (descriptor, port) = try Sockets.listen(receiveBuffer: receiveBuffer, backlog: backlog)
    }

    /// Listens on a port of ::1; the kernel chooses one for 0.
    package init(onIPv6 port: UInt16, backlog: Int32 = 1_024) throws {
        (descriptor, self.port) = try Sockets.listenOnIPv6(port: port, backlog: backlog)
    }

    /// Listens on a port of a loopback address, given in host order.
    package init(on address: UInt32, port: UInt16) throws {
        (descriptor, self.port) = try Sockets.listen(on: address, port: port)
    }

    /// Two servers with the same port, one on 127.0.0.1. The kernel chooses a port that is free there; `other` may find it
    /// taken by another test, so both are made again with the next one.
    ///
    /// - Parameters:
    ///   - other: makes the second server with the port that it is given.
    /// - Throws: what `other` has thrown each time.
    package static func withOnePort(
        backlog: Int32 = 1_024, _ other: (UInt16) throws -> ScriptedUpstream
    ) throws -> (ScriptedUpstream, ScriptedUpstream) {
        var attempts = 100
        while true {
            let first = try ScriptedUpstream(backlog: backlog)
            do {
                return (first, try other(first.port))
            } catch {
                attempts -= 1
                if attempts == 0 { throw error }
            }
        }
    }

    deinit {
        if descriptor >= 0 { _ = Glibc.close(descriptor) }
        if keeper >= 0 { _ = Glibc.close(keeper) }
    }

    /// Waits for a connection.
    package func accept() throws -> ScriptedStream {
        ScriptedStream(ByteStream(owning: try Sockets.accept(on: descriptor)))
    }

    /// Whether no connection waits.
    package var isUntouched: Bool {
        get throws { try !Sockets.hasConnection(on: descriptor) }
    }

    /// Refuses connections from now on, and resets those that nobody has accepted.
    package func stopListening() {
        guard descriptor >= 0 else { return }
        _ = Glibc.close(descriptor)
        descriptor = -1
        // Otherwise the server of another test may get the port, and accept what is to be refused. While streams to this
        // server are open, nobody gets it anyway.
        keeper = Sockets.reserve(port)
    }
}

/// The server's end of one stream.
package final class ScriptedStream {
    package let wire: ByteStream

    /// The server's stream header in the scripts.
    package static func header(id: String = "s1", version: String? = "1.0") -> String {
        let version = version.map { " version='\($0)'" } ?? ""
        return "<?xml version='1.0'?><stream:stream xmlns='jabber:client' "
            + "xmlns:stream='http://etherx.jabber.org/streams' id='\(id)' from='example.org'\(version)>"
    }

    /// The server's features in the scripts.
    package static let features =
        "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism>"
        + "</mechanisms></stream:features>"

    init(_ wire: ByteStream) {
        self.wire = wire
    }

    /// Reads the client's stream header; returns its start tag.
    package func readHeader() throws -> String {
        _ = try wire.read(until: "<stream:stream")
        return "<stream:stream" + (try wire.read(until: ">"))
    }

    /// Reads the header, and answers with a header and the features.
    ///
    /// - Returns: the start tag.
    @discardableResult
    package func open(id: String = "s1", features: String = features) throws -> String {
        let header = try readHeader()
        try wire.send(Self.header(id: id) + features)
        return header
    }

    package func send(_ text: String) throws {
        try wire.send(text)
    }

    package func read(until pattern: String) throws -> String {
        try wire.read(until: pattern)
    }
}
