import Testing

@testable import TLSCodec

/// The rest is tested with the settings that name the files (HoldfastTests/MachineCheckTests).
@Suite struct CertificateCheckTests {
    private let text = PEMFile(path: "/etc/x.pem", bytes: Array("secret\n".utf8))

    @Test func `A file without what is looked for is named, and not shown`() {
        #expect(throws: TLSError.trustAnchors(detail: "CA file '/etc/x.pem' holds no PEM certificate")) {
            try CertificateCheck.checkTrust(text)
        }
        #expect(throws: TLSError.clientCertificate(detail: "certificate file '/etc/x.pem' holds no PEM certificate")) {
            try CertificateCheck.checkCertificate(text)
        }
        #expect(throws: TLSError.clientCertificate(detail: "key file '/etc/x.pem' holds no PEM private key")) {
            try CertificateCheck.checkKey(text)
        }
    }

    @Test func `A file without a certificate has no validity`() throws {
        #expect(try CertificateCheck.validity(of: text) == nil)
        #expect(try CertificateCheck.validity(of: PEMFile(path: "", bytes: [])) == nil)
    }
}
