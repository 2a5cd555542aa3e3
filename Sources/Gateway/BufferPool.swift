/// Byte buffers that are lent while something is in flight, so that nothing idle owns one.
struct BufferPool {
    private var spare: [[UInt8]] = []

    /// More than this many are not kept.
    private static let most = 64
    /// A buffer that grew beyond this is given back to the system.
    private static let largest = 64 * 1024

    /// Exchanges an empty array without storage for one that has some.
    mutating func lend(to buffer: inout [UInt8]) {
        guard buffer.isEmpty, let lent = spare.popLast() else { return }
        buffer = lent
    }

    /// An empty array that has storage; nil when none is spare.
    mutating func lend() -> [UInt8]? { spare.popLast() }

    /// Takes a buffer back that is no longer needed.
    mutating func takeBack(_ buffer: inout [UInt8]) {
        let isWorthKeeping = buffer.capacity > 0 && buffer.capacity <= Self.largest && spare.count < Self.most
        if isWorthKeeping {
            buffer.removeAll(keepingCapacity: true)
            spare.append(buffer)
        }
        buffer = []
    }
}
