import Primitives

/// Turns messages into frames. A message that carries a descriptor is sent so that the descriptor goes with the first
/// byte of its frame.
package struct FrameWriter: Sendable {
    /// The longest frame in bytes, all its parts included.
    private let bound: Int

    /// A writer of frames of at most `bound` bytes. The receiver's bound must not be lower.
    package init(bound: Int) {
        self.bound = min(bound, Int(UInt32.max))
    }

    /// The bytes of a message from the supervisor; nil when they exceed the bound.
    package func frame(_ message: SupervisorMessage) -> [UInt8]? { encode(message, number: 0) }

    /// The bytes of a message from a worker to the supervisor; nil when they exceed the bound.
    package func frame(_ message: WorkerMessage) -> [UInt8]? { encode(message, number: 0) }

    /// The bytes of a message from worker to worker; nil when they exceed the bound. `number` counts the connections
    /// that were sent on this socket; an answer has the number of what it answers.
    package func frame(_ message: PeerMessage, number: UInt32) -> [UInt8]? {
        encode(message, number: number)
    }

    /// The bytes of a command or its answer; nil when they exceed the bound.
    package func frame(_ message: ControlMessage) -> [UInt8]? { encode(message, number: 0) }

    /// The bytes of a part of what the next supervisor is given; nil when they exceed the bound. `number` is that of the
    /// part's descriptor in memory, and 0 where the descriptor itself is passed.
    package func frame(_ part: Bequest, number: UInt32 = 0) -> [UInt8]? { encode(part, number: number) }

    /// Appends the frame of a connection to `bytes`, behind the frame at `previous` of another one whose descriptor is sent
    /// at the same time, if there is one. What `appendInput` appends is the envelope's input, and the input that `envelope`
    /// has is not looked at. So a request is written where it is sent from.
    ///
    /// - Returns: false when the frame exceeds the bound; then `bytes` are as before.
    package func append(
        _ envelope: Envelope, number: UInt32, to bytes: inout [UInt8], behind previous: Int? = nil,
        appendInput: (inout [UInt8]) -> Void
    ) -> Bool {
        let start = bytes.count
        let fits = encode(PeerMessage.connectionKind, number: number, to: &bytes) { bytes in
            envelope.append(to: &bytes, appendInput: appendInput)
        }
        guard fits else {
            bytes.removeLast(bytes.count - start)
            return false
        }
        if let previous { bytes[previous + Frame.lengthSize + 1] = PeerMessage.followedKind }
        return true
    }

    private func encode(_ message: some FramedMessage, number: UInt32) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Frame.overhead + message.payloadSize)
        let fits = encode(message.kind, number: number, to: &bytes) { bytes in message.appendPayload(to: &bytes) }
        return fits ? bytes : nil
    }

    private func encode(
        _ kind: UInt8, number: UInt32, to bytes: inout [UInt8], appendPayload: (inout [UInt8]) -> Void
    ) -> Bool {
        let start = bytes.count
        // The length is written when it is known.
        bytes.append(bigEndian: UInt32(0))
        bytes.append(Frame.version)
        bytes.append(kind)
        bytes.append(bigEndian: number)
        appendPayload(&bytes)
        guard bytes.count - start <= bound else { return false }
        bytes.replace(at: start, bigEndian: UInt32(clamping: bytes.count - start - Frame.lengthSize))
        return true
    }
}

/// A message that a frame carries.
protocol FramedMessage {
    /// The frame's kind.
    var kind: UInt8 { get }
    /// About how many bytes the payload takes.
    var payloadSize: Int { get }
    func appendPayload(to bytes: inout [UInt8])
}

extension FramedMessage {
    var payloadSize: Int { 0 }
}

extension [UInt8] {
    /// Appends bytes with their number before them, as `PayloadReader.bytes` reads them.
    mutating func append(counted part: [UInt8]) {
        append(bigEndian: UInt32(clamping: part.count))
        append(contentsOf: part)
    }

    /// Appends a text with its length before it, as `PayloadReader.text` reads it.
    mutating func append(counted text: String) {
        append(bigEndian: UInt32(clamping: text.utf8.count))
        append(contentsOf: text.utf8)
    }

    /// Appends numbers with their count before them, as `PayloadReader.numbers` reads them.
    mutating func append(numbers: [UInt32]) {
        append(bigEndian: UInt32(clamping: numbers.count))
        for number in numbers { append(bigEndian: number) }
    }

    /// Appends texts with their count before them, as `PayloadReader.texts` reads them.
    mutating func append(texts: [String]) {
        append(bigEndian: UInt32(clamping: texts.count))
        for text in texts { append(counted: text) }
    }

    /// Writes a number over the four bytes at `place`, which have to be there.
    mutating func replace(at place: Int, bigEndian number: UInt32) {
        for offset in 0..<4 { self[place + offset] = UInt8(truncatingIfNeeded: number >> UInt32(24 - 8 * offset)) }
    }

    /// Appends one byte, as `PayloadReader.flag` reads it.
    mutating func append(flag: Bool) { append(flag ? 1 : 0) }
}
