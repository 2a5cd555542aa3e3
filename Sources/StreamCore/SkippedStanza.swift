/// What is kept of an element from the server that was skipped because it was too deep, too wide or too large.
package struct SkippedStanza: Sendable, Equatable {
    /// Which of the three stanzas the element was.
    package enum Kind: String, Sendable, Equatable, CaseIterable {
        case message, presence, iq
        /// Another element: nobody waits for an answer to it.
        case other
    }

    /// Which of the three stanzas the element was.
    package var kind: Kind
    /// The name, for a log line, of the limit that the element passed.
    package var limit: String
    /// How many bytes were skipped.
    package var size: Int
    /// `type`, empty when absent.
    package var type: [UInt8]
    /// `id`, if any.
    package var id: [UInt8]?
    /// `from`, if any.
    package var from: [UInt8]?
    /// `to`, if any.
    package var to: [UInt8]?

    /// Describes a skipped element by the attributes of its start tag, without their escapes.
    package init(
        kind: Kind, limit: String, size: Int, type: [UInt8] = [], id: [UInt8]? = nil, from: [UInt8]? = nil,
        to: [UInt8]? = nil
    ) {
        self.kind = kind
        self.limit = limit
        self.size = size
        self.type = type
        self.id = id
        self.from = from
        self.to = to
    }

    /// Whether the stanza answers a request of the client.
    package var isAnswer: Bool {
        kind == .iq && (type.elementsEqual("result".utf8) || type.elementsEqual("error".utf8))
    }
}

/// What is done about a skipped stanza.
package enum SkippedFate: Sendable, Equatable {
    /// The sender is told, by the rules of `T-12`.
    case returned
    /// The client, which waits for the stanza, is told that it cannot be had.
    case refused
    /// The client gets a stanza of the same kind without content.
    ///
    /// Client and server count the stanzas that they get from each other (XEP-0198 §4). The server would send a missing
    /// stanza again for ever, and an error that the client never sent would raise the server's count by one too many.
    /// If the stanza is an iq, the client's own answer to the empty stanza tells the sender.
    case replaced
    /// Nobody waits for the stanza.
    case dropped
}
