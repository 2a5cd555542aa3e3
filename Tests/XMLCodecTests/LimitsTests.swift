import StreamCore
import Testing

@testable import XMLCodec

@Suite("XMLLimits (N-11)")
struct LimitsTests {
    private func nested(_ depth: Int) -> String {
        String(repeating: "<a>", count: depth) + String(repeating: "</a>", count: depth)
    }

    @Test("depth, the root counted")
    func depth() {
        let parser = BodyParser(limits: XMLLimits(depth: 10))
        #expect(parser.payload(body("rid='1'", nested(9))) == nested(9))
        #expect(parser.fault(body("rid='1'", nested(10))) == .limit(.depth))
        #expect(parser.fault(body("rid='1'", nested(100_000))) == .limit(.depth))
        let reader = UpstreamReader(limits: XMLLimits(depth: 10))
        #expect(forwarded(nested(9), reader) != nil)
        #expect(forwarded(nested(10), reader) == "[skipped]")
    }

    @Test("the deepest that may be set is read without trouble: libxml2 has no bound where it builds no tree")
    func deepest() {
        let limits = XMLLimits(depth: .max)
        #expect(limits.depth == 100_000)
        let parser = BodyParser(limits: limits)
        #expect(parser.payload(body("rid='1'", nested(99_999))) == nested(99_999))
        #expect(parser.fault(body("rid='1'", nested(100_000))) == .limit(.depth))
        let reader = UpstreamReader(limits: limits)
        #expect(forwarded(nested(76_800), reader) != nil)
    }

    @Test("attributes of one element, declarations included")
    func attributes() {
        let parser = BodyParser(limits: XMLLimits(attributes: 4))
        #expect(parser.payload(body("rid='1'", "<a b='' xmlns:c='d' e='' f=''/>")) != nil)
        #expect(parser.fault(body("rid='1'", "<a b='' xmlns:c='d' e='' f='' g=''/>")) == .limit(.attributes))
        #expect(parser.fault(body("rid='1' a='' b=''")) == nil)
        #expect(parser.fault(body("rid='1' a='' b='' c=''")) == .limit(.attributes))
        let reader = UpstreamReader(limits: XMLLimits(attributes: 5))
        #expect(forwarded("<a b='' c='' d='' e='' f=''/>", header: plainHeader, reader) != nil)
        #expect(forwarded("<a b='' c='' d='' e='' f='' g=''/>", header: plainHeader, reader) == "[skipped]")
    }

    @Test("a hundred thousand attributes are refused before libxml2 compares each with each")
    func manyAttributes() {
        let many = (0..<100_000).map { " a\($0)=''" }.joined()
        let parser = BodyParser()
        #expect(parser.fault(body("rid='1'", "<a\(many)/>")) == .limit(.attributes))
        guard case .refused(_, let attributes) = parser.parse(body("rid='1'", "<a\(many)/>")) else {
            Issue.record("accepted")
            return
        }
        #expect(attributes?.rid == .value(1))
        #expect(parser.parse(body(many)) == .refused(.limit(.attributes), attributes: nil))
    }

    @Test("first-level elements of one body")
    func children() {
        let parser = BodyParser(limits: XMLLimits(children: 3))
        #expect(parser.payload(body("rid='1'", "<a/><b/><c/>")) != nil)
        #expect(parser.fault(body("rid='1'", "<a/><b/><c/><d/>")) == .limit(.children))
    }

    @Test("xml-elements: elements of one body at any depth")
    func elements() {
        let parser = BodyParser(limits: XMLLimits(elements: 5))
        #expect(parser.payload(body("rid='1'", "<a><b/></a><c><d/></c>")) != nil)
        #expect(parser.fault(body("rid='1'", "<a><b/></a><c><d/><e/></c>")) == .limit(.elements))
        #expect(parser.payload(body("rid='1'", "<a/><b/><c/><d/>")) != nil)
    }

    @Test("namespaces of one body that are no URI")
    func oddNamespaces() {
        let parser = BodyParser(limits: XMLLimits(oddNamespaces: 2))
        #expect(parser.payload(body("rid='1'", "<a xmlns='ü'/><b xmlns:c=':'/>")) != nil)
        #expect(parser.fault(body("rid='1'", "<a xmlns='ü'/><b xmlns:c=':'/><c xmlns='ü'/>")) == .limit(.oddNamespaces))
    }

    @Test("new names of one body, known ones not counted")
    func names() {
        let parser = BodyParser(limits: XMLLimits(names: 50))
        func elements(_ range: Range<Int>) -> String { range.map { "<n\($0)/>" }.joined() }
        #expect(parser.payload(body("rid='1'", elements(0..<40))) != nil)
        #expect(parser.payload(body("rid='1'", elements(0..<80))) != nil)
        #expect(parser.fault(body("rid='1'", elements(100..<200))) == .limit(.names))
        #expect(parser.payload(body("rid='1'", "<a/>")) != nil)
    }

