import COpenSSL

/// Judges the files of certificates by themselves, so that each fault can be told with the setting that names the file.
///
/// C API: X509_get0_notAfter(3), X509_cmp_current_time(3), ASN1_TIME_to_generalizedtime(3).
package enum CertificateCheck {
    /// When a certificate is valid, by this machine's clock.
    package enum Validity: Equatable, Sendable {
        /// Now.
        case valid
        /// No more since this day: `2026-01-31`.
        case expired(String)
        /// From this day on.
        case notYet(String)
    }

    /// - Throws: `TLSError.trustAnchors`, when the file has no certificate that can be trusted.
    package static func checkTrust(_ file: PEMFile) throws(TLSError) {
        try unsafe withContext { context throws(TLSError) in
            try unsafe TrustAnchors.load(.file(file), into: context)
        }
    }

    /// - Throws: `TLSError.clientCertificate`, when the file has no certificate that can be shown.
    package static func checkCertificate(_ file: PEMFile) throws(TLSError) {
        try unsafe withContext { context throws(TLSError) in
            try unsafe ClientCertificate.useChain(file, in: context)
        }
    }

    /// - Throws: `TLSError.clientCertificate`, when the file has no key that can be used.
    package static func checkKey(_ file: PEMFile) throws(TLSError) {
        unsafe EVP_PKEY_free(try ClientCertificate.readKey(file))
    }

    /// - Throws: `TLSError.clientCertificate`, when the key is not that of the certificate, or one cannot be used.
    package static func checkPair(_ certificate: PEMFile, key: PEMFile) throws(TLSError) {
        try unsafe withContext { context throws(TLSError) in
            try unsafe ClientCertificate.load(certificateFile: certificate, keyFile: key, into: context)
        }
    }

    /// The validity of the file's first certificate; nil when it has none.
    package static func validity(of file: PEMFile) throws(TLSError) -> Validity? {
        try unsafe file.withBIO { bio throws(TLSError) -> Validity? in
            defer { ErrorQueue.clear() }
            guard let bio = unsafe bio, let certificate = unsafe PEM_read_bio_X509_AUX(bio, nil, refusePassphrase, nil)
            else { return nil }
            defer { unsafe X509_free(certificate) }
            if let end = unsafe X509_get0_notAfter(certificate), unsafe X509_cmp_current_time(end) < 0 {
                return unsafe .expired(day(end))
            }
            if let begin = unsafe X509_get0_notBefore(certificate), unsafe X509_cmp_current_time(begin) > 0 {
                return unsafe .notYet(day(begin))
            }
            return .valid
        }
    }

    /// The first and the last day on which a certificate is valid.
    static func days(of certificate: OpaquePointer?) -> (first: String, last: String) {
        guard let certificate = unsafe certificate else { return (unknownDay, unknownDay) }
        return unsafe (day(X509_get0_notBefore(certificate)), day(X509_get0_notAfter(certificate)))
    }

    private static let unknownDay = "an unknown day"

    /// `2026-01-31`, in UTC.
    private static func day(_ time: UnsafePointer<ASN1_TIME>?) -> String {
        guard let time = unsafe time, let long = unsafe ASN1_TIME_to_generalizedtime(time, nil) else {
            return unknownDay
        }
        defer { unsafe ASN1_STRING_free(long) }
        let bytes = unsafe UnsafeBufferPointer(
            start: ASN1_STRING_get0_data(long), count: min(8, max(0, Int(ASN1_STRING_length(long)))))
        let digits = unsafe Array(String(decoding: bytes, as: UTF8.self))
        guard digits.count == 8 else { return unknownDay }
        return String(digits[..<4]) + "-" + String(digits[4..<6]) + "-" + String(digits[6...])
    }

    private static func withContext(_ body: (OpaquePointer) throws(TLSError) -> Void) throws(TLSError) {
        ErrorQueue.clear()
        guard let context = unsafe SSL_CTX_new(TLS_client_method()) else {
            throw .ourFault(detail: ErrorQueue.takeFirst()?.text ?? "no TLS context")
        }
        defer { unsafe SSL_CTX_free(context) }
        try unsafe body(context)
    }
}
