extension [UInt8] {
    /// Appends bytes that are somebody else's.
    @inlinable package mutating func append(copying bytes: Span<UInt8>) {
        reserveCapacity(count + bytes.count)
        for index in bytes.indices { append(bytes[index]) }
    }
}
