/// What `Listener.accept` found.
package enum AcceptResult: ~Copyable {
    /// A new connection, not blocking and closed on exec, and the peer's address.
    case accepted(StreamSocket, peer: SocketAddress)
    /// Nobody is waiting.
    case wouldBlock
    /// A connection is waiting, but no descriptor is left (`EMFILE`, `ENFILE`): see `DescriptorReserve`.
    case descriptorsExhausted
    /// Any other error, such as no memory for the socket (`ENOBUFS`).
    case failed(SystemError)
}

/// A listening stream socket, not blocking and closed on exec.
package struct Listener: ~Copyable {
    /// The socket, to be registered for `.readable`.
    package let descriptor: Descriptor
    /// The actual address, with the port that the kernel chose if 0 was asked for.
    package let address: SocketAddress
    /// The identity of a Unix path's file when it was bound. Another process may have bound the path since.
    private let file: FileIdentity?

    /// Bytes of one connection that the kernel accepts beyond those it has sent. This is enough for the longest single
    /// write. Without a limit, a client that reads nothing takes ten times as much kernel memory.
    private static let notSentBytes: Int32 = 65_536
    /// The number of connections that may wait to be accepted; the kernel lowers it to `net.core.somaxconn`.
    package static let backlog: Int32 = 4_096
    /// Who may connect to a Unix path: owner and group. A proxy in the same group needs this.
    package static let unixMode: UInt32 = 0o660

    /// Binds and listens. An IPv6 address takes no IPv4 connections (`IPV6_V6ONLY`), so both can be bound to one port.
    ///
    /// A Unix socket that no process answers on is removed first. A socket that answers stays, and so does any other
    /// file.
    /// - Parameters:
    ///   - unixMode: the permission bits of a Unix path.
    /// - Throws: `EADDRINUSE` when something listens there, or the error of `socket`, `bind`, `chmod` or `listen`.
    package init(_ wanted: SocketAddress, unixMode: UInt32 = Listener.unixMode) throws(SystemError) {
        if case .unix(let path) = wanted { try Self.removeStale(path) }
        let socket = Descriptor(owning: try Syscalls.socket(family: wanted.family))
        switch wanted {
        case .ipv4: try SocketOption.reuseAddress.set(1, on: socket)
        case .ipv6:
            try SocketOption.reuseAddress.set(1, on: socket)
            try SocketOption.ipv6Only.set(1, on: socket)
        case .unix: break
        }
        // Accepted connections inherit all of these.
        if wanted.port != nil {
            // Keeps the part of a slow reader's bytes small that the kernel has not even sent.
            try SocketOption.notSentLowWater.set(Self.notSentBytes, on: socket)
            try SocketOption.noDelay.set(1, on: socket)
            try VanishedPeer.notice(on: socket)
        }
        try Syscalls.bind(socket.number, to: wanted)
        // Between bind and listen nobody can connect, so the path is never reachable with the wrong permissions.
        if case .unix(let path) = wanted {
            try Syscalls.changeMode(of: path, to: unixMode)
        }
        try Syscalls.listen(socket.number, backlog: Self.backlog)
        address = try Syscalls.boundAddress(socket.number)
        file = FileIdentity(of: address)
        descriptor = socket
    }

    /// Takes over a socket that already listens, for instance an inherited one.
    ///
    /// - Throws: the socket has no address.
    package init(adopting socket: consuming Descriptor) throws(SystemError) {
        address = try Syscalls.boundAddress(socket.number)
        file = FileIdentity(of: address)
        descriptor = socket
    }

    /// Accepts the connection that has waited longest. Skips one whose peer has given up.
    package func accept() -> AcceptResult {
        var peer = SocketAddress.unix("")
        while true {
            let result = Syscalls.accept(descriptor.number, peer: &peer)
            if result >= 0 {
                return .accepted(StreamSocket(Descriptor(owning: Int32(clamping: result))), peer: peer)
            }
            let error = SystemError(call: "accept4", result: result)
            if error.isWouldBlock { return .wouldBlock }
            if error.isDescriptorsExhausted { return .descriptorsExhausted }
            // The next connection may be usable.
            if !error.isOfAccepted { return .failed(error) }
        }
    }

    /// Removes the file of a Unix address, unless another socket has its place by now. Clients that have connected are
    /// still served. Does nothing for other addresses.
    package func removePath() {
        guard case .unix(let path) = address, let file, file == FileIdentity(of: address) else { return }
        // If the file cannot be removed, whoever binds the path next removes it.
        do throws(SystemError) { try Syscalls.unlink(path) } catch {}
    }

    private static func removeStale(_ path: String) throws(SystemError) {
        guard Syscalls.status(at: path)?.kind == .socket else { return }
        switch StreamSocket.connect(to: .unix(path)) {
        case .failed(let error) where error.isConnectionRefused:
            try Syscalls.unlink(path)
        default:
            // The socket answered, is busy (EAGAIN) or is not accessible (EACCES): bind then reports EADDRINUSE.
            return
        }
    }
}

/// The identity of the file at a path.
private struct FileIdentity: Equatable, Sendable {
    private let device: UInt
    private let number: UInt

    /// The file of a Unix address; nil for other addresses, and when there is no file.
    init?(of address: SocketAddress) {
        guard case .unix(let path) = address, let status = Syscalls.status(at: path) else { return nil }
        device = status.device
        number = status.number
    }
}
