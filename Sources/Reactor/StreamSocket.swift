import CLinux
import Glibc

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
    /// Nothing is there now.
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
        let family = address.family
        let socket: Descriptor
        do throws(SystemError) {
            socket = Descriptor(
                owning: try Syscalls.check("socket") {
                    Glibc.socket(family, Int32(SOCK_STREAM.rawValue) | Syscalls.socketFlags, 0)
                })
        } catch {
            return .failed(error)
        }
        let number = socket.number
        do throws(SystemError) {
            try Syscalls.check("connect") {
                unsafe address.withSockaddr { pointer, length in unsafe Glibc.connect(number, pointer, length) }
            }
            return .connected(StreamSocket(socket))
        } catch {
            return error.code == EINPROGRESS ? .connecting(StreamSocket(socket)) : .failed(error)
        }
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
        return Int32(clamping: -result) == EAGAIN
            ? .wouldBlock : .failed(SystemError(call: "recv", code: Int32(clamping: -result)))
    }

    /// Writes once.
    package func write(_ bytes: Span<UInt8>) -> WriteResult {
        let number = descriptor.number
        let result = unsafe bytes.withUnsafeBytes { unsafe $0.isEmpty ? 0 : Syscalls.send(number, $0) }
        if result >= 0 { return .wrote(result) }
        return Int32(clamping: -result) == EAGAIN
            ? .wouldBlock : .failed(SystemError(call: "send", code: Int32(clamping: -result)))
    }

    /// Writes once, the bytes from `offset` on; an offset past the end writes nothing.
    package func write(_ bytes: [UInt8], from offset: Int = 0) -> WriteResult {
        write(bytes.span.extracting(droppingFirst: min(max(offset, 0), bytes.count)))
    }

    /// Ends the writing side: the peer reads an end of stream once it has read everything.
    ///
    /// - Throws: `shutdown` failed, as a rule because the connection is gone.
    package func shutdownWrite() throws(SystemError) {
        let number = descriptor.number
        try Syscalls.check("shutdown") { shutdown(number, Int32(SHUT_WR)) }
    }

    /// Has the connection reset when the socket is closed, and what was not sent dropped (`SO_LINGER` of 0).
    ///
    /// - Throws: `setsockopt` failed.
    package func resetWhenClosed() throws(SystemError) {
        let number = descriptor.number
        var setting = linger(l_onoff: 1, l_linger: 0)
        try Syscalls.check("setsockopt") {
            unsafe setsockopt(number, SOL_SOCKET, SO_LINGER, &setting, socklen_t(MemoryLayout<linger>.size))
        }
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
        let count = holdfast_unacknowledged(descriptor.number)
        return count < 0 ? nil : Int(count)
    }

    /// Bytes that the kernel may hold without having sent them.
    private static let unsentBytes: Int32 = 128 * 1024
}
