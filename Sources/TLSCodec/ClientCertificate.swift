import COpenSSL

/// Loads the certificate that this side shows, its chain and its key into a context.
///
/// C API: SSL_CTX_use_certificate_chain_file(3), PEM_read_bio_PrivateKey(3), X509_check_private_key(3).
enum ClientCertificate {
    /// - Parameters:
    ///   - certificateFile: PEM: the certificate, then those that lead from it to a CA. `nil` for none.
    ///   - keyFile: PEM: the key. `nil` when it is in `certificateFile`.
    /// - Throws: `TLSError.clientCertificate`, which names the file and its fault.
    static func load(certificateFile: String?, keyFile: String?, into context: OpaquePointer) throws(TLSError) {
        guard let certificateFile else {
            guard let keyFile else { return }
            throw .clientCertificate(detail: "key file '\(printable(keyFile))' is given without a certificate")
        }
        ErrorQueue.clear()
        guard unsafe SSL_CTX_use_certificate_chain_file(context, certificateFile) == 1 else {
            throw .clientCertificate(
                detail: PEMFile.reason(
                    ErrorQueue.takeFirst(), file: "certificate file '\(printable(certificateFile))'",
                    content: "certificate"))
        }
        let key = try unsafe readKey(path: keyFile ?? certificateFile)
        defer { unsafe EVP_PKEY_free(key) }
        ErrorQueue.clear()
        guard let certificate = unsafe SSL_CTX_get0_certificate(context),
            unsafe X509_check_private_key(certificate, key) == 1
        else {
            ErrorQueue.clear()
            throw .clientCertificate(
                detail: "the key in '\(printable(keyFile ?? certificateFile))' is not that of the certificate in "
                    + "'\(printable(certificateFile))'")
        }
        guard unsafe SSL_CTX_use_PrivateKey(context, key) == 1 else {
            throw .clientCertificate(
                detail: "the key in '\(printable(keyFile ?? certificateFile))' cannot be used: "
                    + (ErrorQueue.takeFirst()?.text ?? "unknown"))
        }
    }

    /// The first private key of the file; the caller frees it.
    private static func readKey(path: String) throws(TLSError) -> OpaquePointer {
        let file = "key file '\(printable(path))'"
        guard let bio = unsafe BIO_new_file(path, "r") else {
            throw .clientCertificate(
                detail: PEMFile.reason(ErrorQueue.takeFirst(), file: file, content: "private key"))
        }
        defer { unsafe BIO_free(bio) }
        var isEncrypted = false
        // Without this callback, OpenSSL would ask for the passphrase on the terminal.
        let key = unsafe withUnsafeMutablePointer(to: &isEncrypted) { isEncrypted in
            unsafe PEM_read_bio_PrivateKey(
                bio, nil,
                { _, _, _, isEncrypted in
                    unsafe isEncrypted?.assumingMemoryBound(to: Bool.self).pointee = true
                    return -1
                }, isEncrypted)
        }
        if let key = unsafe key { return unsafe key }
        let entry = ErrorQueue.takeFirst()
        throw .clientCertificate(
            detail: isEncrypted
                ? "\(file) is encrypted: a key without a passphrase is needed"
                : PEMFile.reason(entry, file: file, content: "private key"))
    }
}

/// Words for the fault of a PEM file.
enum PEMFile {
    /// - Parameters:
    ///   - entry: OpenSSL's error.
    ///   - file: the file as the text names it.
    ///   - content: what the file should have.
    static func reason(_ entry: ErrorQueue.Entry?, file: String, content: String) -> String {
        guard let entry else { return "\(file) cannot be read" }
        if entry.isFromSystem { return "\(file) cannot be read: \(entry.text)" }
        return entry.isMissingContent
            ? "\(file) holds no PEM \(content)" : "\(file) holds no usable PEM \(content): \(entry.text)"
    }
}
