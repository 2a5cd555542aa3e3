import TLSCodec
import Testing

@Suite struct TLSContextTests {
    private func reason(_ bytes: [UInt8]) -> String? {
        do {
            _ = try TLSContext(rules: TLSRules(trust: .file(PEMFile(path: "/etc/ca.pem", bytes: bytes))))
            return nil
        } catch {
            #expect(error.label == "trust-anchors")
            return error.description
        }
    }

    @Test func `An empty file holds no certificate`() {
        #expect(reason([]) == "CA file '/etc/ca.pem' holds no PEM certificate")
    }

    @Test func `Text that is no certificate is refused`() {
        let text = Array("hello, this is no certificate\n".utf8)
        #expect(reason(text) == "CA file '/etc/ca.pem' holds no PEM certificate")
    }

    @Test func `A key is no certificate`() throws {
        let key = try TestCertificate(commonName: "Test CA", isCA: true).keyPEM()
        #expect(reason(key) == "CA file '/etc/ca.pem' holds no PEM certificate")
    }

    @Test func `A damaged certificate is refused`() throws {
        let authority = try TestCertificate(commonName: "Test CA", isCA: true)
        let good = try TestCertificate.pem([authority])
        var pem = good
        pem[80] = pem[80] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
        pem.removeLast(40)
        for bytes in [pem, good + pem] {
            #expect(reason(bytes)?.hasPrefix("CA file '/etc/ca.pem' holds no usable PEM certificate: ") == true)
        }
    }

    @Test func `A path cannot break the line`() {
        let rules = TLSRules(trust: .file(PEMFile(path: "a\nb", bytes: [])))
        #expect(throws: TLSError.trustAnchors(detail: "CA file 'a?b' holds no PEM certificate")) {
            try TLSContext(rules: rules)
        }
    }

    @Test func `Every certificate of the file is trusted`() throws {
        let first = try TestCertificate(commonName: "First CA", isCA: true)
        let second = try TestCertificate(commonName: "Second CA", isCA: true)
        let context = try TLSContext.trusting(first, second)
        for authority in [first, second] {
            let leaf = try TestCertificate(commonName: "server", names: "DNS:example.org", issuer: authority)
            var talk = try Conversation(context, .init(leaf))
            try talk.connect()
            #expect(talk.server.isEstablished)
        }
    }

    @Test func `The system's trust store loads`() throws {
        _ = try TLSContext(rules: TLSRules(trust: .system, minimumVersion: .tls13))
    }

    @Test func `A context outlives its owner while a stream needs it`() throws {
        let authority = try TestCertificate(commonName: "Test CA", isCA: true)
        let leaf = try TestCertificate(commonName: "server", names: "DNS:example.org", issuer: authority)
        var context: TLSContext? = try .trusting(authority)
        weak let observed = context
        var talk: Conversation? = try Conversation(#require(context), .init(leaf))
        context = nil
        #expect(observed != nil)
        try talk?.connect()
        #expect(talk?.server.isEstablished == true)
        talk = nil
        #expect(observed == nil)
    }
}
