/// How many messages of TLS itself a server may send beside data: key updates, session tickets, requests to renegotiate,
/// warnings. Each takes about as long as the decryption of 16 KiB and may have to be answered, and none of them brings a byte
/// of the stream.
///
/// Some may come in a row; more are earned by data, so that a space between them does not pay for the next lot. An honest
/// server sends a few tickets at the beginning, and renews its keys once in gigabytes.
struct MessageAllowance {
    /// How many may come in a row. Other implementations refuse more than 16 or 32.
    static let most: UInt16 = 32
    /// How many bytes of data earn one.
    static let bytesForOne = 1_024

    private var left = Self.most
    /// Bytes of data that have not earned one yet.
    private var bytes: UInt16 = 0

    /// Takes a message in; false when it is one too many.
    mutating func take() -> Bool {
        guard left > 0 else { return false }
        left -= 1
        return true
    }

    /// Takes data in.
    mutating func earn(_ count: Int) {
        let counted = Int(bytes) + min(max(count, 0), Int(Self.most) * Self.bytesForOne)
        left = min(Self.most, left + UInt16(counted / Self.bytesForOne))
        bytes = UInt16(counted % Self.bytesForOne)
    }
}
