/// What it takes to read a body, before it is read.
///
/// Bytes do not cost the same: libxml2 takes 1.4 ns for one of plain text, and what begins an element, an attribute or a
/// reference takes hundreds of times that. A namespace that is declared takes most, for it is parsed as a URI, and a child
/// that leaves under another namespace is written anew. A client that sends a body as it is pays for each byte with a byte;
/// one that sends it compressed may pay a hundredth.
package enum BodyWeight {
    /// About how many bytes of plain text are read in the same time as `body`.
    package static func of(_ body: Span<UInt8>) -> Int {
        var markup = 0
        var other = 0
        for index in body.indices {
            let byte = body[index]
            let isMarkup = byte == UInt8(ascii: "<") || byte == UInt8(ascii: "&") || byte == UInt8(ascii: "=")
            markup &+= isMarkup ? 1 : 0
            // Line ends are normalised and characters beyond ASCII are checked one by one.
            other &+= byte < 0x20 || byte >= 0x80 ? 1 : 0
        }
        return body.count + markup * markupWeight + other * otherWeight + declarations(in: body)
    }

    /// What the namespaces weigh that are declared.
    private static func declarations(in body: Span<UInt8>) -> Int {
        var weight = 0
        // Of five bytes in a row that are `xmlns` one stands at a multiple of five.
        var index = 0
        while index < body.count {
            let start: Int? =
                switch body[index] {
                case UInt8(ascii: "x"): index
                case UInt8(ascii: "m"): index - 1
                case UInt8(ascii: "l"): index - 2
                case UInt8(ascii: "n"): index - 3
                case UInt8(ascii: "s"): index - 4
                default: nil
                }
            if let start, body.hasBytes("xmlns", at: start) { weight += self.weight(in: body, behind: start + 5) }
            index += 5
        }
        return weight
    }

    /// What a declaration weighs that goes on at `start`: by the bytes of its namespace, too.
    private static func weight(in body: Span<UInt8>, behind start: Int) -> Int {
        let isPrefixed = start < body.count && body[start] == UInt8(ascii: ":")
        let weight = isPrefixed ? prefixWeight : declarationWeight
        var index = start
        while index < body.count, body[index] != UInt8(ascii: "'"), body[index] != UInt8(ascii: "\"") {
            // No declaration, or one whose prefix is longer than that weighs.
            guard body[index] != UInt8(ascii: ">"), index - start < longestPrefix else { return weight }
            index += 1
        }
        guard index < body.count else { return weight }
        let quote = body[index]
        let first = index + 1
        index = first
        // Each byte is looked at twice at most: the next declaration in the same quotes ends this one's.
        while index < body.count, body[index] != quote { index += 1 }
        return weight + (index - first) * uriWeight
    }

    private static let markupWeight = 180
    private static let otherWeight = 18
    private static let declarationWeight = 600
    private static let prefixWeight = 1_500
    private static let uriWeight = 20
    private static let longestPrefix = 64
}
