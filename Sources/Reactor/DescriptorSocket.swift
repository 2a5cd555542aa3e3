/// The result of `DescriptorSocket.send`.
package enum PassResult: Equatable, Sendable {
    /// The kernel took this many bytes, 1 or more, and all descriptors with the first of them.
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
    case descriptor(PassedDescriptor)
    /// At least one more descriptor came with the same bytes, and this process has no room for it (`MSG_CTRUNC`).
    case lost

    /// The descriptor; nil when it was lost.
    package var descriptor: PassedDescriptor? {
        if case .descriptor(let passed) = self { passed } else { nil }
    }
}

/// One end of a connection between two processes on this machine: a byte stream that can pass descriptors. It never
/// blocks and never raises `SIGPIPE`.
///
/// Descriptors arrive in the order in which they were sent. One read brings at most those of one `send`, because the kernel
/// ends a read behind the bytes that descriptors came with (unix(7)).
package struct DescriptorSocket: ~Copyable {
    /// How many descriptors one `send` passes at most.
    package static let mostPassed = 32

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

    /// Sends the bytes from `offset` on, and with the first of them copies of the descriptors with the numbers `passed`, at
    /// most `mostPassed`. There must be at least one byte.
    package func send(_ bytes: [UInt8], from offset: Int = 0, passing passed: [Int32] = []) -> PassResult {
        let number = descriptor.number
        let rest = bytes.span.extracting(droppingFirst: min(max(offset, 0), bytes.count))
        let result = unsafe rest.withUnsafeBytes { bytes in
            unsafe passed.withUnsafeBufferPointer { unsafe Syscalls.send(number, bytes, passing: $0) }
        }
        if result >= 0 { return .sent(result) }
        let error = SystemError(call: "sendmsg", result: result)
        if error.isTooManyPassed { return .tooManyPassed }
        return error.isPassing ? .wouldBlock : .failed(error)
    }

    /// Reads once, at most the buffer's capacity, and replaces the buffer's content.
    ///
    /// - Parameter passed: gets what came with the bytes, behind what it holds.
    package func receive(into buffer: inout ReadBuffer, passed: inout [Passed]) -> ReadResult {
        let number = descriptor.number
        // Room for `mostPassed`.
        var received = InlineArray<32, Int32>(repeating: -1)
        var (count, isShort) = (0, false)
        var room = received.mutableSpan
        let result = unsafe buffer.fill { bytes in
            unsafe room.withUnsafeMutableBufferPointer {
                unsafe Syscalls.read(number, bytes, passed: $0, count: &count, isShort: &isShort)
            }
        }
        for index in 0..<count { passed.append(.descriptor(PassedDescriptor(Descriptor(owning: received[index])))) }
        if isShort { passed.append(.lost) }
        if result > 0 { return .bytes(result) }
        if result == 0 { return .end }
        let error = SystemError(call: "recvmsg", result: result)
        return error.isPassing ? .wouldBlock : .failed(error)
    }
}
