import StreamCore
import TLSCodec

extension ProtectionFault {
    /// The fault for an error of the TLS codec.
    init(_ error: TLSError) {
        self =
            switch error {
            case .trustAnchors: .trustAnchors
            case .clientCertificate: .clientCertificate
            case .rules: .rules
            case .untrustedCA: .untrustedCA
            case .expired: .expired
            case .notYetValid: .notYetValid
            case .wrongName: .wrongName
            case .pin: .pin
            case .certificate: .certificate
            case .protocolVersion: .protocolVersion
            case .handshake: .handshake
            case .record: .record
            case .alert: .alert
            case .messageFlood: .messageFlood
            case .closedDuringHandshake: .closedDuringHandshake
            case .truncated: .truncated
            case .ourFault: .ourFault
            }
    }
}
