import COpenSSL
import TLSCodec
import Testing

/// The certificates that prove an XMPP domain: RFC 6120 §13.7, RFC 6125 §6.
@Suite struct CertificateTests {
    let authority: TestCertificate
    let context: TLSContext

    init() throws {
        authority = try TestCertificate(commonName: "Test CA", isCA: true)
        context = try .trusting(authority)
    }

    /// The end of a handshake with a server whose certificate, issued by the trusted CA, holds `names`.
    private func outcome(names: String, commonName: String = "server", domain: String) throws -> TLSProgress? {
        let leaf = try TestCertificate(commonName: commonName, names: names, issuer: authority)
        var talk = try Conversation(context, .init(leaf), domain: domain)
        return try talk.connect()
    }

    private static let srv = "otherName:1.3.6.1.5.5.7.8.7;IA5STRING:"
    private static let xmpp = "otherName:1.3.6.1.5.5.7.8.5;UTF8:"

    @Test(arguments: [
        ("DNS:example.org", "example.org"),
        ("DNS:EXAMPLE.ORG", "example.org"),
        ("DNS:example.org", "Example.Org"),
        ("DNS:example.org", "example.org."),
        ("DNS:other.example,DNS:example.org", "example.org"),
        ("DNS:*.example.org", "chat.example.org"),
        ("DNS:xn--bcher-kva.example", "bücher.example"),
        ("DNS:xn--bcher-kva.example", "BÜCHER.example"),
        ("DNS:xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("DNS:XN--BCHER-KVA.example", "Bücher.Example"),
        ("DNS:*.xn--bcher-kva.example", "chat.bücher.example"),
        ("DNS:*.example.org", "bücher.example.org"),
        ("DNS:xn--fuball-cta.example", "fußball.example"),
        (srv + "_xmpp-client.example.org", "example.org"),
        (srv + "_XMPP-Client.Example.org", "example.org"),
        (srv + "_xmpp-client.xn--bcher-kva.example", "bücher.example"),
        (srv + "_xmpps-client.example.org", "example.org"),
        (srv + "_XMPPS-CLIENT.xn--bcher-kva.example", "BÜCHER.example"),
        ("DNS:host.provider.example," + srv + "_xmpp-client.example.org", "example.org"),
        (xmpp + "example.org", "example.org"),
        (xmpp + "xn--bcher-kva.example", "bücher.example"),
        (xmpp + "192.0.2.1", "192.0.2.1"),
    ])
    func `Accepted`(names: String, domain: String) throws {
        let progress = try outcome(names: names, domain: domain)
        #expect(progress == .established || progress == .open)
    }

    @Test(arguments: [
        ("DNS:example.com", "example.org"),
        ("DNS:chat.example.org", "example.org"),
        ("DNS:example.org", "chat.example.org"),
        ("DNS:example.org.evil.example", "example.org"),
        ("DNS:evilexample.org", "example.org"),
        ("DNS:*.example.org", "example.org"),
        ("DNS:*.example.org", "a.b.example.org"),
        ("DNS:*.org", "example.org"),
        ("DNS:*", "example.org"),
        ("DNS:ch*.example.org", "chat.example.org"),
        ("DNS:*at.example.org", "chat.example.org"),
        ("DNS:chat.*.org", "chat.example.org"),
        ("DNS:*.xn--bcher-kva.example", "bücher.example"),
        ("DNS:xn--*.example.org", "bücher.example.org"),
        ("DNS:bcher.example", "bücher.example"),
        ("DNS:fussball.example", "fußball.example"),
        ("DNS:*.*.org", "chat.example.org"),
        ("DNS:_xmpps-client.example.org", "example.org"),
        ("DNS:_xmpp-client.example.org", "example.org"),
        ("email:admin@example.org", "example.org"),
        ("URI:xmpp://example.org", "example.org"),
        (srv + "_xmpp-server.example.org", "example.org"),
        (srv + "_xmpp-client.example.com", "example.org"),
        (srv + "_xmpps-server.example.org", "example.org"),
        (srv + "_xmpps-client.example.com", "example.org"),
        (srv + "_xmpp-client", "example.org"),
        (srv + "_xmpp-client.", "example.org"),
        (srv + "_xmpp-client._xmpp-client.example.org", "example.org"),
        (srv + "_xmpp-client.chat.example.org", "example.org"),
        (srv + "_xmpp-client.*.example.org", "chat.example.org"),
        (srv + "_xmpp-client.xn--bcher-kva.example", "bucher.example"),
        (xmpp + "xn--bcher-kva.example", "bucher.example"),
        (srv + "_xmpp-client.*.org", "example.org"),
        (srv + "example.org", "example.org"),
        (xmpp + "example.com", "example.org"),
        (xmpp + "*.example.org", "chat.example.org"),
        (xmpp + "juliet@example.org", "example.org"),
        ("otherName:1.3.6.1.5.5.7.8.7;UTF8:_xmpp-client.example.org", "example.org"),
        ("otherName:1.3.6.1.5.5.7.8.9;UTF8:example.org", "example.org"),
        ("DNS:192.0.2.1", "192.0.2.1"),
        ("IP:192.0.2.1", "192.0.2.1"),
        (srv + "_xmpp-client.192.0.2.1", "192.0.2.1"),
        ("DNS:\\:\\:1", "::1"),
        ("", "example.org"),
    ])
    func `Refused`(names: String, domain: String) throws {
        let error = try #require(outcome(names: names, domain: domain)?.error)
        #expect(error.label == "wrong-name", "\(error)")
    }

    @Test(arguments: ["bücher.example", "BÜCHER.example", "xn--bcher-kva.example"])
    func `An XmppAddr with U-labels is accepted`(domain: String) throws {
        let name = encodedOtherName(5, "bücher.example")
        let leaf = try TestCertificate(commonName: "server", encodedNames: [name], issuer: authority)
        var talk = try Conversation(context, .init(leaf), domain: domain)
        try talk.connect()
        #expect(talk.server.isEstablished)
    }

    @Test(arguments: [
        encodedDNSName("example.org\u{0}.evil.example"),
        encodedDNSName(""),
        encodedDNSName("example.org "),
        encodedOtherName(5, "example.org\u{0}.evil.example"),
        encodedOtherName(5, "example.org\u{0}"),
        encodedOtherName(5, ""),
        encodedOtherName(5, "example.org", tag: 22),
        encodedOtherName(7, "_xmpp-client.example.org\u{0}.evil", tag: 22),
        encodedOtherName(7, "_xmpp-client.example.org", tag: 19),
        der(0xA0, der(6, [0x2B, 6, 1, 5, 5, 7, 8, 5]) + der(0xA0, [5, 0])),
        der(0x82, [0x65, 0xFF, 0xC3]),
    ])
    func `A name with strange bytes is no match`(name: [UInt8]) throws {
        let leaf = try TestCertificate(commonName: "server", encodedNames: [name], issuer: authority)
        var talk = try Conversation(context, .init(leaf))
        #expect(try talk.connect()?.error?.label == "wrong-name")
    }

    @Test func `A damaged subjectAltName is refused`() throws {
        let leaf = try TestCertificate(
            commonName: "server", encodedNames: [encodedDNSName("example.org") + [0x82, 0x40]], issuer: authority)
        var talk = try Conversation(context, .init(leaf))
        try talk.connect()
        #expect(talk.progress.last?.error != nil)
        #expect(!talk.server.isEstablished)
    }

    @Test func `The Common Name is never looked at`() throws {
        #expect(
            try outcome(names: "", commonName: "example.org", domain: "example.org")
                == .failed(.wrongName(expected: "example.org", presented: [])))
    }

