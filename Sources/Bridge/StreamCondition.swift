/// The conditions of stream errors that this program itself tells a client whose protocol has streams (RFC 6120 §4.9.3,
/// `W-44`, `Q-33`).
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
    /// The server cannot be reached, or its stream was lost.
    case remoteConnectionFailed = "remote-connection-failed"
    /// This program has no memory for what the client sends.
    case resourceConstraint = "resource-constraint"
    /// The message has something that XMPP forbids: a comment, a processing instruction, a DTD, an entity.
    case restrictedXML = "restricted-xml"
    /// This program is being shut down.
    case systemShutdown = "system-shutdown"
}
