import StreamCore
import Testing

@testable import XMLCodec

/// Elements of servers that are longer than one step are read in steps, with the same result as in one.
@Suite("LargeElement")
struct LargeElementTests {
    private let reader = UpstreamReader(limits: XMLLimits(elementSize: 8 * 1_048_576))

    /// A stream whose header has been read.
    private func opened(_ header: String = streamHeader) -> UpstreamXML {
        var stream = UpstreamXML()
        var offset = 0
        _ = stream.next(Array(header.utf8).span, offset: &offset, reader: reader)
        return stream
    }

    /// Feeds bytes; returns the item that results at once, and how many bytes were used.
    private func next(_ text: String, _ stream: inout UpstreamXML) -> (UpstreamItem?, used: Int) {
        let bytes = Array(text.utf8)
        var offset = 0
        return (stream.next(bytes.span, offset: &offset, reader: reader), offset)
    }

    private static func message(_ content: String, times: Int) -> String {
        "<message id='1'>\(String(repeating: content, count: times))</message>"
    }

    @Test(
        "one of many steps is what came",
        arguments: ["x", "<a/>", "<a b='&lt;'>\u{1F600}\u{E9}</a>", "<![CDATA[ ]]>]]&gt;", "&amp;", "\n"])
    func whole(content: String) {
        let text = Self.message(content, times: 200_000 / content.utf8.count)
        let result = forwarded(text, reader)
        let isSame = result == text.replacing("<message ", with: "<message xmlns='jabber:client' ", maxReplacements: 1)
        #expect(isSame)
    }

    @Test("a character may be cut by a step anywhere")
    func characters() {
        for shift in 0..<8 {
            let text = Self.message(String(repeating: "x", count: shift) + "\u{1F600}\u{20AC}\u{E9}", times: 9_000)
            #expect(forwarded(text, reader) != nil, "\(shift)")
        }
    }

    @Test("declarations, prefixes and the kind of an element are found as in a short one")
    func kinds() {
        let header = "<s:stream xmlns='jabber:client' xmlns:s='http://etherx.jabber.org/streams' xmlns:p='urn:p'>"
        let filler = String(repeating: "y", count: 100_000)
        #expect(
            forwarded("<m><p:a/>\(filler)</m>", header: header, reader)?.hasPrefix(
                "<m xmlns='jabber:client' xmlns:p='urn:p'>") == true)
        let features = forwarded("<s:features><a xmlns='urn:a'>\(filler)</a></s:features>", header: header, reader)
        #expect(features?.hasPrefix("<stream:features><a xmlns='urn:a'>y") == true)
        #expect(features?.hasSuffix("y</a></stream:features>") == true)
    }

    @Test(
        "what is wrong is found wherever it stands, and the stream is over",
        arguments: [
            "</b>", "<a", "&bogus;", "<p:q/>", "<!-- c -->", "\u{1}", "<a b='1' b='2'/>",
        ])
    func faults(wrong: String) {
        for before in [0, 40_000, 150_000] {
            let text =
                "<m>" + String(repeating: "x", count: before) + wrong + String(repeating: "x", count: 150_000 - before)
                + "</m><iq/>"
            let result = items(streamHeader + text, reader)
            guard case .fault? = result.last else {
                Issue.record("\(wrong) behind \(before): \(result.count) items")
                continue
            }
            #expect(result.count == 2)
        }
    }

    @Test("invalid UTF-8 is found where steps meet, and at the end")
    func encoding() {
        for position in [32_764, 32_766, 32_768, 65_536, 99_990] {
            var bytes = Array(Self.message("x", times: 100_000).utf8)
            bytes[position] = 0xC3
            let result = items([Array(streamHeader.utf8) + bytes], reader)
            #expect(result.last == .fault(.malformed), "\(position)")
        }
    }

    @Test("each call of next is one step, and uses no byte of what is behind")
    func steps() {
        var stream = opened()
        let text = Self.message("<a/>", times: 50_000)
        var (item, used) = next(text + "<iq/>", &stream)
        #expect(item == nil && used == text.utf8.count)
        #expect(stream.isReadingOn && !stream.hasPartial)
        #expect(stream.heldBytes > text.utf8.count)
        var steps = 0
        while stream.isReadingOn, steps < 1_000 {
            (item, used) = next("<iq/>", &stream)
            #expect(used == 0)
            steps += 1
        }
        guard case .stanza? = item else {
            Issue.record("\(String(describing: item))")
            return
        }
        // One pass reads its characters, another its XML.
        #expect(steps >= 2 * text.utf8.count / UpstreamReader.step)
        #expect(steps <= 2 * (text.utf8.count / UpstreamReader.step + 2))
        #expect(stream.heldBytes == 0)
        (item, used) = next("<iq/>", &stream)
        #expect(item == .stanza(bytes: Array("<iq xmlns='jabber:client'/>".utf8)))
    }

    @Test("one is read at a time; the others wait, short ones do not")
    func turns() {
        var first = opened()
        var second = opened()
        var third = opened()
        let text = Self.message("<a/>", times: 30_000)
        _ = next(text, &first)
        _ = next(text, &second)
        var order: [Int] = []
        for _ in 0..<100 where order.count < 2 {
            if next("", &first).0 != nil { order.append(1) }
            if next("", &second).0 != nil { order.append(2) }
            #expect(next("<iq/>", &third).0 != nil)
        }
        #expect(order == [1, 2])
    }

    @Test(
        "a stream that ends in the middle of one holds up nobody, nor does one that begins anew",
        arguments: [false, true])
    func abandoned(isReset: Bool) {
        var second = opened()
        let text = Self.message("<a/>", times: 30_000)
        var first = opened()
        _ = next(text, &first)
        for _ in 0..<6 { _ = next("", &first) }
        #expect(first.isReadingOn)
        if isReset { first.reset() } else { first = second }
        #expect(!first.isReadingOn)
        _ = next(text, &second)
        for _ in 0..<100 where second.isReadingOn { _ = next("", &second) }
        #expect(!second.isReadingOn)
        if isReset { #expect(next(streamHeader, &first).0 != nil) }
    }

    @Test("a second root is refused, however long")
    func secondRoot() {
        let text = "<stream:stream>" + String(repeating: "x", count: 100_000) + "</stream:stream>"
        #expect(items(streamHeader + text, reader).last == .fault(.invalidNamespace))
    }
}