    @Test func `A wrong name says what was expected and what came`() throws {
        let names = "DNS:a.example,\(Self.srv)_xmpp-client.b.example,\(Self.xmpp)c.example"
        let error = try #require(outcome(names: names, domain: "example.org")?.error)
        #expect(
            error
                == .wrongName(
                    expected: "example.org",
                    presented: ["DNS:a.example", "SRV:_xmpp-client.b.example", "XMPP:c.example"]))
        #expect(
            error.description == "the certificate is not for 'example.org' but for "
                + "DNS:a.example, SRV:_xmpp-client.b.example, XMPP:c.example")
    }

    @Test func `Names from a certificate cannot flood or steer a log`() throws {
        let many = (0..<40).map { "DNS:host\($0).example" }.joined(separator: ",")
        guard case .wrongName(_, let presented) = try outcome(names: many, domain: "example.org")?.error else {
            Issue.record("not refused by name")
            return
        }
        #expect(presented.count == 8)
        let hostile = encodedOtherName(5, "evil\u{1B}[2J\u{202E}" + String(repeating: "x", count: 500))
        let leaf = try TestCertificate(commonName: "server", encodedNames: [hostile], issuer: authority)
        var talk = try Conversation(context, .init(leaf))
        guard case .wrongName(_, let names) = try talk.connect()?.error else {
            Issue.record("not refused by name")
            return
        }
        let name = try #require(names.first)
        #expect(name.hasPrefix("XMPP:evil?[2J?xxx"))
        #expect(name.count <= 133)
    }

    @Test func `An address is not sent as SNI`() throws {
        let leaf = try TestCertificate(commonName: "server", names: Self.xmpp + "192.0.2.1", issuer: authority)
        var talk = try Conversation(context, .init(leaf), domain: "192.0.2.1")
        try talk.connect()
        #expect(talk.server.isEstablished)
        #expect(talk.server.serverName == nil)
    }

    @Test func `The server hears why it was refused`() throws {
        let leaf = try TestCertificate(commonName: "server", names: "DNS:example.com", issuer: authority)
        var talk = try Conversation(context, .init(leaf))
        try talk.connect()
        #expect(talk.server.hasFailed)
        #expect(!talk.server.isEstablished)
        #expect(talk.received.isEmpty)
    }

    @Test func `A CA that is not trusted is named`() throws {
        let other = try TestCertificate(commonName: "Other CA", isCA: true)
        let leaf = try TestCertificate(commonName: "server", names: "DNS:example.org", issuer: other)
        var talk = try Conversation(context, .init(leaf))
        #expect(try talk.connect() == .failed(.untrustedCA(issuer: "/CN=Other CA")))
        #expect(talk.server.hasFailed)
    }

    @Test func `A certificate that signed itself is not trusted`() throws {
        let leaf = try TestCertificate(commonName: "example.org", names: "DNS:example.org")
        var talk = try Conversation(context, .init(leaf))
        #expect(try talk.connect() == .failed(.untrustedCA(issuer: "/CN=example.org")))
    }

    @Test func `A certificate that signed itself is trusted when the file holds it`() throws {
        let leaf = try TestCertificate(commonName: "example.org", names: "DNS:example.org", isCA: true)
        var talk = try Conversation(.trusting(leaf), .init(leaf))
        try talk.connect()
        #expect(talk.server.isEstablished)
    }

    @Test func `Test certificates are not trusted by the system`() throws {
        let leaf = try TestCertificate(commonName: "server", names: "DNS:example.org", issuer: authority)
        var talk = try Conversation(TLSContext(rules: TLSRules()), .init(leaf))
        #expect(try talk.connect() == .failed(.untrustedCA(issuer: "/CN=Test CA")))
    }

    @Test func `An intermediate CA must be sent by the server`() throws {
        let intermediate = try TestCertificate(commonName: "Intermediate", issuer: authority, isCA: true)
        let leaf = try TestCertificate(commonName: "server", names: "DNS:example.org", issuer: intermediate)
        var talk = try Conversation(context, .init(leaf, chain: [intermediate]))
        try talk.connect()
        #expect(talk.server.isEstablished)
        var without = try Conversation(.trusting(authority), .init(leaf))
        #expect(try without.connect() == .failed(.untrustedCA(issuer: "/CN=Intermediate")))
    }

    @Test func `A leaf that is no CA cannot issue`() throws {
        let mallory = try TestCertificate(commonName: "mallory", names: "DNS:mallory.example", issuer: authority)
        let leaf = try TestCertificate(commonName: "server", names: "DNS:example.org", issuer: mallory)
        var talk = try Conversation(context, .init(leaf, chain: [mallory]))
        try talk.connect()
        #expect(talk.progress.last?.error != nil)
        #expect(!talk.server.isEstablished)
    }

    @Test func `Expired and not yet valid are told apart`() throws {
        let expired = try TestCertificate(
            commonName: "old", names: "DNS:example.org", issuer: authority, notBefore: -7200, notAfter: -60)
        var talk = try Conversation(context, .init(expired))
        #expect(try talk.connect() == .failed(.expired(subject: "/CN=old", on: TestCertificate.day(-60))))

        let early = try TestCertificate(
            commonName: "new", names: "DNS:example.org", issuer: authority, notBefore: 600, notAfter: 7200)
        talk = try Conversation(context, .init(early))
        #expect(try talk.connect() == .failed(.notYetValid(subject: "/CN=new", until: TestCertificate.day(600))))
    }

    @Test func `An expired CA is named`() throws {
        let old = try TestCertificate(commonName: "Old CA", isCA: true, notBefore: -7200, notAfter: -60)
        let leaf = try TestCertificate(commonName: "server", names: "DNS:example.org", issuer: old)
        var talk = try Conversation(.trusting(old), .init(leaf))
        #expect(try talk.connect() == .failed(.expired(subject: "/CN=Old CA", on: TestCertificate.day(-60))))
    }

    @Test func `A certificate for clients only is refused`() throws {
        let leaf = try TestCertificate(
            commonName: "client", names: "DNS:example.org", issuer: authority, extendedKeyUsage: "clientAuth")
        var talk = try Conversation(context, .init(leaf))
        let error = try #require(try talk.connect()?.error)
        #expect(error.label == "certificate")
        #expect(error.description.contains("purpose"))
    }
}
