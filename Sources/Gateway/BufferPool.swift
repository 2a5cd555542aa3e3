/// Byte buffers that are lent while data is in flight, so that nothing idle owns one.
struct BufferPool {
    private var spare: [[UInt8]] = []

    /// How many spare buffers are kept at most.
    private static let most = 64
    /// A buffer that grew beyond this size is returned to the system.
    private static let largest = 64 * 1024

    /// Exchanges an empty array without storage for one that has storage.
    mutating func lend(to buffer: inout [UInt8]) {
        guard buffer.isEmpty, let lent = spare.popLast() else { return }
        buffer = lent
    }

    /// An empty array that has storage; nil when no spare one is left.
    mutating func lend() -> [UInt8]? { spare.popLast() }

    /// Takes back a buffer that is no longer needed.
    mutating func takeBack(_ buffer: inout [UInt8]) {
        let isWorthKeeping = buffer.capacity > 0 && buffer.capacity <= Self.largest && spare.count < Self.most
        if isWorthKeeping {
            buffer.removeAll(keepingCapacity: true)
            spare.append(buffer)
        }
        buffer = []
    }
}
