import TLSCodec
import Testing

@Suite struct TLSErrorTests {
    static let all: [TLSError] = [
        .trustAnchors(detail: "CA file 'x' cannot be read"), .untrustedCA(issuer: "/CN=A"),
        .expired(subject: "/CN=B", on: "2026-01-31"),
        .notYetValid(subject: "/CN=C", until: "2026-02-01"),
        .wrongName(expected: "d.example", presented: ["DNS:e.example"]),
        .certificate(detail: "weak"), .protocolVersion, .handshake(detail: "f"), .record(detail: "g"),
        .clientCertificate(detail: "key file 'y' cannot be read"), .rules(detail: "z"), .pin(presented: "sha256/AA="),
        .alert(detail: "h"), .messageFlood, .closedDuringHandshake, .truncated, .ourFault(detail: "i"),
    ]

    @Test func `Labels are distinct words fit for a counter`() {
        #expect(Set(Self.all.map(\.label)).count == Self.all.count)
        for error in Self.all {
            #expect(error.label.utf8.allSatisfy { (97...122).contains($0) || $0 == 45 }, "\(error.label)")
        }
    }

    @Test(arguments: all)
    func `Every error reads as one line`(error: TLSError) {
        #expect(!error.description.isEmpty)
        #expect(!error.description.contains { $0.isNewline })
    }

    @Test func `Details reach the text`() {
        #expect(
            TLSError.expired(subject: "/CN=B", on: "2026-01-31").description
                == "the certificate of '/CN=B' has expired on 2026-01-31")
        #expect(TLSError.notYetValid(subject: "/CN=C", until: "2026-02-01").description.hasSuffix("before 2026-02-01"))
        #expect(TLSError.untrustedCA(issuer: "/CN=A").description.contains("'/CN=A'"))
        #expect(TLSError.pin(presented: "sha256/AA=").description.hasSuffix(": it is sha256/AA="))
        #expect(
            TLSError.clientCertificate(detail: "key file 'y' is encrypted").description == "key file 'y' is encrypted")
        #expect(TLSError.handshake(detail: "no shared cipher").description.hasSuffix(": no shared cipher"))
        #expect(TLSError.wrongName(expected: "d", presented: []).description.contains("no DNS, SRV or XMPP name"))
    }
}
