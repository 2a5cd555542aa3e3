import Glibc
import Testing

@testable import Reactor

/// Real sockets on this machine, and functions that wait for them without sleeping.
enum Loopback {
    /// Listens on a port of 127.0.0.1 that the kernel chooses.
    static func listener() throws -> Listener {
        try Listener(.ipv4(0x7F00_0001, port: 0))
    }

    /// A socket of 127.0.0.1 that does not listen, so connections to its address are refused. While it is open, no other
    /// test gets the port.
    ///
    /// - Parameters:
    ///   - port: the kernel chooses one for 0.
    static func refusing(port: UInt16 = 0) throws -> Descriptor {
        let holder = Descriptor(owning: try Syscalls.socket(family: AF_INET))
        try Syscalls.bind(holder.number, to: .ipv4(0x7F00_0001, port: port))
        return holder
    }

    /// Runs `body` with a port that it may bind at several addresses, and with another one if an address is in use. The
    /// kernel gives ports from 32768 on to connections; with a port that is lower no connection of another test is in the
    /// way.
    static func withFreePort(_ body: (UInt16) throws -> Void) throws {
        for port in (20_000..<26_000 as Range<UInt16>).shuffled() {
            do {
                return try body(port)
            } catch let error as SystemError where error.isAddressInUse {}
        }
        Issue.record("no port is free for both addresses")
    }

    /// Runs `body` with both ends of a new connection.
    static func withConnection(
        _ body: (_ client: borrowing StreamSocket, _ server: borrowing StreamSocket, SocketAddress) throws -> Void
    ) throws {
        let listener = try listener()
        let client = try connect(to: listener.address)
        try wait(listener.descriptor, .readable)
        switch listener.accept() {
        case .accepted(let server, let peer): try body(client, server, peer)
        default: Issue.record("nothing to accept")
        }
    }

    /// Connects and waits until the connection is made.
    static func connect(to address: SocketAddress) throws -> StreamSocket {
        switch StreamSocket.connect(to: address) {
        case .connected(let socket): return socket
        case .connecting(let socket):
            try wait(socket.descriptor, .writable)
            if let error = socket.finishConnect() { throw error }
            return socket
        case .failed(let error): throw error
        }
    }

    /// Waits for one event; the bound only keeps a broken test from hanging.
    @discardableResult
    static func wait(_ descriptor: borrowing Descriptor, _ interest: Interest) throws -> PollEvent {
        var poller = try Poller(capacity: 1)
        try poller.register(descriptor, token: 1, interest: interest)
        try #require(try poller.wait(timeout: .seconds(30)) == 1)
        return poller[0]
    }

    /// Reads until the end of the stream or until `count` bytes have come.
    static func read(_ socket: borrowing StreamSocket, upTo count: Int = .max) throws -> [UInt8] {
        var buffer = ReadBuffer()
        var bytes: [UInt8] = []
        while bytes.count < count {
            switch socket.read(into: &buffer) {
            case .bytes(let count):
                #expect(count == buffer.count)
                bytes += copy(buffer)
            case .wouldBlock: try wait(socket.descriptor, .readable)
            case .end: return bytes
            case .failed(let error): throw error
            }
        }
        return bytes
    }

    /// The bytes of the last read.
    static func copy(_ buffer: borrowing ReadBuffer) -> [UInt8] {
        buffer.withBytes { span in span.indices.map { span[$0] } }
    }
}
