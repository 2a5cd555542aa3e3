import Primitives

/// What one message of a client may take (RFC 6455 §10.4, `W-32`).
package struct FrameLimits: Sendable, Equatable {
    /// The most bytes of one message: the sum of its frames' payloads.
    package var message: Int
    /// The most empty continuations in one message. They cost the client little and never end the message.
    package var emptyContinuations: UInt16

    /// Limits for messages of at most `message` bytes, 0 or more.
    package init(message: Int, emptyContinuations: UInt16 = 64) {
        self.message = message
        self.emptyContinuations = emptyContinuations
    }
}

/// Reads a client's frames (RFC 6455 §5, `W-23` to `W-32`), strictly, without any extension.
///
/// A header is judged byte by byte, as soon as the byte that decides is there. Payload goes straight to the buffer of
/// the message. Any split of the input gives the same events. An idle reader owns no buffer, since every connection has
/// a reader (`W-35`).
package struct FrameReader: Sendable {
    private enum Step: UInt8, Sendable {
        /// The first byte of a frame is awaited: FIN, reserved bits, opcode.
        case start
        /// The second one: mask bit and length.
        case length
        /// The rest of a length of 16 bits, or of 64.
        case mediumLength
        case longLength
        case key
        case payload
        /// A Close frame has come, or a fault. What follows is skipped.
        case over
    }

    /// What a message may take. A new limit holds from the next header on.
    package var limits: FrameLimits
    private var step = Step.start
    /// What the present frame is.
    private var opcode = Opcode.continuation
    /// Whether the present frame is the last of its message.
    private var isFinal = false
    /// How many bytes of the extended length or the key are still to come.
    private var missing: UInt8 = 0
    /// The key of the next byte of payload in the highest byte, and so on in turn.
    private var key: UInt32 = 0
    /// The length while it is read, then how many bytes of payload are still to come. It has at most 63 bits.
    private var remaining: UInt64 = 0
    /// The payload of a control frame that is cut. Otherwise it is empty and owns no memory.
    private var control: [UInt8] = []
    /// The empty continuations of the present message.
    private var emptyContinuations: UInt16 = 0
    /// The check of the present message. Each message ends between two characters, where the next one begins.
    private var utf8 = UTF8Check()

    /// Whether a message has begun, so that the caller keeps its buffer: from the first byte of its first frame until
    /// `text`.
    package private(set) var isInsideMessage = false

    /// A reader of a connection on which no frame has come.
    package init(limits: FrameLimits) {
        self.limits = limits
    }

    /// Whether the message that was read last came in several frames. Holds until the next byte is read.
    package var wasInPieces: Bool { opcode == .continuation }

    /// Whether a frame has come in part.
    package var isInsideFrame: Bool { step != .start && step != .over }

    /// Reads `input` from `offset` on and moves `offset` past what was read.
    ///
    /// Returns the next event; nil when all input was read. After `close` and `fault` it skips all input.
    ///
    /// - Parameter message: the caller's buffer, to which the payload of messages is appended. It is empty when a message
    ///   begins, and is kept between the calls while `isInsideMessage`.
    package mutating func next(in input: Span<UInt8>, at offset: inout Int, message: inout [UInt8]) -> FrameEvent? {
        while offset < input.count, step != .over {
            if step != .payload {
                let byte = input[offset]
                offset += 1
                if let fault = advance(byte, messageCount: message.count) { return fail(fault) }
                guard step == .payload else { continue }
            }
            if let fault = takePayload(input, &offset, &message) { return fail(fault) }
            if remaining == 0, let event = endFrame() { return event }
        }
        if step == .over { offset = input.count }
        return nil
    }

    /// Takes the payload that has come, which may be none.
    private mutating func takePayload(
        _ input: Span<UInt8>, _ offset: inout Int, _ message: inout [UInt8]
    ) -> FrameFault? {
        let available = input.count - offset
        let length = remaining > UInt64(available) ? available : Int(remaining)
        guard length > 0 else { return nil }
        let piece = input.extracting(offset..<offset + length)
        offset += length
        remaining -= UInt64(length)
        if opcode.isControl {
            key = control.append(masking: piece, key: key)
            return nil
        }
        let begun = message.count
        key = message.append(masking: piece, key: key)
        return utf8.accepts(message.span.extracting(begun...)) ? nil : .notUTF8
    }

    /// Ends the frame whose payload is complete.
    private mutating func endFrame() -> FrameEvent? {
        step = .start
        switch opcode {
        case .ping: return .ping(takeControl())
        case .pong: return .pong(takeControl())
        case .close: return endClose()
        case .continuation, .text, .binary:
            guard isFinal else { return nil }
            guard utf8.isComplete else { return fail(.notUTF8) }
            isInsideMessage = false
            return .text
        }
    }

    private mutating func takeControl() -> [UInt8] {
        let payload = control
        control = []
        return payload
    }

    /// Judges the payload of a Close frame (RFC 6455 §5.5.1, `W-29`).
    private mutating func endClose() -> FrameEvent {
        let payload = takeControl()
        guard !payload.isEmpty else { return end(.close(nil, reason: [])) }
        guard payload.count >= 2 else { return fail(.badClose) }
        let code = CloseCode(rawValue: UInt16(payload[0]) << 8 | UInt16(payload[1]))
        var check = UTF8Check()
        guard code.mayBeReceived, check.accepts(payload.span.extracting(droppingFirst: 2)), check.isComplete else {
            return fail(.badClose)
        }
        return end(.close(code, reason: Array(payload.dropFirst(2))))
    }

    private mutating func fail(_ fault: FrameFault) -> FrameEvent { end(.fault(fault)) }

    /// Reads no further than `event`.
    private mutating func end(_ event: FrameEvent) -> FrameEvent {
        step = .over
        isInsideMessage = false
        return event
    }
}

