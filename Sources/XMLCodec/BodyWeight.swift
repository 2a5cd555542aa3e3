/// Estimates the time to read a body, before it is read.
///
/// Bytes do not all cost the same: libxml2 takes 1.4 ns for a byte of plain text, and hundreds of times that for a byte
/// that begins an element, an attribute or a reference. A namespace declaration costs most, because its value is parsed
/// as a URI, and a child whose namespace changes is written anew. An uncompressed body costs its sender as many bytes;
/// a compressed one may cost a hundredth of that.
package enum BodyWeight {
    /// The number of bytes of plain text that take about as long to read as `body`.
    package static func of(_ body: Span<UInt8>) -> Int {
        let count = body.count
        let raw = unsafe body.bytes
        var weight = count
        var index = 0
        while index < count {
            // Most of a large body is text: eight bytes at a time that weigh eight.
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

    /// The weight of one byte beyond that of plain text.
    private static func surplus(of byte: UInt8) -> Int {
        switch byte {
        case UInt8(ascii: "<"), UInt8(ascii: "&"), UInt8(ascii: "="): markupWeight
        // Line ends are normalised, and characters beyond ASCII are checked one by one.
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

    /// Sets the high bit of the lowest zero byte; sets no bit when no byte is zero.
    @inline(__always)
    private static func zeroes(_ word: UInt64) -> UInt64 { (word &- every(0x01)) & ~word }

    /// The weight of the namespace declaration whose `=` is at `index`, its value included; 0 when there is none.
    private static func declaration(in body: Span<UInt8>, at index: Int) -> Int {
        // No byte is scanned from two `=`, because what stands between them ends the search.
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
        // Each byte is scanned at most twice: a declaration within these quotes would end at the other kind of quote.
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
    /// Whether this byte ends an attribute's name.
    fileprivate var endsAttributeName: Bool {
        switch self {
        case UInt8(ascii: "="), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "'"), UInt8(ascii: "\""): true
        default: isXMLSpace
        }
    }
}
