/// How a stream to an XMPP server ended without this side having asked for it.
package enum StreamFailure: Sendable, Equatable {
    /// The server's name has no address.
    case unresolved
    /// No address of the server accepted a connection.
    case unreachable
    /// TLS failed: the handshake, or the server's certificate.
    case tls
    /// STARTTLS is demanded and the server does not offer it, or refused it. Never a silent fall-back (`X-19`).
    case startTLSUnavailable
    /// Connection, TLS and features took longer than allowed; what was waited for.
    case timeout(StreamPhase)
    /// The server sent something that is not an XMPP stream, or broke a limit.
    case malformed(StreamFault)
    /// The server sent this where it has no meaning.
    case unexpected(StreamPhase)
    /// The server sent bytes behind `<proceed/>`: they could be taken for protected ones (`threats`: STARTTLS injection).
    case bytesAfterProceed
    /// The server sent a stream error (RFC 6120 §4.9); the name of its condition and the whole element.
    case streamError(condition: String, bytes: [UInt8])
    /// The server ended its stream with `</stream:stream>`.
    case closed
    /// The connection was lost.
    case lost
    /// The server accepts no bytes any more.
    case stalled
}

extension StreamFailure: CustomStringConvertible {
    /// One short line for a log: what a server wrote into a stream error is left out, but for the name of the condition.
    package var description: String {
        switch self {
        case .unresolved: "the server's name has no address"
        case .unreachable: "no address of the server accepts a connection"
        case .tls: "TLS failed"
        case .startTLSUnavailable: "the server does not offer STARTTLS"
        case .timeout(let phase): "time is up while waiting for \(phase.rawValue)"
        case .malformed(let fault): "malformed: \(fault)"
        case .unexpected(let phase): "unexpected element in phase \(phase.rawValue)"
        case .bytesAfterProceed: "bytes behind <proceed/>"
        case .streamError(let condition, _): "stream error \(condition.prefix(64))"
        case .closed: "the server ended its stream"
        case .lost: "the connection was lost"
        case .stalled: "the server accepts no bytes"
        }
    }
}

/// Where an upstream stream stands, as a word for logs.
package enum StreamPhase: String, Sendable, Equatable, CaseIterable {
    /// Finding the server and connecting to it.
    case connecting
    /// TLS from the first byte on (XEP-0368).
    case directTLS = "direct-tls"
    /// Our header is sent; the server's is awaited.
    case header
    /// The server's header is there; its features are awaited.
    case features
    /// `<starttls/>` is sent.
    case startTLS = "starttls"
    /// The server said `<proceed/>`.
    case handshake
    /// The stream belongs to the client.
    case open
    /// The client restarted the stream (XEP-0206 §5).
    case restarting
    /// This side has said goodbye.
    case closing
    /// Over.
    case closed
}
