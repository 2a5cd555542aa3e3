/// Finds the namespace declarations in the bytes of a start tag that libxml2 has accepted.
enum StartTag {
    /// A namespace declaration, as offsets into its start tag.
    struct Declaration: Equatable {
        /// The prefix, empty for the default namespace.
        let prefix: [UInt8]
        /// The declaration with the white space before it.
        let whole: Range<Int>
        /// The value between its quotes.
        let value: Range<Int>
    }

    /// One past the `>` of the start tag with which `element` begins; its count when there is none.
    static func end(in element: Span<UInt8>) -> Int {
        var offset = 0
        while offset < element.count {
            let byte = element[offset]
            if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") {
                offset = element.find(byte, from: offset + 1)
                guard offset < element.count else { return offset }
            } else if byte == UInt8(ascii: ">") {
                return offset + 1
            }
            offset += 1
        }
        return offset
    }

    /// The declarations in `tag`, which reaches from `<` to `>`, in order.
    static func declarations(in tag: Span<UInt8>) -> [Declaration] {
        var found: [Declaration] = []
        var offset = 1
        while offset < tag.count, !tag[offset].endsName { offset += 1 }
        while true {
            let start = offset
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
            let value = (offset + 1)..<end
            offset = min(end + 1, tag.count)
            if tag.hasBytes("xmlns", at: name.lowerBound), name.count == 5 {
                found.append(Declaration(prefix: [], whole: start..<offset, value: value))
            } else if tag.hasBytes("xmlns:", at: name.lowerBound) {
                let prefix = tag.copy((name.lowerBound + 6)..<name.upperBound)
                found.append(Declaration(prefix: prefix, whole: start..<offset, value: value))
            }
        }
    }
}

extension UInt8 {
    /// Whether this byte ends a name in a tag.
    var endsName: Bool {
        isXMLSpace || self == UInt8(ascii: "=") || self == UInt8(ascii: "/") || self == UInt8(ascii: ">")
    }
}

extension Span<UInt8> {
    /// A copy of the bytes in `range`.
    func copy(_ range: Range<Int>) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(range.count)
        for index in range { bytes.append(self[index]) }
        return bytes
    }
}
