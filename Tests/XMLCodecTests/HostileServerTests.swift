import StreamCore
import Testing

@testable import XMLCodec

/// Bytes that no honest server sends. Each ends its own stream with the right fault, and the next stream is read as
/// always.
@Suite("Hostile servers")
struct HostileServerTests {
    private static let plainHeader =
        "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"

    /// The last item and all items before it, which must not depend on where reads end.
    private func itemsOfAnyPieces(_ bytes: [UInt8], _ reader: UpstreamReader) -> [UpstreamItem] {
        let whole = items([bytes], reader)
        #expect(items(bytes.map { [$0] }, reader) == whole)
        // All split points of a small input, and some of a large one.
        for point in stride(from: 0, through: bytes.count, by: 1 + bytes.count / 300) {
            #expect(items([Array(bytes[..<point]), Array(bytes[point...])], reader) == whole, "split at \(point)")
        }
        return whole
    }

    private func itemsOfAnyPieces(_ text: String, _ reader: UpstreamReader) -> [UpstreamItem] {
        itemsOfAnyPieces(Array(text.utf8), reader)
    }

    @Test("instead of a header", arguments: openings)
    func opening(text: String, fault: StreamFault) {
        let reader = UpstreamReader()
        #expect(itemsOfAnyPieces(text, reader) == [.fault(fault)])
        #expect(items(Self.plainHeader + "<iq/>", reader).count == 2)
    }

    static let openings: [(String, StreamFault)] = [
        // Another protocol.
        ("SSH-2.0-OpenSSH_9.2\r\n", .malformed),
        ("220 mail.example.test ESMTP\r\n", .malformed),
        ("HTTP/1.1 400 Bad Request\r\n\r\n", .malformed),
        ("\u{15}\u{3}\u{1}\u{0}\u{2}\u{2}F", .tlsRecord),
        ("\u{16}\u{3}\u{1}", .tlsRecord),
        ("\u{14}\u{3}\u{1}", .malformed),
        ("\u{0}", .malformed),
        (" \n\u{0}<stream:stream>", .malformed),
        ("{\"a\":1}", .malformed),
        ("<html><head>", .invalidNamespace),
        ("<!DOCTYPE html><html>", .restrictedXML),
        // RFC 6120 §11.6: a byte order mark is text.
        ("\u{FEFF}<?xml version='1.0'?>" + plainHeader, .malformed),
        ("\u{FEFF}" + plainHeader, .malformed),
        // XML, but more than is allowed before the root.
        ("<?xml version='1.0'?><?xml version='1.0'?>" + plainHeader, .restrictedXML),
        ("<?xml version='1.0'?>\n<?xml version='1.0'?>" + plainHeader, .restrictedXML),
        ("<?xml version='1.1'?>" + plainHeader, .malformed),
        ("<?xml version='1.0' encoding='UTF-16'?>" + plainHeader, .malformed),
        ("<?xml version='1.0' encoding='UTF-7'?>" + plainHeader, .malformed),
        ("<?xml-stylesheet href='x'?>" + plainHeader, .restrictedXML),
        ("<?xml ?>" + plainHeader, .malformed),
        ("<!-- -->" + plainHeader, .restrictedXML),
        ("<?xml version='1.0'?><!-- -->" + plainHeader, .restrictedXML),
        ("<?xml version='1.0'?>text" + plainHeader, .malformed),
        ("<![CDATA[x]]>" + plainHeader, .malformed),
        ("<!DOCTYPE x [<!ENTITY a 'b'>]>" + plainHeader, .restrictedXML),
        ("<!ELEMENT x>" + plainHeader, .restrictedXML),
        // Another root.
        ("<stream xmlns='jabber:client'>", .invalidNamespace),
        ("<stream:stream xmlns:stream='http://etherx.jabber.org/streams' xmlns='jabber:server'>", .invalidNamespace),
        (
            "<stream:stream xmlns:stream='http://etherx.jabber.org/streams' xmlns='jabber:component:accept'>",
            .invalidNamespace
        ),
        ("<stream:stream xmlns:stream='http://etherx.jabber.org/streams' xmlns=''>", .invalidNamespace),
        ("<stream:stream xmlns:stream='http://etherx.jabber.org/streams'>", .invalidNamespace),
        ("<stream:stream xmlns:stream='http://etherx.jabber.org/streams/' xmlns='jabber:client'>", .invalidNamespace),
        ("<stream:stream xmlns:stream='HTTP://etherx.jabber.org/streams' xmlns='jabber:client'>", .invalidNamespace),
        ("<stream:Stream xmlns:stream='http://etherx.jabber.org/streams' xmlns='jabber:client'>", .invalidNamespace),
        ("<stream:error xmlns:stream='http://etherx.jabber.org/streams' xmlns='jabber:client'>", .invalidNamespace),
        ("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing'>", .invalidNamespace),
        ("<body xmlns='http://jabber.org/protocol/httpbind'>", .invalidNamespace),
        ("<stream:stream xmlns='jabber:client'>", .invalidNamespace),
        // Not a valid header.
        ("<stream:stream xmlns:stream='http://etherx.jabber.org/streams' xmlns='jabber:client'/>", .malformed),
        ("<stream:stream xmlns:stream='http://etherx.jabber.org/streams' xmlns='jabber:client' id=x>", .malformed),
        (
            "<stream:stream xmlns:stream='http://etherx.jabber.org/streams' xmlns='jabber:client' id='&x;'>",
            .restrictedXML
        ),
        ("<stream:stream xmlns:stream='http://etherx.jabber.org/streams' xmlns='jabber:client' id='&#0;'>", .malformed),
        (
            "<stream:stream xmlns:stream='http://etherx.jabber.org/streams' xmlns='jabber:client' id='\u{0}'>",
            .malformed
        ),
        (
            "<stream:stream xmlns:stream='http://etherx.jabber.org/streams' xmlns='jabber:client' id='a' id='b'>",
            .malformed
        ),
        ("<stream:stream xmlns:stream='http://etherx.jabber.org/streams' xmlns='jabber:client' p:id='a'>", .malformed),
        ("<stream:stream xmlns:stream='http://etherx.jabber.org/streams' xmlns='jabber:client' id='<'>", .malformed),
        ("<stream:stream<", .malformed),
        ("< stream:stream>", .malformed),
        ("<>", .malformed),
        ("</stream:stream>", .malformed),
    ]

