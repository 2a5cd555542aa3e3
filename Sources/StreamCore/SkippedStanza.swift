/// What is left of an element from the server that was deeper, wider or larger than is delivered, and was skipped.
package struct SkippedStanza: Sendable, Equatable {
    /// Which of the three stanzas it was.
    package enum Kind: String, Sendable, Equatable, CaseIterable {
        case message, presence, iq
        /// Another element: nobody waits for an answer to it.
        case other
    }

    /// Which of the three stanzas it was.
    package var kind: Kind
    /// The limit that it passed, by its name in a log line.
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

    /// What is left of an element; the attributes are those of its start tag without their escapes.
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

    /// Whether it answers something that the client asked.
    package var isAnswer: Bool {
        kind == .iq && (type.elementsEqual("result".utf8) || type.elementsEqual("error".utf8))
    }
}

/// What becomes of a skipped stanza.
package enum SkippedFate: Sendable, Equatable {
    /// Its sender is told, by the rules of `T-12`.
    case returned
    /// The client, which waits for it, is told that it cannot be had.
    case refused
    /// The client gets a stanza of the same kind without content.
    ///
    /// Client and server count what they get from each other (XEP-0198 §4). One that is missing would be sent again for ever,
    /// and an error that the client never sent would be one too many; the client's own answer to what has no content tells
    /// the sender of an iq.
    case replaced
    /// Nobody waits for it.
    case dropped
}
