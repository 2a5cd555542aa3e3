import Bridge
import TLSCodec

/// What goes wrong on the way to a server or with its stream, as `/stats` counts it: a closed list of short names. What befell
/// an attempt is counted, and what the stream ended by, so that one failure may have two names.
enum UpstreamFailure: String, CaseIterable {
    case dns, connect, forbidden, shortage, compression
    case tlsTrustAnchors = "tls-trust-anchors"
    case tlsClientCertificate = "tls-client-certificate"
    case tlsRules = "tls-rules"
    case tlsUntrustedCA = "tls-untrusted-ca"
    case tlsExpired = "tls-expired"
    case tlsNotYetValid = "tls-not-yet-valid"
    case tlsWrongName = "tls-wrong-name"
    case tlsPin = "tls-pin"
    case tlsCertificate = "tls-certificate"
    case tlsProtocolVersion = "tls-protocol-version"
    case tlsHandshake = "tls-handshake"
    case tlsRecord = "tls-record"
    case tlsAlert = "tls-alert"
    case tlsMessageFlood = "tls-message-flood"
    case tlsClosedDuringHandshake = "tls-closed-during-handshake"
    case tlsTruncated = "tls-truncated"
    case tlsOurFault = "tls-our-fault"
    case unreachable = "upstream-unreachable"
    case unresolved = "upstream-unresolved"
    case refusedTarget = "upstream-forbidden"
    case spared = "upstream-spared"
    case endedShort = "upstream-shortage"
    case tls = "upstream-tls"
    case noStartTLS = "upstream-no-starttls"
    case timeout = "upstream-timeout"
    case malformed = "upstream-malformed"
    case streamError = "upstream-stream-error"
    case closed = "upstream-closed"
    case lost = "upstream-lost"
    case stalled = "upstream-stalled"

    init(_ error: TLSError) {
        self =
            switch error {
            case .trustAnchors: .tlsTrustAnchors
            case .clientCertificate: .tlsClientCertificate
            case .rules: .tlsRules
            case .untrustedCA: .tlsUntrustedCA
            case .expired: .tlsExpired
            case .notYetValid: .tlsNotYetValid
            case .wrongName: .tlsWrongName
            case .pin: .tlsPin
            case .certificate: .tlsCertificate
            case .protocolVersion: .tlsProtocolVersion
            case .handshake: .tlsHandshake
            case .record: .tlsRecord
            case .alert: .tlsAlert
            case .messageFlood: .tlsMessageFlood
            case .closedDuringHandshake: .tlsClosedDuringHandshake
            case .truncated: .tlsTruncated
            case .ourFault: .tlsOurFault
            }
    }

    /// What the end of a stream counts as; nil for an end that no server had a part in.
    init?(_ reason: EndReason) { self.init(rawValue: reason.rawValue) }
}
