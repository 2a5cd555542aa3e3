import COpenSSL

/// Loads the certificate that this side shows, its chain and its key into a context.
///
/// C API: PEM_read_bio_X509_AUX(3), SSL_CTX_use_certificate(3), SSL_CTX_add0_chain_cert(3), PEM_read_bio_PrivateKey(3),
/// X509_check_private_key(3).
enum ClientCertificate {
    /// - Parameters:
    ///   - certificateFile: the certificate, then those that lead from it to a CA. `nil` for none.
    ///   - keyFile: the key. `nil` when it is in `certificateFile`.
    /// - Throws: `TLSError.clientCertificate`, which names the file and its fault.
    static func load(
        certificateFile: PEMFile?, keyFile: PEMFile?, into context: OpaquePointer
    ) throws(TLSError) {
        guard let certificateFile else {
            guard let keyFile else { return }
            throw .clientCertificate(detail: "key file '\(printable(keyFile.path))' is given without a certificate")
        }
        try unsafe useChain(certificateFile, in: context)
        let keyFile = keyFile ?? certificateFile
        let key = try unsafe readKey(keyFile)
        defer { unsafe EVP_PKEY_free(key) }
        ErrorQueue.clear()
        guard let certificate = unsafe SSL_CTX_get0_certificate(context),
            unsafe X509_check_private_key(certificate, key) == 1
        else {
            ErrorQueue.clear()
            throw .clientCertificate(
                detail: "the key in '\(printable(keyFile.path))' is not that of the certificate in "
                    + "'\(printable(certificateFile.path))'")
        }
        guard unsafe SSL_CTX_use_PrivateKey(context, key) == 1 else {
            throw .clientCertificate(
                detail: "the key in '\(printable(keyFile.path))' cannot be used: "
                    + (ErrorQueue.takeFirst()?.text ?? "unknown"))
        }
    }

    /// Has the context show the first certificate of the file, and behind it all others.
    static func useChain(_ file: PEMFile, in context: OpaquePointer) throws(TLSError) {
        try unsafe file.withBIO { bio throws(TLSError) in
            ErrorQueue.clear()
            guard let bio = unsafe bio, let own = unsafe PEM_read_bio_X509_AUX(bio, nil, refusePassphrase, nil) else {
                throw fault(of: file, "certificate")
            }
            defer { unsafe X509_free(own) }
            guard unsafe SSL_CTX_use_certificate(context, own) == 1 else { throw fault(of: file, "certificate") }
            ErrorQueue.clear()
            while let next = unsafe PEM_read_bio_X509(bio, nil, refusePassphrase, nil) {
                guard unsafe holdfast_SSL_CTX_add0_chain_cert(context, next) == 1 else {
                    unsafe X509_free(next)
                    throw fault(of: file, "certificate")
                }
                ErrorQueue.clear()
            }
            // Every file ends like this: no further certificate begins.
            guard let entry = ErrorQueue.takeFirst(), !entry.isMissingContent else { return }
            throw .clientCertificate(
                detail: file.reason(entry, kind: "certificate file", content: "certificate"))
        }
    }

    /// The first private key of the file; the caller frees it.
    static func readKey(_ file: PEMFile) throws(TLSError) -> OpaquePointer {
        try unsafe file.withBIO { bio throws(TLSError) -> OpaquePointer in
            ErrorQueue.clear()
            guard let bio = unsafe bio else { throw fault(of: file, "private key", kind: "key file") }
            var isEncrypted = false
            let key = unsafe withUnsafeMutablePointer(to: &isEncrypted) { isEncrypted in
                unsafe PEM_read_bio_PrivateKey(bio, nil, refusePassphrase, isEncrypted)
            }
            if let key = unsafe key { return unsafe key }
            guard isEncrypted else { throw fault(of: file, "private key", kind: "key file") }
            ErrorQueue.clear()
            throw .clientCertificate(
                detail: "key file '\(printable(file.path))' is encrypted: a key without a passphrase is needed")
        }
    }

    private static func fault(
        of file: PEMFile, _ content: String, kind: String = "certificate file"
    ) -> TLSError {
        .clientCertificate(detail: file.reason(ErrorQueue.takeFirst(), kind: kind, content: content))
    }
}
