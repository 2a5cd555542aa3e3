/// Why a session ended: one closed list that gives the wire condition, the log line and the counter.
package enum EndReason: String, Sendable, CaseIterable {
    /// The client sent `type='terminate'`.
    case terminated = "terminated"
    /// The client was silent for longer than `inactivity`.
    case inactive = "inactive"
    /// The creation request's connection closed before it was answered: nobody knows the `sid`.
    case creationAborted = "creation-aborted"
    /// A request that the session was bound to accept could not be understood.
    case malformedRequest = "malformed-request"
    /// A `rid` above the window (`R-05`).
    case ridAboveWindow = "rid-above-window"
    /// A repeated `rid` whose response is no longer kept (`R-10`).
    case ridTooOld = "rid-too-old"
    /// The client polled without content too fast (`P-11`).
    case overactive = "overactive"
    /// More requests a second than the policy allows.
    case tooManyRequests = "too-many-requests"
    /// More repeated requests a second than the policy allows.
    case tooManyRepeats = "too-many-repeats"
    /// The client did not log in within the time allowed.
    case loginTimeout = "login-timeout"
    /// There were too many sessions that had not logged in, and this was the oldest of them.
    case loginDisplaced = "login-displaced"
    /// A request before login was larger than the policy allows.
    case loginBody = "login-body"
    /// A missing or wrong `key` (XEP-0124 §15.4, `K-04`).
    case keyMismatch = "key-mismatch"
    /// The client named a `stream` that the session never had (`M-06`).
    case unknownStream = "unknown-stream"
    /// The client asked for a stream to a domain that is not served; ends that stream only.
    case streamHostUnknown = "stream-host-unknown"
    /// The client asked for more streams than a session may have; ends that stream only.
    case tooManyStreams = "too-many-streams"
    /// The upstream refused the connection, or no address of it could be reached.
    case upstreamUnreachable = "upstream-unreachable"
    /// No address of the upstream could be looked up.
    case upstreamUnresolved = "upstream-unresolved"
    /// The upstream has no address to which a connection may be made on a client's behalf.
    case upstreamForbidden = "upstream-forbidden"
    /// The upstream failed too often lately, so its circuit breaker is open.
    case upstreamSpared = "upstream-spared"
    /// This program or its machine had no port, descriptor or memory left for a connection to the upstream.
    case upstreamShortage = "upstream-shortage"
    /// TLS with the upstream failed: its certificate or the handshake.
    case upstreamTLS = "upstream-tls"
    /// The upstream does not offer the STARTTLS that the configuration demands.
    case upstreamNoStartTLS = "upstream-no-starttls"
    /// Connection, TLS and features took longer than allowed.
    case upstreamTimeout = "upstream-timeout"
    /// The upstream sent something that is not an XMPP stream, or broke a limit.
    case upstreamMalformed = "upstream-malformed"
    /// The upstream sent a stream error.
    case upstreamStreamError = "upstream-stream-error"
    /// The upstream closed its stream with `</stream:stream>`.
    case upstreamClosed = "upstream-closed"
    /// The upstream's connection was lost.
    case upstreamLost = "upstream-lost"
    /// The upstream accepted no byte for too long.
    case upstreamStalled = "upstream-stalled"
    /// The client's connection ended without a goodbye; of clients whose session is their connection.
    case clientLost = "client-lost"
    /// Nothing came over the client's connection for too long, not even the answer to a ping.
    case clientSilent = "client-silent"
    /// The client accepted no byte for too long.
    case clientStalled = "client-stalled"
    /// The client did not begin its stream in the time allowed.
    case openTimeout = "open-timeout"
    /// The client asked for a domain that is not served, or for none.
    case hostUnknown = "host-unknown"
    /// The client broke the rules of the protocol that carries its messages.
    case malformedFrame = "malformed-frame"
    /// A message was larger than the policy allows.
    case largeMessage = "large-message"
    /// There was no memory for the rest of a message.
    case outOfMemory = "out-of-memory"
    /// An operator has ended the session.
    case endedByOperator = "ended-by-operator"
    /// This program is being shut down.
    case shutdown = "shutdown"

    /// Whether a client gains from resuming its stream with the server (XEP-0198 §5) after this end. It gains nothing
    /// after a farewell, nor where its own requests caused the end: it would send the same again.
    package var allowsResumption: Bool {
        switch self {
        case .inactive, .ridAboveWindow, .ridTooOld, .clientLost, .clientSilent, .clientStalled, .shutdown: true
        case .terminated, .creationAborted, .malformedRequest, .overactive, .tooManyRequests, .tooManyRepeats,
            .loginTimeout, .loginDisplaced, .loginBody, .keyMismatch, .unknownStream, .streamHostUnknown,
            .tooManyStreams, .openTimeout, .hostUnknown, .malformedFrame, .largeMessage,
            .outOfMemory, .endedByOperator:
            false
        // The server caused the end. The session's other streams did not, and do not end by it either.
        case .upstreamUnreachable, .upstreamUnresolved, .upstreamForbidden, .upstreamSpared, .upstreamShortage,
            .upstreamTLS, .upstreamNoStartTLS, .upstreamTimeout, .upstreamMalformed, .upstreamStreamError,
            .upstreamClosed, .upstreamLost, .upstreamStalled:
            true
        }
    }

    /// Whether no server could be reached, or none that answers, so that the same request may succeed some time later.
    /// Trouble with TLS or with the rules of the protocol is no such end: it lasts until somebody mends it.
    package var isOfAbsentServer: Bool {
        switch self {
        case .upstreamUnreachable, .upstreamUnresolved, .upstreamSpared, .upstreamShortage, .upstreamTimeout,
            .upstreamLost:
            true
        default: false
        }
    }

    /// Whether the stream to the server ended by itself, so that there is nothing to leave.
    package var isOfUpstream: Bool {
        switch self {
        case .upstreamUnreachable, .upstreamUnresolved, .upstreamForbidden, .upstreamSpared, .upstreamShortage,
            .upstreamTLS, .upstreamNoStartTLS, .upstreamTimeout, .upstreamMalformed, .upstreamStreamError,
            .upstreamClosed, .upstreamLost, .upstreamStalled:
            true
        default: false
        }
    }
}
