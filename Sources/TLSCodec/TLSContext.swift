import COpenSSL

/// What the TLS streams of one thread share: trust anchors, protocol rules, and the newest session of each domain.
///
/// Used by one thread. A session is offered only on streams of this context and of its domain, so whoever resumes it
/// has passed the checks of these rules. Compression and renegotiation are off (CRIME; CVE-2009-3555). An idle stream
/// gives its record buffers back (SSL_MODE_RELEASE_BUFFERS: 33 KB less a stream).
///
/// C API: SSL_CTX_new(3), SSL_CTX_set_mode(3), SSL_CTX_set_cert_verify_callback(3).
@safe
package final class TLSContext {
    let handle: OpaquePointer
    let bioMethod: OpaquePointer
    /// Plaintext is read here before it is appended to the caller's array: one buffer for all streams, as large as a
    /// record.
    let scratch: UnsafeMutableBufferPointer<UInt8>
    /// The servers' certificates, each held once for all streams.
    let certificates = SharedCertificates()
    /// The newest resumable session by ASCII domain. A resumed handshake costs 0.4 ms instead of 0.9.
    private var sessions: [String: KeptSession] = [:]

    /// A session, with the time at which the server last proved itself by its certificate.
    @safe
    struct KeptSession {
        /// The context owns it.
        let handle: OpaquePointer
        /// Seconds of the machine's clock, by which certificates are judged.
        let verifiedAt: Int
    }

    /// The pins, one of which a server's key must have; empty for any key.
    let pins: [[UInt8]]

    /// Reads the files that the rules have, and finds every fault in them.
    ///
    /// - Throws: `TLSError.trustAnchors`, `.clientCertificate` or `.rules`, which name the file or the setting and its
    ///   fault; `.ourFault` without memory.
    package init(rules: TLSRules) throws(TLSError) {
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
        pins = rules.pins
        guard pins.allSatisfy({ $0.count == PinnedKey.length }) else {
            throw .rules(detail: "a pin is not the \(PinnedKey.length) bytes of a SHA-256")
        }
        try unsafe TrustAnchors.load(rules.trust, into: context)
        try unsafe Self.limit(rules.minimumVersion, ciphers: rules.cipherList, of: context)
        try unsafe ClientCertificate.load(
            certificateFile: rules.certificate, keyFile: rules.key, into: context)
        unsafe SSL_CTX_set_options(context, noRenegotiation | noCompression)
        // Only what the certificate's file has is shown: nothing is added from the trust anchors.
        unsafe holdfast_SSL_CTX_set_mode(context, Int(SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN))
        unsafe SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
        unsafe SSL_CTX_set_cert_verify_callback(context, { store, _ in unsafe TLSClient.verifyPeer(store) }, nil)
        unsafe SSL_CTX_set_msg_callback(context) { isOutgoing, _, type, _, _, ssl, _ in
            unsafe TLSClient.noteMessage(ssl, isOutgoing: isOutgoing != 0, type: type)
        }
        // This object is the cache. OpenSSL's own is keyed by session id, so a client cannot look up a domain in it.
        unsafe holdfast_SSL_CTX_set_session_cache_mode(
            context, Int(SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE))
        unsafe SSL_CTX_sess_set_new_cb(context) { ssl, session in unsafe TLSClient.keepSession(ssl, session) }
    }

    deinit {
        sessions.values.forEach { unsafe SSL_SESSION_free($0.handle) }
        unsafe SSL_CTX_free(handle)
        unsafe BIO_meth_free(bioMethod)
        unsafe scratch.deallocate()
    }

    /// The session to offer to a server of `domain`. A session whose certificate was checked too long ago is dropped.
    /// Each resumed stream brings a new session, so without this an expired certificate might never be noticed (RFC
    /// 8446 §4.6.1).
    ///
    /// - Parameter now: seconds of the machine's clock.
    func session(for domain: String, now: Int) -> KeptSession? {
        guard let session = sessions[domain] else { return nil }
        if (0...Self.longestTrust).contains(now - session.verifiedAt) { return session }
        forgetSession(for: domain)
        return nil
    }

    /// Keeps and owns a session for the next stream to `domain`, in place of an older one.
    func keep(_ session: KeptSession, for domain: String) {
        if let older = sessions.updateValue(session, forKey: domain) { unsafe SSL_SESSION_free(older.handle) }
        guard sessions.count > Self.maximumSessions, let other = sessions.keys.first(where: { $0 != domain }) else {
            return
        }
        forgetSession(for: other)
    }

    /// Drops the session of `domain`, so that the next stream makes a full handshake.
    func forgetSession(for domain: String) {
        if let session = sessions.removeValue(forKey: domain) { unsafe SSL_SESSION_free(session.handle) }
    }

    private static func limit(
        _ version: TLSVersion, ciphers: String?, of context: OpaquePointer
    ) throws(TLSError) {
        guard unsafe holdfast_SSL_CTX_set_min_proto_version(context, version.number) == 1 else {
            throw .rules(detail: "this OpenSSL refuses the minimum protocol version")
        }
        guard let ciphers else { return }
        // A suite without authentication would open a stream to a server that showed no certificate.
        guard unsafe SSL_CTX_set_cipher_list(context, ciphers + ":!aNULL:!eNULL") == 1 else {
            throw .rules(
                detail: "the cipher list '\(printable(ciphers))' leaves no cipher suite: "
                    + (ErrorQueue.takeFirst()?.text ?? "unknown"))
        }
    }

    /// A bound, so that a peer that names domains cannot fill memory with sessions (2-4 KB each).
    static let maximumSessions = 256

    /// How many seconds sessions may replace the check of the certificate.
    static let longestTrust = 3600
}

// SSL_OP_… are macros around a cast, which Swift does not import; the bits are part of OpenSSL's ABI.
private let noCompression: UInt64 = 1 << 17
private let noRenegotiation: UInt64 = 1 << 30