    @Test("inside a stream", arguments: contents)
    func content(text: String, fault: StreamFault) {
        let reader = UpstreamReader()
        let all = itemsOfAnyPieces(Self.plainHeader + "<iq/>" + text, reader)
        #expect(all.count == 3)
        #expect(all.last == .fault(fault))
        #expect(items(Self.plainHeader + "<iq/>", reader).count == 2)
    }

    static let contents: [(String, StreamFault)] = [
        // A second stream inside the first one.
        (plainHeader + "</stream:stream>", .invalidNamespace),
        ("<stream:stream/>", .invalidNamespace),
        ("<stream:stream to='x'><iq/></stream:stream>", .invalidNamespace),
        ("<?xml version='1.0'?>" + plainHeader, .restrictedXML),
        ("\n<?xml version='1.0'?>", .restrictedXML),
        // What restricted XML forbids.
        ("<!-- -->", .restrictedXML),
        ("<m><!-- --></m>", .restrictedXML),
        ("<?pi?>", .restrictedXML),
        ("<m><?pi?></m>", .restrictedXML),
        ("<!DOCTYPE m>", .restrictedXML),
        ("<m><!DOCTYPE m></m>", .restrictedXML),
        ("<m><!ENTITY a 'b'></m>", .restrictedXML),
        ("<m>&lol;</m>", .restrictedXML),
        ("<m a='&lol;'/>", .restrictedXML),
        ("<m>&#xFFFF;</m>", .malformed),
        ("<m>&#x110000;</m>", .malformed),
        ("<m>&#99999999999999999999;</m>", .malformed),
        ("<m>&#x0;</m>", .malformed),
        ("<m>&</m>", .malformed),
        ("<m>&amp</m>", .malformed),
        // Text where only elements may stand.
        ("text", .malformed),
        ("&#32;", .malformed),
        ("\u{FEFF}<m/>", .malformed),
        ("\u{A0}<m/>", .malformed),
        ("\u{0}", .malformed),
        ("<![CDATA[ ]]>", .malformed),
        // Not well-formed, or not by namespaces.
        ("<m>\u{0}</m>", .malformed),
        ("<m a='\u{0}'/>", .malformed),
        ("<m\u{0}/>", .malformed),
        ("<m>\u{FFFE}</m>", .malformed),
        ("<m></M>", .malformed),
        ("<m></m x='1'>", .malformed),
        ("<a></b></a>", .malformed),
        ("<m></stream:stream>", .malformed),
        ("</stream:stream x='1'>", .malformed),
        ("</Stream:stream>", .malformed),
        ("<m a='1' a='2'/>", .malformed),
        ("<m xmlns:a='u' xmlns:b='u' a:x='1' b:x='2'/>", .malformed),
        ("<m a/>", .malformed),
        ("<m a=/>", .malformed),
        ("<m a='1'b='2'/>", .malformed),
        ("<m a='<'/>", .malformed),
        ("<x:m/>", .malformed),
        ("<m x:a='1'/>", .malformed),
        ("<m xmlns:x=''/>", .malformed),
        ("<m:n:o/>", .malformed),
        ("<m>]]></m>", .malformed),
        ("<m/ >", .malformed),
        ("< m/>", .malformed),
        ("<1/>", .malformed),
        // What the server may not say, or not now.
        ("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", .invalidNamespace),
        ("<compress xmlns='http://jabber.org/protocol/compress'/>", .invalidNamespace),
        ("<stream:other/>", .invalidNamespace),
        ("<x:features xmlns:x='http://etherx.jabber.org/streams' xmlns:stream='urn:x'/>", .invalidNamespace),
    ]

