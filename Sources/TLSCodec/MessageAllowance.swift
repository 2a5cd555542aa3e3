/// Limits the messages of TLS itself that a server may send besides data: key updates, session tickets, requests to
/// renegotiate, warnings. Each takes about as long as decrypting 16 KiB and may need an answer, but brings no byte of
/// the stream.
///
/// Some may come in a row, and data earns more, so that a server gains nothing by sending one space between many
/// messages. A normal server sends a few tickets at the beginning and renews its keys once in gigabytes.
struct MessageAllowance {
    /// The number that may come in a row. Other implementations refuse more than 16 or 32.
    static let most: UInt16 = 32
    /// The bytes of data that earn one message.
    static let bytesForOne = 1_024

    private var left = Self.most
    /// The bytes of data that have not earned a message yet.
    private var bytes: UInt16 = 0

    /// Counts a message; false when it is too many.
    mutating func take() -> Bool {
        guard left > 0 else { return false }
        left -= 1
        return true
    }

    /// Counts data.
    mutating func earn(_ count: Int) {
        let counted = Int(bytes) + min(max(count, 0), Int(Self.most) * Self.bytesForOne)
        left = min(Self.most, left + UInt16(counted / Self.bytesForOne))
        bytes = UInt16(counted % Self.bytesForOne)
    }
}
