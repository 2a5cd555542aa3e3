import Bridge

/// The conditions of a fatal error, `<body type='terminate' condition='…'/>` (XEP-0124 §17.2, `T-03`).
package enum TerminalCondition: String, Sendable, CaseIterable {
    /// The request was not understood: malformed XML or attributes.
    case badRequest = "bad-request"
    /// The domain in `to` is no longer served here.
    case hostGone = "host-gone"
    /// The domain in `to` is not served here.
    case hostUnknown = "host-unknown"
    /// `to` is missing or empty.
    case improperAddressing = "improper-addressing"
    /// This program failed.
    case internalServerError = "internal-server-error"
    /// The `sid` is unknown, or the `rid` is outside the window.
    case itemNotFound = "item-not-found"
    /// Another request of the session ended it.
    case otherRequest = "other-request"
    /// The client broke a limit.
    case policyViolation = "policy-violation"
    /// The XMPP server could not be reached or was lost.
    case remoteConnectionFailed = "remote-connection-failed"
    /// The XMPP server sent a stream error, which the body holds.
    case remoteStreamError = "remote-stream-error"
    /// The client is to go to another address.
    case seeOtherURI = "see-other-uri"
    /// This program is being shut down.
    case systemShutdown = "system-shutdown"
    /// Anything else.
    case undefinedCondition = "undefined-condition"

    /// What a client is told whose address leads nowhere.
    init(_ refusal: AddressRefusal) {
        switch refusal {
        case .unnamed: self = .improperAddressing
        case .unknown: self = .hostUnknown
        }
    }

    /// The HTTP status that tells the same to a client older than terminal conditions (XEP-0124 §17.1, `T-10`); nil for
    /// a condition that has none.
    package var legacyStatus: Int? {
        switch self {
        case .badRequest: 400
        case .policyViolation: 403
        case .itemNotFound: 404
        default: nil
        }
    }
}
