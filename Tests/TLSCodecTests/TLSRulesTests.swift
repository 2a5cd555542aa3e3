import COpenSSL
import TLSCodec
import Testing

/// Versions and cipher suites by rule. Pins and client certificates have their own files.
@Suite struct TLSRulesTests {
    let authority: TestCertificate
    let leaf: TestCertificate

    init() throws {
        authority = try TestCertificate(commonName: "Test CA", isCA: true)
        leaf = try TestCertificate(commonName: "server", names: "DNS:example.org", issuer: authority)
    }

    private func context(_ ciphers: String, _ version: TLSVersion = .tls12) throws -> TLSContext {
        try .trusting(authority, rules: TLSRules(minimumVersion: version, cipherList: ciphers))
    }

    private static let tls12 = TLS1_2_VERSION...TLS1_2_VERSION

    @Test(arguments: ["ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-ECDSA-AES128-GCM-SHA256"])
    func `The list decides in TLS 1-2`(cipher: String) throws {
        var talk = try Conversation(context(cipher), .init(leaf, versions: Self.tls12))
        try talk.connect()
        #expect(talk.server.isEstablished)
        #expect(talk.client.summary == "TLSv1.2 " + cipher)
    }

    @Test func `A server with other suites is refused`() throws {
        let server = try TestServer.Context(leaf, versions: Self.tls12, ciphers: "ECDHE-ECDSA-AES128-GCM-SHA256")
        var talk = try Conversation(context("ECDHE-ECDSA-CHACHA20-POLY1305"), server)
        try talk.connect()
        #expect(talk.progress.last?.error?.label == "alert")
    }

    @Test(arguments: [TLSVersion.tls12, .tls13])
    func `TLS 1-3 has its own suites and does not ask the list`(version: TLSVersion) throws {
        var talk = try Conversation(context("ECDHE-ECDSA-CHACHA20-POLY1305", version), .init(leaf))
        try talk.connect()
        #expect(talk.server.isEstablished)
        #expect(talk.client.summary.hasPrefix("TLSv1.3 TLS_"))
    }

    @Test(arguments: [
        "NO-SUCH-CIPHER", "", "aNULL", "eNULL", "!ALL", "TLS_AES_128_GCM_SHA256", "ALL:@SECLEVEL=5:x\u{1B}",
    ])
    func `A list that leaves nothing is found at start`(ciphers: String) {
        do {
            _ = try TLSContext(rules: TLSRules(cipherList: ciphers))
            // At level 5 OpenSSL may still keep some ciphers. All other lists are refused.
            #expect(ciphers.hasPrefix("ALL"))
        } catch {
            #expect(error.label == "rules")
            #expect(error.description.hasPrefix("the cipher list '"))
            #expect(!error.description.contains("\u{1B}"))
        }
    }

    /// Without a certificate there is no name to check. Such a stream must never be established, whatever the list
    /// allows.
    @Test(arguments: ["ALL:aNULL:@SECLEVEL=0", "aNULL:HIGH@SECLEVEL=0", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"])
    func `A server that shows no certificate is never accepted`(ciphers: String) throws {
        for suites in ["aNULL", "AECDH", "ADH"] {
            let server = try TestServer.Context(leaf, versions: Self.tls12, ciphers: suites)
            var talk = try Conversation(context(ciphers), server)
            try talk.connect()
            #expect(!talk.server.isEstablished)
            #expect(talk.progress.last?.error != nil)
        }
    }

    @Test func `Rules are values`() {
        func file(_ path: String, _ bytes: [UInt8] = [1]) -> PEMFile { PEMFile(path: path, bytes: bytes) }
        let rules = TLSRules(
            trust: .file(file("a")), pins: [[1]], certificate: file("b"), key: file("c"), cipherList: "d")
        var other = rules
        #expect(Set([rules, other]).count == 1)
        other.minimumVersion = .tls13
        #expect(rules != other)
        // A file that has changed is another one.
        other = rules
        other.trust = .file(file("a", [2]))
        #expect(Set([rules, other]).count == 2)
        #expect(TLSRules() == TLSRules(trust: .system, minimumVersion: .tls12))
    }
}
