import COpenSSL

/// What the TLS servers of one world share: their rules, and a context for each certificate that one has shown.
final class TLSServerRules {
    private var contexts: [OpaquePointer?] = Certificates.Kind.allCases.map { _ in nil }
    private let newest: Int32

    /// - Parameter isOld: they speak at most TLS 1.2.
    init(isOld: Bool) {
        newest = isOld ? TLS1_2_VERSION : TLS1_3_VERSION
    }

    deinit {
        for context in contexts { SSL_CTX_free(context) }
    }

    fileprivate func context(_ kind: Certificates.Kind) -> OpaquePointer {
        if let context = contexts[kind.rawValue] { return context }
        guard let context = SSL_CTX_new(TLS_server_method()) else { fatalError("no TLS context") }
        holdfast_SSL_CTX_set_max_proto_version(context, newest)
        let certificate = Self.read(kind.text) { PEM_read_bio_X509($0, nil, nil, nil) }
        let key = Self.read(Certificates.key) { PEM_read_bio_PrivateKey($0, nil, nil, nil) }
        guard SSL_CTX_use_certificate(context, certificate) == 1, SSL_CTX_use_PrivateKey(context, key) == 1 else {
            fatalError("the certificate cannot be used")
        }
        X509_free(certificate)
        EVP_PKEY_free(key)
        contexts[kind.rawValue] = context
        return context
    }

    private static func read(_ text: String, _ reader: (OpaquePointer?) -> OpaquePointer?) -> OpaquePointer? {
        // The file reads the text where it stands.
        text.withCString { bytes in
            let file = BIO_new_mem_buf(bytes, Int32(text.utf8.count))
            defer { BIO_free(file) }
            return reader(file)
        }
    }
}

/// A server's side of TLS: bytes in, bytes out.
final class TLSServer {
    enum State {
        case handshaking, open
        /// The other side has announced its end.
        case closed
        /// The other side refused this one, or sent something that is not TLS.
        case failed
    }

    private(set) var state = State.handshaking
    private let rules: TLSServerRules
    private let ssl: OpaquePointer
    private let input: OpaquePointer
    private let output: OpaquePointer

    init(_ rules: TLSServerRules, certificate: Certificates.Kind) {
        self.rules = rules
        guard let ssl = SSL_new(rules.context(certificate)), let input = BIO_new(BIO_s_mem()),
            let output = BIO_new(BIO_s_mem())
        else { fatalError("no TLS server") }
        (self.ssl, self.input, self.output) = (ssl, input, output)
        SSL_set_bio(ssl, input, output)
        SSL_set_accept_state(ssl)
    }

    deinit {
        SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN)
        SSL_free(ssl)
    }

    /// Takes bytes from the other side and returns their content. `takeOutput` may have something for the other side
    /// then.
    func receive(_ bytes: [UInt8]) -> [UInt8] {
        guard state == .handshaking || state == .open else { return [] }
        ERR_clear_error()
        BIO_write(input, bytes, Int32(bytes.count))
        if state == .handshaking {
            let result = SSL_do_handshake(ssl)
            if result == 1 {
                state = .open
            } else if SSL_get_error(ssl, result) != SSL_ERROR_WANT_READ {
                state = .failed
            }
        }
        return state == .open ? read() : []
    }

    private func read() -> [UInt8] {
        var plaintext: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 16_384)
        while true {
            var count = 0
            let result = SSL_read_ex(ssl, &piece, piece.count, &count)
            guard result == 1 else {
                switch SSL_get_error(ssl, result) {
                case SSL_ERROR_WANT_READ: break
                case SSL_ERROR_ZERO_RETURN: state = .closed
                default: state = .failed
                }
                return plaintext
            }
            plaintext += piece[..<count]
        }
    }

    func send(_ plaintext: [UInt8]) {
        var count = 0
        ERR_clear_error()
        if !plaintext.isEmpty { SSL_write_ex(ssl, plaintext, plaintext.count, &count) }
    }

    /// Uses new keys from here on; with `asksBack` the other side has to as well. Only TLS 1.3 has this.
    func updateKeys(asksBack: Bool) {
        ERR_clear_error()
        let kind = asksBack ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED
        guard SSL_key_update(ssl, kind) == 1 else { return }
        SSL_do_handshake(ssl)
    }

    /// Whether the other side resumed an earlier session, whose certificate it judged then.
    var isResumed: Bool { SSL_session_reused(ssl) == 1 }

    var hasKeyUpdates: Bool { SSL_version(ssl) == TLS1_3_VERSION }

    /// Announces the end (`close_notify`).
    func sayGoodbye() {
        ERR_clear_error()
        if state == .open || state == .closed { SSL_shutdown(ssl) }
    }

    /// Takes the bytes for the other side.
    func takeOutput() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: BIO_ctrl_pending(output))
        let count = BIO_read(output, &bytes, Int32(bytes.count))
        return count > 0 ? bytes : []
    }
}
