/// What `Listener.accept` found.
package enum AcceptResult: ~Copyable {
    /// A new connection, not blocking and closed on exec, and who is at the other end.
    case accepted(StreamSocket, peer: SocketAddress)
    /// Nobody is waiting.
    case wouldBlock
    /// Somebody is waiting but no descriptor is left (`EMFILE`, `ENFILE`): see `DescriptorReserve`.
    case descriptorsExhausted
    /// Anything else, for instance no memory for the socket (`ENOBUFS`).
    case failed(SystemError)
}

/// A listening stream socket, not blocking and closed on exec.
package struct Listener: ~Copyable {
    /// The socket, to be registered for `.readable`.
    package let descriptor: Descriptor
    /// Where it listens in fact: with the port that the kernel chose if 0 was asked for.
    package let address: SocketAddress
    /// Which file a Unix path was when it was bound: somebody else may have bound the path since.
    private let file: FileIdentity?

    /// Bytes of one connection that the kernel takes beyond those it has sent. Enough for the longest write at once; without
    /// it a reader that takes nothing has ten times as much of kernel memory.
    private static let notSentBytes: Int32 = 65_536
    /// Connections that may wait to be accepted; the kernel lowers it to `net.core.somaxconn`.
    package static let backlog: Int32 = 4_096
    /// Who may connect to a Unix path: owner and group, as a proxy in the same group needs.
    package static let unixMode: UInt32 = 0o660

    /// Binds and listens. An IPv6 address takes no IPv4 connections (`IPV6_V6ONLY`), so both can be bound to one port.
    ///
    /// A Unix socket that nobody answers on is removed first; one that answers, and any other file, stays.
    /// - Parameters:
    ///   - unixMode: the permission bits of a Unix path.
    /// - Throws: `EADDRINUSE` when something listens there, or what `socket`, `bind`, `chmod` or `listen` said.
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
            // Of what a slow reader leaves in the kernel, little is what it has not even been sent.
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

    /// Takes over a socket that listens already, for instance one that was inherited.
    ///
    /// - Throws: it has no address.
    package init(adopting socket: consuming Descriptor) throws(SystemError) {
        address = try Syscalls.boundAddress(socket.number)
        file = FileIdentity(of: address)
        descriptor = socket
    }

    /// Takes the connection that has waited longest. One that its peer has given up meanwhile is passed over.
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
            // The next one may be sound.
            if !error.isOfAccepted { return .failed(error) }
        }
    }

    /// Removes the file of a Unix address, unless it is another socket's by now; the listener goes on serving whoever has
    /// connected. No effect on others.
    package func removePath() {
        guard case .unix(let path) = address, let file, file == FileIdentity(of: address) else { return }
        // A file that cannot be removed is removed by whoever binds the path next.
        do throws(SystemError) { try Syscalls.unlink(path) } catch {}
    }

    private static func removeStale(_ path: String) throws(SystemError) {
        guard Syscalls.status(at: path)?.kind == .socket else { return }
        switch StreamSocket.connect(to: .unix(path)) {
        case .failed(let error) where error.isConnectionRefused:
            try Syscalls.unlink(path)
        default:
            // Answered, busy (EAGAIN) or not ours to try (EACCES): bind says EADDRINUSE.
            return
        }
    }
}

/// Which file stands at a path.
private struct FileIdentity: Equatable, Sendable {
    private let device: UInt
    private let number: UInt

    /// The file of a Unix address; nil for other addresses, and when there is none.
    init?(of address: SocketAddress) {
        guard case .unix(let path) = address, let status = Syscalls.status(at: path) else { return nil }
        device = status.device
        number = status.number
    }
}
