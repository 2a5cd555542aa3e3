import Primitives

/// The names in a preflight's `Access-Control-Request-Headers` (the CORS protocol of the Fetch standard). The answer
/// repeats them. Anybody may have written them, so only tokens are kept, up to a bound.
struct RequestedHeaders: Sendable {
    /// The most bytes of all names with their separators. Browsers have no bound; pages ask for a few names.
    static let longest = 1024

    /// The names as they came, separated by `, `. Each is a token (RFC 9110 §5.6.2), so none can end a line or a list.
    private var names: [UInt8] = []

    /// The names; nil when there are none.
    var text: String? { names.isEmpty ? nil : names.span.string(names.indices) }

    /// Takes in one line of the field. Skips a name that is no token or does not fit.
    mutating func read(_ bytes: Span<UInt8>, _ value: Range<Int>) {
        FieldValue.eachElement(bytes, value) { name in
            let separator = names.isEmpty ? [] : FieldText.listSeparator
            guard names.count + separator.count + name.count <= Self.longest,
                name.allSatisfy({ bytes[$0].isTokenByte })
            else { return }
            names.append(contentsOf: separator)
            names.append(copying: bytes.extracting(name))
        }
    }
}
