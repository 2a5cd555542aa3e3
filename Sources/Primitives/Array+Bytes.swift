extension [UInt8] {
    /// A copy of somebody else's bytes.
    @inlinable package init(copying bytes: Span<UInt8>) {
        self.init()
        append(copying: bytes)
    }

    /// Appends bytes that are somebody else's.
    @inlinable package mutating func append(copying bytes: Span<UInt8>) {
        // One copy of all bytes: byte by byte a kilobyte takes twice as long at best, and a hundred times as long at worst.
        unsafe bytes.withUnsafeBufferPointer { part in
            unsafe append(contentsOf: part)
        }
    }

    /// Appends `number`, 0 or more, with at least `width` decimal digits.
    @inlinable package mutating func append(decimal number: Int, width: Int = 1) {
        let start = count
        var rest = number
        repeat {
            append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        } while rest > 0
        while count - start < width { append(UInt8(ascii: "0")) }
        // In place: to reverse a slice would copy all of the array.
        var (left, right) = (start, count - 1)
        while left < right {
            swapAt(left, right)
            left += 1
            right -= 1
        }
    }

    /// Appends the bytes of `number`, the highest first, as network protocols want them.
    @inlinable public mutating func append(bigEndian number: some FixedWidthInteger) {
        for shift in stride(from: number.bitWidth - 8, through: 0, by: -8) {
            append(UInt8(truncatingIfNeeded: number >> shift))
        }
    }
}
