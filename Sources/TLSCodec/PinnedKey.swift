import COpenSSL

/// The value that a pin is compared with: SHA-256 over the SubjectPublicKeyInfo of a certificate (RFC 7469 §2.4).
///
/// It outlives a certificate if the next one has the same key.
struct PinnedKey: Equatable {
    /// 32 bytes.
    let hash: [UInt8]

    static let length = 32

    /// `nil` without memory.
    init?(of certificate: OpaquePointer) {
        var encoded: UnsafeMutablePointer<UInt8>?
        let length = unsafe i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &encoded)
        guard length > 0, let encoded = unsafe encoded else {
            ErrorQueue.clear()
            return nil
        }
        defer { unsafe CRYPTO_free(encoded, #file, #line) }
        var hash = [UInt8](repeating: 0, count: Self.length)
        unsafe hash.withUnsafeMutableBufferPointer { target in
            _ = unsafe SHA256(encoded, Int(length), target.baseAddress)
        }
        self.hash = hash
    }

    /// The form of a setting: `sha256/` and Base64.
    var text: String {
        var encoded = [UInt8](repeating: 0, count: (hash.count + 2) / 3 * 4 + 1)
        let length = unsafe encoded.withUnsafeMutableBufferPointer { target in
            unsafe hash.withUnsafeBufferPointer { source in
                unsafe EVP_EncodeBlock(target.baseAddress, source.baseAddress, Int32(source.count))
            }
        }
        return "sha256/" + String(decoding: encoded.prefix(max(0, Int(length))), as: UTF8.self)
    }
}
