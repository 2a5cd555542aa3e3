/// What a frame is, by the lowest four bits of its first byte (RFC 6455 §5.2). The other values are reserved.
enum Opcode: UInt8, Sendable {
    /// The message that has begun goes on.
    case continuation = 0x0
    /// A message of text begins.
    case text = 0x1
    /// A message of bytes begins.
    case binary = 0x2
    case close = 0x8
    case ping = 0x9
    case pong = 0xA

    /// Whether the frame says something about the connection and may stand between the frames of a message (§5.5).
    var isControl: Bool { rawValue & 0x8 != 0 }

    /// The most bytes of payload that a control frame may have (§5.5).
    static let longestControlPayload = 125
}
