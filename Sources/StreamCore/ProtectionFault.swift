/// What was wrong with the TLS of a stream, as a short name for counters and log lines. The list is closed: it contains
/// nothing that a peer wrote.
package enum ProtectionFault: String, Sendable, CaseIterable {
    /// The configured trust anchors cannot be used.
    case trustAnchors = "tls-trust-anchors"
    /// The configured certificate of this side, or its key, cannot be used.
    case clientCertificate = "tls-client-certificate"
    /// Another configured rule cannot be obeyed.
    case rules = "tls-rules"
    /// The server's certificate is not issued by a trusted CA.
    case untrustedCA = "tls-untrusted-ca"
    /// A certificate in the chain has expired.
    case expired = "tls-expired"
    /// A certificate in the chain is not valid yet.
    case notYetValid = "tls-not-yet-valid"
    /// The certificate does not name the domain.
    case wrongName = "tls-wrong-name"
    /// The server's key is none of the pinned ones.
    case pin = "tls-pin"
    /// The certificate was refused for another reason.
    case certificate = "tls-certificate"
    /// The two sides have no protocol version in common.
    case protocolVersion = "tls-protocol-version"
    /// The handshake failed for another reason.
    case handshake = "tls-handshake"
    /// The server sent something that is not TLS, or broke the protocol after the handshake.
    case record = "tls-record"
    /// The server ended the connection with an alert.
    case alert = "tls-alert"
    /// The server sent too many messages of TLS itself.
    case messageFlood = "tls-message-flood"
    /// The connection closed before the handshake was over.
    case closedDuringHandshake = "tls-closed-during-handshake"
    /// The connection closed without the closing message of TLS (`close_notify`).
    case truncated = "tls-truncated"
    /// This side failed: it had no memory, or it used OpenSSL wrongly.
    case ourFault = "tls-our-fault"
}
