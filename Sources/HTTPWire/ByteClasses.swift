/// The byte classes of RFC 9110 §5.6 and RFC 3986 that the parsers need. Each is two 64-bit masks, without a table.
enum ByteClass {
    static let tab: UInt8 = 0x09
    static let lf: UInt8 = 0x0A
    static let cr: UInt8 = 0x0D
    static let space: UInt8 = 0x20
    static let colon: UInt8 = 0x3A

    /// `tchar`: letters, digits and ``!#$%&'*+-.^_`|~``.
    @inline(__always)
    static func isToken(_ byte: UInt8) -> Bool {
        isMember(byte, low: 0x03FF_6CFA_0000_0000, high: 0x57FF_FFFF_C7FF_FFFE)
    }

    /// The bytes of a registered name or IPv4 address: unreserved, sub-delims and `%` (RFC 3986 §3.2.2).
    @inline(__always)
    static func isHostName(_ byte: UInt8) -> Bool {
        isMember(byte, low: 0x2BFF_7FF2_0000_0000, high: 0x47FF_FFFE_87FF_FFFE)
    }

    /// `field-vchar`, SP or HTAB: everything but the other control bytes (RFC 9110 §5.5).
    @inline(__always)
    static func isFieldContent(_ byte: UInt8) -> Bool {
        byte >= 0x20 ? byte != 0x7F : byte == tab
    }

    /// Visible ASCII: all that a request target may have.
    @inline(__always)
    static func isTarget(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7F
    }

    @inline(__always)
    static func isDigit(_ byte: UInt8) -> Bool {
        byte >= 0x30 && byte <= 0x39
    }

    /// A capital letter as a small one; any other byte unchanged.
    @inline(__always)
    static func lowered(_ byte: UInt8) -> UInt8 {
        byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte
    }

    /// The value of one hexadecimal digit; nil for any other byte.
    @inline(__always)
    static func hexValue(_ byte: UInt8) -> UInt64? {
        switch byte {
        case 0x30...0x39: UInt64(byte &- 0x30)
        case 0x41...0x46: UInt64(byte &- 0x37)
        case 0x61...0x66: UInt64(byte &- 0x57)
        default: nil
        }
    }

    @inline(__always)
    private static func isMember(_ byte: UInt8, low: UInt64, high: UInt64) -> Bool {
        guard byte < 128 else { return false }
        let mask = byte < 64 ? low : high
        return (mask &>> UInt64(byte & 63)) & 1 == 1
    }
}

extension Span<UInt8> {
    /// Whether the bytes of `range` are `lowercase` in any case. `lowercase` has only token bytes without capitals, and
    /// the range holds only token or field content bytes, so setting bit 5 makes no two of these equal that differ.
    @inline(__always)
    func isEqual(_ range: Range<Int>, ignoringCase lowercase: [UInt8]) -> Bool {
        guard range.count == lowercase.count else { return false }
        var index = range.lowerBound
        for letter in lowercase {
            guard self[index] | 0x20 == letter else { return false }
            index &+= 1
        }
        return true
    }

    /// The first LF at or after `index`.
    func indexOfLineFeed(from index: Int) -> Int? {
        var index = index
        while index < count {
            if self[index] == ByteClass.lf { return index }
            index &+= 1
        }
        return nil
    }

    /// `range` without white space at either end (OWS of RFC 9110 §5.6.3).
    func trimmed(_ range: Range<Int>) -> Range<Int> {
        var lower = range.lowerBound
        var upper = range.upperBound
        while lower < upper, self[lower] == ByteClass.space || self[lower] == ByteClass.tab { lower &+= 1 }
        while upper > lower, self[upper &- 1] == ByteClass.space || self[upper &- 1] == ByteClass.tab { upper &-= 1 }
        return lower..<upper
    }

    /// The bytes of `range` as a string; nil when they are not UTF-8.
    func string(_ range: Range<Int>) -> String? {
        guard let text = try? UTF8Span(validating: extracting(range)) else { return nil }
        return String(copying: text)
    }
}

extension [UInt8] {
    /// Appends the bytes of `range` at once. Storage grows with what arrived, never with what was announced.
    mutating func append(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        let part = bytes.extracting(range)
        append(addingCapacity: part.count) { target in
            for index in part.indices { target.append(part[index]) }
        }
    }
}
