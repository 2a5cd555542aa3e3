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
        if let domain { text.append(attribute: "from", domain, quote: "'") }
        text.append(attribute: "id", id, quote: "'")
        text.append(attribute: "xml:lang", language, quote: "'")
        if hasVersion { text.append(attribute: "version", "1.0", quote: "'") }
        text.append(UInt8(ascii: ">"))
        return text
    }

    /// A stream error of this program.
    static func error(_ condition: StreamCondition) -> [UInt8] {
        Array(
            "<stream:error><\(condition.rawValue) xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>".utf8)
    }
}
