/// Why a TLS stream towards an XMPP server could not be opened or had to end.
///
/// The enum is closed: a counter has one cell for each `label`, and a log line has `description`. Text from the peer
/// (names in its certificate) is shortened and has no control characters.
///
/// Specification: RFC 6120 §5.4.3.2 and §13.7, RFC 8446 §6.
package enum TLSError: Error, Equatable, Sendable {
    /// The trust anchors could not be loaded; `detail` names the file and its fault. Found only at the start.
    case trustAnchors(detail: String)
    /// This side's certificate or key cannot be used; `detail` names the file and its fault. Found only at the start.
    case clientCertificate(detail: String)
    /// Another rule cannot be followed: an unusable cipher list, a pin of the wrong length. Found only at the start.
    case rules(detail: String)
    /// No chain leads from the server's certificate to a trusted CA; `issuer` is the missing one.
    case untrustedCA(issuer: String)
    /// A certificate in the chain has expired; `on`: the last day on which it was valid, such as `2026-01-31`.
    case expired(subject: String, on: String)
    /// A certificate in the chain is not valid yet (or this machine's clock is wrong); `until`: its first day.
    case notYetValid(subject: String, until: String)
    /// The chain is valid, but the certificate does not name the XMPP domain.
    case wrongName(expected: String, presented: [String])
    /// Chain and name are valid, but the server's key is not pinned; `presented` is its pin, `sha256/…`.
    case pin(presented: String)
    /// The certificate was refused for another reason, in OpenSSL's words: a weak key, a wrong purpose.
    case certificate(detail: String)
    /// No common protocol version: the server speaks only versions older than the rules allow.
    case protocolVersion
    /// The handshake failed for another reason, in OpenSSL's words.
    case handshake(detail: String)
    /// The server sent something that is not TLS, or broke the protocol after the handshake.
    case record(detail: String)
    /// The server ended the connection with a TLS alert.
    case alert(detail: String)
    /// The server sent more messages of TLS itself than `MessageAllowance` allows.
    case messageFlood
    /// The TCP connection closed before the handshake was over.
    case closedDuringHandshake
    /// The TCP connection closed without `close_notify`: what came before may be incomplete.
    case truncated
    /// OpenSSL failed without a fault of the peer (no memory), or this side used the stream wrongly.
    case ourFault(detail: String)

    /// The case as one short word for counters and log fields; it never depends on the peer's text.
    package var label: String {
        switch self {
        case .trustAnchors: "trust-anchors"
        case .clientCertificate: "client-certificate"
        case .rules: "rules"
        case .untrustedCA: "untrusted-ca"
        case .expired: "expired"
        case .notYetValid: "not-yet-valid"
        case .wrongName: "wrong-name"
        case .pin: "pin"
        case .certificate: "certificate"
        case .protocolVersion: "protocol-version"
        case .handshake: "handshake"
        case .record: "record"
        case .alert: "alert"
        case .messageFlood: "message-flood"
        case .closedDuringHandshake: "closed-during-handshake"
        case .truncated: "truncated"
        case .ourFault: "our-fault"
        }
    }
}

extension TLSError: CustomStringConvertible {
    /// One line for an operator.
    package var description: String {
        switch self {
        case .trustAnchors(let detail), .clientCertificate(let detail), .rules(let detail):
            detail
        case .untrustedCA(let issuer):
            "the certificate is not issued by a trusted CA: no trusted certificate for issuer '\(issuer)'"
        case .expired(let subject, let day):
            "the certificate of '\(subject)' has expired on \(day)"
        case .notYetValid(let subject, let day):
            "the certificate of '\(subject)' is not valid before \(day)"
        case .wrongName(let expected, let presented):
            presented.isEmpty
                ? "the certificate is not for '\(expected)': it names no DNS, SRV or XMPP name"
                : "the certificate is not for '\(expected)' but for \(presented.joined(separator: ", "))"
        case .pin(let presented):
            "the certificate's public key is not a pinned one: it is \(presented)"
        case .certificate(let detail):
            "the certificate is refused: \(detail)"
        case .protocolVersion:
            "the server speaks no TLS version that is allowed: all of them are too old"
        case .handshake(let detail):
            "the TLS handshake failed: \(detail)"
        case .record(let detail):
            "the server broke the TLS protocol: \(detail)"
        case .alert(let detail):
            "the server ended TLS with an alert: \(detail)"
        case .messageFlood:
            "the server sends key updates and other messages of TLS without data between them"
        case .closedDuringHandshake:
            "the server closed the connection during the TLS handshake"
        case .truncated:
            "the server closed the connection without ending TLS"
        case .ourFault(let detail):
            "TLS failed on this side: \(detail)"
        }
    }
}
