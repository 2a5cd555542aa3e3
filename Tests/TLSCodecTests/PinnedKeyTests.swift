import COpenSSL
import Testing

@testable import TLSCodec

@Suite struct PinnedKeyTests {
    let authority: TestCertificate
    let leaf: TestCertificate

    init() throws {
        authority = try TestCertificate(commonName: "Test CA", isCA: true)
        leaf = try TestCertificate(commonName: "server", names: "DNS:example.org", issuer: authority)
    }

    /// The SHA-256 of the key's own DER form, which does not come from a certificate.
    private func pin(_ certificate: TestCertificate) throws -> [UInt8] {
        var encoded: UnsafeMutablePointer<UInt8>?
        let length = i2d_PUBKEY(certificate.key, &encoded)
        let bytes = try require(encoded)
        defer { CRYPTO_free(bytes, #file, #line) }
        var hash = [UInt8](repeating: 0, count: 32)
        var count: UInt32 = 0
        guard EVP_Digest(bytes, Int(length), &hash, &count, EVP_sha256(), nil) == 1, count == 32 else {
            throw OpenSSLFailure()
        }
        return hash
    }

    private func context(_ pins: [UInt8]...) throws -> TLSContext {
        try .trusting(authority, rules: TLSRules(pins: pins))
    }

    private static let other = [UInt8](repeating: 7, count: 32)

    @Test(arguments: [TestCertificate.KeyKind.p256, .rsa])
    func `A pin is the hash of the key as it stands in the certificate`(kind: TestCertificate.KeyKind) throws {
        let certificate = try TestCertificate(commonName: "server", kind: kind)
        #expect(try PinnedKey(of: certificate.certificate)?.hash == pin(certificate))
    }

    @Test func `A pin is spelt as in a setting`() throws {
        let pin = try #require(PinnedKey(of: leaf.certificate))
        #expect(pin.text.hasPrefix("sha256/"))
        var decoded = [UInt8](repeating: 0, count: 33)
        #expect(EVP_DecodeBlock(&decoded, Array(pin.text.utf8.dropFirst(7)), 44) == 33)
        #expect(Array(decoded.prefix(32)) == pin.hash)
    }

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func `The pinned key is accepted, alone or among others`(version: Int32) throws {
        for pins in try [[pin(leaf)], [Self.other, pin(leaf)], [pin(leaf), Self.other]] {
            var talk = try Conversation(
                .trusting(authority, rules: TLSRules(pins: pins)), .init(leaf, versions: version...version))
            try talk.connect()
            #expect(talk.server.isEstablished)
        }
    }

    @Test func `A new certificate for the same key is accepted`() throws {
        let next = try TestCertificate(commonName: "next", names: "DNS:example.org", issuer: authority, key: leaf)
        var talk = try Conversation(context(pin(leaf)), .init(next))
        try talk.connect()
        #expect(talk.server.isEstablished)
    }

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func `Another key is refused, named, and heard of by the server`(version: Int32) throws {
        var talk = try Conversation(context(Self.other), .init(leaf, versions: version...version))
        try talk.connect()
        let presented = try #require(PinnedKey(of: leaf.certificate)).text
        #expect(talk.progress == [.failed(.pin(presented: presented))])
        #expect(talk.server.hasFailed)
        #expect(!talk.server.isEstablished)
    }

    @Test func `The key of the CA is not the key of the server`() throws {
        var talk = try Conversation(context(pin(authority)), .init(leaf, chain: [authority]))
        #expect(try talk.connect()?.error?.label == "pin")
    }

    @Test func `A pin replaces neither chain nor name`() throws {
        let stranger = try TestCertificate(commonName: "stranger", names: "DNS:example.org", key: leaf)
        var talk = try Conversation(context(pin(leaf)), .init(stranger))
        #expect(try talk.connect() == .failed(.untrustedCA(issuer: "/CN=stranger")))

        let old = try TestCertificate(
            commonName: "old", names: "DNS:example.org", issuer: authority, notBefore: -7200, notAfter: -60, key: leaf)
        talk = try Conversation(context(pin(leaf)), .init(old))
        #expect(try talk.connect() == .failed(.expired(subject: "/CN=old", on: TestCertificate.day(-60))))

        talk = try Conversation(context(pin(leaf)), .init(leaf), domain: "example.com")
        #expect(try talk.connect()?.error?.label == "wrong-name")
    }

    @Test func `A pinned stream resumes, a refused one leaves nothing to resume`() throws {
        let server = try TestServer.Context(leaf)
        let pinned = try context(pin(leaf))
        for isResumed in [false, true, true] {
            var talk = try Conversation(pinned, server)
            try talk.connect()
            #expect(talk.client.isResumed == isResumed)
        }
        let refusing = try context(Self.other)
        for _ in 0..<3 {
            var talk = try Conversation(refusing, server)
            #expect(try talk.connect()?.error?.label == "pin")
        }
    }

    @Test(arguments: [0, 31, 33])
    func `A pin of another length is found at start`(count: Int) {
        #expect(throws: TLSError.rules(detail: "a pin is not the 32 bytes of a SHA-256")) {
            try TLSContext(rules: TLSRules(pins: [Self.other, [UInt8](repeating: 1, count: count)]))
        }
    }
}
