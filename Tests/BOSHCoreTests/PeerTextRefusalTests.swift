import BOSHCore
import Bridge
import Testing

/// How a client's texts are treated that are too long or only resemble the operator's.
@Suite struct PeerTextRefusalTests {
    private static func marks(_ count: Int) -> PeerText {
        PeerText("a" + String(repeating: "\u{301}", count: count / 2) + String(repeating: "\u{323}", count: count / 2))
    }

    @Test("S-16 a domain of combining marks is unknown, also where domains have letters outside ASCII")
    func marksAreNoDomain() {
        let plain = ServedDomains(names: ["example.org": []], routes: ["xmpp.example.org:5222"])
        let wide = ServedDomains(names: ["bücher.example": []], acceptsAny: true)
        for to in [Self.marks(500), .tooLong] {
            #expect(throws: SessionOpening.Refusal.condition(.hostUnknown)) { try domain(meantBy: to, in: plain) }
            #expect(throws: SessionOpening.Refusal.condition(.hostUnknown)) { try domain(meantBy: to, in: wide) }
        }
    }

    private func domain(meantBy to: PeerText, in domains: ServedDomains) throws -> String {
        var policy = SessionHarness.policy
        policy.domains = domains
        var attributes = BodyAttributes()
        attributes.rid = .value(1)
        attributes.rare.to = to
        return try SessionOpening(judging: attributes, by: policy).domain
    }

    @Test("S-18 a route that is too long is none of the list")
    func longRoute() {
        var policy = SessionHarness.policy
        policy.domains = ServedDomains(names: ["example.org": []], routes: ["xmpp.example.org:5222"])
        var attributes = BodyAttributes()
        attributes.rid = .value(1)
        attributes.rare.to = "example.org"
        attributes.rare.route = .tooLong
        #expect(throws: SessionOpening.Refusal.condition(.hostUnknown)) {
            try SessionOpening(judging: attributes, by: policy)
        }
    }

    @Test("K-01 a key that is too long is refused at creation")
    func longKey() {
        var attributes = BodyAttributes()
        attributes.rid = .value(1)
        attributes.rare.to = "example.org"
        attributes.rare.newkey = .tooLong
        #expect(throws: SessionOpening.Refusal.condition(.badRequest)) {
            try SessionOpening(judging: attributes, by: SessionHarness.policy)
        }
    }

    @Test("H-07 a type that is too long is none")
    func longContent() throws {
        var attributes = BodyAttributes()
        attributes.rid = .value(1)
        attributes.rare.to = "example.org"
        attributes.rare.content = .tooLong
        #expect(try SessionOpening(judging: attributes, by: SessionHarness.policy).contentType == nil)
    }

    @Test("a language that is too long is none")
    func longLanguage() throws {
        var attributes = BodyAttributes()
        attributes.rid = .value(1)
        attributes.rare.to = "example.org"
        attributes.rare.language = .tooLong
        #expect(try SessionOpening(judging: attributes, by: SessionHarness.policy).language == nil)
    }

    @Test("M-06 a stream that is too long is unknown")
    func longStream() {
        #expect(StreamName(.tooLong) == nil)
    }
}
