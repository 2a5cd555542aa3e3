import StreamCore
import Testing

@testable import XMLCodec

/// Well-formed elements of a server that are only too deep, wide or large: they do not end the stream.
@Suite("Skipped elements (N-11)")
struct ElementSkipTests {
    private let limits = XMLLimits(depth: 8, attributes: 6, names: 100, declarations: 10, elementSize: 400)

    private func nested(_ depth: Int, _ content: String = "") -> String {
        String(repeating: "<a>", count: depth) + content + String(repeating: "</a>", count: depth)
    }

    private func attributes(_ count: Int) -> String { (0..<count).map { " a\($0)='x'" }.joined() }

    /// The items of `text` followed by a stanza. They must not depend on where reads end.
    private func read(_ text: String, _ reader: UpstreamReader, header: String = streamHeader) -> [UpstreamItem] {
        let bytes = Array((header + text + "<m/>").utf8)
        let whole = items([bytes], reader)
        #expect(items(bytes.map { [$0] }, reader) == whole, "\(text.prefix(80))")
        for point in stride(from: 0, through: bytes.count, by: 1 + bytes.count / 300) {
            #expect(items([Array(bytes[..<point]), Array(bytes[point...])], reader) == whole, "split at \(point)")
        }
        return Array(whole.dropFirst())
    }

    private let stanza = UpstreamItem.stanza(
        bytes: Array("<m xmlns='jabber:client'/>".utf8))

    private func skipped(_ limit: String, _ text: String, _ kind: SkippedStanza.Kind = .other) -> UpstreamItem {
        .skipped(SkippedStanza(kind: kind, limit: limit, size: text.utf8.count))
    }

    @Test("memory-limit: without memory an element is skipped that would be delivered, also when it has begun to come")
    func skipsForWantOfMemory() {
        let reader = UpstreamReader()
        var stream = UpstreamXML()
        var kinds: [String] = []
        func feed(_ text: String) {
            let bytes = Array(text.utf8)
            var offset = 0
            while offset < bytes.count, let item = stream.next(bytes.span, offset: &offset, reader: reader) {
                switch item {
                case .stanza: kinds.append("stanza")
                case .skipped: kinds.append("skipped")
                case .header: kinds.append("header")
                default: kinds.append("\(item)")
                }
            }
        }
        feed("<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>")
        let text = String(repeating: "x", count: 2_000)
        feed("<message>\(text)")
        reader.shortageBound = 1_000
        feed("\(text)</message><message>small</message><message>\(text)</message>")
        reader.shortageBound = nil
        feed("<message>\(text)</message>")
        #expect(kinds == ["header", "skipped", "stanza", "skipped", "stanza"])
    }

    @Test("too deep, too wide, too large in every part: skipped, and the next stanza is delivered")
    func beyondLimits() {
        let reader = UpstreamReader(limits: limits)
        let long = String(repeating: "x", count: 500)
        let many = String(repeating: "x ", count: 300)
        for (limit, text) in [
            ("depth", nested(8)), ("depth", nested(9, "text<b c='d'/>")), ("depth", nested(40)),
            ("depth", "<m>\(nested(7))\(nested(8))</m>"),
            ("attributes", "<m\(attributes(7))/>"), ("attributes", "<m\(attributes(7))>a</m>"),
            ("attributes", "<m><n\(attributes(30))/></m>"),
            ("attributes", "<m><n a='1' b='2' c='3' xmlns:a='a' xmlns:b='b' xmlns:c='c' d='4'/>x</m>"),
            ("element-size", "<m>\(long)</m>"), ("element-size", "<m>\(many)</m>"),
            ("element-size", "<m a='\(long)'/>"),
            ("element-size", "<m \(String(repeating: " ", count: 500))/>"), ("element-size", "<\(long)/>"),
            ("element-size", "<m><![CDATA[\(long)]]></m>"),
            ("element-size", "<m><![CDATA[\(long)]]]]><![CDATA[>]]>]]&gt;</m>"),
            ("element-size", "<m><![CDATA[<![CDATA[\(long)</m>]]></m>"),
            ("element-size", "<m></m\(String(repeating: " ", count: 500))>"),
            ("element-size", "<m>\(String(repeating: "é€😀", count: 90))</m>"),
            ("element-size", "<m>\(String(repeating: "&#xe9;&lt;", count: 60))</m>"),
            ("element-size", "<m>\(String(repeating: "<a/>", count: 200))</m>"),
            ("element-size", "<m ü='\(long)'><é/></m>"),
            ("depth", nested(9, "\(long)\(nested(20))<b\(attributes(20))/>")),
        ] {
            #expect(read(text, reader) == [skipped(limit, text), stanza], "\(text.prefix(60))")
        }
    }

    @Test("names and declarations are found too many when the element is read: skipped as well")
    func limitsOfReading() {
        let reader = UpstreamReader(
            limits: XMLLimits(depth: 30, attributes: 20, names: 20, declarations: 10, elementSize: 4_000))
        let names = "<m>" + (0..<30).map { "<name\($0)/>" }.joined() + "</m>"
        // A name that was met before is not new, so each stream uses its own names.
        #expect(items(streamHeader + names + "<m/>", reader).dropFirst() == [skipped("names", names), stanza])
        let name = String(repeating: "x", count: 100_000)
        for text in ["<m><\(name)/></m>", "<m \(name)='1'/>", "<m><n xmlns:\(name)='u'/></m>", "<\(name)></\(name)>"] {
            #expect(
                items(streamHeader + text + "<m/>", UpstreamReader()).dropFirst() == [skipped("names", text), stanza])
        }
        let scopes = (0..<12).map { "<a xmlns='urn:\($0)'>" }.joined() + String(repeating: "</a>", count: 12)
        #expect(read(scopes, reader) == [skipped("declarations", scopes), stanza])
    }

