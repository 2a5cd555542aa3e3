import Bridge
import Testing

@Suite struct ServedDomainsAccountsTests {
    private static let domains = ServedDomains(names: ["example.org": [], "bücher.example": ["xn--bcher-kva.example"]])

    /// What a client writes, and the account at `example.org` that it means.
    private static let table: [(PeerText, PeerText?)] = [
        ("u@example.org", "u@example.org"),
        ("u@EXAMPLE.org/a@b/c", "u@example.org"),
        ("Jürgen.o\\27neil@example.org/x", "Jürgen.o\\27neil@example.org"),
        (
            PeerText(String(repeating: "u", count: 1_023) + "@example.org"),
            PeerText(String(repeating: "u", count: 1_023) + "@example.org")
        ),
        (PeerText(String(repeating: "u", count: 1_024) + "@example.org"), nil),
        ("", nil), ("u", nil), ("@example.org", nil), ("example.org", nil), ("example.org/u@example.org", nil),
        ("u@", nil), ("u@/x", nil), ("u@other.example", nil), ("u@bücher.example", nil), ("u@u@example.org", nil),
        ("u u@example.org", nil), ("u'@example.org", nil), ("<u@example.org", nil), ("u&u@example.org", nil),
        ("u:@example.org", nil), ("u\n@example.org", nil), ("u\u{7F}@example.org", nil), (.tooLong, nil),
    ]

    @Test("upstream-from: an account of the stream's own domain, without resource, and nothing else", arguments: table)
    func account(from: PeerText, expected: PeerText?) {
        #expect(Self.domains.account(from, at: "example.org") == expected)
    }

    @Test("upstream-from: the domain is written as the stream's is, whatever its spelling")
    func spelling() {
        for name in ["xn--bcher-kva.example", "bücher.example", "XN--Bcher-KVA.example"] {
            let from = PeerText("u@\(name)")
            #expect(Self.domains.account(from, at: "bücher.example") == "u@bücher.example")
            #expect(Self.domains.account(from, at: "example.org") == nil)
        }
        #expect(Self.domains.account(nil, at: "example.org") == nil)
        #expect(ServedDomains(names: [:], acceptsAny: true).account("u@b.example", at: "b.example") == "u@b.example")
    }
}
