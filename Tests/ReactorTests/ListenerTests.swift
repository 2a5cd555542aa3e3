import Glibc
import Testing

@testable import Reactor

@Suite struct ListenerTests {
    @Test(arguments: ["127.0.0.1:0", "[::1]:0"])
    func `port 0 becomes a real port that accepts`(_ text: String) throws {
        let listener = try Listener(try #require(SocketAddress(text)))
        #expect(listener.address.port != 0)
        #expect(listener.address.isLoopback)
        guard case .wouldBlock = listener.accept() else {
            Issue.record("nobody has connected yet")
            return
        }
        let client = try Loopback.connect(to: listener.address)
        try Loopback.wait(listener.descriptor, .readable)
        switch listener.accept() {
        case .accepted(let socket, let peer):
            #expect(try Syscalls.boundAddress(client.descriptor.number) == peer)
            #expect(fcntl(socket.descriptor.number, F_GETFL) & O_NONBLOCK != 0)
            #expect(fcntl(socket.descriptor.number, F_GETFD) & FD_CLOEXEC != 0)
        default: Issue.record("nothing to accept")
        }
    }

    @Test func `accepted connections inherit what notices a peer that vanished, and send at once`() throws {
        let listener = try Listener(.ipv4(0x7F00_0001, port: 0))
        let client = try Loopback.connect(to: listener.address)
        try Loopback.wait(listener.descriptor, .readable)
        switch listener.accept() {
        case .accepted(let socket, _):
            #expect(try SocketOption.keepAlive.value(of: socket.descriptor) == 1)
            #expect(try SocketOption.keepAliveIdle.value(of: socket.descriptor) == 60)
            #expect(try SocketOption.noDelay.value(of: socket.descriptor) == 1)
        default: Issue.record("nothing to accept")
        }
        #expect(try SocketOption.keepAlive.value(of: client.descriptor) == 0)
    }

    @Test func `a port in use is an error that says so`() throws {
        let first = try Loopback.listener()
        do {
            _ = try Listener(first.address)
            Issue.record("bound twice")
        } catch {
            #expect(error.isAddressInUse)
        }
    }

    @Test func `both families share a port`() throws {
        try Loopback.withFreePort { port in
            let six = try Listener(.ipv6(0, port: port, scope: 0))
            let four = try Listener(.ipv4(0, port: port))
            #expect(six.address.port == port && four.address.port == port)
        }
    }

    @Test func `an IPv6 address takes IPv6 alone`() throws {
        try Loopback.withFreePort { port in
            let six = try Listener(.ipv6(0, port: port, scope: 0))
            #expect(six.address.port == port)
            let four = try Loopback.refusing(port: port)
            do {
                _ = try Loopback.connect(to: try Syscalls.boundAddress(four.number))
                Issue.record("connected over IPv4")
            } catch let error as SystemError {
                #expect(error.isConnectionRefused)
            }
            _ = try Loopback.connect(to: .ipv6(1, port: port, scope: 0))
        }
    }

    @Test func `an adopted socket knows its address`() throws {
        let listener = try Loopback.listener()
        let copy = Descriptor(owning: fcntl(listener.descriptor.number, F_DUPFD_CLOEXEC, 0))
        let adopted = try Listener(adopting: copy)
        #expect(adopted.address == listener.address)
    }
}

@Suite struct UnixListenerTests {
    private final class Directory {
        let path: String
        init() throws {
            var template = Array("/tmp/reactor-XXXXXX".utf8CString)
            let made = try #require(mkdtemp(&template))
            path = String(cString: made)
        }
        deinit {
            for name in ["socket", "file"] { unlink("\(path)/\(name)") }
            rmdir(path)
        }
    }

    private func mode(_ path: String) -> mode_t {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_mode & 0o7777 : 0
    }

    @Test func `a path accepts, has the asked mode and can be removed`() throws {
        let directory = try Directory()
        let path = directory.path + "/socket"
        let listener = try Listener(.unix(path))
        #expect(listener.address == .unix(path))
        #expect(mode(path) == 0o660)
        _ = try Loopback.connect(to: .unix(path))
        guard case .accepted(_, peer: .unix("")) = listener.accept() else {
            Issue.record("nothing to accept")
            return
        }
        listener.removePath()
        #expect(mode(path) == 0)
        let second = try Listener(.unix(path), unixMode: 0o600)
        #expect(mode(path) == 0o600)
        second.removePath()
    }

    @Test func `a socket that answers stays and one that nobody serves is replaced`() throws {
        let directory = try Directory()
        let path = directory.path + "/socket"
        do {
            let first = try Listener(.unix(path))
            #expect(first.address == .unix(path))
            #expect(throws: SystemError(call: "bind", code: EADDRINUSE)) { _ = try Listener(.unix(path)) }
        }
        #expect(mode(path) != 0)
        let second = try Listener(.unix(path))
        #expect(second.address == .unix(path))
    }

    @Test func `a file that is no socket is never removed`() throws {
        let directory = try Directory()
        let path = directory.path + "/file"
        _ = Descriptor(owning: open(path, O_CREAT | O_WRONLY, 0o600))
        #expect(throws: SystemError(call: "bind", code: EADDRINUSE)) { _ = try Listener(.unix(path)) }
        #expect(mode(path) == 0o600)
    }

    @Test func `a directory that does not exist is an error`() {
        #expect(throws: SystemError(call: "bind", code: ENOENT)) {
            _ = try Listener(.unix("/nonexistent/directory/socket"))
        }
    }

    @Test func `connecting to nobody fails at once`() {
        guard case .failed(let error) = StreamSocket.connect(to: .unix("/nonexistent/socket")) else {
            Issue.record("connected to nothing")
            return
        }
        #expect(error == SystemError(call: "connect", code: ENOENT))
    }
}
