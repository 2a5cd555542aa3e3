import CLinux
import Glibc

/// An XMPP server that does what a test tells it, right or wrong.
package final class ScriptedUpstream {
    /// The port on 127.0.0.1.
    package let port: UInt16
    private var descriptor: Int32
    /// What keeps others from the port when nobody listens there; -1 when nothing does, as for IPv6.
    private var keeper: Int32 = -1

    /// Listens; connections are established before anybody accepts them.
    ///
    /// - Parameters:
    ///   - receiveBuffer: bytes of the receive buffer; small for a server that soon takes nothing more.
    ///   - backlog: how many connections may wait before further ones get no answer, less one.
    package init(receiveBuffer: Int32? = nil, backlog: Int32 = 1_024) throws {
        (keeper, port) = try Sockets.reserve()
        (descriptor, _) = try Sockets.listen(port: port, receiveBuffer: receiveBuffer, backlog: backlog)
    }

    /// Listens on a port of ::1; the kernel chooses one for 0.
    package init(onIPv6 port: UInt16, backlog: Int32 = 1_024) throws {
        (descriptor, self.port) = try Sockets.listenOnIPv6(port: port, backlog: backlog)
    }

    /// Listens on a port of a loopback address, given in host order.
    package init(on address: UInt32, port: UInt16, backlog: Int32 = 1_024) throws {
        (keeper, self.port) = try Sockets.reserve(on: address, port: port)
        (descriptor, _) = try Sockets.listen(on: address, port: self.port, backlog: backlog)
    }

    /// Two servers with the same port, one on 127.0.0.1. The kernel gives ports from 32768 on to connections. The port is
    /// lower, so only the server of another test can have it, and then both are made with another one.
    ///
    /// - Parameters:
    ///   - other: makes the second server with the port that it is given.
    /// - Throws: the last fault, when no port is free for both.
    package static func withOnePort(
        backlog: Int32 = 1_024, _ other: (UInt16) throws -> ScriptedUpstream
    ) throws -> (ScriptedUpstream, ScriptedUpstream) {
        var fault: any Error = TestFault("no port")
        for port in (20_000..<26_000 as Range<UInt16>).shuffled().prefix(100) {
            do {
                let first = try ScriptedUpstream(on: 0x7F00_0001, port: port, backlog: backlog)
                return (first, try other(port))
            } catch {
                fault = error
            }
        }
        throw fault
    }

    deinit {
        for socket in [descriptor, keeper] where socket >= 0 { Sockets.close(socket) }
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
        Sockets.close(descriptor)
        descriptor = -1
        // The keeper still has the port. Otherwise the server of another test could get it, and accept what is to be refused.
    }
}

/// A port of 127.0.0.1 that daemons may listen on, one after the other, and that nobody else gets meanwhile.
package final class KeptPort {
    /// The port.
    package let number: UInt16
    private let keeper: Int32

    /// Takes a port that the kernel chooses.
    package init() throws {
        (keeper, number) = try Sockets.reserve()
    }

    deinit {
        Sockets.close(keeper)
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
