import Testing

@testable import XMLCodec

/// A body that is read in steps gives exactly the same result as one that is read at once.
@Suite struct BodyStepsTests {
    private func inSteps(_ body: [UInt8], _ budget: Int, _ parser: BodyParser) -> BodyParse? {
        parser.begin(body)
        for _ in 0..<(body.count * 4 + 8) {
            if let result = parser.proceed(budget: budget) { return result }
        }
        return nil
    }

    @Test("each kind of body and of refusal, with steps of every size")
    func everyStep() {
        let texts = [
            body("rid='1' xml:lang='de'", "<message to='ä€😀'><body>&amp; &#x20AC; <![CDATA[<]]></body></message><iq/>"),
            "\u{FEFF}<?xml version='1.0' encoding='utf-8'?>" + body("rid='1'", "<a/>") + "\r\n\r\n",
            body("rid='1' xmlns:p='q'", "<p:a p:b='c'/><a xmlns='http://jabber.org/protocol/httpbind'>x</a>"),
            body("rid='1' sid='x'", "<a></b>"), body("rid='1'", "<a>&b;</a>"), body("rid='1'", "<p:a/>"),
            body("rid='1'", "text"), body("rid='1'", "<!-- -->"), body("rid='1'", "<a/><a/><a/><a/>"), "", "<", "x",
            body("rid='1'", "<a>"), body("rid='1'") + "x", body("rid='1'", "<a>\u{FFFF}</a>"), body("rid='1' rid='1'"),
        ]
        let whole = BodyParser(limits: XMLLimits(children: 3))
        let stepped = BodyParser(limits: XMLLimits(children: 3))
        for text in texts {
            let bytes = Array(text.utf8)
            let expected = whole.parse(bytes.span)
            for budget in 1...(bytes.count + 1) {
                #expect(inSteps(bytes, budget, stepped) == expected, "\(text) by \(budget)")
            }
        }
    }

    @Test("bytes that are no characters, wherever a step cuts them")
    func brokenCharacters() {
        let parts: [[UInt8]] = [[0xC3], [0xE2, 0x82], [0xF0, 0x9F, 0x98], [0xFF], [0xE2, 0x82, 0x41], [0xC0, 0xAF]]
        let parser = BodyParser()
        let stepped = BodyParser()
        for part in parts {
            for tail in [[], Array("</a></body>".utf8)] {
                let bytes = Array("<body xmlns='http://jabber.org/protocol/httpbind' rid='7'><a>é".utf8) + part + tail
                let expected = parser.parse(bytes.span)
                for budget in 1...20 { #expect(inSteps(bytes, budget, stepped) == expected) }
            }
        }
    }

    @Test("random documents, with random steps")
    func randomDocuments() {
        var random = RandomXML(seed: 20)
        let whole = BodyParser()
        let stepped = BodyParser()
        for _ in 0..<300 {
            let document = Array(RandomDocument.body(&random).text.utf8)
            let bytes = random.chance(1, of: 2) ? random.mutated(document) : document
            let budget = Int.random(in: 1...200, using: &random.generator)
            #expect(inSteps(bytes, budget, stepped) == whole.parse(bytes.span), "by \(budget): \(bytes)")
        }
    }

    @Test("a body that is given up for another leaves nothing behind")
    func givenUp() {
        let parser = BodyParser()
        let first = Array(body("rid='1' xmlns:p='q'", "<p:a><b/></p:a><p:c/>").utf8)
        let second = Array(body("rid='2'", "<d/>").utf8)
        for steps in 0..<200 {
            parser.begin(first)
            for _ in 0..<steps { if parser.proceed(budget: 1) != nil { break } }
            #expect(inSteps(second, 7, parser) == BodyParser().parse(second.span))
        }
        #expect(parser.proceed(budget: 1) == .refused(.malformed, attributes: nil))
    }
}