    @Test("bytes that are no UTF-8, in every place and however reads cut them", arguments: notUTF8)
    func encoding(bad: [UInt8]) {
        let reader = UpstreamReader()
        let head = Array(Self.plainHeader.utf8)
        let places: [(String, String)] = [
            ("<m>", "</m>"), ("<m a='", "'/>"), ("<m ", "='1'/>"), ("<m><![CDATA[", "]]></m>"),
        ]
        for (before, after) in places {
            let bytes = head + Array(before.utf8) + bad + Array(after.utf8)
            #expect(itemsOfAnyPieces(bytes, reader).last == .fault(.malformed), "\(before)")
        }
        let header = Array("<stream:stream xmlns='jabber:client' id='".utf8) + bad
        let rest = Array("' xmlns:stream='http://etherx.jabber.org/streams'>".utf8)
        #expect(itemsOfAnyPieces(header + rest, reader) == [.fault(.malformed)])
        // At the start and between elements, any such byte counts as text.
        #expect(items([bad], reader) == [.fault(.malformed)])
        #expect(items([head + bad], reader).last == .fault(.malformed))
    }

    static let notUTF8: [[UInt8]] = [
        [0x80], [0xBF, 0xBF], [0xC0, 0x80], [0xC0, 0xBC], [0xC3], [0xC3, 0x28], [0xE0, 0x80, 0xAF], [0xE2, 0x82],
        [0xED, 0xA0, 0x80], [0xF0, 0x9F, 0x98], [0xF0, 0x80, 0x80, 0xBC], [0xF4, 0x90, 0x80, 0x80],
        [0xF8, 0x88, 0x80, 0x80, 0x80], [0xFE], [0xFF],
    ]

