import Glibc
import TLSCodec
import Testing

@Suite struct TLSContextTests {
    private func reason(path: String) -> String? {
        do {
            _ = try TLSContext(rules: TLSRules(trust: .file(path)))
            return nil
        } catch {
            #expect(error.label == "trust-anchors")
            return error.description
        }
    }

    @Test func `A missing CA file is named with the reason`() {
        #expect(
            reason(path: "/nowhere/ca.pem") == "CA file '/nowhere/ca.pem' cannot be read: No such file or directory")
    }

    @Test func `A directory is no CA file`() {
        #expect(reason(path: "/tmp")?.hasPrefix("CA file '/tmp' ") == true)
    }

    @Test func `An empty file holds no certificate`() throws {
        let file = try TemporaryFile([])
        #expect(reason(path: file.path) == "CA file '\(file.path)' holds no PEM certificate")
    }

    @Test func `Text that is no certificate is refused`() throws {
        let file = try TemporaryFile(Array("hello, this is no certificate\n".utf8))
        #expect(reason(path: file.path) == "CA file '\(file.path)' holds no PEM certificate")
    }

    @Test func `A damaged certificate is refused`() throws {
        let authority = try TestCertificate(commonName: "Test CA", isCA: true)
        var pem = try TestCertificate.pem([authority])
        pem[80] = pem[80] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
        pem.removeLast(40)
        let file = try TemporaryFile(pem)
        #expect(reason(path: file.path)?.hasPrefix("CA file '\(file.path)' ") == true)
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
