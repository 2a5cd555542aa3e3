import COpenSSL
import Glibc
import TestSupport

/// Unwraps the result of an OpenSSL call of the tests' own code.
private func require<Value>(_ value: Value?) throws -> Value {
    guard let value else { throw TestFault("OpenSSL failed") }
    return value
}

/// A key and its certificate, made for one test.
final class TLSIdentity {
    let key: OpaquePointer
    let certificate: OpaquePointer

    /// Creates an authority.
    static func authority() throws -> TLSIdentity {
        try TLSIdentity(named: "An authority", extensions: [(NID_basic_constraints, "critical,CA:TRUE")])
    }

    /// Creates a server's identity; it is self-signed when there is no `issuer`.
    ///
    /// - Parameters:
    ///   - names: its names in the syntax of OpenSSL's configuration.
    ///   - until: seconds from now.
    convenience init(
        issuedBy issuer: TLSIdentity?, for names: String = "DNS:example.org", until: Int = 3_600
    ) throws {
        try self.init(
            named: "A server", issuer: issuer, until: until,
            extensions: [(NID_basic_constraints, "critical,CA:FALSE"), (NID_subject_alt_name, names)])
    }

    private init(
        named name: String, issuer: TLSIdentity? = nil, until: Int = 3_600, extensions: [(nid: Int32, value: String)]
    ) throws {
        key = try Self.makeKey()
        certificate = try require(X509_new())
        X509_set_version(certificate, 2)
        ASN1_INTEGER_set(X509_get_serialNumber(certificate), Int.random(in: 1...(.max)))
        X509_gmtime_adj(X509_getm_notBefore(certificate), -7_200)
        X509_gmtime_adj(X509_getm_notAfter(certificate), until)
        X509_set_pubkey(certificate, key)
        let subject = X509_get_subject_name(certificate)
        X509_NAME_add_entry_by_txt(subject, "CN", Int32(V_ASN1_UTF8STRING), name, -1, -1, 0)
        let signer = issuer?.certificate ?? certificate
        X509_set_issuer_name(certificate, X509_get_subject_name(signer))
        var context = X509V3_CTX()
        X509V3_set_ctx(&context, signer, certificate, nil, nil, 0)
        for (nid, value) in extensions {
            let made = try require(X509V3_EXT_nconf_nid(nil, &context, nid, value))
            X509_add_ext(certificate, made, -1)
            X509_EXTENSION_free(made)
        }
        guard X509_sign(certificate, issuer?.key ?? key, EVP_sha256()) > 0 else { throw TestFault("not signed") }
    }

    deinit {
        X509_free(certificate)
        EVP_PKEY_free(key)
    }

    private static func makeKey() throws -> OpaquePointer {
        let context = try require(EVP_PKEY_CTX_new_id(NID_X9_62_id_ecPublicKey, nil))
        defer { EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        guard EVP_PKEY_keygen_init(context) == 1,
            EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_X9_62_prime256v1) == 1,
            EVP_PKEY_keygen(context, &key) == 1
        else { throw TestFault("no key") }
        return try require(key)
    }

    /// The certificate as the text of a PEM file.
    var pem: [UInt8] {
        get throws {
            let bio = try require(BIO_new(BIO_s_mem()))
            defer { BIO_free(bio) }
            PEM_write_bio_X509(bio, certificate)
            return drain(bio)
        }
    }

    /// The key as the text of a PEM file.
    var keyPEM: [UInt8] {
        get throws {
            let bio = try require(BIO_new(BIO_s_mem()))
            defer { BIO_free(bio) }
            PEM_write_bio_PrivateKey(bio, key, nil, nil, 0, nil, nil)
            return drain(bio)
        }
    }
}

/// Everything a memory BIO holds.
private func drain(_ bio: OpaquePointer) -> [UInt8] {
    var result: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 16_384)
    while true {
        let count = BIO_read(bio, &piece, Int32(piece.count))
        guard count > 0 else { return result }
        result += piece[..<Int(count)]
    }
}

/// A file that is removed together with the value.
final class TemporaryFile {
    let path: String

