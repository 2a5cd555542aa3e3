/// The result of `DescriptorSocket.send`.
package enum PassResult: Equatable, Sendable {
    /// The kernel took this many bytes, 1 or more, and the descriptor with the first of them.
    case sent(Int)
    /// The kernel takes nothing now: watch for `.writable`.
    case wouldBlock
    /// The kernel passes no further descriptor now, because too many have not been received yet (`ETOOMANYREFS`); bytes
    /// alone can still be sent.
    case tooManyPassed
    /// The connection is broken.
    case failed(SystemError)
}

/// A descriptor that another process has passed on. Whoever takes it owns it; otherwise it is closed.
package final class PassedDescriptor {
    private var descriptor: Descriptor?

    /// Keeps a descriptor until it is taken.
    package init(_ descriptor: consuming Descriptor) {
        self.descriptor = consume descriptor
    }

    /// The descriptor; nil after the first time.
    package func take() -> Descriptor? { descriptor.take() }
}

/// What `DescriptorSocket.receive` found beside its bytes.
package enum Passed {
    case nothing
    case descriptor(PassedDescriptor)
    /// A descriptor came, and this process has no room for it (`MSG_CTRUNC`).
    case lost
}

/// One end of a connection between two processes on this machine: a byte stream that can pass descriptors. It never
/// blocks and never raises `SIGPIPE`.
///
/// Descriptors arrive in the order in which they were sent. One read brings at most one, because the kernel ends a read
/// behind the bytes that a descriptor came with (unix(7)).
package struct DescriptorSocket: ~Copyable {
    private let descriptor: Descriptor
    private var watched = Watch()

    /// Takes over one end of `Descriptor.socketPair()`.
    package init(_ descriptor: consuming Descriptor) {
        self.descriptor = descriptor
    }

    /// Gives the socket away, still open.
    package consuming func releaseDescriptor() -> Descriptor { descriptor }

    /// Watches the socket for `interest`. Events carry `token`, which must be the same each time.
    ///
    /// - Throws: the kernel refused; the socket is watched as before.
    package mutating func watch(
        for interest: Interest, as token: UInt64, in poller: borrowing Poller
    ) throws(SystemError) {
        try watched.set(interest, of: descriptor, as: token, in: poller)
    }

    /// Stops watching.
    package mutating func unwatch(in poller: borrowing Poller) { watched.end(of: descriptor, in: poller) }

    /// The socket's number, and what it is watched for; nil when it is not watched.
    package var watching: (descriptor: Int32, interest: Interest?) { (descriptor.number, watched.interest) }

    /// Sends the bytes from `offset` on, and with the first of them a copy of the descriptor with the number `passed`,
    /// unless that is nil. There must be at least one byte.
    package func send(_ bytes: [UInt8], from offset: Int = 0, passing passed: Int32? = nil) -> PassResult {
        let number = descriptor.number
        let rest = bytes.span.extracting(droppingFirst: min(max(offset, 0), bytes.count))
        let result = unsafe rest.withUnsafeBytes { unsafe Syscalls.send(number, $0, passing: passed ?? -1) }
        if result >= 0 { return .sent(result) }
        let error = SystemError(call: "sendmsg", result: result)
        if error.isTooManyPassed { return .tooManyPassed }
        return error.isPassing ? .wouldBlock : .failed(error)
    }

    /// Reads once, at most the buffer's capacity, and replaces the buffer's content.
    ///
    /// - Parameter passed: what came with the bytes.
    package func receive(into buffer: inout ReadBuffer, passed: inout Passed) -> ReadResult {
        let number = descriptor.number
        var received: Int32 = -1
        let result = unsafe buffer.fill { unsafe Syscalls.read(number, $0, passed: &received) }
        passed =
            switch received {
            case 0...: .descriptor(PassedDescriptor(Descriptor(owning: received)))
            case -1: .nothing
            default: .lost
            }
        if result > 0 { return .bytes(result) }
        if result == 0 { return .end }
        let error = SystemError(call: "recvmsg", result: result)
        return error.isPassing ? .wouldBlock : .failed(error)
    }
}
