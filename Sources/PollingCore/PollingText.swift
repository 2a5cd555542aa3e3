import Bridge

/// What this program itself writes on the stream to a client (RFC 6120 §4.7, §4.9; `Q-31`, `Q-33`).
enum PollingText {
    /// The end of the stream.
    static let end = Array("</stream:stream>".utf8)

    /// A stream header with its declaration. It declares the prefix with which features and errors come.
    ///
    /// - Parameters:
    ///   - domain: the domain of the stream; nil when none is served under the name that the client gave.
    ///   - id: the identifier of the stream, which a login without SASL needs (XEP-0078).
    ///   - language: the language of the stream, a tag of letters, digits and hyphens.
    static func header(from domain: String?, id: String, language: String, hasVersion: Bool) -> [UInt8] {
        var text = Array(
            """
            <?xml version='1.0'?><stream:stream xmlns='jabber:client' \
            xmlns:stream='http://etherx.jabber.org/streams'
            """.utf8)
        if let domain { append("from", domain, to: &text) }
        append("id", id, to: &text)
        append("xml:lang", language, to: &text)
        if hasVersion { append("version", "1.0", to: &text) }
        text.append(UInt8(ascii: ">"))
        return text
    }

    /// A stream error of this program.
    static func error(_ condition: StreamCondition) -> [UInt8] {
        Array(
            "<stream:error><\(condition.rawValue) xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>".utf8)
    }

    private static func append(_ name: String, _ value: String, to text: inout [UInt8]) {
        text.append(contentsOf: " \(name)='".utf8)
        for byte in value.utf8 {
            switch byte {
            case UInt8(ascii: "&"): text.append(contentsOf: "&amp;".utf8)
            case UInt8(ascii: "<"): text.append(contentsOf: "&lt;".utf8)
            case UInt8(ascii: ">"): text.append(contentsOf: "&gt;".utf8)
            case UInt8(ascii: "\""): text.append(contentsOf: "&quot;".utf8)
            case UInt8(ascii: "'"): text.append(contentsOf: "&apos;".utf8)
            default: text.append(byte)
            }
        }
        text.append(UInt8(ascii: "'"))
    }
}
