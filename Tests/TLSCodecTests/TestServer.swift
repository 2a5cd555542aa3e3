import COpenSSL

/// The server side of a TLS stream, on OpenSSL with memory BIOs; the client under test talks to it.
final class TestServer {
    /// The state that several streams of one server share: a session ticket of one stream is valid for another.
    final class Context {
        let handle: OpaquePointer

        init(
            _ certificate: TestCertificate, chain: [TestCertificate] = [],
            versions: ClosedRange<Int32> = TLS1_2_VERSION...TLS1_3_VERSION, alpn: String? = nil,
            insistsOnALPN: Bool = false, ciphers: String = "DEFAULT",
            clientCertificate: ClientCertificatePolicy = .none, fragment: Int? = nil, tickets: Bool = true
        ) throws {
            handle = try require(SSL_CTX_new(TLS_server_method()))
            // TLS 1.1 only exists at security level 0.
            SSL_CTX_set_cipher_list(handle, ciphers + ":@SECLEVEL=0")
            _ = holdfast_SSL_CTX_set_min_proto_version(handle, versions.lowerBound)
            _ = holdfast_SSL_CTX_set_max_proto_version(handle, versions.upperBound)
            SSL_CTX_use_certificate(handle, certificate.certificate)
            SSL_CTX_use_PrivateKey(handle, certificate.key)
            for extra in chain {
                X509_up_ref(extra.certificate)
                SSL_CTX_ctrl(handle, SSL_CTRL_CHAIN_CERT, 0, UnsafeMutableRawPointer(extra.certificate))
            }
            if !tickets {
                SSL_CTX_set_options(handle, 1 << 14)  // SSL_OP_NO_TICKET
                SSL_CTX_set_num_tickets(handle, 0)
                SSL_CTX_ctrl(handle, SSL_CTRL_SET_SESS_CACHE_MODE, Int(SSL_SESS_CACHE_OFF), nil)
            }
            if let fragment { SSL_CTX_ctrl(handle, SSL_CTRL_SET_MAX_SEND_FRAGMENT, fragment, nil) }
            // OpenSSL refuses to resume sessions with a client's certificate unless they have a context name.
            SSL_CTX_set_session_id_context(handle, [1], 1)
            if clientCertificate != .none {
                let mode = SSL_VERIFY_PEER | (clientCertificate == .required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0)
                SSL_CTX_set_verify(handle, mode, nil)
                SSL_CTX_set_cert_verify_callback(handle, { _, _ in 1 }, nil)
            }
            guard let alpn else { return }
            expected = [UInt8(alpn.utf8.count)] + alpn.utf8
            answer.deallocate()
            answer = .allocate(capacity: alpn.utf8.count)
            _ = answer.initialize(fromContentsOf: alpn.utf8)
            self.insistsOnALPN = insistsOnALPN
            SSL_CTX_set_alpn_select_cb(
                handle,
                { _, selected, selectedLength, offered, offeredLength, context in
                    guard let context, let offered else { return SSL_TLSEXT_ERR_ALERT_FATAL }
                    let server = Unmanaged<Context>.fromOpaque(context).takeUnretainedValue()
                    server.offeredALPN = Array(UnsafeBufferPointer(start: offered, count: Int(offeredLength)))
                    if server.insistsOnALPN {
                        // The answer was not offered; a server must not answer so (RFC 7301 §3.2).
                        selected?.pointee = UnsafePointer(server.answer.baseAddress)
                        selectedLength?.pointee = UInt8(server.answer.count)
                        return SSL_TLSEXT_ERR_OK
                    }
                    guard server.offeredALPN == server.expected else { return SSL_TLSEXT_ERR_ALERT_FATAL }
                    selected?.pointee = offered + 1
                    selectedLength?.pointee = offered.pointee
                    return SSL_TLSEXT_ERR_OK
                }, Unmanaged.passUnretained(self).toOpaque())
        }

        deinit {
            SSL_CTX_free(handle)
            answer.deallocate()
        }

        enum ClientCertificatePolicy { case none, wanted, required }

