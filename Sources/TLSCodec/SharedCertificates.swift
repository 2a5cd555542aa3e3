import COpenSSL

/// The certificates by which servers proved themselves, each held once, however many streams lead to them.
///
/// OpenSSL keeps all that a server showed with every stream that was not resumed, parsed anew: 6.5 KB a certificate, with a
/// chain of two as much as the stream takes without it. There is no call to let go of it (docs/decisions/0033), so before
/// a chain is checked each certificate that equals one held here gives way to it. Nothing is checked less: the check goes
/// through the same bytes, only elsewhere.
///
/// Confined to one thread. C API: X509_cmp(3), X509_up_ref(3), X509_STORE_CTX_get0_untrusted(3), X509_STORE_CTX_set_cert(3).
@safe
final class SharedCertificates {
    /// The oldest first; a reference each.
    private var held: [OpaquePointer] = unsafe []
    /// What gave way during the call of OpenSSL that is under way, which may still look at it.
    private var replaced: [OpaquePointer] = unsafe []

    deinit {
        freeReplaced()
        unsafe held.forEach { unsafe X509_free($0) }
    }

    /// How many there are.
    var count: Int { unsafe held.count }

    /// Puts what is held here in place of what the server has just sent and OpenSSL is about to check.
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

    /// Holds the certificates of a chain that was checked and found good. One that the server sent beside them is not held:
    /// anybody can make such.
    ///
    /// - Parameter store: the check that is over, an X509_STORE_CTX.
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

    /// Frees what gave way. To be called when the call of OpenSSL that checked the chain has returned.
    func freeReplaced() {
        while let certificate = unsafe replaced.popLast() { unsafe X509_free(certificate) }
    }

    private func equal(to certificate: OpaquePointer) -> OpaquePointer? {
        // A chain is used again and again: the newest is looked at first.
        unsafe held.last { unsafe X509_cmp($0, certificate) == 0 }
    }

    private static func contains(_ chain: OpaquePointer, _ certificate: OpaquePointer) -> Bool {
        (0..<max(0, unsafe holdfast_sk_X509_num(chain))).contains { index in
            guard let other = unsafe holdfast_sk_X509_value(chain, index) else { return false }
            return unsafe X509_cmp(other, certificate) == 0
        }
    }

    /// A bound for the look-up and for what may be held without a stream, 1.6 MB.
    static let most = 256
}
