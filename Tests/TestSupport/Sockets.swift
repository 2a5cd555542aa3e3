import CLinux
import Glibc
import Synchronization

/// System calls on sockets. Everything made here is closed at exec, so that no daemon inherits another test's sockets.
enum Sockets {
    static func make(_ family: Int32) throws -> Int32 {
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        return try check("socket", socket(family, kind, 0))
    }

    /// Held while a process is made. Until the new process has become another program, it has a copy of every descriptor. If a
    /// socket were closed meanwhile, the copy would keep the connection open.
    static let making = Mutex<Void>(())

    /// Closes a socket, which no process has a copy of.
    static func close(_ descriptor: Int32) {
        making.withLock { _ in _ = Glibc.close(descriptor) }
    }

    /// Listens on a port of a loopback address.
    ///
    /// - Parameters:
    ///   - address: in host order.
    ///   - port: the kernel chooses one for 0.
    ///   - receiveBuffer: bytes of the receive buffer that accepted connections inherit; nil for the usual one.
    ///   - backlog: how many connections may wait, less one.
    static func listen(
        on address: UInt32 = 0x7F00_0001, port: UInt16 = 0, receiveBuffer: Int32? = nil, backlog: Int32 = 1_024
    ) throws -> (descriptor: Int32, port: UInt16) {
        let descriptor = try make(AF_INET)
        // So it may share the port with a socket that keeps it and does not listen.
        try set(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
        if let receiveBuffer { try set(descriptor, SOL_SOCKET, SO_RCVBUF, receiveBuffer) }
        return try listen(descriptor, backlog) { withLoopback(port, address) { bind(descriptor, $0, $1) } }
    }

    /// Takes a port of a loopback address without listening there: connections are refused. `listen` may have the port
    /// beside it. The kernel gives it to nobody else as long as the socket is open.
    ///
    /// - Parameters:
    ///   - address: in host order.
    ///   - port: the kernel chooses one for 0.
    static func reserve(on address: UInt32 = 0x7F00_0001, port: UInt16 = 0) throws -> (descriptor: Int32, port: UInt16)
    {
        let descriptor = try make(AF_INET)
        do {
            // The port that the kernel chooses is one that nobody has: the option counts from here on.
            if port == 0 { try check("bind", withLoopback(0, address) { bind(descriptor, $0, $1) }) }
            try set(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
            if port != 0 { try check("bind", withLoopback(port, address) { bind(descriptor, $0, $1) }) }
            return (descriptor, try Self.port(of: descriptor))
        } catch {
            close(descriptor)
            throw error
        }
    }

    /// Listens on a port of ::1; the kernel chooses one for 0.
    static func listenOnIPv6(port: UInt16, backlog: Int32) throws -> (descriptor: Int32, port: UInt16) {
        let descriptor = try make(AF_INET6)
        try set(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1)
        return try listen(descriptor, backlog) { withLoopbackOfIPv6(port) { bind(descriptor, $0, $1) } }
    }

    private static func listen(
        _ descriptor: Int32, _ backlog: Int32, bind: () -> Int32
    ) throws -> (descriptor: Int32, port: UInt16) {
        do {
            try check("bind", bind())
            try check("listen", Glibc.listen(descriptor, backlog))
            return (descriptor, try port(of: descriptor))
        } catch {
            close(descriptor)
            throw error
        }
    }

    /// The port of a socket's own end.
    static func port(of descriptor: Int32) throws -> UInt16 {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        try withUnsafeMutablePointer(to: &address) { pointer in
            _ = try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                try check("getsockname", getsockname(descriptor, $0, &length))
            }
        }
        // The port has the same place in an IPv6 address, whose rest is cut off.
        return UInt16(bigEndian: address.sin_port)
    }

    /// Whether a connection waits to be accepted.
    static func hasConnection(on descriptor: Int32) throws -> Bool {
        var item = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return try check("poll", poll(&item, 1, 0)) > 0
    }

    /// Waits for a connection and accepts it.
    static func accept(on descriptor: Int32) throws -> Int32 {
        var item = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&item, 1, Patience.milliseconds) > 0 else { throw TestFault("waited in vain for a connection") }
        let accepted = try check("accept", accept4(descriptor, nil, nil, Int32(SOCK_CLOEXEC.rawValue)))
        // Each write is sent at once. Otherwise a second write would wait for an acknowledgement, and a reset would
        // lose it.
        try set(accepted, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        return accepted
    }

    static func set(_ descriptor: Int32, _ level: Int32, _ name: Int32, _ value: Int32) throws {
        var value = value
        try check("setsockopt", setsockopt(descriptor, level, name, &value, socklen_t(MemoryLayout<Int32>.size)))
    }

    static func withLoopback<Result>(
        _ port: UInt16, _ loopback: UInt32 = 0x7F00_0001,
        _ body: (UnsafePointer<sockaddr>, socklen_t) throws -> Result
    ) rethrows -> Result {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = loopback.bigEndian
        return try withUnsafePointer(to: &address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                try body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    static func withLoopbackOfIPv6<Result>(
        _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) throws -> Result
    ) rethrows -> Result {
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = port.bigEndian
        address.sin6_addr = in6addr_loopback
        return try withUnsafePointer(to: &address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                try body($0, socklen_t(MemoryLayout<sockaddr_in6>.size))
            }
        }
    }

    static func withPath<Result>(
        _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) throws -> Result
    ) rethrows -> Result {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { bytes in
            bytes.copyBytes(from: path.utf8.prefix(bytes.count - 1))
        }
        return try withUnsafePointer(to: &address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                try body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }

    @discardableResult
    static func check(_ name: String, _ value: Int32) throws -> Int32 {
        let code = errno
        guard value >= 0 else { throw TestFault("\(name): \(String(cString: strerror(code)))") }
        return value
    }
}
