/// What it takes to read a body, before it is read.
///
/// Bytes do not cost the same: libxml2 takes 1.4 ns for one of plain text, and what begins an element, an attribute or a
/// reference takes hundreds of times that. A namespace that is declared takes most, for it is parsed as a URI, and a child
/// that leaves under another namespace is written anew. A client that sends a body as it is pays for each byte with a byte;
/// one that sends it compressed may pay a hundredth.
package enum BodyWeight {
    /// About how many bytes of plain text are read in the same time as `body`.
    package static func of(_ body: Span<UInt8>) -> Int {
        let count = body.count
        let raw = unsafe body.bytes
        var weight = count
        var index = 0
        while index < count {
            // Most of a large body is text, of which eight bytes at a time weigh eight.
            while index + 8 <= count {
                let word = unsafe raw.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
                guard !hasHeavyByte(word) else { break }
                index += 8
            }
            let end = min(index + 8, count)
            while index < end {
                weight += surplus(of: body[index])
                if body[index] == UInt8(ascii: "=") { weight += declaration(in: body, at: index) }
                index += 1
            }
        }
        return weight
    }

    /// What one byte weighs beyond a byte of plain text.
    private static func surplus(of byte: UInt8) -> Int {
        switch byte {
        case UInt8(ascii: "<"), UInt8(ascii: "&"), UInt8(ascii: "="): markupWeight
        // Line ends are normalised and characters beyond ASCII are checked one by one.
        case ..<0x20, 0x80...: otherWeight
        default: 0
        }
    }

    /// Whether one of eight bytes weighs more than plain text.
    private static func hasHeavyByte(_ word: UInt64) -> Bool {
        let belowSpace = (word &- every(0x20)) & ~word
        // `<` and `=` differ in their lowest bit.
        let tag = (word | every(0x01)) ^ every(UInt8(ascii: "="))
        let reference = word ^ every(UInt8(ascii: "&"))
        return (word | belowSpace | zeroes(tag) | zeroes(reference)) & every(0x80) != 0
    }

    @inline(__always)
    private static func every(_ byte: UInt8) -> UInt64 { UInt64(byte) &* 0x0101_0101_0101_0101 }

    /// The high bit of the lowest byte that is zero is set, and none where no byte is.
    @inline(__always)
    private static func zeroes(_ word: UInt64) -> UInt64 { (word &- every(0x01)) & ~word }

    /// What the namespace weighs that is declared by the `=` at `index`, by the bytes of its name too; 0 where none is.
    private static func declaration(in body: Span<UInt8>, at index: Int) -> Int {
        // No byte is looked at from two of these places: what stands between them ends the search.
        var nameEnd = index
        while nameEnd > 0, body[nameEnd - 1].isXMLSpace { nameEnd -= 1 }
        var nameStart = nameEnd
        while nameStart > 0, !body[nameStart - 1].endsAttributeName { nameStart -= 1 }
        guard body.hasBytes("xmlns", at: nameStart), nameStart + 5 <= nameEnd else { return 0 }
        let isPrefixed = nameStart + 5 < nameEnd && body[nameStart + 5] == UInt8(ascii: ":")
        guard isPrefixed || nameStart + 5 == nameEnd else { return 0 }
        let weight = isPrefixed ? prefixWeight : declarationWeight
        let quoteAt = body.skippingSpace(from: index + 1, to: body.count)
        guard quoteAt < body.count else { return weight }
        let quote = body[quoteAt]
        guard quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else { return weight }
        var end = quoteAt + 1
        // Each byte is looked at twice at most: a declaration in the same quotes would end at the other kind of them.
        while end < body.count, body[end] != quote { end += 1 }
        return weight + (end - quoteAt - 1) * uriWeight
    }

    private static let markupWeight = 180
    private static let otherWeight = 18
    private static let declarationWeight = 600
    private static let prefixWeight = 1_500
    private static let uriWeight = 20
}

extension UInt8 {
    /// Whether no name of an attribute reaches over this byte.
    fileprivate var endsAttributeName: Bool {
        switch self {
        case UInt8(ascii: "="), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "'"), UInt8(ascii: "\""): true
        default: isXMLSpace
        }
    }
}
