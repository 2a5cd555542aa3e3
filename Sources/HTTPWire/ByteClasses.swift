import Primitives

/// The byte classes of RFC 9110 and RFC 3986 that only the HTTP parsers use.
enum ByteClass {
    static let tab: UInt8 = 0x09
    static let lf: UInt8 = 0x0A
    static let cr: UInt8 = 0x0D
    static let space: UInt8 = 0x20
    static let colon: UInt8 = 0x3A

    /// The bytes of a registered name or IPv4 address: unreserved, sub-delims and `%` (RFC 3986 §3.2.2).
    @inline(__always)
    static func isHostName(_ byte: UInt8) -> Bool {
        byte.isMember(low: 0x2BFF_7FF2_0000_0000, high: 0x47FF_FFFE_87FF_FFFE)
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

    /// The bytes of `range` as a string; nil when they are not UTF-8.
    func string(_ range: Range<Int>) -> String? {
        guard let text = try? UTF8Span(validating: extracting(range)) else { return nil }
        return String(copying: text)
    }
}