    @Test("characters of several bytes are whole again, however reads cut them")
    func splitCharacters() {
        let reader = UpstreamReader()
        let element = "<m ü='é'>é€😀\u{10FFFD}</m>"
        #expect(
            itemsOfAnyPieces(Self.plainHeader + element, reader).last
                == .stanza(
                    bytes: Array("<m xmlns='jabber:client' ü='é'>é€😀\u{10FFFD}</m>".utf8)))
    }

    @Test("a prefix of the server's own for the root, and another for the same namespace inside")
    func boundPrefixes() {
        let reader = UpstreamReader()
        let header = "<s:stream xmlns:s='http://etherx.jabber.org/streams' xmlns='jabber:client' id='1'>"
        let all = itemsOfAnyPieces(
            header + "<s:features/><x:error xmlns:x='http://etherx.jabber.org/streams'/></s:stream>",
            reader)
        #expect(
            all == [
                .header(StreamHeader(from: "", id: "1", version: nil)),
                .features(FeaturesOffer(), bytes: Array("<stream:features/>".utf8)),
                .streamError(
                    condition: "undefined-condition", redirect: nil,
                    bytes: Array("<stream:error xmlns:x='http://etherx.jabber.org/streams'/>".utf8)),
                .end,
            ])
        #expect(items(header + "<s:stream/>", reader).last == .fault(.invalidNamespace))
        #expect(items(header + "<stream:features/>", reader).last == .fault(.malformed))
        #expect(items(header + "</stream:stream>", reader).last == .fault(.malformed))
        #expect(items(header + "<s:x/>", reader).last == .fault(.invalidNamespace))
    }

    // MARK: - Bounds

    @Test("ten thousand attributes, in a header and in a stanza")
    func manyAttributes() {
        let reader = UpstreamReader()
        let many = (0..<10_000).map { " a\($0)='x'" }.joined()
        #expect(items(Self.plainHeader + "<m\(many)/>", reader).last.isSkipped)
        #expect(items(Self.plainHeader + "<m><n><o\(many)/></n></m>", reader).last.isSkipped)
        let fault = UpstreamItem.fault(.limit("attributes"))
        #expect(items(Self.plainHeader.dropLast() + "\(many)>", reader) == [fault])
        let declarations = (0..<10_000).map { " xmlns:a\($0)='x'" }.joined()
        #expect(items(Self.plainHeader + "<m\(declarations)/>", reader).last == .fault(.limit("declarations")))
        // The framer does not count attributes without values, but they are not well-formed either.
        let bare = (0..<10_000).map { " a\($0)" }.joined()
        #expect(items(Self.plainHeader + "<m\(bare)/>", reader).last == .fault(.malformed))
    }

    @Test("a depth bomb ends the stream at the depth that may be skipped, before its end has come")
    func depthBomb() {
        let reader = UpstreamReader(limits: XMLLimits(depth: 20))
        let fault = UpstreamItem.fault(.limit("depth"))
        #expect(items(Self.plainHeader + String(repeating: "<a>", count: 1_000_000), reader).last == fault)
        let bomb = String(repeating: "<a>", count: 20) + String(repeating: "</a>", count: 20)
        #expect(itemsOfAnyPieces(Self.plainHeader + bomb, reader).last.isSkipped)
        let deepest = String(repeating: "<a>", count: 19) + String(repeating: "</a>", count: 19)
        #expect(items(Self.plainHeader + deepest, reader).count == 2)
        #expect(!items(Self.plainHeader + deepest, reader).last.isSkipped)
    }

    @Test("a huge attribute is read up to the largest element, and skipped from there on")
    func hugeAttribute() {
        let reader = UpstreamReader(limits: XMLLimits(elementSize: 100_000, skippedSize: 200_000))
        let fits = "<m a='" + String(repeating: "x", count: 100_000 - 9) + "'/>"
        #expect(fits.utf8.count == 100_000)
        #expect(items(Self.plainHeader + fits, reader).count == 2)
        #expect(items(Self.plainHeader + "<m a='x" + fits.dropFirst(6), reader).last.isSkipped)
        let fault = UpstreamItem.fault(.limit("skipped-size"))
        // A name, white space in a tag, a tag that only ends, and CDATA have the same limit.
        for start in ["<", "<m ", "<m a", "<m></m", "<m><![CDATA[", "<m a='"] {
            let filling = start == "<m " || start == "<m></m" ? " " : "x"
            let text = Self.plainHeader + start + String(repeating: filling, count: 100_001)
            #expect(items(text, reader).count == 1, "\(start)")
            let more = Self.plainHeader + start + String(repeating: filling, count: 200_001)
            #expect(items(more, reader).last == fault, "\(start)")
        }
    }

    @Test("nothing of what is refused stays in memory, and nothing after it is read")
    func afterFault() {
        let reader = UpstreamReader(limits: XMLLimits(elementSize: 300, skippedSize: 300))
        var stream = UpstreamXML()
        var offset = 0
        _ = stream.next(Array(Self.plainHeader.utf8).span, offset: &offset, reader: reader)
        let part = Array(("<m>" + String(repeating: "x", count: 200)).utf8)
        offset = 0
        #expect(stream.next(part.span, offset: &offset, reader: reader) == nil)
        #expect(stream.hasPartial)
        offset = 0
        #expect(stream.next(part.span, offset: &offset, reader: reader) == .fault(.limit("skipped-size")))
        #expect(!stream.hasPartial)
        offset = 0
        #expect(stream.next(Array("<iq/>".utf8).span, offset: &offset, reader: reader) == nil)
        #expect(offset == 5)
    }

    @Test("a header ends at 16 KiB, whatever fills it, and elements may still be larger")
    func headerSize() {
        let reader = UpstreamReader()
        #expect(reader.limits.headerSize == 16_384)
        let fault = UpstreamItem.fault(.limit("header-size"))
        let declaration = "<?xml version='1.0'?>"
        let rest = " xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
        for (start, filling) in [
            ("<?xml", " "), ("<?xml version='1.0'", " "), (declaration, " "), (declaration, "\n"),
            (declaration + "<", "s"), ("<stream:stream", " "), ("<stream:stream id='", "x"), ("<stream:stream ", "é"),
        ] {
            let many = String(repeating: filling, count: 20_000)
            #expect(items(start + many, reader) == [fault], "\(start)")
            #expect(items(Array(start.utf8).map { [$0] } + many.utf8.map { [$0] }, reader) == [fault], "\(start)")
        }
        let room = 16_384 - ("<stream:stream" + rest).utf8.count
        let largest = "<stream:stream" + String(repeating: " ", count: room) + rest
        #expect(items(largest + "<iq/>", reader).count == 2)
        #expect(items("<stream:stream " + String(repeating: " ", count: room) + rest, reader) == [fault])
        let large = "<m>" + String(repeating: "x", count: 500_000) + "</m>"
        #expect(items(largest + large, reader).count == 2)
        let small = UpstreamReader(limits: XMLLimits(elementSize: 50))
        #expect(items("<stream:stream" + rest, small) == [fault])
    }

    @Test("the beginning of a header counts as unfinished from its first byte to its last")
    func partialHeader() {
        let reader = UpstreamReader()
        let bytes = Array(streamHeader.utf8)
        var stream = UpstreamXML()
        var offset = 0
        #expect(stream.next(Array(" \n".utf8).span, offset: &offset, reader: reader) == nil)
        #expect(!stream.hasPartial)
        for byte in bytes.dropLast() {
            offset = 0
            #expect(stream.next([byte].span, offset: &offset, reader: reader) == nil)
            #expect(stream.hasPartial)
        }
        offset = 0
        #expect(stream.next(Array(">".utf8).span, offset: &offset, reader: reader) != nil)
        #expect(!stream.hasPartial)
    }

    @Test("an element counts as unfinished from its first byte to its last")
    func partialElement() {
        let reader = UpstreamReader()
        var stream = UpstreamXML()
        var offset = 0
        _ = stream.next(Array(Self.plainHeader.utf8).span, offset: &offset, reader: reader)
        let bytes = Array("<m a='>'><![CDATA[>]]>text</m>".utf8)
        for _ in 0..<3 {
            for byte in bytes.dropLast() {
                offset = 0
                #expect(stream.next([byte].span, offset: &offset, reader: reader) == nil)
                #expect(stream.hasPartial)
            }
            offset = 0
            #expect(stream.next(Array(">\n".utf8).span, offset: &offset, reader: reader) != nil)
            #expect(!stream.hasPartial)
            #expect(stream.next(Array(">\n".utf8).span, offset: &offset, reader: reader) == nil)
            #expect(!stream.hasPartial)
        }
    }

    @Test("a flood of white space costs nothing and ends nothing, before the header and between elements")
    func whiteSpace() {
        let reader = UpstreamReader()
        let space = [UInt8](repeating: 0x0A, count: 65_536)
        var stream = UpstreamXML()
        for _ in 0..<100 {
            var offset = 0
            #expect(stream.next(space.span, offset: &offset, reader: reader) == nil)
            #expect(offset == space.count)
            #expect(!stream.hasPartial)
        }
        var offset = 0
        #expect(stream.next(Array(Self.plainHeader.utf8).span, offset: &offset, reader: reader) != nil)
        for _ in 0..<100 {
            offset = 0
            #expect(stream.next(space.span, offset: &offset, reader: reader) == nil)
            #expect(!stream.hasPartial)
        }
        offset = 0
        #expect(
            stream.next(Array("<m/>".utf8).span, offset: &offset, reader: reader)
                == .stanza(bytes: Array("<m xmlns='jabber:client'/>".utf8)))
    }

    @Test("a namespace flood in one stanza is skipped from the declarations allowed on")
    func declarations() {
        let reader = UpstreamReader(limits: XMLLimits(declarations: 20))
        let nested = (0..<30).map { "<a xmlns='urn:\($0)'>" }.joined()
        let ends = String(repeating: "</a>", count: 30)
        #expect(items(Self.plainHeader + nested + ends, reader).last.isSkipped)
        let flat = (0..<30).map { "<a xmlns='urn:\($0)'/>" }.joined()
        #expect(items(Self.plainHeader + "<m>\(flat)</m>", reader).count == 2)
    }

    @Test("a stanza with more names than allowed that were never met is skipped")
    func names() {
        let reader = UpstreamReader(limits: XMLLimits(names: 100))
        let many = (0..<200).map { "<n\($0)/>" }.joined()
        #expect(items(Self.plainHeader + "<m>\(many)</m>", reader).last.isSkipped)
        #expect(items(Self.plainHeader + "<m/>", reader).count == 2)
    }
}

extension UpstreamItem? {
    /// Whether an element was skipped.
    var isSkipped: Bool {
        if case .skipped = self { true } else { false }
    }
}
