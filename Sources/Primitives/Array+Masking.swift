extension [UInt8] {
    /// Appends the given bytes, each combined by exclusive or with a byte of a key of four bytes (RFC 6455 §5.3).
    /// Applied twice, it gives the first bytes again.
    ///
    /// Room is made for the given bytes only, and ahead of further ones as for every append.
    ///
    /// - Parameter key: its highest byte is for the first of `bytes`, its next for the second, and so on in turn.
    /// - Returns: the key for the bytes that follow these.
    package mutating func append(masking bytes: Span<UInt8>, key: UInt32) -> UInt32 {
        let length = bytes.count
        let source = unsafe bytes.bytes
        append(addingCapacity: length) { output in
            unsafe output.withUnsafeMutableBufferPointer { buffer, initialized in
                let target = UnsafeMutableRawBufferPointer(buffer)
                // The key twice, as it lies in memory.
                let pattern = UInt64(bigEndian: UInt64(key) << 32 | UInt64(key))
                var index = 0
                // Eight bytes at a time, which takes no longer than a copy.
                while length &- index >= 8 {
                    let word = unsafe source.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
                    unsafe target.storeBytes(of: word ^ pattern, toByteOffset: index, as: UInt64.self)
                    index &+= 8
                }
                while index < length {
                    let shift = UInt32(truncatingIfNeeded: 24 &- index % 4 &* 8)
                    unsafe target[index] = bytes[index] ^ UInt8(truncatingIfNeeded: key &>> shift)
                    index &+= 1
                }
                initialized = length
            }
        }
        let turned = UInt32(truncatingIfNeeded: length % 4 * 8)
        return turned == 0 ? key : key << turned | key >> (32 - turned)
    }
}
