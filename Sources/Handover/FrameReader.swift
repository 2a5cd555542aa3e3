import Primitives

/// Cuts received bytes into frames.
///
/// An idle reader owns no buffer. After a fault it reads nothing more.
package struct FrameReader: Sendable {
    /// The longest frame in bytes, without its length field.
    private let bound: Int
    private var pending: [UInt8] = []
    /// How many bytes of `pending` were given out.
    private var taken = 0
    private var fault: FrameFault?

    /// A reader of frames of at most `bound` bytes, all their parts included.
    package init(bound: Int) {
        self.bound = max(bound, Frame.overhead) - Frame.lengthSize
    }

    /// Whether the stream may end here: no frame has begun.
    package var isBetweenFrames: Bool { taken == pending.count }

    /// Takes in received bytes; `next` then gives out the frames.
    package mutating func receive(_ bytes: Span<UInt8>) {
        guard fault == nil else { return }
        if taken > 0 {
            pending.removeFirst(taken)
            taken = 0
        }
        pending.append(copying: bytes)
    }

    /// The next complete frame; nil when more bytes are needed.
    ///
    /// - Throws: `FrameFault`, as soon as its bytes have come, and from then on always.
    package mutating func next() throws(FrameFault) -> Frame? {
        if let fault { throw fault }
        let count = pending.count - taken
        guard count >= Frame.lengthSize else { return nil }
        let length = Int(number(at: taken))
        guard length <= bound else { throw fail(.tooLong(length)) }
        guard length >= Frame.headSize else { throw fail(.tooShort(length)) }
        let head = taken + Frame.lengthSize
        guard head < pending.count else { return nil }
        guard pending[head] == Frame.version else { throw fail(.unknownVersion(pending[head])) }
        guard length <= count - Frame.lengthSize else { return nil }
        let end = head + length
        var frame = Frame(kind: pending[head + 1], number: number(at: head + 2))
        if end == pending.count {
            // Nothing follows, so the payload keeps the storage.
            swap(&frame.payload, &pending)
            frame.payload.removeFirst(head + Frame.headSize)
            taken = 0
        } else {
            frame.payload = Array(pending[(head + Frame.headSize)..<end])
            taken = end
        }
        return frame
    }

    private mutating func fail(_ fault: FrameFault) -> FrameFault {
        self.fault = fault
        pending = []
        taken = 0
        return fault
    }

    /// The number at a place that has four bytes.
    private func number(at place: Int) -> UInt32 {
        UInt32(pending[place]) << 24 | UInt32(pending[place + 1]) << 16 | UInt32(pending[place + 2]) << 8
            | UInt32(pending[place + 3])
    }
}
