import StreamCore
import Testing

@testable import XMLCodec

@Suite("StanzaReturn (T-12)")
struct StanzaReturnTests {
    let stanzaReturn = StanzaReturn()

    private static let unavailable =
        "<error type='wait'><recipient-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
    private static let service =
        "<error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"

    private static func message(_ attributes: String) -> String {
        "<message xmlns='jabber:client' type='error'\(attributes)>\(unavailable)</message>"
    }

    private static func iq(_ attributes: String) -> String {
        "<iq xmlns='jabber:client' type='error'\(attributes)>\(service)</iq>"
    }

    private func returned(_ bytes: [UInt8]) -> String {
        var result = Array("before".utf8)
        let count = stanzaReturn.append(returning: bytes.span, into: &result)
        let text = String(decoding: result, as: UTF8.self)
        #expect(text.hasPrefix("before"))
        #expect(text.split(separator: "type='error'").count == count + 1)
        return String(text.dropFirst(6))
    }

    private func returned(_ text: String) -> String { returned(Array(text.utf8)) }

    @Test("messages and iqs that ask come back to their sender (XEP-0206 §7)", arguments: returns)
    func returnsOwed(element: String, error: String) {
        #expect(returned(element) == error)
    }

    static let returns: [(String, String)] = [
        (
            "<message xmlns='jabber:client' from='r@m.lit/o' to='j@c.lit/b' id='1'><body>x</body></message>",
            message(" to='r@m.lit/o' id='1'")
        ),
        ("<message xmlns='jabber:client' from='r@m.lit' type='chat'/>", message(" to='r@m.lit'")),
        ("<message xmlns='jabber:client' from='m.lit' type='normal' id=''/>", message(" to='m.lit' id=''")),
        ("<message xmlns='jabber:client' from='m.lit' type='unheard-of'/>", message(" to='m.lit'")),
        ("<message xmlns='jabber:client' from='m.lit' type='ERROR'/>", message(" to='m.lit'")),
        ("<iq xmlns='jabber:client' type='get' from='c.lit' to='j@c.lit/b' id='1'/>", iq(" to='c.lit' id='1'")),
        ("<iq xmlns='jabber:client' type='set' id='1'><q xmlns='jabber:iq:roster'/></iq>", iq(" id='1'")),
        ("<iq xmlns='jabber:client' type='set' from='j@c.lit' to='j@c.lit/b' id='1'/>", iq(" to='j@c.lit' id='1'")),
        ("<iq xmlns='jabber:client' type='get' from='c.lit'/>", iq(" to='c.lit'")),
        // With any prefix, and any spelling of attributes.
        (
            "<c:message xmlns:c='jabber:client' id = \"7\"\n from='m.lit'><c:body/></c:message>",
            message(" to='m.lit' id='7'")
        ),
        ("<message xmlns='jabber:clien&#116;' from='m&#x2E;lit'/>", message(" to='m.lit'")),
        ("<iq xmlns='jabber:client' type='g&#101;t' id='>'/>", iq(" id='&gt;'")),
        // Attributes with a prefix are different ones.
        (
            "<message xmlns='jabber:client' xmlns:p='urn:p' p:type='error' p:from='x' from='m.lit' p:id='2' p:to='m.lit'/>",
            message(" to='m.lit'")
        ),
        // Characters that have to be escaped.
        (
            "<message xmlns='jabber:client' from=\"d&apos;a@m.lit/&lt;&amp;&gt;'&quot;\" id='&#9;&#10;&#13; &#38;lt;é😀'/>",
            message(" to='d&apos;a@m.lit/&lt;&amp;&gt;&apos;\"' id='&#9;&#10;&#13; &amp;lt;é😀'")
        ),
    ]

    @Test("never returned (T-12 b)", arguments: never)
    func neverReturned(element: String) {
        #expect(returned(element) == "")
    }

    static let never = [
        "",
        " \n",
        "<presence xmlns='jabber:client' from='r@m.lit/o'/>",
        "<presence xmlns='jabber:client' from='r@m.lit' type='probe'/>",
        "<presence xmlns='jabber:client' from='r@m.lit' type='subscribe'><x/></presence>",
        "<message xmlns='jabber:client'/>",
        "<message xmlns='jabber:client' from='' id='1'/>",
        "<message xmlns='jabber:client' from='m.lit' type='error'/>",
        "<message xmlns='jabber:client' from='m.lit' type='groupchat'/>",
        "<message xmlns='jabber:client' from='m.lit' type='headline'/>",
        "<message xmlns='jabber:client' from='m.lit' type='headlin&#101;'/>",
        "<message xmlns='jabber:client' from='j@c.lit' to='j@c.lit/b'><received xmlns='urn:xmpp:carbons:2'/></message>",
        "<message xmlns='jabber:client' from='j@c.lit' to='j@c.lit'/>",
        "<message xmlns='jabber:client' from='j@c.lit/other' to='j@c.lit/b'/>",
        "<message xmlns='jabber:client' from='j@C.Lit' to='j@c.lIT/b'/>",
        "<message xmlns='jabber:client' from='&#106;@c.lit' to='j@c.lit/b@d/e'/>",
        "<message xmlns='jabber:client' from='c.lit' to='C.lit/b'/>",
        "<iq xmlns='jabber:client' from='m.lit' type='result' id='1'/>",
        "<iq xmlns='jabber:client' from='m.lit' type='error' id='1'/>",
        "<iq xmlns='jabber:client' from='m.lit' id='1'/>",
        "<iq xmlns='jabber:client' from='m.lit' type='GET' id='1'/>",
        "<r xmlns='urn:xmpp:sm:3'/>",
        "<a xmlns='urn:xmpp:sm:3' h='1'/>",
        "<message xmlns='jabber:server' from='m.lit'/>",
        "<message xmlns='' from='m.lit'/>",
        "<message from='m.lit'/>",
        "<messages xmlns='jabber:client' from='m.lit'/>",
        "<body xmlns='jabber:client' from='m.lit' type='get'/>",
        "<x xmlns='urn:x'><message xmlns='jabber:client' from='m.lit'/></x>",
        "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features>",
        "<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
        "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>AA==</success>",
    ]

