/// Places in the document, as offsets into the bytes that were fed.
extension ElementReader {
    /// A first-level element, as offsets into the bytes that were fed.
    struct Child {
        /// The `<`.
        var start = 0
        /// After the name in the start tag: the place for more declarations.
        var nameEnd = 0
        /// After the start tag.
        var startTagEnd = 0
        /// After the end tag.
        var end = 0
        /// The declarations of `rootScope` that it uses without declaring them: one bit each.
        var used: UInt64 = 0
        /// The name, its prefix and its namespace.
        var local = InternedName.none
        var prefix = InternedName.none
        var uri = InternedName.none
        /// Whether it is written under another name, so that its own prefix needs no declaration.
        var isRenamed = false
    }

    /// The byte at `offset` of the document, 0 outside it.
    func byte(at offset: Int) -> UInt8 {
        offset >= 0 && offset < input.count ? input[offset] : 0
    }

    /// The bytes of a part of the document.
    func slice(_ range: Range<Int>) -> UnsafeBufferPointer<UInt8> {
        unsafe UnsafeBufferPointer(rebasing: input[range.clamped(to: 0..<input.count)])
    }

    /// The number of bytes after the root's start tag or its last child.
    var remainingCount: Int { max(input.count - contentEnd, 0) }

    /// The `<` of the tag that ends at `end`. Neither a tag nor an attribute's value can have another one.
    func tagStart(before end: Int) -> Int {
        let bytes = input
        var index = min(end, bytes.count) - 1
        while index > 0, unsafe bytes[index] != UInt8(ascii: "<") { index -= 1 }
        return max(index, 0)
    }

    /// Whether a part of the document is white space.
    func isBlank(_ range: Range<Int>) -> Bool {
        let bytes = input
        var index = range.lowerBound
        while index < range.upperBound, unsafe bytes[index].isXMLSpace { index += 1 }
        return index >= range.upperBound
    }
}