    init(_ content: [UInt8]) throws {
        var name = Array("/tmp/holdfast-test-XXXXXX".utf8CString)
        let descriptor = mkstemp(&name)
        guard descriptor >= 0 else { throw TestFault("mkstemp: \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        path = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        guard write(descriptor, content, content.count) == content.count else { throw TestFault("write to \(path)") }
    }

    deinit {
        unlink(path)
    }
}

/// The server's end of a stream that TLS protects.
final class SecuredStream: ServerCarrier {
    let wire: ByteStream
    private let context: OpaquePointer
    private let ssl: OpaquePointer
    private let input: OpaquePointer
    private let output: OpaquePointer
    private var plaintext: [UInt8] = []

    /// A stream that waits for the client's first bytes.
    init(_ wire: ByteStream, as identity: TLSIdentity, newest: Int32) throws {
        self.wire = wire
        context = try require(SSL_CTX_new(TLS_server_method()))
        // Versions older than TLS 1.2 exist only at security level 0.
        SSL_CTX_set_cipher_list(context, "DEFAULT@SECLEVEL=0")
        _ = holdfast_SSL_CTX_set_min_proto_version(context, TLS1_VERSION)
        _ = holdfast_SSL_CTX_set_max_proto_version(context, newest)
        SSL_CTX_use_certificate(context, identity.certificate)
        SSL_CTX_use_PrivateKey(context, identity.key)
        ssl = try require(SSL_new(context))
        input = try require(BIO_new(BIO_s_mem()))
        output = try require(BIO_new(BIO_s_mem()))
        SSL_set_bio(ssl, input, output)
        SSL_set_accept_state(ssl)
    }

    deinit {
        SSL_free(ssl)
        SSL_CTX_free(context)
    }

    /// Does the handshake.
    ///
    /// - Throws: `TestFault` when the client refuses it.
    func handshake() throws {
        while true {
            ERR_clear_error()
            let result = SSL_do_handshake(ssl)
            try wire.send(drain(output))
            if result == 1 { return }
            guard SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ else { throw TestFault("TLS refused") }
            try feed()
        }
    }

    /// The first bytes of the server's part of the handshake, for tests that use them differently.
    func firstFlight() throws -> [UInt8] {
        try feed()
        SSL_do_handshake(ssl)
        return drain(output)
    }

    /// The text in TLS records.
    func records(_ text: String) -> [UInt8] {
        sealed(Array(text.utf8))
    }

    func sealed(_ bytes: [UInt8]) -> [UInt8] {
        var start = 0
        while start < bytes.count {
            var count = 0
            guard SSL_write_ex(ssl, Array(bytes[start...]), bytes.count - start, &count) == 1 else { break }
            start += count
        }
        return drain(output)
    }

    /// A record that changes the server's keys and asks the client to change its own (RFC 8446 §4.6.3).
    func keyUpdate() -> [UInt8] {
        SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED)
        SSL_do_handshake(ssl)
        return drain(output)
    }

    /// The record that closes TLS.
    func goodbye() -> [UInt8] {
        SSL_shutdown(ssl)
        return drain(output)
    }

    func send(_ text: String) throws {
        try wire.send(records(text))
    }

    func read(until pattern: String) throws -> String {
        while true {
            open()
            let text = plaintext.text
            if let end = text.firstRange(of: pattern) {
                let found = String(text[..<end.upperBound])
                plaintext.removeFirst(found.utf8.count)
                return found
            }
            try feed()
        }
    }

    func receive() throws -> [UInt8] {
        open()
        while plaintext.isEmpty {
            try feed()
            open()
        }
        defer { plaintext = [] }
        return plaintext
    }

    /// Decrypts the records that have come.
    private func open() {
        var piece = [UInt8](repeating: 0, count: 16_384)
        var count = 0
        while SSL_read_ex(ssl, &piece, piece.count, &count) == 1 { plaintext += piece[..<count] }
    }

    private func feed() throws {
        guard case .bytes(let bytes) = try wire.receive() else { throw TestFault("closed within TLS") }
        BIO_write(input, bytes, Int32(bytes.count))
    }
}

extension ScriptedStream {
    static let startTLS = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
    static let startTLSFeatures =
        "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>"
    static let proceed = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"

    /// Opens a stream that offers only STARTTLS, and waits for the request.
    func offerSTARTTLS() throws {
        try open(features: Self.startTLSFeatures)
        _ = try read(until: Self.startTLS)
    }

    /// Offers STARTTLS and sends `<proceed/>`.
    func proceed() throws {
        try offerSTARTTLS()
        try send(Self.proceed)
    }

    /// Does the handshake and reads the header that follows.
    func secure(as identity: TLSIdentity, newest: Int32 = TLS1_3_VERSION) throws -> SecuredStream {
        let secured = try SecuredStream(wire, as: identity, newest: newest)
        try secured.handshake()
        _ = try secured.read(until: "<stream:stream")
        _ = try secured.read(until: ">")
        return secured
    }
}
