extension [UInt8] {
    /// Appends ` name="value"` to the start tag of an element that this program writes itself. The value is escaped, and
    /// has only characters that XML allows.
    ///
    /// - Parameter quote: `"` or `'`.
    package mutating func append(attribute name: String, _ value: [UInt8], quote: Unicode.Scalar = "\"") {
        append(contentsOf: " \(name)=\(quote)".utf8)
        for byte in value {
            switch byte {
            case UInt8(ascii: "&"): append(contentsOf: "&amp;".utf8)
            case UInt8(ascii: "<"): append(contentsOf: "&lt;".utf8)
            case UInt8(ascii: ">"): append(contentsOf: "&gt;".utf8)
            case UInt8(ascii: "\""): append(contentsOf: "&quot;".utf8)
            case UInt8(ascii: "'"): append(contentsOf: "&apos;".utf8)
            default: append(byte)
            }
        }
        append(UInt8(ascii: quote))
    }

    /// Appends ` name="value"`, the value escaped.
    package mutating func append(attribute name: String, _ value: String, quote: Unicode.Scalar = "\"") {
        append(attribute: name, Array(value.utf8), quote: quote)
    }
}
