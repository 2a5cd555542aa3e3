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

    private func context(certificate: TemporaryFile, key: TemporaryFile?) throws -> TLSContext {
        try .trusting(authority, rules: TLSRules(certificateFile: certificate.path, keyFile: key?.path))
    }

    private func usual() throws -> TLSContext {
        let certificate = try TemporaryFile(TestCertificate.pem([own, intermediate]))
        return try context(certificate: certificate, key: TemporaryFile(own.keyPEM()))
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
        let files = try [
            (TemporaryFile(pem), TemporaryFile(key)), (TemporaryFile(pem + key), nil), (TemporaryFile(key + pem), nil),
        ]
        for (file, keyFile) in files {
            let context = try context(certificate: file, key: keyFile)
            var talk = try Conversation(context, .init(leaf, clientCertificate: .required))
            try talk.connect()
            #expect(talk.server.clientSubjects == ["/CN=gateway"])
        }
    }

    /// `openssl ecparam -genkey` writes the curve's parameters in a separate block before the key.
    @Test func `A key behind the parameters of its curve loads`() throws {
        let parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
        let key = try TemporaryFile(Array(parameters.utf8) + own.keyPEM(.traditional))
        let certificate = try TemporaryFile(TestCertificate.pem([own]))
        #expect(reason(TLSRules(certificateFile: certificate.path, keyFile: key.path)) == nil)
    }

    @Test func `Files that cannot be read are named`() throws {
        #expect(
            reason(TLSRules(certificateFile: "/nowhere/c.pem", keyFile: "/nowhere/k.pem"))
                == "certificate file '/nowhere/c.pem' cannot be read: No such file or directory")
        let certificate = try TemporaryFile(TestCertificate.pem([own]))
        #expect(
            reason(TLSRules(certificateFile: certificate.path, keyFile: "/nowhere/k.pem"))
                == "key file '/nowhere/k.pem' cannot be read: No such file or directory")
        #expect(reason(TLSRules(certificateFile: "/tmp"))?.hasPrefix("certificate file '/tmp' ") == true)
        #expect(
            reason(TLSRules(certificateFile: certificate.path, keyFile: "/tmp"))?.hasPrefix("key file '/tmp' ") == true)
    }

    @Test func `Files without what is looked for are named`() throws {
        let empty = try TemporaryFile([])
        let text = try TemporaryFile(Array("neither one nor the other\n".utf8))
        let certificate = try TemporaryFile(TestCertificate.pem([own]))
        let key = try TemporaryFile(own.keyPEM())
        for file in [empty, text, key] {
            #expect(
                reason(TLSRules(certificateFile: file.path, keyFile: key.path))
                    == "certificate file '\(file.path)' holds no PEM certificate")
        }
        for file in [empty, text, certificate] {
            #expect(
                reason(TLSRules(certificateFile: certificate.path, keyFile: file.path))
                    == "key file '\(file.path)' holds no PEM private key")
        }
        #expect(
            reason(TLSRules(certificateFile: certificate.path))
                == "key file '\(certificate.path)' holds no PEM private key")
    }

    @Test func `Damaged files are refused`() throws {
        let key = try own.keyPEM()
        let pem = try TestCertificate.pem([own])
        let certificate = try TemporaryFile(pem)
        for (position, bytes) in [(60, key), (90, key), (60, pem), (200, pem)] {
            var damaged = bytes
            damaged[position] = damaged[position] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            damaged.removeLast(40)
            let file = try TemporaryFile(damaged)
            let isKey = bytes == key
            let text = reason(
                TLSRules(certificateFile: isKey ? certificate.path : file.path, keyFile: isKey ? file.path : nil))
            #expect(text?.contains("file '\(file.path)' holds no") == true, "\(text ?? "accepted")")
        }
    }

    @Test(arguments: [TestCertificate.KeyKind.p256, .rsa])
    func `A key of another certificate is refused`(kind: TestCertificate.KeyKind) throws {
        let certificate = try TemporaryFile(TestCertificate.pem([own]))
        let key = try TemporaryFile(TestCertificate(commonName: "other", kind: kind).keyPEM())
        #expect(
            reason(TLSRules(certificateFile: certificate.path, keyFile: key.path))
                == "the key in '\(key.path)' is not that of the certificate in '\(certificate.path)'")
    }

    @Test(arguments: [TestCertificate.KeyFormat.encryptedPKCS8, .encryptedTraditional])
    func `An encrypted key is refused without a question on the terminal`(format: TestCertificate.KeyFormat) throws {
        let certificate = try TemporaryFile(TestCertificate.pem([own]))
        let key = try TemporaryFile(own.keyPEM(format))
        #expect(
            reason(TLSRules(certificateFile: certificate.path, keyFile: key.path))
                == "key file '\(key.path)' is encrypted: a key without a passphrase is needed")
    }

    @Test func `A key without a certificate is refused`() {
        #expect(reason(TLSRules(keyFile: "/etc/k.pem")) == "key file '/etc/k.pem' is given without a certificate")
    }

    @Test func `The order in the file counts`() throws {
        let certificate = try TemporaryFile(TestCertificate.pem([intermediate, own]))
        let key = try TemporaryFile(own.keyPEM())
        #expect(
            reason(TLSRules(certificateFile: certificate.path, keyFile: key.path))?.contains("is not that of") == true)
    }
}
