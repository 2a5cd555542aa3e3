import COpenSSL

/// Holds each certificate by which servers proved themselves once, however many streams lead to them.
///
/// With every stream that was not resumed, OpenSSL keeps all certificates of the server, parsed anew: 6.5 KB each, so a
/// chain of two doubles what the stream takes. No call releases them (docs/decisions/0033). So before a chain is
/// checked, each certificate that equals one held here is replaced by that one. The check is not weaker, because the
/// bytes are the same.
///
/// Used by one thread. C API: X509_cmp(3), X509_up_ref(3), X509_STORE_CTX_get0_untrusted(3),
/// X509_STORE_CTX_set_cert(3).
@safe
final class SharedCertificates {
    /// The certificates, oldest first, with a reference to each.
    private var held: [OpaquePointer] = unsafe []
    /// Certificates that were replaced during the current call of OpenSSL, which may still use them.
    private var replaced: [OpaquePointer] = unsafe []

    deinit {
        freeReplaced()
        unsafe held.forEach { unsafe X509_free($0) }
    }

    /// The number of certificates.
    var count: Int { unsafe held.count }

    /// Replaces certificates that the server has just sent, and that OpenSSL is about to check, by equal ones held
    /// here.
    ///
    /// - Parameter store: the check, an X509_STORE_CTX. Its certificates are those that the stream's session keeps.
    func replaceEqual(in store: OpaquePointer) {
        guard let sent = unsafe X509_STORE_CTX_get0_untrusted(store) else { return }
        for index in 0..<max(0, unsafe holdfast_sk_X509_num(sent)) {
            guard let certificate = unsafe holdfast_sk_X509_value(sent, index),
                let equal = unsafe equal(to: certificate), unsafe equal != certificate,
                unsafe X509_up_ref(equal) == 1
            else { continue }
            unsafe holdfast_sk_X509_set(sent, index, equal)
            unsafe replaced.append(certificate)
            if unsafe X509_STORE_CTX_get0_cert(store) == certificate { unsafe X509_STORE_CTX_set_cert(store, equal) }
        }
    }

    /// Holds the certificates of a chain that was checked and accepted. Others that the server sent are not held,
    /// because anybody can make such.
    ///
    /// - Parameter store: the finished check, an X509_STORE_CTX.
    func keep(_ store: OpaquePointer) {
        guard let sent = unsafe X509_STORE_CTX_get0_untrusted(store),
            let chain = unsafe X509_STORE_CTX_get0_chain(store)
        else { return }
        for index in 0..<max(0, unsafe holdfast_sk_X509_num(sent)) {
            guard let certificate = unsafe holdfast_sk_X509_value(sent, index),
                unsafe Self.contains(chain, certificate), unsafe equal(to: certificate) == nil,
                unsafe X509_up_ref(certificate) == 1
            else { continue }
            unsafe held.append(certificate)
            if unsafe held.count > Self.most { unsafe X509_free(held.removeFirst()) }
        }
    }

    /// Frees the replaced certificates. To be called when OpenSSL's call that checked the chain has returned.
    func freeReplaced() {
        while let certificate = unsafe replaced.popLast() { unsafe X509_free(certificate) }
    }

    private func equal(to certificate: OpaquePointer) -> OpaquePointer? {
        // Chains are used again and again, so the newest is compared first.
        unsafe held.last { unsafe X509_cmp($0, certificate) == 0 }
    }

    private static func contains(_ chain: OpaquePointer, _ certificate: OpaquePointer) -> Bool {
        (0..<max(0, unsafe holdfast_sk_X509_num(chain))).contains { index in
            guard let other = unsafe holdfast_sk_X509_value(chain, index) else { return false }
            return unsafe X509_cmp(other, certificate) == 0
        }
    }

    /// Limits the look-up, and what may be held without a stream: 1.6 MB.
    static let most = 256
}