    @Test("what an answer needs is kept of the start tag")
    func startTag() {
        let reader = UpstreamReader(limits: limits)
        let content = nested(10)
        func kept(_ tag: String) -> SkippedStanza? {
            let text = "<\(tag)>\(content)</\(tag.prefix { $0 != " " })>"
            guard case .skipped(let stanza)? = read(text, reader).first else { return nil }
            #expect(stanza.size == text.utf8.count)
            return stanza
        }
        let size = 70
        for kind in [SkippedStanza.Kind.message, .presence, .iq] {
            let tag = "\(kind) type='set' x='y' id='a&amp;&#38;&lt;b' from='ü@a/b' to='c@d'"
            var stanza = kept(tag)
            stanza?.size = size
            #expect(
                stanza
                    == SkippedStanza(
                        kind: kind, limit: "depth", size: size, type: Array("set".utf8), id: Array("a&&<b".utf8),
                        from: Array("ü@a/b".utf8), to: Array("c@d".utf8)))
        }
        #expect(kept("message xmlns='urn:x' id='1'")?.kind == .other)
        #expect(kept("query id='1'")?.kind == .other)
        #expect(kept("iq xmlns:p='urn:p' p:id='1'")?.id == nil)
        #expect(kept("iq from='' id=''")?.from == [])
    }

    @Test("a start tag of more than 16 KiB of what is kept is kept without it")
    func longStartTag() {
        let reader = UpstreamReader(limits: limits)
        let fits = "<iq id='\(String(repeating: "x", count: 16_384))'/>"
        guard case .skipped(let stanza)? = items(streamHeader + fits, reader).last else {
            Issue.record("not skipped")
            return
        }
        #expect(stanza.id?.count == 16_384)
        let more = "<iq to='a' id='\(String(repeating: "x", count: 16_384))'/>"
        #expect(items(streamHeader + more, reader).last == skipped("element-size", more, .iq))
    }

    @Test("the root's prefixes are in scope, whatever the root is called")
    func scope() {
        let reader = UpstreamReader(limits: XMLLimits(depth: 8, elementSize: 20_000))
        let header =
            "<s:stream xmlns:s='http://etherx.jabber.org/streams' xmlns='jabber:client' xmlns:p='urn:p' id='1'>"
        let text = "<p:x>\(nested(10, "<p:y p:z=''/>"))</p:x>"
        #expect(read(text, reader, header: header) == [skipped("depth", text), stanza])
        let unbound = "<m>\(nested(10, "<q:y/>"))</m>"
        #expect(read(unbound, reader, header: header) == [.fault(.malformed)])
    }

    @Test("what is wrong in a skipped element ends the stream", arguments: wrong)
    func wrongContent(text: String, fault: StreamFault) {
        let reader = UpstreamReader(limits: limits)
        for start in [String(repeating: "<a>", count: 10), "<a>" + String(repeating: "x", count: 600)] {
            let depth = start.count == 30 ? 10 : 1
            let element = start + text + String(repeating: "</a>", count: depth)
            #expect(read(element, reader) == [.fault(fault)], "\(start.prefix(8))")
            // On both sides of the limit: the part before it was kept, and is judged like the part after it.
            let early = "<m>" + text + start + String(repeating: "</a>", count: depth) + "</m>"
            #expect(read(early, reader) == [.fault(fault)], "\(start.prefix(8))")
        }
    }

    static let wrong: [(String, StreamFault)] = [
        ("<!-- -->", .restrictedXML), ("<?pi?>", .restrictedXML), ("<!DOCTYPE a>", .restrictedXML),
        ("<!ENTITY a 'b'>", .restrictedXML), ("&lol;", .restrictedXML), ("<b a='&lol;'/>", .restrictedXML),
        ("&#0;", .malformed), ("&", .malformed), ("&amp", .malformed), ("</b>", .malformed), ("<b></c>", .malformed),
        ("<b a='1' a='2'/>", .malformed), ("<b a/>", .malformed), ("<b a=1/>", .malformed), ("<x:b/>", .malformed),
        ("<b x:a=''/>", .malformed), ("<b xmlns:x=''/>", .malformed), ("]]>", .malformed), ("<b a='<'/>", .malformed),
        ("<1/>", .malformed), ("\u{0}", .malformed), ("\u{FFFE}", .malformed), ("<b\u{1}/>", .malformed),
        ("<b a='\u{1}'/>", .malformed), ("<![CDATA[\u{1}]]>", .malformed),
        ("<b xmlns:a='u' xmlns:b='u' a:x='1' b:x='2'/>", .malformed), ("<b></b x='1'>", .malformed),
    ]

    @Test("bytes that are no UTF-8, wherever they stand")
    func encoding() {
        let reader = UpstreamReader(limits: limits)
        for bad in [[0x80], [0xC3], [0xE2, 0x82], [0xF0, 0x9F, 0x98], [0xED, 0xA0, 0x80], [0xFF]] as [[UInt8]] {
            for (before, after) in [("", ""), ("<b a='", "'/>"), ("<![CDATA[", "]]>"), ("<b", "/>")] {
                let start = Array((streamHeader + "<m>" + nested(8) + before).utf8)
                let bytes = start + bad + Array((after + "</m><m/>").utf8)
                #expect(items([bytes], reader).last == .fault(.malformed), "\(before)")
                #expect(items(bytes.map { [$0] }, reader).last == .fault(.malformed), "\(before)")
            }
        }
    }

    @Test("what the stream itself cannot do without ends it: features, errors, negotiation")
    func ofStream() {
        let reader = UpstreamReader(limits: limits)
        let long = String(repeating: "x", count: 500)
        for name in [
            "stream:features", "stream:error", "stream:x", "proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'",
            "compressed xmlns='http://jabber.org/protocol/compress'",
            "challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'", "success xmlns='urn:xmpp:sasl:2'",
        ] {
            let end = name.prefix { $0 != " " }
            #expect(read("<\(name)>\(nested(9))</\(end)>", reader) == [.fault(.limit("depth"))], "\(name)")
            #expect(read("<\(name)>\(long)</\(end)>", reader) == [.fault(.limit("element-size"))], "\(name)")
        }
        // The stream's own end tag is no element, however long it is.
        #expect(
            items(streamHeader + "</stream:stream\(String(repeating: " ", count: 500))>", reader).last
                == .fault(.limit("element-size")))
    }

    @Test("max-skipped: an element beyond it ends the stream")
    func skippedSize() {
        let reader = UpstreamReader(limits: XMLLimits(elementSize: 400, skippedSize: 1_000))
        let fits = "<m>\(String(repeating: "x", count: 993))</m>"
        #expect(read(fits, reader) == [skipped("element-size", fits), stanza])
        for text in [
            "<m>x\(fits.dropFirst(3))", "<m><![CDATA[\(String(repeating: "x", count: 1_000))]]></m>",
            "<m a='\(String(repeating: "x", count: 1_000))'/>",
        ] {
            #expect(read(text, reader) == [.fault(.limit("skipped-size"))])
        }
    }

    @Test("a tag with tens of thousands of attributes is skipped, and its namespaces are still in scope")
    func widest() {
        let reader = UpstreamReader()
        for (open, close) in [("<m xmlns:p='urn:p'", "><p:a/></m>"), ("<m", "/>"), ("<m><n", "/></m>")] {
            let text = open + attributes(50_000) + close
            #expect(items(streamHeader + text + "<m/>", reader).dropFirst() == [skipped("attributes", text), stanza])
            let chunks = stride(from: 0, to: text.utf8.count, by: 1_000).map { start in
                Array(text.utf8.dropFirst(start).prefix(1_000))
            }
            #expect(items([Array(streamHeader.utf8)] + chunks, reader).last == skipped("attributes", text))
        }
        let unbound = "<m\(attributes(50_000))><p:a/></m>"
        #expect(items(streamHeader + unbound, reader).last == .fault(.malformed))
        let declared = "<m" + (0..<10_000).map { " xmlns:a\($0)='u'" }.joined() + "/>"
        #expect(items(streamHeader + declared, reader).last == .fault(.limit("declarations")))
    }

    @Test("the deepest that servers let through is skipped; far beyond the stream ends")
    func deepest() {
        let reader = UpstreamReader(limits: XMLLimits(depth: 1_000))
        let most = nested(999)
        #expect(forwarded(most, reader) != nil)
        for depth in [1_000, 76_800, 99_998] {
            let text = nested(depth)
            #expect(items(streamHeader + text + "<m/>", reader).dropFirst() == [skipped("depth", text), stanza])
        }
        #expect(items(streamHeader + nested(100_000), reader).last == .fault(.limit("depth")))
    }

    @Test("what is skipped is not kept, in text, sections, tags and references")
    func memory() {
        let reader = UpstreamReader(limits: XMLLimits(elementSize: 1_000))
        for (start, piece) in [("<m>", "x "), ("<m><![CDATA[", "x>]"), ("<m>", "<a b='c'>d</a>"), ("<m>", "&amp;é")] {
            var stream = UpstreamXML()
            var offset = 0
            _ = stream.next(Array(streamHeader.utf8).span, offset: &offset, reader: reader)
            offset = 0
            #expect(stream.next(Array(start.utf8).span, offset: &offset, reader: reader) == nil)
            let bytes = Array(String(repeating: piece, count: 16_384 / piece.utf8.count).utf8)
            for _ in 0..<200 {
                offset = 0
                #expect(stream.next(bytes.span, offset: &offset, reader: reader) == nil)
                #expect(offset == bytes.count)
                #expect(stream.heldBytes <= 65_536, "\(piece)")
            }
            offset = 0
            let rest = Array((start.hasSuffix("[") ? "]]></m>" : "</m>").utf8)
            guard case .skipped(let stanza)? = stream.next(rest.span, offset: &offset, reader: reader) else {
                Issue.record("not skipped: \(piece)")
                continue
            }
            #expect(stanza.size > 3_000_000)
            #expect(!stream.hasPartial)
            #expect(reader.skips.count == 0)
        }
        // A character reference that does not end.
        let endless = "<m>&#" + String(repeating: "0", count: 200_000)
        #expect(items(streamHeader + endless, reader).last == .fault(.limit("element-size")))
    }

    @Test("sixteen elements are skipped at a time; one more takes the context of the oldest")
    func contexts() {
        let reader = UpstreamReader(limits: limits)
        let start = Array((streamHeader + nested(9).dropLast(4)).utf8)
        let end = Array("</a>".utf8)
        var streams: [UpstreamXML] = []
        for _ in 0..<17 {
            var stream = UpstreamXML()
            var offset = 0
            while stream.next(start.span, offset: &offset, reader: reader) != nil {}
            streams.append(stream)
        }
        #expect(reader.skips.count == 16)
        for index in streams.indices {
            var offset = 0
            let item = streams[index].next(end.span, offset: &offset, reader: reader)
            #expect(item == (index == 0 ? .fault(.limit("skips")) : skipped("depth", nested(9))), "\(index)")
        }
        #expect(reader.skips.count == 0)
    }

    @Test("framer and libxml2 agree on where elements end, for random streams")
    func agreement() {
        let agreed = (UInt64(0)..<60).map(agreement)
        #expect(agreed.count { $0 } > 20, "hardly a stream is read at all")
    }

    /// Whether the stream of this seed was read up to its first element.
    private func agreement(seed: UInt64) -> Bool {
        var random = RandomXML(seed: seed)
        let document = RandomDocument.stream(&random)
        let bytes = Array(document.text.utf8)
        let usual = items([bytes], UpstreamReader())
        let strict = UpstreamReader(limits: XMLLimits(depth: 3, attributes: 8, names: 30, elementSize: 400))
        let whole = items([bytes], strict)
        #expect(items(bytes.map { [$0] }, strict) == whole, "seed \(seed)")
        guard case .header? = whole.first else { return false }
        // Each element is delivered or skipped, in its place.
        var isCut = false
        for (index, item) in whole.enumerated() {
            switch item {
            case .skipped:
                guard case .stanza = usual[index] else {
                    Issue.record("seed \(seed): \(usual[index])")
                    return false
                }
            case .fault(.limit): isCut = true
            default: #expect(item == usual[index], "seed \(seed)")
            }
        }
        #expect(isCut || whole.count == usual.count, "seed \(seed)")
        return whole.count > 1
    }
}
