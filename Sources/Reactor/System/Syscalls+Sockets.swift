import CLinux
import Glibc

/// Making, binding, connecting, reading and writing sockets.
extension Syscalls {
    /// Reads from a socket.
    @inline(never)
    static func read(_ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer) -> Int {
        retrying { unsafe Glibc.recv(descriptor, buffer.baseAddress, buffer.count, 0) }
    }

    /// Writes to a socket; never raises `SIGPIPE`.
    @inline(never)
    static func send(_ descriptor: Int32, _ buffer: UnsafeRawBufferPointer) -> Int {
        retrying { unsafe Glibc.send(descriptor, buffer.baseAddress, buffer.count, Int32(MSG_NOSIGNAL)) }
    }

    /// Writes to a socket; never waits, whatever flags its owner has set.
    @inline(never)
    static func sendAtOnce(_ descriptor: Int32, _ buffer: UnsafeRawBufferPointer) -> Int {
        retrying {
            unsafe Glibc.send(descriptor, buffer.baseAddress, buffer.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
        }
    }

    /// Writes to a Unix socket; `passed`, at most `DescriptorSocket.mostPassed` descriptors, go with the first byte. Never
    /// raises `SIGPIPE`.
    @inline(never)
    static func send(
        _ descriptor: Int32, _ buffer: UnsafeRawBufferPointer, passing passed: UnsafeBufferPointer<Int32>
    ) -> Int {
        retrying {
            unsafe holdfast_send_descriptors(
                descriptor, buffer.baseAddress, buffer.count, passed.baseAddress, passed.count)
        }
    }

    /// Reads from a Unix socket. Writes the descriptors that came with the bytes, closed on exec, to `passed`, which has
    /// room for `DescriptorSocket.mostPassed`, and their number to `count`. `isShort`: whether more came, and were lost
    /// because this process has no room for them.
    @inline(never)
    static func read(
        _ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer, passed: UnsafeMutableBufferPointer<Int32>,
        count: inout Int, isShort: inout Bool
    ) -> Int {
        retrying {
            unsafe holdfast_receive_descriptors(
                descriptor, buffer.baseAddress, buffer.count, passed.baseAddress, &count, &isShort)
        }
    }

    /// Accepts a waiting connection and sets `peer` to its address: an empty path for an unsupported family.
    @inline(never)
    static func accept(_ descriptor: Int32, peer: inout SocketAddress) -> Int {
        var storage = sockaddr_storage()
        let result = unsafe SocketAddress.receive(&storage) { address, length in
            retrying { unsafe Int(accept4(descriptor, address, length, socketFlags)) }
        }
        if result >= 0 { peer = SocketAddress(storage) ?? .unix("") }
        return result
    }

    /// A stream socket that does not block and is closed on exec.
    static func socket(family: Int32) throws(SystemError) -> Int32 {
        try check("socket", retrying { Int(Glibc.socket(family, Int32(SOCK_STREAM.rawValue) | socketFlags, 0)) })
    }

    /// Two connected Unix stream sockets that do not block and are closed on exec.
    static func socketPair() throws(SystemError) -> (Int32, Int32) {
        var numbers: (Int32, Int32) = (-1, -1)
        let result = unsafe withUnsafeMutableBytes(of: &numbers) { bytes in
            retrying {
                unsafe Int(
                    socketpair(
                        AF_UNIX, Int32(SOCK_STREAM.rawValue) | socketFlags, 0,
                        bytes.assumingMemoryBound(to: Int32.self).baseAddress))
            }
        }
        try check("socketpair", result)
        return numbers
    }

    static func bind(_ descriptor: Int32, to address: SocketAddress) throws(SystemError) {
        let result = unsafe address.withSockaddr { pointer, length in
            retrying { unsafe Int(Glibc.bind(descriptor, pointer, length)) }
        }
        try check("bind", result)
    }

    static func listen(_ descriptor: Int32, backlog: Int32) throws(SystemError) {
        try check("listen", retrying { Int(Glibc.listen(descriptor, backlog)) })
    }

    /// Begins to connect; returns `-EINPROGRESS` when that takes time.
    static func connect(_ descriptor: Int32, to address: SocketAddress) -> Int {
        unsafe address.withSockaddr { pointer, length in
            retrying { unsafe Int(Glibc.connect(descriptor, pointer, length)) }
        }
    }

    /// Sends one datagram to the Unix socket at a path; a path that begins with `@` is an abstract name.
    static func sendDatagram(_ bytes: [UInt8], to path: String) -> Int {
        let path = Array(path.utf8)
        return retrying {
            unsafe path.withUnsafeBytes { path in
                unsafe bytes.withUnsafeBytes { bytes in
                    unsafe holdfast_send_datagram(
                        path.baseAddress?.assumingMemoryBound(to: CChar.self), path.count, bytes.baseAddress,
                        bytes.count)
                }
            }
        }
    }

    /// The address to which a socket is bound.
    ///
    /// - Throws: `getsockname` failed, or the family is not supported (`EAFNOSUPPORT`).
    static func boundAddress(_ descriptor: Int32) throws(SystemError) -> SocketAddress {
        var storage = sockaddr_storage()
        let result = unsafe SocketAddress.receive(&storage) { address, length in
            retrying { unsafe Int(getsockname(descriptor, address, length)) }
        }
        try check("getsockname", result)
        guard let address = SocketAddress(storage) else {
            throw SystemError(call: "getsockname", code: EAFNOSUPPORT)
        }
        return address
    }

    /// Sets an option whose value is a whole number.
    static func setOption(_ descriptor: Int32, level: Int32, name: Int32, to value: Int32) throws(SystemError) {
        var value = value
        let result = retrying {
            unsafe Int(setsockopt(descriptor, level, name, &value, socklen_t(MemoryLayout<Int32>.size)))
        }
        try check("setsockopt", result)
    }

    /// The value of an option that is a whole number.
    static func option(_ descriptor: Int32, level: Int32, name: Int32) throws(SystemError) -> Int32 {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        try check("getsockopt", retrying { unsafe Int(getsockopt(descriptor, level, name, &value, &length)) })
        return value
    }

    /// Makes the close of the socket reset the connection and drop unsent bytes (`SO_LINGER` of 0).
    static func resetWhenClosed(_ descriptor: Int32) throws(SystemError) {
        var setting = linger(l_onoff: 1, l_linger: 0)
        let result = retrying {
            unsafe Int(
                setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &setting, socklen_t(MemoryLayout<linger>.size)))
        }
        try check("setsockopt", result)
    }

    /// Ends the writing side.
    static func shutdownWrite(_ descriptor: Int32) throws(SystemError) {
        try check("shutdown", retrying { Int(shutdown(descriptor, Int32(SHUT_WR))) })
    }

    /// The number of bytes that the kernel holds and that were not read (`FIONREAD`); -1 when it does not say.
    static func unreadCount(_ descriptor: Int32) -> Int32 {
        holdfast_unread(descriptor)
    }

    /// How many written bytes the peer has not acknowledged (`SIOCOUTQ`); -1 when the kernel does not say.
    static func unacknowledgedCount(_ descriptor: Int32) -> Int32 {
        holdfast_unacknowledged(descriptor)
    }

    /// The flags of every socket made here: it never blocks and is never inherited.
    private static let socketFlags = Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
}