    @Test(
        "another account, however alike, is another account (T-12 b)",
        arguments: [
            ("J@c.lit", "j@c.lit/b"), ("j@c.lit", "c.lit"), ("c.lit", "j@c.lit/b"), ("j@c.lit.x", "j@c.lit/b"),
            ("j@c", "j@c.lit/b"), ("x/j@c.lit", "j@c.lit/b"), ("@c.lit", "c.lit@"), ("j@ß.lit", "j@ss.lit"),
        ])
    func otherAccounts(from: String, to: String) {
        let element = "<message xmlns='jabber:client' from='\(from)' to='\(to)'/>"
        #expect(returned(element) == Self.message(" to='\(from)'"))
    }

    @Test("in order, what is not returned left out")
    func order() {
        let elements = (Self.never + Self.returns.map(\.0) + Self.never.reversed()).joined()
        #expect(returned(elements) == Self.returns.map(\.1).joined())
        let alternating = zip(Self.returns, Self.never).map { $0.0.0 + $0.1 }.joined(separator: "\n")
        #expect(returned(alternating) == Self.returns.map(\.1).joined())
    }

    @Test("what UpstreamXML gives for a client comes back, whatever the server's prefixes")
    func fromUpstream() {
        let stream =
            "<s:stream xmlns:s='http://etherx.jabber.org/streams' xmlns='jabber:client' xmlns:c='jabber:client' version='1.0'>"
            + "<s:features><x xmlns='urn:x'/></s:features><c:iq type='get' from='a'/><message from='b' id='1'>"
            + "<body>&lt;<![CDATA[</message>]]></body></message><presence from='c'/><r xmlns='urn:xmpp:sm:3'/>"
            + "<message c:from='d' from='e'/><s:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></s:error>"
        var elements: [UInt8] = []
        for item in items(stream, UpstreamReader()) {
            switch item {
            case .features(_, let bytes), .streamError(_, _, let bytes), .stanza(let bytes, _, _): elements += bytes
            default: continue
            }
        }
        #expect(returned(elements) == Self.iq(" to='a'") + Self.message(" to='b' id='1'") + Self.message(" to='e'"))
    }

    @Test("the most attributes and declarations that the server's side lets through do not get in the way")
    func mostAttributes() {
        let limits = XMLLimits(attributes: 64)
        let declared = (0..<60).map { " xmlns:p\($0)='urn:\($0)'" }.joined()
        let header = "<s:stream xmlns:s='http://etherx.jabber.org/streams' xmlns='jabber:client'\(declared)>"
        let attributes = (0..<60).map { " p\($0):a='1'" }.joined()
        let element = "<message from='a'\(attributes)/><message from='b'/>"
        var elements: [UInt8] = []
        for case .stanza(let bytes, _, _) in items(header + element, UpstreamReader(limits: limits)) {
            elements += bytes
        }
        var result: [UInt8] = []
        #expect(StanzaReturn(limits: limits).append(returning: elements.span, into: &result) == 2)
        #expect(String(decoding: result, as: UTF8.self) == Self.message(" to='a'") + Self.message(" to='b'"))
    }

    @Test("malformed input: what was read before it is returned, and the next input is in order", arguments: malformed)
    func malformedInput(text: String) {
        let first = Self.returns[0]
        #expect(returned(first.0 + text + first.0) == first.1)
        #expect(returned(first.0) == first.1)
    }

    static let malformed = [
        "x", "&amp;", "<![CDATA[x]]>", "<!-- -->", "<?pi?>", "<!DOCTYPE a>", "</body>", "</a>", "<", "<>", "< a/>",
        "<a",
        "<a b='", "<a b='<'/>", "<a></", "<a/ >",
    ]

    @Test("input past the limits: what was read before it is returned")
    func inputPastLimits() {
        malformedInput(text: String(repeating: "<a>", count: 100_000))
        malformedInput(text: "<a" + String(repeating: " a=''", count: 1000) + "/>")
    }

