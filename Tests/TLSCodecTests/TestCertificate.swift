import COpenSSL

/// A key and a certificate created for a test, self-signed or issued by another one.
final class TestCertificate {
    let key: OpaquePointer
    let certificate: OpaquePointer

    /// - Parameters:
    ///   - names: the subjectAltName in the syntax of OpenSSL's configuration, for instance `DNS:a.example`; empty for
    ///     none.
    ///   - encodedNames: names for the subjectAltName that this syntax cannot express, each a DER GeneralName; they
    ///     replace `names`.
    ///   - issuer: the certificate that signs; `nil` for a self-signed one.
    ///   - notBefore: seconds from now.
    ///   - notAfter: seconds from now.
    ///   - key: a certificate whose key is used again; `nil` for a new key of `kind`.
    init(
        commonName: String, names: String = "", encodedNames: [[UInt8]] = [], issuer: TestCertificate? = nil,
        isCA: Bool = false,
        notBefore: Int = -3600, notAfter: Int = 3600, extendedKeyUsage: String? = nil,
        key other: TestCertificate? = nil, kind: KeyKind = .p256
    ) throws {
        if let other {
            EVP_PKEY_up_ref(other.key)
            key = other.key
        } else {
            key = try Self.makeKey(kind)
        }
        certificate = try require(X509_new())
        X509_set_version(certificate, 2)
        ASN1_INTEGER_set(X509_get_serialNumber(certificate), Int.random(in: 1...(.max)))
        X509_gmtime_adj(X509_getm_notBefore(certificate), notBefore)
        X509_gmtime_adj(X509_getm_notAfter(certificate), notAfter)
        X509_set_pubkey(certificate, key)
        X509_NAME_add_entry_by_txt(
            X509_get_subject_name(certificate), "CN", Int32(V_ASN1_UTF8STRING), commonName, -1, -1, 0)
        let signer = issuer?.certificate ?? certificate
        X509_set_issuer_name(certificate, X509_get_subject_name(signer))
        try add(NID_basic_constraints, isCA ? "critical,CA:TRUE" : "critical,CA:FALSE", signer: signer)
        if !names.isEmpty { try add(NID_subject_alt_name, names, signer: signer) }
        if !encodedNames.isEmpty { try add(NID_subject_alt_name, der(0x30, encodedNames.flatMap { $0 })) }
        if let extendedKeyUsage { try add(NID_ext_key_usage, extendedKeyUsage, signer: signer) }
        guard X509_sign(certificate, issuer?.key ?? key, EVP_sha256()) > 0 else { throw OpenSSLFailure() }
    }

    /// The day, in UTC, that is this many seconds from now: `2026-01-31`.
    static func day(_ seconds: Int) -> String {
        var now = time(nil) + seconds
        var parts = tm()
        gmtime_r(&now, &parts)
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
    }

    deinit {
        X509_free(certificate)
        EVP_PKEY_free(key)
    }

    private func add(_ nid: Int32, _ value: String, signer: OpaquePointer) throws {
        var context = X509V3_CTX()
        X509V3_set_ctx(&context, signer, certificate, nil, nil, 0)
        let made = try require(X509V3_EXT_nconf_nid(nil, &context, nid, value))
        defer { X509_EXTENSION_free(made) }
        guard X509_add_ext(certificate, made, -1) == 1 else { throw OpenSSLFailure() }
    }

    private func add(_ nid: Int32, _ encoded: [UInt8]) throws {
        let octets = try require(ASN1_OCTET_STRING_new())
        defer { ASN1_OCTET_STRING_free(octets) }
        ASN1_OCTET_STRING_set(octets, encoded, Int32(encoded.count))
        let made = try require(X509_EXTENSION_create_by_NID(nil, nid, 0, octets))
        defer { X509_EXTENSION_free(made) }
        guard X509_add_ext(certificate, made, -1) == 1 else { throw OpenSSLFailure() }
    }

    enum KeyKind { case p256, rsa }

    private static func makeKey(_ kind: KeyKind) throws -> OpaquePointer {
        let context = try require(EVP_PKEY_CTX_new_id(kind == .rsa ? EVP_PKEY_RSA : NID_X9_62_id_ecPublicKey, nil))
        defer { EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        guard EVP_PKEY_keygen_init(context) == 1,
            kind == .rsa
                ? EVP_PKEY_CTX_set_rsa_keygen_bits(context, 2048) == 1
                : EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_X9_62_prime256v1) == 1,
            EVP_PKEY_keygen(context, &key) == 1
        else { throw OpenSSLFailure() }
        return try require(key)
    }

    /// The possible formats of a key file.
    enum KeyFormat: CaseIterable { case pkcs8, traditional, encryptedPKCS8, encryptedTraditional }

    /// The key as the text of a PEM file; the encrypted formats have a passphrase.
    func keyPEM(_ format: KeyFormat = .pkcs8) throws -> [UInt8] {
        let bio = try require(BIO_new(BIO_s_mem()))
        defer { BIO_free(bio) }
        let secret = Array("secret".utf8)
        let done =
            switch format {
            case .pkcs8: PEM_write_bio_PKCS8PrivateKey(bio, key, nil, nil, 0, nil, nil)
            case .traditional: PEM_write_bio_PrivateKey_traditional(bio, key, nil, nil, 0, nil, nil)
            case .encryptedPKCS8: PEM_write_bio_PKCS8PrivateKey(bio, key, EVP_aes_256_cbc(), "secret", 6, nil, nil)
            case .encryptedTraditional:
                PEM_write_bio_PrivateKey_traditional(bio, key, EVP_aes_256_cbc(), secret, 6, nil, nil)
            }
        guard done == 1 else { throw OpenSSLFailure() }
        return drain(bio)
    }

    /// The certificates as the text of a PEM file.
    static func pem(_ certificates: [TestCertificate]) throws -> [UInt8] {
        let bio = try require(BIO_new(BIO_s_mem()))
        defer { BIO_free(bio) }
        for certificate in certificates { PEM_write_bio_X509(bio, certificate.certificate) }
        return drain(bio)
    }
}

/// One DER element.
func der(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
    let count = content.count
    let length: [UInt8] =
        count < 0x80 ? [UInt8(count)] : [0x82, UInt8(truncatingIfNeeded: count >> 8), UInt8(truncatingIfNeeded: count)]
    return [tag] + length + content
}

/// A GeneralName of the type dNSName with any bytes.
func encodedDNSName(_ name: String) -> [UInt8] {
    der(0x82, Array(name.utf8))
}

/// A GeneralName of the type otherName, 1.3.6.1.5.5.7.8.`arc`, whose value is a string with this tag: 12 for UTF8String.
func encodedOtherName(_ arc: UInt8, _ value: String, tag: UInt8 = 12) -> [UInt8] {
    der(0xA0, der(6, [0x2B, 6, 1, 5, 5, 7, 8, arc]) + der(0xA0, der(tag, Array(value.utf8))))
}

/// An OpenSSL call of the tests' own code failed.
struct OpenSSLFailure: Error {}

func require<Value>(_ value: Value?) throws -> Value {
    guard let value else { throw OpenSSLFailure() }
    return value
}

/// Everything a memory BIO holds.
func drain(_ bio: OpaquePointer) -> [UInt8] {
    var result: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 16384)
    while true {
        let count = BIO_read(bio, &piece, Int32(piece.count))
        guard count > 0 else { return result }
        result += piece[..<Int(count)]
    }
}
