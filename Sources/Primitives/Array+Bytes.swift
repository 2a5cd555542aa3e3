extension [UInt8] {
    /// The memory that the array takes. From 128 KiB on an array has pages of its own (`ProcessMemory.prepare`). Pages
    /// after its last byte were never touched, so they cost nothing and are not counted.
    @inlinable package var heldBytes: Int {
        if capacity == 0 { return 0 }
        return capacity < 131_072 ? capacity + 48 : count + 4_096
    }

    /// Copies the given bytes.
    @inlinable package init(copying bytes: Span<UInt8>) {
        self.init()
        append(copying: bytes)
    }

    /// Appends a copy of the given bytes.
    @inlinable package mutating func append(copying bytes: Span<UInt8>) {
        // Copies all bytes at once: byte by byte, a kilobyte takes at least twice and at most a hundred times as long.
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
        // Reversed in place, because reversing a slice would copy the whole array.
        var (left, right) = (start, count - 1)
        while left < right {
            swapAt(left, right)
            left += 1
            right -= 1
        }
    }

    /// Appends the bytes of `number`, the highest first, as network protocols require.
    @inlinable public mutating func append(bigEndian number: some FixedWidthInteger) {
        for shift in stride(from: number.bitWidth - 8, through: 0, by: -8) {
            append(UInt8(truncatingIfNeeded: number >> shift))
        }
    }
}
