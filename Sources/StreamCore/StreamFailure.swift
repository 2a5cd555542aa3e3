/// How a stream to an XMPP server ended when this side had not asked for the end.
package enum StreamFailure: Sendable, Equatable {
    /// No address of the server is known.
    case unresolved
    /// No address of the server accepted a connection.
    case unreachable
    /// TLS failed: the handshake, or the server's certificate.
    case tls(ProtectionFault)
    /// STARTTLS is demanded, and the server does not offer it or refused it. The stream never silently goes on without
    /// it (`X-19`).
    case startTLSUnavailable
    /// Connection, TLS and features took longer than allowed; the phase says what the stream waited for.
    case timeout(StreamPhase)
    /// The server sent something that is not an XMPP stream, or broke a limit.
    case malformed(StreamFault)
    /// The server sent an element that has no meaning in this phase.
    case unexpected(StreamPhase)
    /// The server sent bytes after `<proceed/>`, which could be mistaken for protected ones (`threats`: STARTTLS
    /// injection).
    case bytesAfterProceed
    /// The server sent a stream error (RFC 6120 §4.9): the name of its condition (at most 64 ASCII letters) and the
    /// whole element.
    case streamError(condition: String, bytes: [UInt8])
    /// The server ended its stream with `</stream:stream>`.
    case closed
    /// The connection was lost.
    case lost
    /// The server accepts no bytes any more.
    case stalled
    /// The target has failed too often lately and is left alone for a while; no connection was tried.
    case spared
    /// This program or its machine had no port, descriptor or memory left for the connection; no server was asked.
    case shortage
    /// The rules forbid to connect to any address of the target.
    case refusedTarget
    /// Before the stream was open, the server sent a stream error that names another host (RFC 6120 §4.9.3.19): the
    /// text of the error and the whole element.
    case redirected(to: String, bytes: [UInt8])
    /// The server began an element and did not finish it in time.
    case unfinishedStanza
    /// The server's compressed data is damaged or grows beyond the limit (XEP-0138).
    case compression
}

extension StreamFailure: CustomStringConvertible {
    /// One short line for a log. Of a stream error it contains only the name of the condition, and nothing else that
    /// the server wrote.
    package var description: String {
        switch self {
        case .unresolved: "no address of the server is known"
        case .unreachable: "no address of the server accepts a connection"
        case .tls: "TLS failed"
        case .startTLSUnavailable: "the server does not offer STARTTLS"
        case .timeout(let phase): "timeout in phase \(phase.rawValue)"
        case .malformed(let fault): "what the server sent is \(fault)"
        case .unexpected(let phase): "unexpected element in phase \(phase.rawValue)"
        case .bytesAfterProceed: "the server sent bytes after <proceed/> without TLS"
        case .streamError(let condition, _): "stream error \(Self.cut(condition))"
        case .closed: "the server ended its stream"
        case .lost: "the connection was lost"
        case .stalled: "the server accepts no bytes"
        case .spared: "the server failed too often and is spared for a while"
        case .shortage: "no port, descriptor or memory left for another connection"
        case .refusedTarget: "connecting to the server's addresses is not allowed"
        case .redirected: "stream error see-other-host"
        case .unfinishedStanza: "an element was not finished in time"
        case .compression: "damaged or oversized compressed data"
        }
    }
}

extension StreamFailure {
    /// The first bytes of a name. Bytes are counted, because a single character can have any length.
    private static func cut(_ name: String) -> String {
        name.utf8.count <= 64 ? name : String(decoding: name.utf8.prefix(64), as: UTF8.self)
    }

    /// A short word for each kind of failure, for a counter. It contains nothing that a server wrote.
    package enum Label: String, Sendable, CaseIterable {
        case unresolved, unreachable, spared, shortage
        case refusedTarget = "refused-target"
        /// TLS failed, whatever the reason.
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

    /// The word for this failure.
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

    /// The same words, with what was wrong with TLS in place of `tls`.
    package enum ExactLabel: Sendable, Equatable {
        case plain(Label)
        case tls(ProtectionFault)
    }

    /// The exact word for this failure.
    package var exactLabel: ExactLabel { if case .tls(let fault) = self { .tls(fault) } else { .plain(label) } }

    /// Whether the server accepts connections, or has done so, and then does nothing in time.
    package var showsSilence: Bool {
        switch self {
        case .timeout, .stalled, .unfinishedStanza: true
        default: false
        }
    }

    /// Whether another target of the domain may do better, after a stream failed in this way before it was open. Once a
    /// stream was open it belonged to the client, and no other target may be asked. False for failures that end a plan
    /// as a whole, and for the deadline that all targets share.
    package var allowsAnotherTarget: Bool {
        switch self {
        case .unresolved, .unreachable, .spared, .shortage, .refusedTarget, .timeout, .redirected, .compression: false
        case .streamError(let condition, _): Self.passingConditions.contains(condition)
        case .tls, .startTLSUnavailable, .malformed, .unexpected, .bytesAfterProceed, .closed, .lost, .stalled,
            .unfinishedStanza:
            true
        }
    }

    /// Stream errors that say something about the server itself, and not about what it was sent (RFC 6120 §4.9.3).
    private static let passingConditions: Set<String> = [
        "connection-timeout", "host-gone", "host-unknown", "internal-server-error", "remote-connection-failed", "reset",
        "resource-constraint", "system-shutdown", "undefined-condition",
    ]
}

/// The state of an upstream stream, as a word for logs.
package enum StreamPhase: String, Sendable, Equatable, CaseIterable {
    /// This side finds the server and connects to it.
    case connecting
    /// TLS from the first byte on (XEP-0368).
    case directTLS = "direct-tls"
    /// This side has sent its header and waits for the server's.
    case header
    /// The server's header has come; its features are awaited.
    case features
    /// This side has sent `<starttls/>`.
    case startTLS = "starttls"
    /// The server has sent `<proceed/>`.
    case handshake
    /// The stream belongs to the client.
    case open
    /// The client has restarted the stream (XEP-0206 §5).
    case restarting
    /// The session is over, and what the server sent until then goes back to the senders.
    case returning
    /// This side has sent `<compress/>` (XEP-0138).
    case compressing
    /// This side has ended its half of the stream.
    case closing
    /// The stream is over.
    case closed
}

extension StreamFailure.ExactLabel: CaseIterable, RawRepresentable {
    /// All words, in the order in which they are shown.
    package static let allCases: [Self] =
        StreamFailure.Label.allCases.filter { $0 != .tls }.map(Self.plain) + ProtectionFault.allCases.map(Self.tls)

    /// The word as it is shown.
    package var rawValue: String {
        switch self {
        case .plain(let label): label.rawValue
        case .tls(let fault): fault.rawValue
        }
    }

    /// The label that is shown as `rawValue`; nil for any other text.
    package init?(rawValue: String) {
        guard let label = Self.allCases.first(where: { $0.rawValue == rawValue }) else { return nil }
        self = label
    }
}
