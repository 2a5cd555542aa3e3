/// Base64 with the standard alphabet and padding (RFC 4648 §4).
package enum Base64 {
    /// The text of any number of bytes: four characters for each three bytes that have begun.
    package static func encode(_ bytes: Span<UInt8>) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        var bits: UInt32 = 0
        /// How many of the lowest bits are not written yet: 0, 2 or 4 between two bytes.
        var waiting: UInt32 = 0
        for index in bytes.indices {
            bits = bits << 8 | UInt32(bytes[index])
            waiting += 8
            while waiting >= 6 {
                waiting -= 6
                text.append(character(of: bits >> waiting))
            }
        }
        if waiting > 0 { text.append(character(of: bits << (6 - waiting))) }
        while !text.count.isMultiple(of: 4) { text.append(padding) }
        return text
    }

    /// The bytes of a text; nil for anything that `encode` does not write: other characters, white space, missing or
    /// superfluous padding, unused bits that are not 0 (RFC 4648 §3.5). So no two texts have the same bytes.
    package static func decode(_ text: Span<UInt8>) -> [UInt8]? {
        guard text.count.isMultiple(of: 4) else { return nil }
        var end = text.count
        while end > 0, text.count - end < 2, text[end - 1] == padding { end -= 1 }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(end / 4 * 3 + 2)
        var bits: UInt32 = 0
        /// How many of the lowest bits belong to a byte that is not complete.
        var waiting: UInt32 = 0
        for index in 0..<end {
            guard let value = value(of: text[index]) else { return nil }
            bits = bits << 6 | UInt32(value)
            waiting += 6
            guard waiting >= 8 else { continue }
            waiting -= 8
            bytes.append(UInt8(truncatingIfNeeded: bits >> waiting))
        }
        return bits & ((1 << waiting) - 1) == 0 ? bytes : nil
    }

    private static var padding: UInt8 { UInt8(ascii: "=") }

    /// The character of the lowest six bits.
    private static func character(of bits: UInt32) -> UInt8 {
        let value = UInt8(truncatingIfNeeded: bits & 0x3F)
        return switch value {
        case 0..<26: UInt8(ascii: "A") + value
        case 26..<52: UInt8(ascii: "a") + value - 26
        case 52..<62: UInt8(ascii: "0") + value - 52
        case 62: UInt8(ascii: "+")
        default: UInt8(ascii: "/")
        }
    }

    /// The six bits of a character; nil when it is not in the alphabet.
    private static func value(of character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): character - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): character - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
