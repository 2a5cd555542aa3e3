import COpenSSL

/// Where the certificates come from that a server's chain must end in.
package enum TLSTrust: Equatable, Sendable {
    /// The trust store of the machine (`/etc/ssl/certs` on Debian; SSL_CERT_FILE and SSL_CERT_DIR are heeded).
    case system
    /// Only the certificates of the PEM file at this path.
    case file(String)
}

/// The oldest protocol version that is spoken.
package enum TLSVersion: Equatable, Sendable {
    /// TLS 1.2 (RFC 5246).
    case tls12
    /// TLS 1.3 (RFC 8446).
    case tls13

    fileprivate var number: Int32 {
        switch self {
        case .tls12: TLS1_2_VERSION
        case .tls13: TLS1_3_VERSION
        }
    }
}

/// What the TLS streams of one thread share: trust anchors, protocol rules, and the newest session ticket of each domain.
///
/// Confined to one thread. Compression and renegotiation are off (CRIME; CVE-2009-3555). An idle stream gives its record
/// buffers back (SSL_MODE_RELEASE_BUFFERS: 19.6 KB a stream instead of 53).
///
/// C API: SSL_CTX_new(3), SSL_CTX_set_mode(3), SSL_CTX_set_cert_verify_callback(3).
@safe
package final class TLSContext {
    let handle: OpaquePointer
    let bioMethod: OpaquePointer
    /// Where plaintext is read to before it is appended to the caller's array: one for all streams, the size of a record.
    let scratch: UnsafeMutableBufferPointer<UInt8>
    /// The newest resumable session by ASCII domain. A resumed handshake costs 0.4 ms instead of 0.9.
    private var sessions: [String: OpaquePointer] = unsafe [:]

    /// Reads the trust anchors from disk.
    ///
    /// - Throws: `TLSError.trustAnchors` when the file cannot be read or holds no certificate, `.ourFault` without memory.
    package init(trust: TLSTrust, minimumVersion: TLSVersion = .tls12) throws(TLSError) {
        ErrorQueue.clear()
        guard let context = unsafe SSL_CTX_new(TLS_client_method()) else {
            throw .ourFault(detail: ErrorQueue.takeFirst()?.text ?? "no TLS context")
        }
        guard let method = unsafe Wire.makeMethod() else {
            unsafe SSL_CTX_free(context)
            throw .ourFault(detail: "no memory")
        }
        unsafe handle = context
        unsafe bioMethod = method
        unsafe scratch = .allocate(capacity: Int(SSL3_RT_MAX_PLAIN_LENGTH))
        unsafe scratch.initialize(repeating: 0)
        try unsafe Self.load(trust, into: context)
        guard unsafe holdfast_SSL_CTX_set_min_proto_version(context, minimumVersion.number) == 1 else {
            throw .ourFault(detail: "this OpenSSL refuses the minimum protocol version")
        }
        unsafe SSL_CTX_set_options(context, noRenegotiation | noCompression)
        unsafe holdfast_SSL_CTX_set_mode(context, Int(SSL_MODE_RELEASE_BUFFERS))
        unsafe SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
        unsafe SSL_CTX_set_cert_verify_callback(context, { store, _ in unsafe TLSClient.verifyPeer(store) }, nil)
        // The cache is this object's: OpenSSL's own is keyed by session id, which a client cannot look up by domain.
        unsafe holdfast_SSL_CTX_set_session_cache_mode(
            context, Int(SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE))
        unsafe SSL_CTX_sess_set_new_cb(context) { ssl, session in unsafe TLSClient.keepSession(ssl, session) }
    }

    deinit {
        unsafe sessions.values.forEach { unsafe SSL_SESSION_free($0) }
        unsafe SSL_CTX_free(handle)
        unsafe BIO_meth_free(bioMethod)
        unsafe scratch.deallocate()
    }

    /// The session to offer to a server of `domain`, still owned by the context.
    func session(for domain: String) -> OpaquePointer? {
        unsafe sessions[domain]
    }

    /// Keeps `session` for the next stream to `domain` in place of an older one, and owns it from now on.
    func keep(_ session: OpaquePointer, for domain: String) {
        if let older = unsafe sessions.updateValue(session, forKey: domain) { unsafe SSL_SESSION_free(older) }
        guard unsafe sessions.count > Self.maximumSessions,
            let other = unsafe sessions.keys.first(where: { $0 != domain })
        else {
            return
        }
        forgetSession(for: other)
    }

    /// Drops the session of `domain`, so that the next stream makes a full handshake.
    func forgetSession(for domain: String) {
        if let session = unsafe sessions.removeValue(forKey: domain) { unsafe SSL_SESSION_free(session) }
    }

    private static func load(_ trust: TLSTrust, into context: OpaquePointer) throws(TLSError) {
        ErrorQueue.clear()
        switch trust {
        case .system:
            guard unsafe SSL_CTX_set_default_verify_paths(context) == 1 else {
                throw .trustAnchors(
                    detail: "the system's CA certificates cannot be used: \(ErrorQueue.takeFirst()?.text ?? "unknown")")
            }
        case .file(let path):
            guard unsafe SSL_CTX_load_verify_file(context, path) == 1 else {
                throw .trustAnchors(detail: reason(ErrorQueue.takeFirst(), path: path))
            }
        }
    }

    private static func reason(_ entry: ErrorQueue.Entry?, path: String) -> String {
        let file = "CA file '\(printable(path))'"
        guard let entry else { return "\(file) cannot be read" }
        if entry.isFromSystem { return "\(file) cannot be read: \(entry.text)" }
        let library = ERR_GET_LIB(entry.code)
        if library == ERR_LIB_PEM && entry.reason == PEM_R_NO_START_LINE
            || library == ERR_LIB_X509 && entry.reason == X509_R_NO_CERTIFICATE_OR_CRL_FOUND
        {
            return "\(file) holds no PEM certificate"
        }
        return "\(file) is not a list of PEM certificates: \(entry.text)"
    }

    /// A bound, so that a caller who takes domains from a peer cannot fill memory with sessions (2-4 KB each).
    static let maximumSessions = 256
}

// SSL_OP_… are macros around a cast, which Swift does not import; the bits are part of OpenSSL's ABI.
private let noCompression: UInt64 = 1 << 17
private let noRenegotiation: UInt64 = 1 << 30
