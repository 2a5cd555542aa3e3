import BOSHCore
import Bridge
import Testing

@testable import XMLCodec

@Suite("Bodies of real clients")
struct RealBodiesTests {
    @Test(
        "all are read, and their children leave as they came, with their body's language (N-06, N-07)",
        arguments: RealBodies.strophe + RealBodies.gloox + RealBodies.libpurple)
    func read(text: String) throws {
        let result = BodyParser().parse(text)
        guard case .body(let attributes, let payload, let stanzas) = result else {
            Issue.record("\(result)")
            return
        }
        #expect(attributes.rid.number != nil)
        let start = try #require(text.firstIndex(of: ">"))
        let content = text[text.index(after: start)...]
        let isEmpty = text[..<start].hasSuffix("/")
        var expected = isEmpty ? "" : String(content.dropLast("</body>".count))
        if let language = attributes.rare.language?.text {
            // libpurple writes it in every body.
            for name in ["message", "presence", "iq"] {
                expected = expected.replacing("<\(name) ", with: "<\(name) xml:lang='\(language)' ")
            }
        }
        #expect(String(decoding: payload, as: UTF8.self) == expected)
        #expect((stanzas == 0) == payload.isEmpty)
    }

    @Test("what the clients ask for at creation")
    func creations() throws {
        let parser = BodyParser()
        let strophe = try #require(parser.attributes(RealBodies.strophe[0]))
        #expect(strophe.rid == .value(4_141_450_188))
        #expect(strophe.sid == .absent)
        #expect(strophe.rare.to == "example.test")
        #expect(strophe.rare.language == "en")
        #expect(strophe.rare.xmppVersion == ProtocolVersion(major: 1, minor: 0))
        #expect(strophe.rare.version == ProtocolVersion(major: 1, minor: 6))
        let gloox = try #require(parser.attributes(RealBodies.gloox[0]))
        #expect(gloox.rare.route == "xmpp:example.test:5222")
        #expect(gloox.ack == .value(0))
        let libpurple = try #require(parser.attributes(RealBodies.libpurple[0]))
        #expect(libpurple.rid == .value(2_507_819_948_981_324))
        #expect(libpurple.rare.content == "text/xml; charset=utf-8")
    }

    @Test("restarts are seen in each")
    func restarts() {
        let parser = BodyParser()
        for bodies in [RealBodies.strophe, RealBodies.gloox, RealBodies.libpurple] {
            #expect(bodies.contains { parser.attributes($0)?.isRestart == true })
        }
    }
}
