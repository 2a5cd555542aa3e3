/// The raw bytes of a start tag that libxml2 has accepted: finds where its namespace declarations stand.
enum StartTag {
    /// The declarations in `tag` (from `<` to `>`), in order: the prefix, empty for the default namespace, and where in `tag`
    /// the value stands between its quotes.
    static func declarations(in tag: Span<UInt8>) -> [(prefix: [UInt8], value: Range<Int>)] {
        var found: [(prefix: [UInt8], value: Range<Int>)] = []
        var offset = 1
        while offset < tag.count, !tag[offset].endsName { offset += 1 }
        while true {
            offset = tag.skippingSpace(from: offset, to: tag.count)
            let nameStart = offset
            while offset < tag.count, !tag[offset].endsName { offset += 1 }
            let name = nameStart..<offset
            guard !name.isEmpty else { return found }
            while offset < tag.count, tag[offset] != UInt8(ascii: "'"), tag[offset] != UInt8(ascii: "\"") {
                offset += 1
            }
            guard offset < tag.count else { return found }
            let end = tag.find(tag[offset], from: offset + 1)
            if tag.hasBytes("xmlns", at: name.lowerBound), name.count == 5 {
                found.append(([], (offset + 1)..<end))
            } else if tag.hasBytes("xmlns:", at: name.lowerBound) {
                found.append((tag.copy((name.lowerBound + 6)..<name.upperBound), (offset + 1)..<end))
            }
            offset = min(end + 1, tag.count)
        }
    }
}

extension UInt8 {
    /// Whether a name in a tag ends in front of this byte.
    var endsName: Bool {
        isXMLSpace || self == UInt8(ascii: "=") || self == UInt8(ascii: "/") || self == UInt8(ascii: ">")
    }
}

extension Span<UInt8> {
    /// The bytes of a part.
    func copy(_ range: Range<Int>) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(range.count)
        for index in range { bytes.append(self[index]) }
        return bytes
    }
}
