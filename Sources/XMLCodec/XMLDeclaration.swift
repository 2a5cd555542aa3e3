/// Reads the byte order mark and the XML declaration before a document, so that libxml2 never sees a declared encoding:
/// it would decode by it, and its offsets would no longer fit the bytes that came.
enum XMLDeclaration {
    /// The offset of the first byte after both.
    ///
    /// Refuses any encoding but UTF-8 (`N-08`), and any version but 1.0.
    static func skip(in bytes: Span<UInt8>) throws(XMLFault) -> Int {
        var offset = 0
        if bytes.count >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF { offset = 3 }
        guard bytes.hasBytes("<?xml", at: offset), offset + 5 < bytes.count, bytes[offset + 5].isXMLSpace else {
            return offset
        }
        offset += 5
        guard let version = pseudoAttribute("version", in: bytes, &offset) else { throw .malformed }
        guard version.count == 3, bytes.hasBytes("1.0", at: version.lowerBound) else { throw .malformed }
        if let encoding = pseudoAttribute("encoding", in: bytes, &offset) {
            guard isUTF8(bytes, encoding) else { throw .encoding }
        }
        if let standalone = pseudoAttribute("standalone", in: bytes, &offset) {
            let isYes = standalone.count == 3 && bytes.hasBytes("yes", at: standalone.lowerBound)
            let isNo = standalone.count == 2 && bytes.hasBytes("no", at: standalone.lowerBound)
            guard isYes || isNo else { throw .malformed }
        }
        offset = bytes.skippingSpace(from: offset, to: bytes.count)
        guard bytes.hasBytes("?>", at: offset) else { throw .malformed }
        return offset + 2
    }

    /// Reads ` name = 'value'`; nil, with the offset unchanged, when something else is there.
    private static func pseudoAttribute(
        _ name: StaticString, in bytes: Span<UInt8>, _ offset: inout Int
    ) -> Range<Int>? {
        var index = bytes.skippingSpace(from: offset, to: bytes.count)
        guard index > offset, bytes.hasBytes(name, at: index) else { return nil }
        index = bytes.skippingSpace(from: index + name.utf8CodeUnitCount, to: bytes.count)
        guard bytes.hasBytes("=", at: index) else { return nil }
        index = bytes.skippingSpace(from: index + 1, to: bytes.count)
        guard index < bytes.count else { return nil }
        let quote = bytes[index]
        guard quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else { return nil }
        let end = bytes.find(quote, from: index + 1)
        guard end < bytes.count else { return nil }
        offset = end + 1
        return (index + 1)..<end
    }

    private static func isUTF8(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        guard range.count == 5 else { return false }
        let expected: StaticString = "utf-8"
        for index in 0..<5 {
            let byte = bytes[range.lowerBound + index]
            let lowered = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
            guard unsafe lowered == expected.utf8Start[index] else { return false }
        }
        return true
    }
}