    @Test("declarations in scope at one place")
    func declarations() {
        let parser = BodyParser(limits: XMLLimits(declarations: 6))
        let declared = "xmlns:a='u' xmlns:b='u'"
        #expect(parser.payload(body("rid='1' \(declared)", "<m \(declared)><n xmlns='u'/><n xmlns='v'/></m>")) != nil)
        #expect(
            parser.fault(body("rid='1' \(declared)", "<m \(declared)><n \(declared)/></m>")) == .limit(.declarations))
    }

    @Test("the root can declare 64 prefixes and not one more")
    func rootDeclarations() {
        let parser = BodyParser(limits: XMLLimits(attributes: 200, declarations: 200))
        func declared(_ count: Int) -> String { (0..<count).map { "xmlns:p\($0)='urn:\($0)'" }.joined(separator: " ") }
        #expect(
            parser.payload(body(declared(63), "<p62:a p0:b=''/>"))
                == "<p62:a xmlns:p0='urn:0' xmlns:p62='urn:62' p0:b=''/>")
        #expect(parser.fault(body(declared(64), "<a/>")) == .limit(.declarations))
    }

    @Test("a long namespace used by many short elements does not make a body grow without bound")
    func declarationBytes() {
        let parser = BodyParser()
        let long = "xmlns:p='urn:" + String(repeating: "x", count: 4000) + "'"
        let elements = String(repeating: "<p:a/>", count: 4)
        #expect(parser.payload(body(long, elements))?.utf8.count == 4 * (6 + 1 + long.utf8.count))
        #expect(parser.fault(body(long, elements + "<p:a/>")) == .limit(.declarationBytes))
        #expect(parser.payload(body(long, "<a/>")) == "<a/>")
        let quotes = "xmlns:p=\"urn:" + String(repeating: "'", count: 4000) + "\""
        #expect(parser.fault(body(quotes, "<p:a/>")) == .limit(.declarationBytes))
        let header =
            "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' xmlns:p='urn:"
        let reader = UpstreamReader()
        #expect(items(header + String(repeating: "x", count: 16_000) + "'>", reader).count == 1)
        #expect(
            items(header + String(repeating: "x", count: 17_000) + "'>", reader)
                == [.fault(.limit("header-size"))])
        // Each quote is written as six bytes.
        let quoted =
            "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' xmlns:p=\"urn:"
        #expect(
            items(quoted + String(repeating: "'", count: 4000) + "\">", reader)
                == [.fault(.limit("declaration-bytes"))])
    }

    @Test("limits that libxml2 or arithmetic could not keep are not taken over")
    func clamping() {
        let low = XMLLimits(
            depth: 0, attributes: 0, names: -1, declarations: 0, declarationBytes: 0, children: 0, elementSize: 0)
        #expect(
            low
                == XMLLimits(
                    depth: 2, attributes: 1, names: 1, declarations: 1, declarationBytes: 256, children: 1,
                    elementSize: 1))
        #expect(XMLLimits(elementSize: .max).elementSize == 8_388_608)
        #expect(XMLLimits(attributes: .max).attributes == 16_384)
        #expect(XMLLimits(skippedSize: 0).skippedSize == XMLLimits().elementSize)
    }

    @Test("the largest element that may be set is read")
    func largestElement() {
        let reader = UpstreamReader(limits: XMLLimits(elementSize: .max))
        let text = "<m>" + String(repeating: "x", count: 8_388_600) + "</m>"
        #expect(items(streamHeader + text, reader).count == 2)
        #expect(items(streamHeader + "<m>xx" + text.dropFirst(3), reader).last.isSkipped)
    }

    /// After some 420,000 distinct names libxml2's dictionary is full and refuses every further new one for good.
    @Test("a million distinct names, and then an honest body")
    func millionNamesFromClients() {
        let parser = BodyParser()
        var largest = 0
        for round in 0..<1000 {
            let first = round * 1000
            var text = "<body xmlns='http://jabber.org/protocol/httpbind'>"
            for block in 0..<20 {
                text += "<a"
                for index in 0..<50 { text += " x\(first + block * 50 + index)=''" }
                text += "/>"
            }
            text += "</body>"
            guard case .body = parser.parse(text) else {
                Issue.record("refused in round \(round)")
                return
            }
            largest = max(largest, parser.nameCount)
        }
        #expect(largest <= 4096)
        #expect(parser.payload(body("rid='1'", "<honest new='name'/>")) == "<honest new='name'/>")
    }

    @Test("a million distinct names from a server, and then an honest stanza")
    func millionNamesFromServers() {
        let reader = UpstreamReader()
        var stream = UpstreamXML()
        var offset = 0
        _ = stream.next(Array(streamHeader.utf8).span, offset: &offset, reader: reader)
        var largest = 0
        for round in 0..<1000 {
            let first = round * 1000
            var text = "<m>"
            for block in 0..<20 {
                text += "<a"
                for index in 0..<50 { text += " y\(first + block * 50 + index)=''" }
                text += "/>"
            }
            text += "</m>"
            offset = 0
            guard case .stanza? = stream.next(Array(text.utf8).span, offset: &offset, reader: reader) else {
                Issue.record("refused in round \(round)")
                return
            }
            largest = max(largest, reader.nameCount)
        }
        #expect(largest <= 4096)
        #expect(forwarded("<honest new='name'/>", reader) == "<honest xmlns='jabber:client' new='name'/>")
    }

    private let plainHeader =
        "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
}
