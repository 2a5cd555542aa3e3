import COpenSSL

/// Loads the certificates in which a server's chain must end into a context.
///
/// C API: SSL_CTX_set_default_verify_paths(3), PEM_X509_INFO_read_bio(3), X509_STORE_add_cert(3).
enum TrustAnchors {
    /// - Throws: `TLSError.trustAnchors`, which names the file and its fault.
    static func load(_ trust: TLSTrust, into context: OpaquePointer) throws(TLSError) {
        ErrorQueue.clear()
        switch trust {
        case .system:
            guard unsafe SSL_CTX_set_default_verify_paths(context) == 1 else {
                throw .trustAnchors(
                    detail: "the system's CA certificates cannot be used: \(ErrorQueue.takeFirst()?.text ?? "unknown")")
            }
        case .file(let file):
            guard let store = unsafe SSL_CTX_get_cert_store(context) else {
                throw .ourFault(detail: "no memory")
            }
            guard try unsafe file.withBIO({ bio throws(TLSError) in unsafe add(bio, to: store) }) else {
                throw .trustAnchors(
                    detail: file.reason(ErrorQueue.takeFirst(), kind: "CA file", content: "certificate"))
            }
        }
    }

    /// Adds all certificates and revocation lists, as X509_load_cert_crl_file(3) adds those of a file. `false`, and
    /// usually an entry in the queue of errors, when there are none or one is damaged.
    private static func add(_ bio: OpaquePointer?, to store: OpaquePointer) -> Bool {
        guard let bio = unsafe bio, let list = unsafe PEM_X509_INFO_read_bio(bio, nil, refusePassphrase, nil) else {
            return false
        }
        defer { unsafe holdfast_sk_X509_INFO_free(list) }
        var count = 0
        for index in 0..<max(0, unsafe holdfast_sk_X509_INFO_num(list)) {
            guard let entry = unsafe holdfast_sk_X509_INFO_value(list, index) else { continue }
            if let certificate = unsafe entry.pointee.x509 {
                guard unsafe X509_STORE_add_cert(store, certificate) == 1 else { return false }
                count += 1
            }
            if let revocations = unsafe entry.pointee.crl {
                guard unsafe X509_STORE_add_crl(store, revocations) == 1 else { return false }
                count += 1
            }
        }
        return count > 0
    }
}
