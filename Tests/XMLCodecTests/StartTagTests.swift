import Testing

@testable import XMLCodec

@Suite("StartTag")
struct StartTagTests {
    private func declarations(_ tag: String) -> [(String, String, String)] {
        let bytes = Array(tag.utf8)
        func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
        return StartTag.declarations(in: bytes.span).map {
            (String(decoding: $0.prefix, as: UTF8.self), text($0.whole), text($0.value))
        }
    }

    @Test("finds the declarations and nothing that looks like one")
    func finding() {
        let found = declarations(
            "<a:b xmlnsx='1' xmlns='u' c='xmlns=\"no\"' xmlns:p = \"v'w\"\n\txmlns:é='' d:xmlns='2'/>")
        #expect(found.map(\.0) == ["", "p", "é"])
        #expect(found.map(\.1) == [" xmlns='u'", " xmlns:p = \"v'w\"", "\n\txmlns:é=''"])
        #expect(found.map(\.2) == ["u", "v'w", ""])
    }

    @Test(
        "bytes that are no whole start tag end the search",
        arguments: [
            "", "<", "<a", "<a ", "<a b", "<a b=", "<a b='", "<a b='c", "<a xmlns", "<a xmlns='x", "<a/>", "<a >",
            "<a / >",
        ])
    func fragments(tag: String) {
        #expect(declarations(tag).count <= 1)
    }
}
