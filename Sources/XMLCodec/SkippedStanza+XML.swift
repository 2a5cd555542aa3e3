import StreamCore

extension SkippedStanza {
    /// Appends the error for the stanza's sender, ready for a stream whose default namespace is `jabber:client`; false
    /// when the sender gets none (`T-12`).
    ///
    /// The condition is not `recipient-unavailable`: a server would store the stanza and send it again at the next
    /// login.
    @discardableResult
    package func appendError(into bytes: inout [UInt8]) -> Bool {
        let stanza: UnfetchedStanza
        switch kind {
        case .message: stanza = UnfetchedStanza(kind: .message, type: type, id: id, from: from, to: to)
        case .iq: stanza = UnfetchedStanza(kind: .iq, type: type, id: id, from: from, to: to)
        case .presence, .other: return false
        }
        guard stanza.isAnswerOwed else { return false }
        bytes.append(literal: kind == .message ? "<message" : "<iq")
        stanza.appendAttributes(into: &bytes)
        Self.appendCondition(into: &bytes)
        bytes.append(literal: kind == .message ? "</message>" : "</iq>")
        return true
    }

    /// Appends what the client gets in its place: an error for its own question, or the same stanza without content.
    package func appendReplacement(into bytes: inout [UInt8]) {
        let name: StaticString
        switch kind {
        case .message: name = "message"
        case .presence: name = "presence"
        case .iq: name = "iq"
        case .other: return
        }
        bytes.append(UInt8(ascii: "<"))
        bytes.append(literal: name)
        bytes.append(literal: " xmlns='jabber:client'")
        if isAnswer {
            bytes.append(literal: " type='error'")
        } else if !type.isEmpty {
            AttributeText.append("type", type, into: &bytes)
        }
        if let id { AttributeText.append("id", id, into: &bytes) }
        if let from { AttributeText.append("from", from, into: &bytes) }
        if let to { AttributeText.append("to", to, into: &bytes) }
        guard isAnswer else {
            bytes.append(literal: "/>")
            return
        }
        Self.appendCondition(into: &bytes)
        bytes.append(literal: "</iq>")
    }

    /// RFC 6120 §8.3.3.9.
    private static func appendCondition(into bytes: inout [UInt8]) {
        bytes.append(
            literal: "><error type='modify'><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>")
    }
}