// The header.
extension FrameReader {
    /// Takes the next byte of a header. `messageCount` is the number of bytes of the message so far.
    private mutating func advance(_ byte: UInt8, messageCount: Int) -> FrameFault? {
        switch step {
        case .start: return begin(byte)
        case .length: return readLength(byte, messageCount)
        case .mediumLength: return readMediumLength(byte, messageCount)
        case .longLength: return readLongLength(byte, messageCount)
        case .key:
            key = key << 8 | UInt32(byte)
            missing -= 1
            if missing == 0 { step = .payload }
            return nil
        case .payload, .over: return nil
        }
    }

    /// The first byte: FIN, three reserved bits, four bits of opcode.
    private mutating func begin(_ byte: UInt8) -> FrameFault? {
        guard byte & 0x70 == 0 else { return .reservedBits }
        guard let opcode = Opcode(rawValue: byte & 0x0F) else { return .unknownOpcode }
        self.opcode = opcode
        isFinal = byte & 0x80 != 0
        step = .length
        switch opcode {
        case .close, .ping, .pong: return isFinal ? nil : .fragmentedControl
        case .continuation: return isInsideMessage ? nil : .continuationWithoutStart
        case .text, .binary:
            guard !isInsideMessage else { return .dataInsideMessage }
            guard opcode == .text else { return .binary }
            isInsideMessage = true
            emptyContinuations = 0
            return nil
        }
    }

    /// The second byte: the mask bit, and the length or which form it has.
    private mutating func readLength(_ byte: UInt8, _ messageCount: Int) -> FrameFault? {
        guard byte & 0x80 != 0 else { return .unmasked }
        let short = byte & 0x7F
        guard !opcode.isControl || short <= Opcode.longestControlPayload else { return .controlTooLong }
        switch short {
        case 126:
            step = .mediumLength
            (remaining, missing) = (0, 2)
            return nil
        case 127:
            step = .longLength
            (remaining, missing) = (0, 8)
            return nil
        default:
            remaining = UInt64(short)
            return judgeLength(messageCount)
        }
    }

    private mutating func readMediumLength(_ byte: UInt8, _ messageCount: Int) -> FrameFault? {
        remaining = remaining << 8 | UInt64(byte)
        missing -= 1
        guard missing == 0 else { return nil }
        return remaining < 126 ? .lengthNotShortest : judgeLength(messageCount)
    }

    private mutating func readLongLength(_ byte: UInt8, _ messageCount: Int) -> FrameFault? {
        if missing == 8, byte & 0x80 != 0 { return .lengthTooHigh }
        remaining = remaining << 8 | UInt64(byte)
        missing -= 1
        // A length below 65,536 has a shorter form, so not all of the first six bytes may be 0.
        if missing == 2, remaining == 0 { return .lengthNotShortest }
        return missing == 0 ? judgeLength(messageCount) : nil
    }

    /// Judges a complete length, before the key and the payload are awaited.
    private mutating func judgeLength(_ messageCount: Int) -> FrameFault? {
        step = .key
        missing = 4
        guard !opcode.isControl else { return nil }
        guard remaining <= UInt64(max(limits.message - messageCount, 0)) else { return .messageTooLarge }
        guard opcode == .continuation, remaining == 0 else { return nil }
        guard emptyContinuations < limits.emptyContinuations else { return .tooManyEmptyContinuations }
        emptyContinuations += 1
        return nil
    }
}
