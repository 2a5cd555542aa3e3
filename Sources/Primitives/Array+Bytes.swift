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

    /// Appends the UTF-8 of a text. The library's way for any sequence of bytes takes several times as long for one of a few
    /// bytes.
    @inlinable package mutating func append(text: String) {
        append(copying: text.utf8.span)
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
        unsafe Swift.withUnsafeBytes(of: number.bigEndian) { bytes in
            unsafe append(contentsOf: bytes)
        }
    }
}
