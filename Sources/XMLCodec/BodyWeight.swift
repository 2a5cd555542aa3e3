/// What it takes to read a body, before it is read.
///
/// Bytes do not cost the same: libxml2 takes 1.4 ns for one of plain text and up to a hundred for one that begins an element,
/// an attribute or a reference. A client that sends a body as it is pays for each byte with a byte; one that sends it
/// compressed may pay a hundredth.
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
        return body.count + markup * markupWeight + other * otherWeight
    }

    private static let markupWeight = 60
    private static let otherWeight = 6
}
