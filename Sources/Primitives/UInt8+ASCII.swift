/// Questions about an ASCII byte that several formats ask. Each format keeps its own questions in its room.
extension UInt8 {
    /// Whether the byte is a digit, `0` to `9`.
    @inlinable @inline(__always)
    package var isASCIIDigit: Bool { self >= 0x30 && self <= 0x39 }

    /// Whether the byte is a letter, `A` to `Z` or `a` to `z`.
    @inlinable @inline(__always)
    package var isASCIILetter: Bool { self | 0x20 >= 0x61 && self | 0x20 <= 0x7A }

    /// The byte in lower case; a byte that is no capital letter stays as it is.
    @inlinable @inline(__always)
    package var asciiLowercased: UInt8 { self >= 0x41 && self <= 0x5A ? self | 0x20 : self }

    /// The value of the byte as a hexadecimal digit; nil for any other byte.
    @inlinable @inline(__always)
    package var hexadecimalValue: UInt8? {
        switch self {
        case 0x30...0x39: self &- 0x30
        case 0x41...0x46: self &- 0x37
        case 0x61...0x66: self &- 0x57
        default: nil
        }
    }

    /// Whether the byte may stand in a token: letters, digits and ``!#$%&'*+-.^_`|~`` (`tchar` of RFC 9110 §5.6.2).
    @inlinable @inline(__always)
    package var isTokenByte: Bool { isMember(low: 0x03FF_6CFA_0000_0000, high: 0x57FF_FFFF_C7FF_FFFE) }

    /// Whether the byte belongs to a set of ASCII bytes. The set has one bit for each byte: two numbers, without a
    /// table in memory.
    @inlinable @inline(__always)
    package func isMember(low: UInt64, high: UInt64) -> Bool {
        guard self < 128 else { return false }
        let mask = self < 64 ? low : high
        return (mask &>> UInt64(self & 63)) & 1 == 1
    }
}

extension Span<UInt8> {
    /// `range` without spaces and tabs at either end.
    @inlinable package func trimmed(_ range: Range<Int>) -> Range<Int> {
        var lower = range.lowerBound
        var upper = range.upperBound
        while lower < upper, self[lower] == 0x20 || self[lower] == 0x09 { lower &+= 1 }
        while upper > lower, self[upper &- 1] == 0x20 || self[upper &- 1] == 0x09 { upper &-= 1 }
        return lower..<upper
    }
}
