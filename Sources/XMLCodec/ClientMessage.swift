import Bridge

/// One message of a client over WebSocket (RFC 7395 §3.3.3), read and judged.
package enum ClientMessage: Sendable, Equatable {
    /// White space alone: a sign of life of old clients (`W-42`).
    case blank
    /// `<open/>`.
    case open(OpenAttributes)
    /// `<close/>`. Its attributes mean nothing from a client.
    case close
    /// An element for the server: these bytes of the message, which stand alone.
    case element(Range<Int>)
    /// Something that is not to be forwarded.
    case refused(XMLFault)
}

/// The attributes of a client's `<open/>` (RFC 7395 §3.4).
package struct OpenAttributes: Sendable, Equatable {
    /// `to`, at most `AttributeBound.domain` bytes; nil when it is missing.
    package var to: PeerText?
    /// `from`, at most `AttributeBound.address` bytes; nil when it is missing.
    package var from: PeerText?
    /// `xml:lang`, when it is a language tag (`W-04`).
    package var language: String?

    /// Attributes of an element that has none.
    package init() {}
}
