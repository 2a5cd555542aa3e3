extension [UInt8] {
    /// Appends a copy of bytes that another owner holds.
    @inlinable package mutating func append(copying bytes: Span<UInt8>) {
        reserveCapacity(count + bytes.count)
        for index in bytes.indices { append(bytes[index]) }
    }
}
