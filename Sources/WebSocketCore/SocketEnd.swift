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
