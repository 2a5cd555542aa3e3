/// Why a WebSocket is closed, as its Close frame says it (RFC 6455 §7.4 and IANA's registry of close codes).
package struct CloseCode: RawRepresentable, Sendable, Hashable {
    /// The number on the wire.
    package let rawValue: UInt16

    /// The code with a number, which need not be one that may be sent.
    package init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    /// What the connection was for is done; also behind `<close/>` and every stream error (W-54).
    package static let normal = CloseCode(rawValue: 1000)
    /// The endpoint goes away: a page that is left, a program that stops.
    package static let goingAway = CloseCode(rawValue: 1001)
    /// The peer broke the rules of frames (W-24 to W-26, W-29).
    package static let protocolError = CloseCode(rawValue: 1002)
    /// The peer sent a kind of data that is not spoken here: a binary message (W-02).
    package static let unsupportedData = CloseCode(rawValue: 1003)
    /// A message of text was not UTF-8 (W-31).
    package static let invalidPayload = CloseCode(rawValue: 1007)
    /// The peer did what a limit of time, rate or number forbids.
    package static let policyViolation = CloseCode(rawValue: 1008)
    /// A message was larger than is accepted (W-32).
    package static let messageTooBig = CloseCode(rawValue: 1009)
    /// The fault is on this side.
    package static let internalError = CloseCode(rawValue: 1011)
    /// The service begins anew: the peer may connect again soon (W-53, W-55).
    package static let serviceRestart = CloseCode(rawValue: 1012)
    /// The service cannot be reached for now: the peer may try again later (W-52).
    package static let tryAgainLater = CloseCode(rawValue: 1013)

    /// Whether a Close frame may carry the code: 1000 to 1003, 1007 to 1014 and 3000 to 4999 (RFC 6455 §7.4, `W-29`).
    ///
    /// The others are reserved, or stand for a connection that ended without a Close frame, or were never given out.
    package var mayBeReceived: Bool {
        switch rawValue {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }
}
