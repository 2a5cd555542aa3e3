/// Checks UTF-8 (RFC 3629 §4) that comes in pieces. A piece may end inside a character; the next one goes on there.
///
/// The check fails at the first byte that no correct text can have in its place, however the text is cut: it never
/// waits for the rest of a character that is already wrong. It takes three bytes between the pieces.
package struct UTF8Check: Sendable, Equatable {
    /// How many bytes are still to come of the character that has begun: 0 to 3.
    private var missing: UInt8 = 0
    /// The smallest value that the next of them may have, and the largest.
    private var lowest: UInt8 = 0x80
    private var highest: UInt8 = 0xBF

    /// A check of a text of which nothing has come.
    package init() {}

    /// Whether the text may end here: no character is cut off.
    package var isComplete: Bool { missing == 0 }

    /// Checks the next piece, of any length. After it has returned false the text is wrong, whatever follows.
    package mutating func accepts(_ piece: Span<UInt8>) -> Bool {
        var index = 0
        while index < piece.count {
            if missing == 0 {
                index = Self.end(ofCharactersIn: piece, from: index)
                guard index < piece.count else { break }
            }
            guard accepts(piece[index]) else { return false }
            index &+= 1
        }
        return true
    }

    /// Goes over correct characters by words. At the returned offset, which is between two characters, bytes have to be
    /// checked one by one: what stands there is wrong, or fewer than eight bytes are left.
    private static func end(ofCharactersIn piece: Span<UInt8>, from start: Int) -> Int {
        let raw = unsafe piece.bytes
        let count = piece.count
        let highBits: UInt64 = 0x8080_8080_8080_8080
        var index = start
        while count &- index >= 8 {
            let word = unsafe raw.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
            let high = UInt64(littleEndian: word) & highBits
            guard high != 0 else {
                index &+= 8
                continue
            }
            index &+= high.trailingZeroBitCount / 8
            // Text in other scripts has many characters in a row that are not ASCII.
            while count &- index >= 4 {
                let bytes = unsafe raw.unsafeLoadUnaligned(fromByteOffset: index, as: UInt32.self)
                let length = lengthOfCharacter(UInt32(bigEndian: bytes))
                guard length > 1 else {
                    if length == 0 { return index }
                    break
                }
                index &+= length
            }
        }
        return index
    }

    /// The length of the character at the start of four bytes, the first of which is the highest; 0 when there is none.
    @inline(__always)
    private static func lengthOfCharacter(_ bytes: UInt32) -> Int {
        if bytes < 0x8000_0000 { return 1 }
        // The bits that say the length, and those of the bytes that go on.
        if bytes & 0xF0C0_C000 == 0xE080_8000 {
            // The highest five bits of the character: 0 has a shorter form, 0x1B are the surrogates.
            let highest = bytes & 0x0F20_0000
            return highest == 0 || highest == 0x0D20_0000 ? 0 : 3
        }
        // What begins with C0 or C1 has a shorter form.
        if bytes & 0xE0C0_0000 == 0xC080_0000 { return bytes & 0x1E00_0000 == 0 ? 0 : 2 }
        if bytes & 0xF8C0_C0C0 == 0xF080_8080 {
            // The number of the plane: 1 to 16.
            return (0x0010_0000...0x0400_0000).contains(bytes & 0x0730_0000) ? 4 : 0
        }
        return 0
    }

    /// Checks the next byte.
    @inline(__always)
    private mutating func accepts(_ byte: UInt8) -> Bool {
        guard missing == 0 else {
            guard byte >= lowest, byte <= highest else { return false }
            missing -= 1
            lowest = 0x80
            highest = 0xBF
            return true
        }
        switch byte {
        case 0x00...0x7F: break
        case 0xC2...0xDF: missing = 1
        case 0xE0...0xEF:
            missing = 2
            // No form that is longer than the shortest, and no surrogates.
            if byte == 0xE0 { lowest = 0xA0 }
            if byte == 0xED { highest = 0x9F }
        case 0xF0...0xF4:
            missing = 3
            // No form that is longer than the shortest, and nothing above U+10FFFF.
            if byte == 0xF0 { lowest = 0x90 }
            if byte == 0xF4 { highest = 0x8F }
        default: return false
        }
        return true
    }
}
