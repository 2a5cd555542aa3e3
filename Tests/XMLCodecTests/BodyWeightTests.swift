import Testing

@testable import XMLCodec

/// What the bytes of a body weigh before they are read.
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
        #expect(weight(before + "xmlns") == weight("xmlns") + offset)
        #expect(weight(before + "xmlns" + before) == weight("xmlns") + 2 * offset)
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

    @Test("the beginning of a declaration at the end is no declaration", arguments: ["x", "xm", "xml", "xmln"])
    func cutShort(_ text: String) {
        #expect(weight(text) == text.utf8.count)
        #expect(weight("\(text)\("xmlns".dropFirst(text.utf8.count))") > 500)
    }
}
