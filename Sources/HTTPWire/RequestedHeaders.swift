import Primitives

/// The names that a preflight asks for in `Access-Control-Request-Headers` (the CORS protocol of the Fetch standard), to be
/// said back: anybody may have written them, so only tokens are kept, and no more than fit.
struct RequestedHeaders: Sendable {
    /// Bytes that all names may take together with what parts them. Browsers know no bound; pages ask for a few names.
    static let longest = 1024

    /// The names as they came, parted by `, `. Each is a token (RFC 9110 §5.6.2), so that none ends a line or a list.
    private var names: [UInt8] = []

    /// The names; nil when there are none.
    var text: String? { names.isEmpty ? nil : names.span.string(names.indices) }

    /// Takes in one line of the field. What is no token is passed over, and so is a name that does not fit.
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
