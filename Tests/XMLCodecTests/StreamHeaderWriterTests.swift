import Testing

@testable import XMLCodec

@Suite("StreamHeaderWriter")
struct StreamHeaderWriterTests {
    private func text(to: String, from: String? = nil, language: String? = nil) -> String {
        var bytes: [UInt8] = []
        StreamHeaderWriter.append(to: to, from: from.map { Array($0.utf8) }, language: language, into: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func whole() {
        #expect(
            text(to: "example.test", from: "a@example.test", language: "de")
                == "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
                + " to='example.test' from='a@example.test' version='1.0' xml:lang='de'>")
        #expect(
            text(to: "example.test", from: "", language: "")
                == "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
                + " to='example.test' version='1.0'>")
    }

    @Test(
        "what a client asks for cannot leave its attribute",
        arguments: ["a'b", "'><x/>", "a&amp;b", "\"<\n\t", "\u{1}"])
    func escaping(value: String) {
        let header = text(to: value, from: value, language: value)
        let reader = UpstreamReader()
        let all = items(header + "<iq/>" + String(decoding: StreamHeaderWriter.streamEnd, as: UTF8.self), reader)
        #expect(all.count == 3)
        #expect(all.last == .end)
        guard case .header(let read) = all.first else { return #expect(Bool(false)) }
        #expect(read.from == value.filter { $0 != "\u{1}" })
    }
}
