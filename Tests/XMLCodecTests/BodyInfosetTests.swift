import Testing

@testable import XMLCodec

/// For the server, every child means the same as inside its body, except that BOSH's namespace became `jabber:client`.
@Suite("BodyParser and infosets")
struct BodyInfosetTests {
    private static let streamStart =
        "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"

    /// A random legal body.
    private func randomBody(_ random: inout RandomXML) -> String {
        let uris = [RandomXML.bosh, "jabber:client", "urn:a", "urn:b&c", ""]
        var start: String
        let prefix: String
        if random.chance(1, of: 3) {
            prefix = "w:"
            start = "<w:body" + random.declare("w", RandomXML.bosh) + random.declarations(uris: uris, chance: 3)
        } else {
            prefix = ""
            start = "<body" + random.declare("", RandomXML.bosh)
            for other in ["p", "q", "b"] where random.chance(1, of: 3) {
                start += random.declare(other, random.pick(uris.dropLast()))
            }
        }
        start += " rid='1'>"
        var content = ""
        for _ in 0..<Int.random(in: 0...3, using: &random.generator) {
            content += random.pick(["", " ", "\r\n"]) + random.element(depth: 4, uris: uris)
        }
        return start + content + random.pick(["", "\n"]) + "</" + prefix + "body>" + random.pick(["", "\n"])
    }

    @Test("random bodies keep their meaning (N-05, N-06, N-07)")
    func randomBodies() throws {
        let parser = BodyParser()
        for seed in UInt64(0)..<3000 {
            var random = RandomXML(seed: seed)
            let body = randomBody(&random)
            let expected = try #require(
                InfosetTree.children(of: Array(body.utf8), client: "jabber:client"), "seed \(seed): \(body)")
            guard case .body(_, let payload, let stanzas) = parser.parse(body) else {
                Issue.record("seed \(seed) refused: \(body)")
                continue
            }
            #expect(stanzas == expected.count, "seed \(seed): \(body)")
            let document = Array(Self.streamStart.utf8) + payload + Array("</stream:stream>".utf8)
            #expect(
                InfosetTree.children(of: document) == expected,
                "seed \(seed): \(body)\nbecame \(String(decoding: payload, as: UTF8.self))")
        }
    }

    @Test("mutated bodies are refused, or mean for the server what they meant to libxml2's tree")
    func mutatedBodies() {
        let parser = BodyParser()
        var accepted = 0
        for seed in UInt64(0)..<6000 {
            var random = RandomXML(seed: seed)
            let body = random.mutated(Array(randomBody(&random).utf8))
            guard case .body(_, let payload, _) = parser.parse(body.span) else { continue }
            accepted += 1
            let document = Array(Self.streamStart.utf8) + payload + Array("</stream:stream>".utf8)
            #expect(
                InfosetTree.children(of: document) == InfosetTree.children(of: body, client: "jabber:client"),
                "seed \(seed): \(String(decoding: body, as: UTF8.self))")
        }
        #expect(accepted > 100)
    }

    @Test("a mutated body that libxml2's tree finds in order is refused only for what restricted XML forbids")
    func nothingLegalIsRefused() {
        let parser = BodyParser()
        var refused = 0
        for seed in UInt64(10_000)..<16_000 {
            var random = RandomXML(seed: seed)
            let body = random.mutated(Array(randomBody(&random).utf8))
            guard case .refused(let fault, _) = parser.parse(body.span), fault == .malformed || fault == .encoding
            else {
                continue
            }
            // An attribute in the BOSH namespace is refused although it is well-formed.
            let text = String(decoding: body, as: UTF8.self)
            guard !text.contains("b:"), !text.contains("w:"), !text.contains("p:"), !text.contains("q:") else {
                continue
            }
            refused += 1
            #expect(InfosetTree.children(of: body) == nil, "seed \(seed): \(fault) \(text)")
        }
        #expect(refused > 20)
    }
}
