import BOSHCore
import Testing

/// What a peer writes is bounded before it is looked at, and compared by its bytes.
@Suite struct PeerTextTests {
    @Test("what fits is kept, and nothing of what does not", arguments: [0, 1, 63, 64, 65, 100_000])
    func bounds(count: Int) {
        let bytes = [UInt8](repeating: 0x61, count: count)
        let text = PeerText(bytes, most: 64)
        #expect(text.isTooLong == (count > 64))
        #expect(text.bytes == (count > 64 ? [0] : bytes))
        #expect(text.text == (count > 64 ? "" : String(repeating: "a", count: count)))
    }

    @Test("what was too long equals nothing that XML can carry")
    func tooLong() {
        #expect(PeerText.tooLong != "")
        #expect(PeerText.tooLong == PeerText(Array("abc".utf8), most: 2))
        #expect(!PeerText.tooLong.isEmpty)
    }

    @Test("letters that look alike are other bytes: nothing is normalised")
    func comparesBytes() {
        #expect("\u{E9}" == "e\u{301}")
        #expect(PeerText("\u{E9}") != PeerText("e\u{301}"))
        #expect(Set([PeerText("\u{E9}"), PeerText("e\u{301}")]).count == 2)
    }

    @Test("only letters of ASCII have a case")
    func comparesWithoutCase() {
        #expect(PeerText("aB1z").isSame("Ab1Z"))
        #expect(!PeerText("ä").isSame("Ä"))
        #expect(!PeerText("[").isSame("{"))
        #expect(!PeerText("@").isSame("`"))
        #expect(!PeerText("ab").isSame("a"))
        #expect(PeerText("ÄB").lowercasedBytes == Array("Äb".utf8))
        #expect(PeerText("a").isASCII && !PeerText("ä").isASCII)
    }

    /// Combining marks of two classes in the wrong order: putting them in order takes time with the square of their number.
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
        attributes.to = to
        return try SessionOpening(judging: attributes, by: policy).domain
    }

    @Test("S-18 a route that is too long is none of the list")
    func longRoute() {
        var policy = SessionHarness.policy
        policy.domains = ServedDomains(names: ["example.org": []], routes: ["xmpp.example.org:5222"])
        var attributes = BodyAttributes()
        attributes.rid = .value(1)
        attributes.to = "example.org"
        attributes.route = .tooLong
        #expect(throws: SessionOpening.Refusal.condition(.hostUnknown)) {
            try SessionOpening(judging: attributes, by: policy)
        }
    }

    @Test("K-01 a key that is too long is refused at creation")
    func longKey() {
        var attributes = BodyAttributes()
        attributes.rid = .value(1)
        attributes.to = "example.org"
        attributes.newkey = .tooLong
        #expect(throws: SessionOpening.Refusal.condition(.badRequest)) {
            try SessionOpening(judging: attributes, by: SessionHarness.policy)
        }
    }

    @Test("H-07 a type that is too long is none")
    func longContent() throws {
        var attributes = BodyAttributes()
        attributes.rid = .value(1)
        attributes.to = "example.org"
        attributes.content = .tooLong
        #expect(try SessionOpening(judging: attributes, by: SessionHarness.policy).contentType == nil)
    }

    @Test("a language that is too long is none")
    func longLanguage() throws {
        var attributes = BodyAttributes()
        attributes.rid = .value(1)
        attributes.to = "example.org"
        attributes.language = .tooLong
        #expect(try SessionOpening(judging: attributes, by: SessionHarness.policy).language == nil)
    }

    @Test("M-06 a stream that is too long is unknown")
    func longStream() {
        #expect(StreamName(.tooLong) == nil)
    }
}
