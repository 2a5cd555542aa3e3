import Bridge

/// The messages that this program itself writes to a client (RFC 7395 §3.3, `W-04` to `W-07`).
///
/// Strophe compares some of them as text, so their spelling is part of the protocol (`W-40`).
enum FramedText {
    /// `<close/>`, in the only spelling that Strophe takes for the end of an established stream.
    static let close = Array("<close xmlns=\"urn:ietf:params:xml:ns:xmpp-framing\" />".utf8)

    /// `<open/>`.
    ///
    /// - Parameters:
    ///   - domain: the domain of the stream; nil when none is served under the name that the client gave.
    ///   - id: the identifier of the stream.
    ///   - to: the account that the client gave as its own; nil when it gave none.
    ///   - language: the language of the stream, a tag of letters, digits and hyphens.
    static func open(from domain: String?, id: String, to: [UInt8]?, language: String) -> [UInt8] {
        var text = Array("<open xmlns=\"urn:ietf:params:xml:ns:xmpp-framing\"".utf8)
        if let domain { text.append(attribute: "from", domain) }
        text.append(attribute: "id", id)
        if let to { text.append(attribute: "to", to) }
        text.append(contentsOf: " version=\"1.0\"".utf8)
        text.append(attribute: "xml:lang", language)
        text.append(contentsOf: "/>".utf8)
        return text
    }

    /// A stream error of this program.
    static func error(_ condition: StreamCondition) -> [UInt8] {
        Array(
            """
            <stream:error xmlns:stream="http://etherx.jabber.org/streams"><\(condition.rawValue) \
            xmlns="urn:ietf:params:xml:ns:xmpp-streams"/></stream:error>
            """.utf8)
    }

    /// An element of the server with the prefix `stream`, features or an error, with that prefix declared: a message
    /// stands alone (RFC 7395 §3.3.3, `W-41`). Any other element stays as it is.
    static func standingAlone(_ element: [UInt8]) -> [UInt8] {
        guard element.starts(with: "<stream:".utf8) else { return element }
        let name = element.prefix { !" \t\r\n/>".utf8.contains($0) }
        var text: [UInt8] = []
        text.reserveCapacity(element.count + declaration.count)
        text.append(contentsOf: name)
        text.append(contentsOf: declaration)
        text.append(contentsOf: element[name.endIndex...])
        return text
    }

    private static let declaration = Array(" xmlns:stream=\"http://etherx.jabber.org/streams\"".utf8)
}
