import Primitives

/// The bytes that occur in the texts of this room.
enum Ascii {
    static let tab: UInt8 = 0x09
    static let lineFeed: UInt8 = 0x0A
    static let carriageReturn: UInt8 = 0x0D
    static let space: UInt8 = 0x20
    static let quote: UInt8 = 0x22
    static let comma: UInt8 = 0x2C
    static let dot: UInt8 = 0x2E
    static let slash: UInt8 = 0x2F
    static let colon: UInt8 = 0x3A
    static let semicolon: UInt8 = 0x3B
    static let equals: UInt8 = 0x3D
    static let openBracket: UInt8 = 0x5B
    static let backslash: UInt8 = 0x5C
    static let closeBracket: UInt8 = 0x5D
    static let underscore: UInt8 = 0x5F
}

/// Decimal numbers as they occur in addresses, ports and prefix lengths.
enum Decimal {
    /// Reads the digits at `index` and moves `index` past them. Nil for no digit, for a leading zero (some readers take
    /// it for octal), and for a value above `limit`.
    static func read(_ text: Span<UInt8>, at index: inout Int, limit: UInt32) -> UInt32? {
        let start = index
        var value: UInt32 = 0
        while index < text.count, text[index].isASCIIDigit {
            // A tenth digit is never reached: the limit is at most 65,535.
            value = value &* 10 &+ UInt32(text[index] &- 0x30)
            guard value <= limit else { return nil }
            index += 1
        }
        guard index > start, index == start + 1 || text[start] != 0x30 else { return nil }
        return value
    }

    /// A port of 0...65535; nil unless `text` is a number and nothing else.
    static func port(_ text: Span<UInt8>) -> UInt16? {
        var index = 0
        guard let value = read(text, at: &index, limit: 65_535), index == text.count else { return nil }
        return UInt16(truncatingIfNeeded: value)
    }
}

extension IPAddress {
    /// `ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255`
    private static let longestText = 45

    /// Reads the bytes of an address's text, by the rules of `init(_: some StringProtocol)`.
    init?(_ text: Span<UInt8>) {
        guard text.count <= Self.longestText else { return nil }
        if let number = Self.quad(text, from: 0) {
            self = .v4(number)
        } else if let number = Self.groups(text) {
            self = .v6(number)
        } else {
            return nil
        }
    }

    /// Four decimal octets that fill the text from `start` to its end.
    private static func quad(_ text: Span<UInt8>, from start: Int) -> UInt32? {
        var number: UInt32 = 0
        var index = start
        for position in 0..<4 {
            if position > 0 {
                guard index < text.count, text[index] == Ascii.dot else { return nil }
                index += 1
            }
            guard let octet = Decimal.read(text, at: &index, limit: 255) else { return nil }
            number = number << 8 | octet
        }
        return index == text.count ? number : nil
    }

    /// RFC 4291 §2.2: eight groups, or fewer with one `::`; the last two may be written as IPv4.
    private static func groups(_ text: Span<UInt8>) -> UInt128? {
        var number: UInt128 = 0
        var count = 0
        /// How many groups stand before the `::`.
        var gap: Int?
        var index = 0
        if text.count >= 2, text[0] == Ascii.colon, text[1] == Ascii.colon {
            gap = 0
            index = 2
        }
        while index < text.count {
            let start = index
            guard count < 8, let group = group(text, at: &index) else { return nil }
            if index < text.count, text[index] == Ascii.dot {
                guard let embedded = quad(text, from: start) else { return nil }
                number = number << 32 | UInt128(embedded)
                count += 2
                break
            }
            number = number << 16 | UInt128(group)
            count += 1
            guard index < text.count else { break }
            guard text[index] == Ascii.colon, index + 1 < text.count else { return nil }
            index += 1
            if text[index] == Ascii.colon {
                guard gap == nil else { return nil }
                gap = count
                index += 1
            }
        }
        guard let gap else { return count == 8 ? number : nil }
        guard count < 8 else { return nil }
        let behind = 16 * (count - gap)
        let head = number >> UInt128(behind)
        // A shift by all 128 bits gives 0, which is right here.
        return head << UInt128(128 - 16 * gap) | (number & ((1 << UInt128(behind)) - 1))
    }

    /// One to four hexadecimal digits.
    private static func group(_ text: Span<UInt8>, at index: inout Int) -> UInt16? {
        let start = index
        var group: UInt16 = 0
        while index < text.count, let digit = text[index].hexadecimalValue {
            guard index < start + 4 else { return nil }
            group = group << 4 | UInt16(digit)
            index += 1
        }
        return index > start ? group : nil
    }
}