        private var expected: [UInt8] = []
        /// A copy of `expected` without its length; OpenSSL may keep a pointer to it.
        private var answer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 0)
        private var insistsOnALPN = false
        /// The protocol list of the newest ClientHello, length-prefixed.
        fileprivate(set) var offeredALPN: [UInt8] = []
    }

    private let context: Context
    private let ssl: OpaquePointer
    private let input: OpaquePointer
    private let output: OpaquePointer
    private(set) var isEstablished = false
    /// Whether the client's `close_notify` has come.
    private(set) var isClosedByClient = false
    /// Whether OpenSSL has refused what the client sent; an alert of the client counts too.
    private(set) var hasFailed = false

    init(_ context: Context) throws {
        self.context = context
        ssl = try require(SSL_new(context.handle))
        input = try require(BIO_new(BIO_s_mem()))
        output = try require(BIO_new(BIO_s_mem()))
        SSL_set_bio(ssl, input, output)
        SSL_set_accept_state(ssl)
    }

    deinit {
        SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN)
        SSL_free(ssl)
    }

    /// Takes bytes of the client; returns the decrypted bytes and the reply.
    func receive(_ bytes: [UInt8]) -> (plaintext: [UInt8], reply: [UInt8]) {
        ERR_clear_error()
        BIO_write(input, bytes, Int32(bytes.count))
        var plaintext: [UInt8] = []
        if !isEstablished {
            let result = SSL_do_handshake(ssl)
            isEstablished = result == 1
            if !isEstablished { hasFailed = hasFailed || SSL_get_error(ssl, result) != SSL_ERROR_WANT_READ }
        }
        if isEstablished {
            var piece = [UInt8](repeating: 0, count: 16384)
            var count = 0
            var result = SSL_read_ex(ssl, &piece, piece.count, &count)
            while result == 1 {
                plaintext += piece[..<count]
                result = SSL_read_ex(ssl, &piece, piece.count, &count)
            }
            switch SSL_get_error(ssl, result) {
            case SSL_ERROR_WANT_READ: break
            case SSL_ERROR_ZERO_RETURN: isClosedByClient = true
            default: hasFailed = true
            }
        }
        return (plaintext, drain(output))
    }

    func send(_ plaintext: [UInt8]) -> [UInt8] {
        var count = 0
        SSL_write_ex(ssl, plaintext, plaintext.count, &count)
        return drain(output)
    }

    func close() -> [UInt8] {
        SSL_shutdown(ssl)
        return drain(output)
    }

    /// A KeyUpdate; with `mutually` it asks the client for one too (TLS 1.3).
    func updateKeys(mutually: Bool = true) -> [UInt8] {
        SSL_key_update(ssl, mutually ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED)
        SSL_do_handshake(ssl)
        return drain(output)
    }

    /// Another session ticket (TLS 1.3).
    func sendTicket() -> [UInt8] {
        SSL_new_session_ticket(ssl)
        SSL_do_handshake(ssl)
        return drain(output)
    }

    /// A HelloRequest (TLS 1.2).
    func renegotiate() -> [UInt8] {
        SSL_renegotiate(ssl)
        SSL_do_handshake(ssl)
        return drain(output)
    }

    /// The subjects of the certificates that the client showed, its own first; empty when it showed none.
    var clientSubjects: [String] {
        guard let own = SSL_get1_peer_certificate(ssl) else { return [] }
        defer { X509_free(own) }
        let chain = SSL_get_peer_cert_chain(ssl)
        let certificates =
            [own]
            + (0..<max(0, OPENSSL_sk_num(chain))).compactMap {
                OPENSSL_sk_value(chain, $0).map { OpaquePointer($0) }
            }
        return certificates.compactMap { certificate in
            var text = [CChar](repeating: 0, count: 256)
            return X509_NAME_oneline(X509_get_subject_name(certificate), &text, 256).map { String(cString: $0) }
        }
    }

    /// The name in the client's SNI.
    var serverName: String? {
        SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name).map { String(cString: $0) }
    }
}
