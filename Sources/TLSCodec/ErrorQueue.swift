import COpenSSL

/// OpenSSL's queue of errors for this thread, read once after a failed call.
///
/// The queue must be cleared before each call: an older entry would be taken for the reason of the new failure.
struct ErrorQueue {
    static func clear() {
        ERR_clear_error()
    }

    /// The first, hence deepest, error of the failed call; empties the queue. `nil` when OpenSSL gave none.
    static func takeFirst() -> Entry? {
        let code = ERR_get_error()
        ERR_clear_error()
        return code == 0 ? nil : Entry(code: code)
    }

    struct Entry {
        let code: UInt

        var isFromSystem: Bool { ERR_GET_LIB(code) == ERR_LIB_SYS }
        var isFromTLS: Bool { ERR_GET_LIB(code) == ERR_LIB_SSL }
        var reason: Int32 { ERR_GET_REASON(code) }

        /// Whether a file was readable but did not have what was looked for.
        var isMissingContent: Bool {
            switch ERR_GET_LIB(code) {
            case ERR_LIB_PEM: reason == PEM_R_NO_START_LINE
            case ERR_LIB_OSSL_DECODER: reason == ERR_R_UNSUPPORTED
            case ERR_LIB_X509: reason == X509_R_NO_CERTIFICATE_OR_CRL_FOUND
            default: false
            }
        }

        /// OpenSSL's text: `certificate verify failed`, `No such file or directory`.
        var text: String {
            if isFromSystem, let text = unsafe strerror(reason) { return unsafe String(cString: text) }
            if let text = unsafe ERR_reason_error_string(code) { return unsafe String(cString: text) }
            return "OpenSSL error \(String(code, radix: 16))"
        }
    }
}

extension TLSError {
    /// The reason why a handshake or read failed, other than a refused certificate.
    init(_ entry: ErrorQueue.Entry?, handshaking: Bool) {
        guard let entry else {
            self =
                handshaking ? .handshake(detail: "OpenSSL gave no reason") : .record(detail: "OpenSSL gave no reason")
            return
        }
        guard entry.isFromTLS else {
            let isMemory = entry.reason == ERR_R_MALLOC_FAILURE
            self = isMemory || !handshaking ? .ourFault(detail: entry.text) : .handshake(detail: entry.text)
            return
        }
        switch entry.reason {
        case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, SSL_R_NO_PROTOCOLS_AVAILABLE:
            self = .protocolVersion
        case SSL_R_WRONG_VERSION_NUMBER where handshaking, SSL_R_HTTP_REQUEST, SSL_R_PACKET_LENGTH_TOO_LONG:
            self = .record(detail: "what the server sent is not TLS (\(entry.text))")
        case Self.firstAlertReason...:
            self = .alert(detail: entry.text)
        default:
            self = handshaking ? .handshake(detail: entry.text) : .record(detail: entry.text)
        }
    }

    /// The reason why X509_verify_cert refused a chain.
    ///
    /// - Parameters:
    ///   - code: an X509_V_ERR code.
    ///   - subject: the subject of the certificate in question.
    ///   - issuer: its issuer.
    ///   - validity: the first and the last day on which it is valid, such as `2026-01-31`.
    init(verification code: Int32, subject: String, issuer: String, validity: (first: String, last: String)) {
        switch code {
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
            X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN,
            X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, X509_V_ERR_CERT_UNTRUSTED:
            self = .untrustedCA(issuer: issuer)
        case X509_V_ERR_CERT_HAS_EXPIRED:
            self = .expired(subject: subject, on: validity.last)
        case X509_V_ERR_CERT_NOT_YET_VALID:
            self = .notYetValid(subject: subject, until: validity.first)
        case X509_V_ERR_OUT_OF_MEM:
            self = .ourFault(detail: "no memory")
        default:
            self = .certificate(detail: unsafe String(cString: X509_verify_cert_error_string(Int(code))))
        }
    }

    /// OpenSSL counts the alerts that a peer sent from here on (SSL_AD_REASON_OFFSET).
    private static let firstAlertReason: Int32 = 1000
}
