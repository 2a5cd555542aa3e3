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
    /// The server sent a stream error (RFC 6120 §4.9); the name of its condition, at most 64 letters of ASCII, and the whole
    /// element.
    case streamError(condition: String, bytes: [UInt8])
    /// The server ended its stream with `</stream:stream>`.
    case closed
    /// The connection was lost.
    case lost
    /// The server accepts no bytes any more.
    case stalled
    /// The target failed too often of late and is left in peace for a while; nothing was connected.
    case spared
    /// This program or its machine had no port, descriptor or memory left for the connection: no server was asked.
    case shortage
    /// No address of the target may be connected to.
    case refusedTarget
    /// The server sent a stream error before the stream was open, which names another host (RFC 6120 §4.9.3.19); the text in it
    /// and the whole element.
    case redirected(to: String, bytes: [UInt8])
    /// The server began an element and did not finish it in time.
    case unfinishedStanza
    /// The server's compressed data is damaged, or becomes more than is allowed (XEP-0138).
    case compression
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
        case .malformed(let fault): "what the server sent is \(fault)"
        case .unexpected(let phase): "unexpected element in phase \(phase.rawValue)"
        case .bytesAfterProceed: "bytes behind <proceed/>"
        case .streamError(let condition, _): "stream error \(Self.cut(condition))"
        case .closed: "the server ended its stream"
        case .lost: "the connection was lost"
        case .stalled: "the server accepts no bytes"
        case .spared: "the server failed too often and is spared for a while"
        case .shortage: "no port, descriptor or memory left for another connection"
        case .refusedTarget: "no address of the server may be connected to"
        case .redirected: "stream error see-other-host"
        case .unfinishedStanza: "an element was not finished in time"
        case .compression: "damaged or oversized compressed data"
        }
    }
}

extension StreamFailure {
    /// The first bytes of a name. Bytes are counted and not characters: one character can be of any length.
    private static func cut(_ name: String) -> String {
        name.utf8.count <= 64 ? name : String(decoding: name.utf8.prefix(64), as: UTF8.self)
    }

    /// One short word for each kind of failure, for a counter: nothing that a server wrote is in it.
    package enum Label: String, Sendable, CaseIterable {
        case unresolved, unreachable, spared, shortage
        case refusedTarget = "refused-target"
        case tls
        case startTLSUnavailable = "no-starttls"
        case timeout, malformed, unexpected
        case bytesAfterProceed = "bytes-after-proceed"
        case redirected
        case streamError = "stream-error"
        case closed, lost, stalled
        case unfinishedStanza = "unfinished-stanza"
        case compression
    }

    /// Its word.
    package var label: Label {
        switch self {
        case .unresolved: .unresolved
        case .unreachable: .unreachable
        case .spared: .spared
        case .shortage: .shortage
        case .refusedTarget: .refusedTarget
        case .tls: .tls
        case .startTLSUnavailable: .startTLSUnavailable
        case .timeout: .timeout
        case .malformed: .malformed
        case .unexpected: .unexpected
        case .bytesAfterProceed: .bytesAfterProceed
        case .redirected: .redirected
        case .streamError: .streamError
        case .closed: .closed
        case .lost: .lost
        case .stalled: .stalled
        case .unfinishedStanza: .unfinishedStanza
        case .compression: .compression
        }
    }

    /// Whether another target of the domain may do better, when this befell a stream that was not open yet; after that it never
    /// does any good to ask, the stream was the client's. Not for what ends a plan as a whole, nor for the deadline that all
    /// targets share.
    package var allowsAnotherTarget: Bool {
        switch self {
        case .unresolved, .unreachable, .spared, .shortage, .refusedTarget, .timeout, .redirected, .compression: false
        case .streamError(let condition, _): Self.passingConditions.contains(condition)
        case .tls, .startTLSUnavailable, .malformed, .unexpected, .bytesAfterProceed, .closed, .lost, .stalled,
            .unfinishedStanza:
            true
        }
    }

    /// Conditions by which a server speaks of itself and not of what it was sent (RFC 6120 §4.9.3).
    private static let passingConditions: Set<String> = [
        "connection-timeout", "host-gone", "host-unknown", "internal-server-error", "remote-connection-failed", "reset",
        "resource-constraint", "system-shutdown", "undefined-condition",
    ]
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
    /// The session is over, and what the server had sent by then goes back to the senders.
    case returning
    /// `<compress/>` is sent (XEP-0138).
    case compressing
    /// This side has said goodbye.
    case closing
    /// Over.
    case closed
}
