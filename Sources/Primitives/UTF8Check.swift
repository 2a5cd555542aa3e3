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
        let raw = unsafe piece.bytes
        let count = piece.count
        var index = 0
        while index < count {
            if missing == 0 {
                // Eight bytes of ASCII at a time.
                while count - index >= 8 {
                    let word = unsafe raw.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
                    guard word & 0x8080_8080_8080_8080 == 0 else { break }
                    index &+= 8
                }
                guard index < count else { break }
            }
            guard accepts(piece[index]) else { return false }
            index &+= 1
        }
        return true
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
