import COpenSSL
import TLSCodec
import Testing

/// The certificate that this side shows, and the errors that a start finds in its files.
@Suite struct ClientCertificateTests {
    let authority: TestCertificate
    let leaf: TestCertificate
    let intermediate: TestCertificate
    let own: TestCertificate

    init() throws {
        authority = try TestCertificate(commonName: "Test CA", isCA: true)
        leaf = try TestCertificate(commonName: "server", names: "DNS:example.org", issuer: authority)
        intermediate = try TestCertificate(commonName: "Intermediate", issuer: authority, isCA: true)
        own = try TestCertificate(commonName: "gateway", issuer: intermediate, extendedKeyUsage: "clientAuth")
    }

    private func certificate(_ bytes: [UInt8]) -> PEMFile { PEMFile(path: "/etc/c.pem", bytes: bytes) }

    private func key(_ bytes: [UInt8]) -> PEMFile { PEMFile(path: "/etc/k.pem", bytes: bytes) }

    private func usual() throws -> TLSContext {
        let certificate = try certificate(TestCertificate.pem([own, intermediate]))
        return try .trusting(authority, rules: TLSRules(certificate: certificate, key: key(own.keyPEM())))
    }

    /// The error for these rules at the start.
    private func reason(_ rules: TLSRules) -> String? {
        do {
            _ = try TLSContext(rules: rules)
            return nil
        } catch {
            #expect(error.label == "client-certificate")
            return error.description
        }
    }

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func `A server that asks sees the certificate and its chain`(version: Int32) throws {
        for policy in [TestServer.Context.ClientCertificatePolicy.wanted, .required] {
            let server = try TestServer.Context(leaf, versions: version...version, clientCertificate: policy)
            var talk = try Conversation(usual(), server)
            try talk.connect()
            #expect(talk.server.isEstablished)
            #expect(talk.server.clientSubjects == ["/CN=gateway", "/CN=Intermediate"])
        }
    }

    @Test func `A server that does not ask sees nothing`() throws {
        var talk = try Conversation(usual(), .init(leaf))
        try talk.connect()
        #expect(talk.server.isEstablished)
        #expect(talk.server.clientSubjects.isEmpty)
    }

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func `A server that insists ends the stream of one who has none`(version: Int32) throws {
        let server = try TestServer.Context(leaf, versions: version...version, clientCertificate: .required)
        var talk = try Conversation(.trusting(authority), server)
        try talk.connect()
        #expect(talk.progress.last?.error?.label == "alert")
        #expect(!talk.server.isEstablished)
        // A server that only requests a certificate goes on without one.
        talk = try Conversation(.trusting(authority), .init(leaf, clientCertificate: .wanted))
        try talk.connect()
        #expect(talk.server.isEstablished)
        #expect(talk.server.clientSubjects.isEmpty)
    }

    @Test func `Streams with a certificate resume`() throws {
        let server = try TestServer.Context(leaf, clientCertificate: .required)
        let context = try usual()
        for isResumed in [false, true, true] {
            var talk = try Conversation(context, server)
            try talk.connect()
            #expect(talk.server.isEstablished)
            #expect(talk.client.isResumed == isResumed)
        }
    }

    @Test(arguments: [TestCertificate.KeyFormat.pkcs8, .traditional], [TestCertificate.KeyKind.p256, .rsa])
    func `Keys of each kind load, from a file of their own or from the certificate's`(
        format: TestCertificate.KeyFormat, kind: TestCertificate.KeyKind
    ) throws {
        let certificate = try TestCertificate(commonName: "gateway", issuer: authority, kind: kind)
        let pem = try TestCertificate.pem([certificate])
        let key = try certificate.keyPEM(format)
        let files = [
            (self.certificate(pem), self.key(key)), (self.certificate(pem + key), nil),
            (self.certificate(key + pem), nil),
        ]
        for (file, keyFile) in files {
            let context = try TLSContext.trusting(authority, rules: TLSRules(certificate: file, key: keyFile))
            var talk = try Conversation(context, .init(leaf, clientCertificate: .required))
            try talk.connect()
            #expect(talk.server.clientSubjects == ["/CN=gateway"])
        }
    }

