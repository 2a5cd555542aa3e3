import Testing

@testable import holdfast_bench

@Suite struct MarkupTests {
    private func attribute(_ name: String, _ element: String) -> String? {
        Markup.attribute(Array(name.utf8), of: Array(element.utf8)[...]).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func `attributes are found by their whole name in the first tag only`() {
        let element = "<message to='a@b/c' id=\"x'y\"\n type=''><body to='z'/></message>"
        #expect(attribute("to", element) == "a@b/c")
        #expect(attribute("id", element) == "x'y")
        #expect(attribute("type", element) == "")
        #expect(attribute("o", element) == nil)
        #expect(attribute("body", element) == nil)
        #expect(attribute("to", "<a xto='1' x:to='2'/>") == nil)
        #expect(attribute("sid", "<body xmpp:sid='1' authid=\"a sid='2'\" sid='3'/>") == "3")
    }

    @Test func `broken tags have no attributes`() {
        for element in ["", "<", "<a to=", "<a to='", "<a to='b", "='b'", "'", "to='b'"] {
            #expect(attribute("to", element) == nil, "\(element)")
        }
    }

    @Test func `text and elements are found`() {
        let bytes = Array("<iq><bind><jid>a@b/c</jid></bind></iq>".utf8)[...]
        #expect(Markup.element(Array("jid".utf8), in: bytes).map(Array.init) == Array("a@b/c".utf8))
        #expect(Markup.element(Array("j".utf8), in: bytes) == nil)
        #expect(Markup.element(Array("jid".utf8), in: Array("<jid>a".utf8)[...]) == nil)
        #expect(Markup.text(of: Array("<a></a>".utf8)[...])?.isEmpty == true)
    }

    @Test func `a needle is found wherever it stands and nowhere else`() {
        let needle = Array("aab".utf8)
        for prefix in ["", "a", "aa", "ab", "b"] {
            let bytes = Array((prefix + "aab").utf8)
            #expect(Markup.firstIndex(of: needle, in: bytes[...]) == prefix.utf8.count)
            #expect(Markup.contains(needle, in: bytes.dropLast()[...]) == false)
        }
        #expect(Markup.firstIndex(of: needle, in: Array("aabaab".utf8)[1...]) == 3)
        #expect(Markup.contains([], in: needle[...]) == false)
    }

    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ])
    func `base64 follows the examples of RFC 4648`(_ plain: String, _ encoded: String) {
        #expect(String(decoding: Base64.encode(Array(plain.utf8)), as: UTF8.self) == encoded)
        #expect(String(decoding: Base64.decode(Array(encoded.utf8)[...]), as: UTF8.self) == plain)
    }

    @Test func `base64 keeps every byte`() {
        let bytes = [UInt8](0...255)
        #expect(Base64.decode(Base64.encode(bytes)[...]) == bytes)
    }
}
