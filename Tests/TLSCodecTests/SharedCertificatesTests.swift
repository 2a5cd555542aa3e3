import COpenSSL
import Testing

@testable import TLSCodec

/// Certificates of a server that are kept, and checks that keeping them admits nobody.
@Suite struct SharedCertificatesTests {
    private let authority: TestCertificate
    private let intermediate: TestCertificate
    private let leaf: TestCertificate
    private let context: TLSContext

    init() throws {
        authority = try TestCertificate(commonName: "Test CA", isCA: true)
        intermediate = try TestCertificate(commonName: "Test intermediate CA", issuer: authority, isCA: true)
        leaf = try TestCertificate(commonName: "server", names: "DNS:example.org", issuer: intermediate)
        context = try .trusting(authority)
    }

    /// Runs a whole handshake; returns the error if it failed.
    private func connect(
        _ leaf: TestCertificate, _ chain: [TestCertificate], domain: String = "example.org",
        versions: ClosedRange<Int32> = TLS1_2_VERSION...TLS1_3_VERSION
    ) throws -> TLSError? {
        context.forgetSession(for: domain)
        var talk = try Conversation(context, .init(leaf, chain: chain, versions: versions), domain: domain)
        try talk.connect()
        guard talk.progress.last?.error == nil else { return talk.progress.last?.error }
        talk.toServer(try talk.sealed(Array("sent".utf8)))
        talk.toClient(talk.server.send(Array("answered".utf8)))
        #expect(talk.receivedByServer == Array("sent".utf8))
        #expect(talk.received == Array("answered".utf8))
        #expect(!talk.client.isResumed)
        return nil
    }

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func `Each certificate of a chain is held once, whoever shows it again`(version: Int32) throws {
        for _ in 0..<3 { #expect(try connect(leaf, [intermediate], versions: version...version) == nil) }
        #expect(context.certificates.count == 2)
        let other = try TestCertificate(commonName: "server", names: "DNS:example.com", issuer: intermediate)
        #expect(try connect(other, [intermediate], domain: "example.com", versions: version...version) == nil)
        #expect(context.certificates.count == 3)
    }

    @Test func `A certificate that is held speaks for no other domain`() throws {
        #expect(try connect(leaf, [intermediate]) == nil)
        #expect(try connect(leaf, [intermediate], domain: "example.net")?.label == "wrong-name")
        #expect(try connect(leaf, [intermediate]) == nil)
    }

    @Test func `One that is alike is another, and is checked as it is`() throws {
        #expect(try connect(leaf, [intermediate]) == nil)
        let stranger = try TestCertificate(commonName: "Test intermediate CA", isCA: true)
        let forged = try TestCertificate(commonName: "server", names: "DNS:example.org", issuer: stranger)
        #expect(try connect(forged, [stranger]) != nil)
        // The kept intermediate certificate did not sign it.
        #expect(try connect(forged, [intermediate]) != nil)
        // A server with the certificate but without its key is refused.
        let other = try TestCertificate(
            commonName: "server", names: "DNS:example.org", issuer: stranger, key: leaf)
        #expect(try connect(other, [intermediate]) != nil)
        #expect(context.certificates.count == 2)
    }

    @Test func `A certificate that has ended is refused, though its issuer is held`() throws {
        #expect(try connect(leaf, [intermediate]) == nil)
        let ended = try TestCertificate(
            commonName: "server", names: "DNS:example.org", issuer: intermediate, notAfter: -60)
        #expect(try connect(ended, [intermediate])?.label == "expired")
    }

    @Test func `What a refused server shows is not held, nor what stands beside the chain`() throws {
        #expect(try connect(leaf, [intermediate], domain: "example.net")?.label == "wrong-name")
        #expect(context.certificates.count == 0)
        let beside = try TestCertificate(commonName: "anybody", isCA: true)
        #expect(try connect(leaf, [intermediate, beside]) == nil)
        #expect(context.certificates.count == 2)
    }

    @Test func `A server that proves itself anew each time is held within bounds`() throws {
        for _ in 0..<(SharedCertificates.most + 20) {
            let renewed = try TestCertificate(
                commonName: "server", names: "DNS:example.org", issuer: intermediate, key: leaf)
            #expect(try connect(renewed, [intermediate]) == nil)
        }
        #expect(context.certificates.count == SharedCertificates.most)
        #expect(try connect(leaf, [intermediate]) == nil)
    }
}