    /// `openssl ecparam -genkey` writes the curve's parameters in a separate block before the key.
    @Test func `A key behind the parameters of its curve loads`() throws {
        let parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
        let key = try key(Array(parameters.utf8) + own.keyPEM(.traditional))
        let certificate = try certificate(TestCertificate.pem([own]))
        #expect(reason(TLSRules(certificate: certificate, key: key)) == nil)
    }

    @Test func `Files without what is looked for are named`() throws {
        let pem = try TestCertificate.pem([own])
        let keyPEM = try own.keyPEM()
        let text = Array("neither one nor the other\n".utf8)
        for bytes in [[], text, keyPEM] {
            #expect(
                reason(TLSRules(certificate: certificate(bytes), key: key(keyPEM)))
                    == "certificate file '/etc/c.pem' holds no PEM certificate")
        }
        for bytes in [[], text, pem] {
            #expect(
                reason(TLSRules(certificate: certificate(pem), key: key(bytes)))
                    == "key file '/etc/k.pem' holds no PEM private key")
        }
        #expect(
            reason(TLSRules(certificate: certificate(pem))) == "key file '/etc/c.pem' holds no PEM private key")
    }

    @Test func `Damaged files are refused`() throws {
        let keyPEM = try own.keyPEM()
        let pem = try TestCertificate.pem([own])
        for (position, bytes) in [(60, keyPEM), (90, keyPEM), (60, pem), (200, pem)] {
            var damaged = bytes
            damaged[position] = damaged[position] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            damaged.removeLast(40)
            let isKey = bytes == keyPEM
            let text = reason(
                TLSRules(certificate: certificate(isKey ? pem : damaged), key: isKey ? key(damaged) : nil))
            #expect(text?.contains("file '/etc/\(isKey ? "k" : "c").pem' holds no") == true, "\(text ?? "accepted")")
        }
    }

    @Test func `A damaged certificate of the chain is refused`() throws {
        var pem = try TestCertificate.pem([own, intermediate])
        pem.removeLast(40)
        #expect(
            reason(TLSRules(certificate: certificate(pem), key: key(try own.keyPEM())))?
                .hasPrefix("certificate file '/etc/c.pem' holds no usable PEM certificate: ") == true)
    }

    @Test(arguments: [TestCertificate.KeyKind.p256, .rsa])
    func `A key of another certificate is refused`(kind: TestCertificate.KeyKind) throws {
        let certificate = try certificate(TestCertificate.pem([own]))
        let key = try key(TestCertificate(commonName: "other", kind: kind).keyPEM())
        #expect(
            reason(TLSRules(certificate: certificate, key: key))
                == "the key in '/etc/k.pem' is not that of the certificate in '/etc/c.pem'")
    }

    @Test(arguments: [TestCertificate.KeyFormat.encryptedPKCS8, .encryptedTraditional])
    func `An encrypted key is refused without a question on the terminal`(format: TestCertificate.KeyFormat) throws {
        let certificate = try certificate(TestCertificate.pem([own]))
        let key = try key(own.keyPEM(format))
        #expect(
            reason(TLSRules(certificate: certificate, key: key))
                == "key file '/etc/k.pem' is encrypted: a key without a passphrase is needed")
    }

    @Test func `A key without a certificate is refused`() {
        #expect(reason(TLSRules(key: key([]))) == "key file '/etc/k.pem' is given without a certificate")
    }

    @Test func `The order in the file counts`() throws {
        let certificate = try certificate(TestCertificate.pem([intermediate, own]))
        let key = try key(own.keyPEM())
        #expect(reason(TLSRules(certificate: certificate, key: key))?.contains("is not that of") == true)
    }

    @Test func `A file's words do not show its bytes`() throws {
        #expect("\(key([65, 66, 67]))" == "/etc/k.pem")
        #expect(String(describing: TLSRules(key: key([65, 66, 67]))).contains("/etc/k.pem"))
        #expect(!String(describing: TLSRules(key: key([65, 66, 67]))).contains("66"))
    }
}
