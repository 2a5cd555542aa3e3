import Handover
import Reactor

/// Something that has an open descriptor. It stays open until the last owner lets go of it, so a copy of it that waits to
/// be sent cannot become another one.
package protocol DescriptorOwner: AnyObject {
    /// The descriptor's number.
    var number: Int32 { get }
}

/// A descriptor alone.
package final class SharedDescriptor: DescriptorOwner {
    private let descriptor: Descriptor
    package var number: Int32 { descriptor.number }

    /// Takes over a descriptor.
    package init(_ descriptor: consuming Descriptor) {
        self.descriptor = descriptor
    }
}

/// A frame that has come, with the descriptor that came with it.
package struct ReceivedFrame {
    /// The frame.
    package let frame: Frame
    /// The descriptor of a frame that carries one; nil when it carries none, and when it was lost because this process
    /// had no room for it.
    package let passed: PassedDescriptor?
}

/// One end of a connection between two processes of the program, over which frames and descriptors go both ways.
///
/// What the kernel does not take at once waits here, in order; nothing is dropped while the connection lasts.
package final class FrameSocket {
    /// A frame on its way out.
    private struct Outgoing {
        let bytes: [UInt8]
        let passed: (any DescriptorOwner)?
    }

    /// What the other process has sent, or the end.
    package enum Arrival: Equatable, Sendable {
        /// Bytes came: `next` may have frames. Call `receive` again.
        case more
        /// Nothing is there to be read now.
        case nothing
        /// The other process has ended, or the connection is broken. What came before can still be read with `next`.
        case end
    }

    private var socket: DescriptorSocket
    private var reader: FrameReader
    /// The descriptors whose frames have not been read, in order; nil for a lost one.
    private var passed: [PassedDescriptor?] = []
    private var outgoing: [Outgoing] = []
    /// How many bytes of the first outgoing frame the kernel has.
    private var offset = 0
    private var isBroken = false
    /// Whether the kernel passes no descriptor now, although there is room for bytes (`ETOOMANYREFS`). No event
    /// reports the end of this: call `flush` again after a while.
    package private(set) var isHeldUp = false

    /// - Parameters:
    ///   - descriptor: one end of `Descriptor.socketPair()`.
    ///   - bound: the most bytes of a received frame.
    package init(_ descriptor: consuming Descriptor, bound: Int = FrameSocket.standardBound) {
        socket = DescriptorSocket(descriptor)
        reader = FrameReader(bound: bound)
    }

    /// The most bytes of a frame between the supervisor and another process: settings may have thousands of domains.
    package static let standardBound = 16 << 20

    /// Whether no part of a frame has come or is on its way.
    package var isBetweenFrames: Bool { outgoing.isEmpty && reader.isBetweenFrames && passed.isEmpty }

    /// The socket's number.
    package var number: Int32 { socket.watching.descriptor }

    /// How many frames have not left completely.
    package var unsentCount: Int { outgoing.count }

    /// Sends a frame as soon as the kernel takes it, and with its first byte a descriptor. Call `watch` afterwards.
    package func send(_ bytes: [UInt8], passing passed: (any DescriptorOwner)? = nil) {
        guard !isBroken, !bytes.isEmpty else { return }
        outgoing.append(Outgoing(bytes: bytes, passed: passed))
        if outgoing.count == 1 { flush() }
    }

    /// Sends what waits, as far as the kernel takes it. A broken connection drops it: `receive` tells its end.
    package func flush() {
        isHeldUp = false
        while let first = outgoing.first {
            let passing = offset == 0 ? first.passed.map { [$0.number] } : nil
            switch socket.send(first.bytes, from: offset, passing: passing ?? []) {
            case .sent(let count):
                offset += count
                guard offset == first.bytes.count else { continue }
                outgoing.removeFirst()
                offset = 0
            case .wouldBlock:
                return
            case .tooManyPassed:
                isHeldUp = true
                return
            case .failed:
                isBroken = true
                outgoing = []
            }
        }
    }

    /// Reads once. A read brings at most one descriptor, because one is sent at a time.
    package func receive(with buffer: inout ReadBuffer) -> Arrival {
        var arrived: [Passed] = []
        let result = socket.receive(into: &buffer, passed: &arrived)
        for one in arrived { passed.append(one.descriptor) }
        switch result {
        case .bytes:
            var reader = self.reader
            buffer.withBytes { reader.receive($0) }
            self.reader = reader
            return .more
        case .wouldBlock: return .nothing
        case .end, .failed: return .end
        }
    }

    /// The next complete frame; nil when more bytes are needed.
    ///
    /// - Throws: the bytes are no frames. Nothing more can be read from this socket.
    package func next() throws(FrameFault) -> ReceivedFrame? {
        guard let frame = try reader.next() else { return nil }
        guard frame.carriesDescriptor, !passed.isEmpty else { return ReceivedFrame(frame: frame, passed: nil) }
        return ReceivedFrame(frame: frame, passed: passed.removeFirst())
    }

    /// A descriptor that has come with bytes that are no frame.
    package func nextDescriptor() -> PassedDescriptor? { passed.isEmpty ? nil : passed.removeFirst() }

    /// Watches for what comes, and for room while something waits for it. Events carry `token`.
    ///
    /// - Throws: the kernel refused.
    package func watch(as token: UInt64, in poller: borrowing Poller) throws(SystemError) {
        let wantsRoom = !outgoing.isEmpty && !isHeldUp
        try socket.watch(for: wantsRoom ? [.readable, .writable] : .readable, as: token, in: poller)
    }

    /// Stops watching.
    package func unwatch(in poller: borrowing Poller) { socket.unwatch(in: poller) }
}