    @Test("an element with a start tag that is out of order is not returned, those around it are", arguments: skipped)
    func skippedElement(text: String) {
        let first = Self.returns[0]
        #expect(returned(first.0 + text + first.0) == first.1 + first.1)
    }

    static let skipped = [
        "<message xmlns='jabber:client' from='a' from='b'/>",
        "<message xmlns='jabber:client' from=a/>",
        "<message xmlns='jabber:client' from='&nbsp;'/>",
        "<message xmlns='jabber:client' from='&#0;'/>",
        "<message xmlns='jabber:client' from='a'id='b'/>",
        "<message xmlns='jabber:client' from='\u{1}'/>",
    ]

    @Test("bytes that are not UTF-8 never leave")
    func notUTF8() {
        for byte in [UInt8(0x80), 0xC0, 0xED, 0xFF, 0x00] {
            let element = Array("<message xmlns='jabber:client' from='".utf8) + [byte] + Array("'/>".utf8)
            #expect(returned(element) == "")
        }
    }

    @Test("every beginning of a run returns the elements that are whole in it")
    func everyBeginning() {
        let pieces = Self.returns.map { ($0.0.utf8.count, $0.1) }
        let whole = Array(Self.returns.map(\.0).joined().utf8)
        for length in 0...whole.count {
            var rest = length
            var expected = ""
            for (count, error) in pieces {
                guard rest >= count else { break }
                rest -= count
                expected += error
            }
            #expect(returned(Array(whole[..<length])) == expected, "\(length)")
        }
    }

    @Test("huge input: many elements, and single ones with much in them; the output stays linear")
    func huge() {
        let element = "<message xmlns='jabber:client' from='a'>\(String(repeating: "<b>x</b>", count: 20))</message>"
        #expect(
            returned(String(repeating: element, count: 20_000))
                == String(repeating: Self.message(" to='a'"), count: 20_000))
        let quotes = String(repeating: "'", count: 1_000_000)
        let quoted = Array("<message xmlns='jabber:client' id=\"\(quotes)\" from='a'/>".utf8)
        let result = returned(quoted)
        #expect(result == Self.message(" to='a' id='\(String(repeating: "&apos;", count: 1_000_000))'"))
        #expect(result.utf8.count <= quoted.count * 6)
        let smallest = "<iq xmlns='jabber:client' type='get'/>"
        #expect(returned(smallest).utf8.count <= smallest.utf8.count * 6)
    }

    @Test("a million distinct names, and then an honest stanza")
    func millionNames() {
        var largest = 0
        for round in 0..<20_000 {
            var text = "<a"
            for index in 0..<50 { text += " z\(round * 50 + index)=''" }
            #expect(returned(text + "/>") == "")
            largest = max(largest, stanzaReturn.nameCount)
        }
        #expect(largest <= 4096)
        #expect(returned(Self.returns[0].0) == Self.returns[0].1)
    }

    @Test("what is returned to the server is what it would accept: one legal stanza each, in random input")
    func randomElements() throws {
        for seed in UInt64(0)..<1000 {
            var random = RandomXML(seed: seed)
            var elements = ""
            var expected = 0
            for _ in 0..<Int.random(in: 1...4, using: &random.generator) {
                let from = random.text(in: "'")
                let type = random.pick(["", " type='get'", " type='set'", " type='result'", " type='chat'"])
                let name = random.pick(["message", "iq", "presence"])
                let inner = random.element(depth: 2, uris: ["urn:a", "jabber:client"])
                elements += "<\(name) xmlns='jabber:client'\(type) from='\(from)'>\(inner)</\(name)>"
                let asks = type == " type='get'" || type == " type='set'"
                expected += (name == "message" && !from.isEmpty) || (name == "iq" && asks) ? 1 : 0
            }
            var result = Array("<stream xmlns='jabber:client'>".utf8)
            #expect(
                stanzaReturn.append(returning: Array(elements.utf8).span, into: &result) == expected,
                "seed \(seed): \(elements)")
            let children = try #require(InfosetTree.children(of: result + Array("</stream>".utf8)), "seed \(seed)")
            #expect(children.count == expected)
            #expect(children.allSatisfy { $0.hasPrefix("<{jabber:client}") && $0.contains(" {}type=error") })
        }
    }

    @Test("mutated input never traps, and whatever comes out is well-formed")
    func mutatedElements() {
        let whole = Array((Self.returns.map(\.0) + Self.never).joined().utf8)
        var returned = 0
        for seed in UInt64(0)..<3000 {
            var random = RandomXML(seed: seed)
            let start = Int.random(in: 0..<whole.count, using: &random.generator)
            let part = Array(whole[start..<min(whole.count, start + 400)])
            var result = Array("<stream xmlns='jabber:client'>".utf8)
            let bytes = random.mutated(seed.isMultiple(of: 2) ? part : whole)
            let count = stanzaReturn.append(returning: bytes.span, into: &result)
            #expect(InfosetTree.children(of: result + Array("</stream>".utf8))?.count == count, "seed \(seed)")
            returned += count
        }
        #expect(returned > 100)
    }
}
