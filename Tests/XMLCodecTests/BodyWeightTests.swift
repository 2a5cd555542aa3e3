import Testing

@testable import XMLCodec

/// The weights of a body's bytes before they are read.
@Suite struct BodyWeightTests {
    private func weight(_ text: String) -> Int {
        BodyWeight.of(Array(text.utf8).span)
    }

    @Test("plain text weighs its bytes")
    func plainText() {
        #expect(weight("") == 0)
        #expect(weight("hello there") == 11)
    }

    @Test("markup and what is no printable ASCII weigh more", arguments: ["<", "=", "&"])
    func markup(_ text: String) {
        #expect(weight(text) > 100)
        #expect(weight("\n") > weight("a"))
        #expect(weight("\u{E9}") > weight("aa"))
    }

    @Test("a namespace that is declared weighs more than an attribute, and most with a prefix")
    func declarations() {
        let attribute = weight("<a xmlnt='b'/>")
        let bare = weight("xmlns=''")
        #expect(bare > weight("xmlnt=''"))
        let standard = weight("<a xmlns='b'/>")
        let prefixed = weight("<a xmlns:='b'/>") - 1
        #expect(attribute < standard)
        #expect(standard < prefixed)
        #expect(weight(String(repeating: "<a xmlns='b'/>", count: 100)) == 100 * standard)
    }

    @Test("a declaration is found wherever it begins", arguments: 0..<7)
    func places(_ offset: Int) {
        let before = String(repeating: "y", count: offset)
        let declaration = weight(" xmlns=''")
        #expect(declaration > weight(" xmlnt=''"))
        #expect(weight(before + " xmlns=''") == declaration + offset)
        #expect(weight(before + " xmlns=''" + before) == declaration + 2 * offset)
    }

    @Test("a namespace weighs by its length, up to its own quote", arguments: ["'", "\""])
    func length(_ quote: String) {
        func declared(_ uri: String, _ rest: String = "") -> Int { weight("xmlns=\(quote)\(uri)\(quote)\(rest)") }
        let other = quote == "'" ? "\"" : "'"
        #expect(declared("aaaa") - declared("aaa") == declared("aa") - declared("a"))
        #expect(declared("aa") - declared("a") > 10)
        #expect(declared("a\(other)") == declared("aa"))
        #expect(declared("a", "bb") == declared("a") + 2)
        #expect(weight("xmlns=\(quote)aaa") == declared("aaa") - 1)
    }

    @Test("declarations that never end are weighed once")
    func unended() {
        let many = String(repeating: "xmlns=", count: 10_000)
        #expect(weight(many) == 10_000 * weight("xmlns="))
    }

    @Test("each heavy byte is found at each place among eight, whatever stands beside it", arguments: 0..<16)
    func eightAtATime(_ place: Int) {
        for byte in UInt8.min...UInt8.max {
            for neighbour in [UInt8(ascii: "a"), 0x20, 0x7F, UInt8(ascii: ">"), UInt8(ascii: "'"), 0x25, 0x27] {
                var body = [UInt8](repeating: neighbour, count: 24)
                body[place] = byte
                let alone = BodyWeight.of([byte].span)
                #expect(BodyWeight.of(body.span) == alone + 23, "\(byte) beside \(neighbour)")
            }
        }
    }

    @Test(
        "spaces around the = hide no declaration, and what only looks like one is none",
        arguments: [
            ("a xmlns = 'b'", 600), ("a xmlns='b'", 600), ("a xmlns:c = 'b'", 1_500), ("a 'b'xmlns='b'", 600),
            ("a\nxmlns\n=\n'b'", 600), ("a yxmlns='b'", 0), ("a xmlnsy='b'", 0), ("a xmlns", 0), ("xmlns 'b'", 0),
            ("=", 0), ("xmln='b'", 0), ("xmlns=", 600), ("xmlns= ", 600),
        ])
    func spaces(_ text: String, _ surplus: Int) {
        let plain = text.utf8.map { $0 == UInt8(ascii: "x") ? UInt8(ascii: "y") : $0 }
        let uri = surplus > 0 && text.contains("'") ? 20 : 0
        #expect(weight(text) - BodyWeight.of(plain.span) == surplus + uri)
    }

    @Test("a long run of spaces, letters or equal signs is weighed once through", arguments: [" ", "a", "=", "' "])
    func linear(_ piece: String) {
        let short = weight(String(repeating: piece, count: 1_000) + "=")
        let long = weight(String(repeating: piece, count: 1_000_000) + "=")
        #expect((long - weight("=")) == (short - weight("=")) * 1_000)
    }
}
