/// The result of `StreamSocket.connect`.
package enum ConnectResult: ~Copyable {
    /// The connection is established.
    case connected(StreamSocket)
    /// The connection is being established: register for `.writable`, then call `finishConnect`.
    case connecting(StreamSocket)
    /// The connection failed.
    case failed(SystemError)
}

/// The result of one read.
package enum ReadResult: Equatable, Sendable {
    /// The buffer has this many bytes, 1 or more.
    case bytes(Int)
    /// There is nothing to read now, or the kernel is short of memory for it at the moment.
    case wouldBlock
    /// The peer has ended its side in order.
    case end
    /// The connection is broken, for instance reset.
    case failed(SystemError)
}

/// The result of one write.
package enum WriteResult: Equatable, Sendable {
    /// The kernel took this many bytes, 0 only if there were none; the caller keeps the rest.
    case wrote(Int)
    /// The kernel takes nothing now: register for `.writable`.
    case wouldBlock
    /// The connection is broken.
    case failed(SystemError)
}

/// One end of a byte stream: a TCP or Unix connection. It never blocks and never raises `SIGPIPE`.
package struct StreamSocket: ~Copyable, Sendable {
    /// The socket.
    package let descriptor: Descriptor
    /// The kernel's interest in this socket.
    private var watched = Watch()

    /// Takes over a connected or connecting socket that does not block.
    package init(_ descriptor: consuming Descriptor) {
        self.descriptor = descriptor
    }

    /// Gives the socket away, still open.
    package consuming func releaseDescriptor() -> Descriptor {
        descriptor
    }

    /// The socket's number, and what it is watched for; nil when it is not watched.
    package var watching: (descriptor: Int32, interest: Interest?) { (descriptor.number, watched.interest) }

    /// Whether the kernel watches the socket for bytes to read.
    package var isReading: Bool { watched.isReading }

    /// Watches the socket for `interest`. Events carry `token`, which must be the same each time. After `lookAway`, it
    /// stays unwatched until it is to be read.
    ///
    /// - Throws: the kernel refused; the socket is watched as before.
    package mutating func watch(
        for interest: Interest, as token: UInt64, in poller: borrowing Poller
    ) throws(SystemError) {
        try watched.set(interest, of: descriptor, as: token, in: poller)
    }

    /// Stops watching a broken connection, which would be reported without end, until it is to be read.
    package mutating func lookAway(in poller: borrowing Poller) {
        watched.lookAway(from: descriptor, in: poller)
    }

    /// Stops watching. An event that was reported before and is not handled yet still has its token.
    package mutating func unwatch(in poller: borrowing Poller) {
        watched.end(of: descriptor, in: poller)
    }

    /// Begins to connect.
    package static func connect(to address: SocketAddress) -> ConnectResult {
        let socket: Descriptor
        do throws(SystemError) {
            socket = Descriptor(owning: try Syscalls.socket(family: address.family))
        } catch {
            return .failed(error)
        }
        let result = Syscalls.connect(socket.number, to: address)
        guard result < 0 else { return .connected(StreamSocket(socket)) }
        let error = SystemError(call: "connect", result: result)
        return error.isInProgress ? .connecting(StreamSocket(socket)) : .failed(error)
    }

    /// The result of a connection that was `.connecting`, once the socket is writable or hung up: nil if it is
    /// established.
    package func finishConnect() -> SystemError? {
        do throws(SystemError) {
            let code = try SocketOption.error.value(of: descriptor)
            return code == 0 ? nil : SystemError(call: "connect", code: code)
        } catch {
            return error
        }
    }

    /// Reads once, at most the buffer's capacity, and replaces the buffer's content.
    package func read(into buffer: inout ReadBuffer) -> ReadResult {
        let number = descriptor.number
        let result = unsafe buffer.fill { unsafe Syscalls.read(number, $0) }
        if result > 0 { return .bytes(result) }
        if result == 0 { return .end }
        let error = SystemError(call: "recv", result: result)
        return error.isPassing ? .wouldBlock : .failed(error)
    }

    /// The number of bytes that the kernel holds and that were not read; 0 when the kernel does not say.
    package var unreadCount: Int { Int(max(Syscalls.unreadCount(descriptor.number), 0)) }

    /// Writes once.
    package func write(_ bytes: Span<UInt8>) -> WriteResult {
        let number = descriptor.number
        let result = unsafe bytes.withUnsafeBytes { unsafe $0.isEmpty ? 0 : Syscalls.send(number, $0) }
        if result >= 0 { return .wrote(result) }
        let error = SystemError(call: "send", result: result)
        return error.isPassing ? .wouldBlock : .failed(error)
    }

    /// Writes once, the bytes from `offset` on; an offset past the end writes nothing.
    package func write(_ bytes: [UInt8], from offset: Int = 0) -> WriteResult {
        write(bytes.span.extracting(droppingFirst: min(max(offset, 0), bytes.count)))
    }

    /// Ends the writing side: the peer reads an end of stream after all bytes.
    ///
    /// - Throws: `shutdown` failed, usually because the connection is gone.
    package func shutdownWrite() throws(SystemError) {
        try Syscalls.shutdownWrite(descriptor.number)
    }

    /// Makes the close of the socket reset the connection and drop unsent bytes (`SO_LINGER` of 0).
    ///
    /// - Throws: `setsockopt` failed.
    package func resetWhenClosed() throws(SystemError) {
        try Syscalls.resetWhenClosed(descriptor.number)
    }

    /// Sends small segments at once (`TCP_NODELAY`).
    ///
    /// - Throws: the socket is not a TCP socket.
    package func setNoDelay() throws(SystemError) {
        try SocketOption.noDelay.set(1, on: descriptor)
    }

    /// Makes the kernel notice a peer that vanished during silence: see `VanishedPeer`.
    ///
    /// - Parameters:
    ///   - number: any number; connections with different ones are probed at different times.
    /// - Throws: the socket is not a TCP socket.
    package func noticeVanishedPeer(number: UInt32) throws(SystemError) {
        try VanishedPeer.notice(on: descriptor, number: number)
    }

    /// Limits the bytes that the kernel accepts beyond those it can send (`TCP_NOTSENT_LOWAT`), so that a slow reader
    /// is written to often.
    ///
    /// - Throws: the socket is not a TCP socket.
    package func keepUnsentFew() throws(SystemError) {
        try SocketOption.notSentLowWater.set(Self.unsentBytes, on: descriptor)
    }

    /// How many written bytes the peer has not acknowledged, sent or not (`SIOCOUTQ`); nil when the kernel does not
    /// say.
    package var unacknowledgedCount: Int? {
        let count = Syscalls.unacknowledgedCount(descriptor.number)
        return count < 0 ? nil : Int(count)
    }

    /// The most bytes that the kernel may hold unsent.
    private static let unsentBytes: Int32 = 128 * 1024
}
