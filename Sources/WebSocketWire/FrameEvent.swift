/// What the bytes of a client mean, one thing after another.
package enum FrameEvent: Equatable, Sendable {
    /// A message of text is complete: it stands in the buffer that the caller lent, and is UTF-8. The caller takes it
    /// out before it reads on.
    case text
    /// The client asks for a pong with the same payload of at most 125 bytes (RFC 6455 §5.5.2, `W-27`).
    case ping([UInt8])
    /// The answer to a ping, or one that nobody asked for; at most 125 bytes (§5.5.3, `W-28`).
    case pong([UInt8])
    /// The client closes: with a code that a client may send and a reason of at most 123 bytes of UTF-8, or with
    /// neither (§5.5.1, `W-29`). Nothing is read behind it.
    case close(CloseCode?, reason: [UInt8])
    /// The client broke a rule or a limit. Nothing is read behind it.
    case fault(FrameFault)
}

/// How a client broke the rules of frames, or a limit.
package enum FrameFault: Error, Sendable, Equatable, CaseIterable {
    /// A frame without a mask (RFC 6455 §5.1, `W-23`).
    case unmasked
    /// RSV1, RSV2 or RSV3 is set, and no extension was agreed on: a compressed message, for example (§5.2, `W-24`).
    case reservedBits
    /// An opcode of 3 to 7 or 11 to 15 (§5.2, `W-24`).
    case unknownOpcode
    /// A length that has a shorter form (§5.2, `W-24`).
    case lengthNotShortest
    /// A length of 64 bits with the highest bit set (§5.2, `W-24`).
    case lengthTooHigh
    /// A control frame without FIN (§5.5, `W-26`).
    case fragmentedControl
    /// A control frame of more than 125 bytes (§5.5, `W-26`).
    case controlTooLong
    /// A continuation of nothing (§5.4, `W-25`).
    case continuationWithoutStart
    /// A new message before the last frame of the one that has begun (§5.4, `W-25`).
    case dataInsideMessage
    /// A binary message, whatever it contains (RFC 7395 §3.2, `W-02`).
    case binary
    /// A message that is not UTF-8 (RFC 6455 §8.1, `W-31`).
    case notUTF8
    /// A message above the limit, by what its frames announce (§10.4, `W-32`).
    case messageTooLarge
    /// More empty continuations in one message than the limit. They break no rule of frames (`W-32`).
    case tooManyEmptyContinuations
    /// The payload of a Close frame is one byte, or has a code that no peer may send or a reason that is not UTF-8
    /// (§5.5.1, §7.4, `W-29`).
    case badClose

    /// What the client is told in the Close frame.
    package var code: CloseCode {
        switch self {
        case .binary: .unsupportedData
        case .notUTF8: .invalidPayload
        case .messageTooLarge: .messageTooBig
        case .tooManyEmptyContinuations: .policyViolation
        case .unmasked, .reservedBits, .unknownOpcode, .lengthNotShortest, .lengthTooHigh, .fragmentedControl,
            .controlTooLong, .continuationWithoutStart, .dataInsideMessage, .badClose:
            .protocolError
        }
    }
}
