/// The conditions of stream errors that this program itself tells a client (RFC 6120 §4.9.3, `W-44`).
package enum StreamCondition: String, Sendable, CaseIterable {
    /// The client did not open its stream or log in in time.
    case connectionTimeout = "connection-timeout"
    /// The domain in `to` is not served here.
    case hostUnknown = "host-unknown"
    /// `to` is missing or empty.
    case improperAddressing = "improper-addressing"
    /// An element is in no namespace, or in one that does not belong there.
    case invalidNamespace = "invalid-namespace"
    /// The message is not one well-formed element.
    case notWellFormed = "not-well-formed"
    /// The client broke a limit or a rule of this program.
    case policyViolation = "policy-violation"
    /// This program has no memory for what the client sends.
    case resourceConstraint = "resource-constraint"
    /// The message has something that XMPP forbids: a comment, a processing instruction, a DTD, an entity.
    case restrictedXML = "restricted-xml"
    /// This program is being shut down.
    case systemShutdown = "system-shutdown"
}

/// The codes with which this program closes a WebSocket (RFC 6455 §7.4.1, `W-54`).
package enum SocketEnd: UInt16, Sendable, CaseIterable {
    /// The XMPP stream was closed.
    case normal = 1000
    /// This program is being shut down.
    case goingAway = 1001
    /// The client broke the framing, or did not begin with `<open/>`.
    case protocolError = 1002
    /// The client sent a binary message.
    case unsupportedData = 1003
    /// The client sent text that is not UTF-8.
    case invalidData = 1007
    /// The client broke a limit of time or rate.
    case policyViolation = 1008
    /// The client sent a message that is too large.
    case tooLarge = 1009
    /// This program failed.
    case internalError = 1011
    /// The stream to the server was lost; the client may come back at once and resume it.
    case serviceRestart = 1012
    /// The server cannot be reached for now.
    case tryAgainLater = 1013
}
