import Primitives

extension SessionID {
    /// Finds the `sid` in the start tag of a `<body/>` element without parsing it, to learn which worker the request is
    /// for.
    ///
    /// Nil where only a parser can tell: when something stands before `<body`, a reference stands in the value, or the
    /// tag is not well-formed. The result is a guess, because nothing else of the element is checked; whoever acts on the
    /// request has to parse it.
    package init?(mentionedIn body: Span<UInt8>) {
        guard body.count > 5, body[0] == UInt8(ascii: "<"), body[1] == UInt8(ascii: "b"), body[2] == UInt8(ascii: "o"),
            body[3] == UInt8(ascii: "d"), body[4] == UInt8(ascii: "y")
        else { return nil }
        var index = 5
        while let name = body.attributeName(from: &index), let value = body.attributeValue(from: &index) {
            guard name.count == 3, body[name.lowerBound] == UInt8(ascii: "s"),
                body[name.lowerBound + 1] == UInt8(ascii: "i"), body[name.lowerBound + 2] == UInt8(ascii: "d")
            else { continue }
            self.init(parsing: body.extracting(value))
            return
        }
        return nil
    }
}

extension Span<UInt8> {
    /// The name of the attribute that begins behind white space at `index`, with its `=`; nil when none does.
    fileprivate func attributeName(from index: inout Int) -> Range<Int>? {
        let before = index
        skipSpace(&index)
        guard index > before else { return nil }
        let start = index
        while index < count, self[index] != UInt8(ascii: "=") {
            guard self[index] > 0x20, self[index] != UInt8(ascii: ">"), self[index] != UInt8(ascii: "/") else {
                return nil
            }
            index += 1
        }
        guard index < count else { return nil }
        defer { index += 1 }
        return start..<index
    }

    /// The value in quotes at `index`; nil when there is none.
    fileprivate func attributeValue(from index: inout Int) -> Range<Int>? {
        guard index < count, self[index] == UInt8(ascii: "'") || self[index] == UInt8(ascii: "\"") else { return nil }
        let quote = self[index]
        let start = index + 1
        index = start
        while index < count, self[index] != quote {
            guard self[index] != UInt8(ascii: "<") else { return nil }
            index += 1
        }
        guard index < count else { return nil }
        defer { index += 1 }
        return start..<index
    }

    private func skipSpace(_ index: inout Int) {
        while index < count, self[index] == 0x20 || self[index] == 0x0A || self[index] == 0x09 || self[index] == 0x0D {
            index += 1
        }
    }
}
