/// Checks UTF-8 and the characters of XML 1.0 before any parser sees the bytes (`N-08`, `N-09`).
///
/// Parsers that tolerate broken UTF-8 have allowed stanza smuggling more than once, so this check runs before both of
/// ours.
enum CharacterCheck {
    /// The number of bytes from the start that are whole characters, in their shortest UTF-8 form, that XML 1.0 §2.2
    /// allows.
    ///
    /// It is `bytes.count` when all of them are.
    static func validPrefix(of bytes: Span<UInt8>) -> Int {
        let count = bytes.count
        let raw = unsafe bytes.bytes
        var index = 0
        while index < count {
            // Eight printable ASCII characters at a time: no high bit, and none below a space.
            while index + 8 <= count {
                let word = unsafe raw.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
                let belowSpace = (word &- 0x2020_2020_2020_2020) & ~word
                guard (word | belowSpace) & 0x8080_8080_8080_8080 == 0 else { break }
                index += 8
            }
            guard index < count else { break }
            let length = characterLength(in: bytes, at: index)
            guard length > 0 else { return index }
            index += length
        }
        return index
    }

    /// Checks on from `offset` through about `budget` bytes.
    ///
    /// Returns false when a character is not allowed; the offset is then in front of it.
    static func advance(in bytes: Span<UInt8>, from offset: inout Int, budget: Int) -> Bool {
        let begun = offset
        // A character has at most four bytes.
        let end = begun + min(max(budget, 4), bytes.count - begun)
        offset += validPrefix(of: bytes.extracting(begun..<end))
        // A character that the end of the piece cuts is checked again with the next piece.
        return offset == end || (end < bytes.count && offset > begun && end - offset < 4)
    }

    /// The length of the character at `index`; 0 when it is not allowed.
    private static func characterLength(in bytes: Span<UInt8>, at index: Int) -> Int {
        let first = bytes[index]
        switch first {
        case 0x20...0x7F, 0x09, 0x0A, 0x0D: return 1
        case 0xC2...0xDF:
            return continues(bytes, index + 1) ? 2 : 0
        case 0xE0...0xEF:
            guard continues(bytes, index + 1), continues(bytes, index + 2) else { return 0 }
            let second = bytes[index + 1]
            if first == 0xE0, second < 0xA0 { return 0 }
            // Surrogates: U+D800 to U+DFFF.
            if first == 0xED, second > 0x9F { return 0 }
            // U+FFFE and U+FFFF.
            if first == 0xEF, second == 0xBF, bytes[index + 2] >= 0xBE { return 0 }
            return 3
        case 0xF0...0xF4:
            guard continues(bytes, index + 1), continues(bytes, index + 2), continues(bytes, index + 3) else {
                return 0
            }
            let second = bytes[index + 1]
            if first == 0xF0, second < 0x90 { return 0 }
            if first == 0xF4, second > 0x8F { return 0 }
            return 4
        default: return 0
        }
    }

    private static func continues(_ bytes: Span<UInt8>, _ index: Int) -> Bool {
        index < bytes.count && bytes[index] & 0xC0 == 0x80
    }
}

extension UInt8 {
    /// White space of XML 1.0 §2.3.
    var isXMLSpace: Bool {
        self == 0x20 || self == 0x0A || self == 0x0D || self == 0x09
    }
}

extension Span<UInt8> {
    /// The first offset in `start..<end` that is not white space; `end` when there is none.
    func skippingSpace(from start: Int, to end: Int) -> Int {
        var index = start
        while index < end, self[index].isXMLSpace { index += 1 }
        return index
    }

    /// Whether `text` stands at `offset`.
    func hasBytes(_ text: StaticString, at offset: Int) -> Bool {
        guard offset >= 0, offset + text.utf8CodeUnitCount <= count else { return false }
        for index in 0..<text.utf8CodeUnitCount where unsafe self[offset + index] != text.utf8Start[index] {
            return false
        }
        return true
    }
}
