import Bridge
import Testing

@Suite struct ServedDomainsTests {
    private static let domains = ServedDomains(
        names: ["example.org": [], "bücher.example": ["xn--bcher-kva.example"]], fallback: "example.org",
        routes: ["xmpp.example.net:5222", "[2001:db8::1]:5222"])

    @Test(
        "S-16 every spelling of a domain leads to the operator's own",
        arguments: [
            ("example.org", "example.org"), ("EXAMPLE.Org", "example.org"), ("bücher.example", "bücher.example"),
            ("BÜCHER.example", "bücher.example"), ("xn--bcher-kva.example", "bücher.example"),
            ("example.org.", "example.org"), ("BÜCHER.example.", "bücher.example"),
        ])
    func findsDomain(to: String, domain: String) throws {
        #expect(try Self.domains.domain(meantBy: PeerText(to)) == domain)
    }

    @Test(
        "S-16 what is not served is unknown",
        arguments: ["example.com", "sub.example.org", "example.org..", ".example.org", ".", " example.org"])
    func refusesOthers(to: String) {
        #expect(throws: AddressRefusal.unknown) {
            try Self.domains.domain(meantBy: PeerText(to))
        }
    }

    @Test("S-15 who names no domain gets the default one, or is told to name one")
    func takesDefault() throws {
        #expect(try Self.domains.domain(meantBy: nil) == "example.org")
        #expect(try Self.domains.domain(meantBy: "") == "example.org")
        let strict = ServedDomains(names: ["example.org": []])
        #expect(throws: AddressRefusal.unnamed) { try strict.domain(meantBy: nil) }
        #expect(throws: AddressRefusal.unnamed) { try strict.domain(meantBy: "") }
    }

    @Test(
        "an open proxy serves every name that can be asked for in DNS",
        arguments: [
            "example.com", "a.b", "XN--BCHER-KVA.example", "1.example", "a-b.example",
        ])
    func servesAny(to: String) throws {
        let open = ServedDomains(names: [:], acceptsAny: true)
        for written in [to, to + "."] {
            #expect(try open.domain(meantBy: PeerText(written)) == to.lowercased())
        }
    }

    @Test(
        "an open proxy asks DNS for nothing else",
        arguments: [
            "localhost", "127.0.0.1", "[::1]", "::1", "bücher.example", "a..b", ".a.b", "a.b..", "a.", "127.0.0.1.",
            "-a.b", "a-.b", "a b.c",
            "a_b.c", "a/b.c", "user@example.com", "example.com:5222", String(repeating: "a", count: 64) + ".b",
            String(repeating: "a.", count: 127) + "b",
        ])
    func servesNothingElse(to: String) {
        let open = ServedDomains(names: [:], acceptsAny: true)
        #expect(throws: AddressRefusal.unknown) { try open.domain(meantBy: PeerText(to)) }
    }

    @Test("S-18 a route of the list is taken")
    func takesRoute() throws {
        #expect(try Self.domains.route(askedFor: "xmpp:xmpp.example.net:5222") == "xmpp.example.net:5222")
        #expect(try Self.domains.route(askedFor: "XMPP:XMPP.Example.NET:5222") == "xmpp.example.net:5222")
        #expect(try Self.domains.route(askedFor: "xmpp:[2001:DB8::1]:5222") == "[2001:db8::1]:5222")
        #expect(try Self.domains.route(askedFor: "xmpp:xmpp.example.net.:5222") == "xmpp.example.net:5222")
    }

    @Test(
        "S-18 no other route is connected to",
        arguments: [
            "xmpp:xmpp.example.net:5223", "xmpp:127.0.0.1:5222", "xmpp:xmpp.example.net", "xmpp.example.net:5222",
            "http:xmpp.example.net:5222", ":xmpp.example.net:5222", "xmpp:", "xmpp", "xmpp: xmpp.example.net:5222",
            "xmpp:%78mpp.example.net:5222", "xmpp:xmpp.example.net..:5222", "xmpp:.:5222",
        ])
    func refusesRoute(route: String) {
        #expect(throws: AddressRefusal.unknown) {
            try Self.domains.route(askedFor: PeerText(route))
        }
    }

    @Test("S-18 without a list routes are ignored, and so is an empty one")
    func ignoresRoute() throws {
        let fixed = ServedDomains(names: ["example.org": []])
        #expect(try fixed.route(askedFor: "xmpp:127.0.0.1:22") == nil)
        #expect(try Self.domains.route(askedFor: nil) == nil)
        #expect(try Self.domains.route(askedFor: "") == nil)
    }
}
