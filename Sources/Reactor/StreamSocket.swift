/// What `StreamSocket.connect` has begun.
package enum ConnectResult: ~Copyable {
    /// There is a connection already.
    case connected(StreamSocket)
    /// Not yet: register for `.writable`, then ask `finishConnect`.
    case connecting(StreamSocket)
    /// There will be none.
    case failed(SystemError)
}

/// What one read brought.
package enum ReadResult: Equatable, Sendable {
    /// So many bytes, 1 or more, are in the buffer.
    case bytes(Int)
    /// Nothing is there now, or the kernel cannot hand it out at the moment.
    case wouldBlock
    /// The peer has ended its side in order.
    case end
    /// The connection is broken, for instance reset.
    case failed(SystemError)
}

/// What one write achieved.
package enum WriteResult: Equatable, Sendable {
    /// So many bytes, 0 only if there were none, were taken by the kernel; the rest is the caller's to keep.
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
    /// What the kernel watches it for.
    private var watched = Watch()

    /// Takes over a connected or connecting socket that does not block.
    package init(_ descriptor: consuming Descriptor) {
        self.descriptor = descriptor
    }

    /// Gives the socket away, still open.
    package consuming func releaseDescriptor() -> Descriptor {
        descriptor
    }

    /// Its number, and what it is watched for; nil when it is not.
    package var watching: (descriptor: Int32, interest: Interest?) { (descriptor.number, watched.interest) }

    /// Whether the kernel watches it for bytes to read.
    package var isReading: Bool { watched.isReading }

    /// Has it watched for `interest`, reported with `token`, the same each time. One that was looked away from stays unwatched until it is to be
    /// read.
    ///
    /// - Throws: the kernel refused: it is watched for what it was before.
    package mutating func watch(
        for interest: Interest, as token: UInt64, in poller: borrowing Poller
    ) throws(SystemError) {
        try watched.set(interest, of: descriptor, as: token, in: poller)
    }

    /// Looks away from a connection that is broken, which would be reported for ever, until it is to be read.
    package mutating func lookAway(in poller: borrowing Poller) {
        watched.lookAway(from: descriptor, in: poller)
    }

    /// Stops watching it; what was reported and not handled yet has its token still.
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

    /// How a connection that was `.connecting` ended, once the socket is writable or hung up: nil if it stands.
    package func finishConnect() -> SystemError? {
        do throws(SystemError) {
            let code = try SocketOption.error.value(of: descriptor)
            return code == 0 ? nil : SystemError(call: "connect", code: code)
        } catch {
            return error
        }
    }

    /// Reads once, at most the buffer's capacity, replacing what the buffer held.
    package func read(into buffer: inout ReadBuffer) -> ReadResult {
        let number = descriptor.number
        let result = unsafe buffer.fill { unsafe Syscalls.read(number, $0) }
        if result > 0 { return .bytes(result) }
        if result == 0 { return .end }
        let error = SystemError(call: "recv", result: result)
        return error.isPassing ? .wouldBlock : .failed(error)
    }

    /// How many bytes the kernel holds that were not read; 0 where it does not say.
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

    /// Ends the writing side: the peer reads an end of stream once it has read everything.
    ///
    /// - Throws: `shutdown` failed, as a rule because the connection is gone.
    package func shutdownWrite() throws(SystemError) {
        try Syscalls.shutdownWrite(descriptor.number)
    }

    /// Has the connection reset when the socket is closed, and what was not sent dropped (`SO_LINGER` of 0).
    ///
    /// - Throws: `setsockopt` failed.
    package func resetWhenClosed() throws(SystemError) {
        try Syscalls.resetWhenClosed(descriptor.number)
    }

    /// Sends small segments at once (`TCP_NODELAY`).
    ///
    /// - Throws: it is not a TCP socket.
    package func setNoDelay() throws(SystemError) {
        try SocketOption.noDelay.set(1, on: descriptor)
    }

    /// Has a peer noticed that vanished while nothing was said: see `VanishedPeer`.
    ///
    /// - Throws: it is not a TCP socket.
    package func noticeVanishedPeer() throws(SystemError) {
        try VanishedPeer.notice(on: descriptor)
    }

    /// Has the kernel take few bytes more than it can send (`TCP_NOTSENT_LOWAT`), so that a peer that reads slowly is written to
    /// often.
    ///
    /// - Throws: it is not a TCP socket.
    package func keepUnsentFew() throws(SystemError) {
        try SocketOption.notSentLowWater.set(Self.unsentBytes, on: descriptor)
    }

    /// How many bytes the peer has not acknowledged of those that were written, sent or not (`SIOCOUTQ`); nil when the kernel
    /// does not say.
    package var unacknowledgedCount: Int? {
        let count = Syscalls.unacknowledgedCount(descriptor.number)
        return count < 0 ? nil : Int(count)
    }

    /// Bytes that the kernel may hold without having sent them.
    private static let unsentBytes: Int32 = 128 * 1024
}
