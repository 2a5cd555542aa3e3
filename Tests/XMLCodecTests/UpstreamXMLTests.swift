import StreamCore
import Testing

@testable import XMLCodec

let streamHeader =
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
    + " from='example.test' id='a&amp;b' version='1.0' xml:lang='en'>"

/// All items of `chunks`, until none is left.
func items(_ chunks: [[UInt8]], _ reader: UpstreamReader) -> [UpstreamItem] {
    var stream = UpstreamXML()
    var items: [UpstreamItem] = []
    for chunk in chunks {
        var offset = 0
        repeat {
            while let item = stream.next(chunk.span, offset: &offset, reader: reader) { items.append(item) }
        } while stream.isReadingOn
        #expect(offset == chunk.count)
    }
    return items
}

func items(_ text: String, _ reader: UpstreamReader) -> [UpstreamItem] { items([Array(text.utf8)], reader) }

/// The server's `text` as the client gets it: all elements back to back.
func forwarded(_ text: String, header: String = streamHeader, _ reader: UpstreamReader) -> String? {
    var result = ""
    for item in items(header + text, reader) {
        switch item {
        case .header: continue
        case .features(_, let bytes), .streamError(_, _, let bytes), .stanza(let bytes, _, _):
            result += String(decoding: bytes, as: UTF8.self)
        case .fault: return nil
        case .skipped: result += "[skipped]"
        case .proceed, .startTLSFailure, .compressed, .compressionFailure, .end: result += "[\(item)]"
        }
    }
    return result
}

@Suite("UpstreamXML")
struct UpstreamXMLTests {
    let reader = UpstreamReader()

    private static let dialogue =
        streamHeader + " \n"
        + "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>\n"
        + "<message to='a'><body>é😀&#10;<![CDATA[<x>]]]]>]]&gt;</body></message> "
        + "<r xmlns='urn:xmpp:sm:3'/><enabled xmlns='urn:xmpp:sm:3' resume='true'></enabled>"
        + "<stream:error><host-gone xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream> more"

    private static let dialogueItems: [UpstreamItem] = [
        .header(StreamHeader(from: "example.test", id: "a&b", version: (1, 0))),
        .features(FeaturesOffer(startTLS: .required), bytes: Array("<stream:features></stream:features>".utf8)),
        .stanza(
            bytes: Array(
                "<message xmlns='jabber:client' to='a'><body>é😀&#10;<![CDATA[<x>]]]]>]]&gt;</body></message>".utf8)),
        .stanza(bytes: Array("<r xmlns='urn:xmpp:sm:3'/>".utf8)),
        .stanza(bytes: Array("<enabled xmlns='urn:xmpp:sm:3' resume='true'></enabled>".utf8), management: .resumable),
        .streamError(
            condition: "host-gone", redirect: nil,
            bytes: Array(
                "<stream:error><host-gone xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>".utf8)),
        .end,
    ]

    @Test func wholeDialogue() {
        #expect(items(Self.dialogue, reader) == Self.dialogueItems)
    }

    @Test func byteByByte() {
        #expect(items(Self.dialogue.utf8.map { [$0] }, reader) == Self.dialogueItems)
    }

    @Test func splitAtEveryPoint() {
        let bytes = Array(Self.dialogue.utf8)
        for point in 0...bytes.count {
            #expect(
                items([Array(bytes[..<point]), Array(bytes[point...])], reader) == Self.dialogueItems, "at \(point)")
        }
    }

    @Test("a partial element is known to be one, and costs no memory between elements")
    func partial() {
        var stream = UpstreamXML()
        var offset = 0
        #expect(!stream.hasPartial)
        #expect(stream.next(Array("<?xm".utf8).span, offset: &offset, reader: reader) == nil)
        #expect(stream.hasPartial)
        stream.reset()
        #expect(!stream.hasPartial)
        offset = 0
        #expect(stream.next(Array(streamHeader.utf8).span, offset: &offset, reader: reader) != nil)
        offset = 0
        #expect(stream.next(Array(" \n ".utf8).span, offset: &offset, reader: reader) == nil)
        #expect(offset == 3)
        #expect(!stream.hasPartial)
        #expect(MemoryLayout<UpstreamXML>.size <= 40)
    }

    @Test("after a reset a header is expected again, and bytes behind <proceed/> are left to be seen")
    func proceedAndReset() {
        var stream = UpstreamXML()
        let bytes = Array((streamHeader + "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/><iq/>").utf8)
        var offset = 0
        _ = stream.next(bytes.span, offset: &offset, reader: reader)
        #expect(stream.next(bytes.span, offset: &offset, reader: reader) == .proceed)
        #expect(offset == bytes.count - 5)
        stream.reset()
        #expect(items(streamHeader, reader).count == 1)
        offset = 0
        #expect(
            stream.next(bytes.span, offset: &offset, reader: reader)
                == .header(StreamHeader(from: "example.test", id: "a&b", version: (1, 0))))
    }

    @Test("headers of every form", arguments: headers)
    func everyHeader(text: String, header: StreamHeader) {
        #expect(items(text, reader) == [.header(header)])
        #expect(items(text.utf8.map { [$0] }, reader) == [.header(header)])
    }

    /// A stream whose default namespace is its own (RFC 6120 §4.8.2), and the result for the client.
    private static let prefixFree: [(String, String)] = [
        (
            "<features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms></features>",
            "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms></stream:features>"
        ),
        (
            "<message xmlns='jabber:client'><body>x</body></message>",
            "<message xmlns='jabber:client'><body>x</body></message>"
        ),
        ("<c:iq xmlns:c='jabber:client'/>", "<c:iq xmlns:c='jabber:client'/>"),
        ("<r xmlns='urn:xmpp:sm:3'/>", "<r xmlns='urn:xmpp:sm:3'/>"),
        (
            "<error><reset xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><e/></error>",
            "<stream:error xmlns='http://etherx.jabber.org/streams'><reset xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><e/></stream:error>"
        ),
    ]

    @Test("a stream in the default namespace, its elements in their own (RFC 6120 §4.8.2)")
    func inTheDefaultNamespace() {
        let header = "<?xml version='1.0'?><stream xmlns='http://etherx.jabber.org/streams' id='s' version='1.0'>"
        let content = Self.prefixFree.map(\.0).joined(separator: "\n")
        #expect(forwarded(content, header: header, reader) == Self.prefixFree.map(\.1).joined())
        let whole = header + content + "</stream>"
        let expected = items(whole, reader)
        #expect(expected.count == 2 + Self.prefixFree.count)
        #expect(expected.first == .header(StreamHeader(from: "", id: "s", version: (1, 0))))
        #expect(expected.last == .end)
        #expect(items(whole.utf8.map { [$0] }, reader) == expected)
        // An element belongs to the content only if it says so, and a second root is refused before it ends.
        for wrong in [
            "<message><body>x</body></message>", "<stream id='2'>", "<stream:stream>", "</stream:stream>", "<stream/>",
        ] {
            #expect(
                [.fault(.invalidNamespace), .fault(.malformed)].contains(items(header + wrong, reader).last), "\(wrong)"
            )
        }
        #expect(items(header + "<stream id='2'><message xmlns='jabber:client'/>", reader).count == 2)
        #expect(items(header + "<streams xmlns='urn:x'/>", reader).count == 2)
    }

    @Test("a second root is refused under the first one's own name too")
    func secondRootWithAnotherPrefix() {
        let header = "<s:stream xmlns:s='http://etherx.jabber.org/streams' xmlns='jabber:client'>"
        #expect(items(header + "<s:stream><message/>", reader).last == .fault(.invalidNamespace))
    }

    static let headers: [(String, StreamHeader)] = [
        (
            "<stream xmlns='http://etherx.jabber.org/streams' from='a' id='x' version='1.0'>",
            StreamHeader(from: "a", id: "x", version: (1, 0))
        ),
        (
            "<stream:stream xmlns:stream='http://etherx.jabber.org/streams' xmlns='http://etherx.jabber.org/streams'>",
            StreamHeader(from: "", id: "", version: nil)
        ),
        (
            "<stream:stream xmlns:stream='http://etherx.jabber.org/streams' xmlns='jabber:client'>",
            StreamHeader(from: "", id: "", version: nil)
        ),
        (
            " \r\n<?xml version=\"1.0\" encoding='utf-8'?>\n<s:stream xmlns:s=\"http://etherx.jabber.org/streams\" xmlns='jabber:client' id='x' version='1.11' >",
            StreamHeader(from: "", id: "x", version: (1, 11))
        ),
        (
            "<stream:stream xmlns:stream='http://etherx.jabber.org/streams' xmlns='jabber:client' version='x' xmlns:q='urn:q' q:id='no' from='ü'>",
            StreamHeader(from: "ü", id: "", version: nil)
        ),
    ]

    @Test("what is no XMPP stream is refused, however it is split", arguments: faults)
    func everyFault(text: String, fault: StreamFault) {
        let bytes = Array(text.utf8)
        #expect(items([bytes], reader).last == .fault(fault))
        #expect(items(bytes.map { [$0] }, reader).last == .fault(fault))
        for point in 0...bytes.count {
            #expect(
                items([Array(bytes[..<point]), Array(bytes[point...])], reader).last == .fault(fault), "at \(point)")
        }
        #expect(items(Self.dialogue, reader) == Self.dialogueItems)
    }

    static let faults: [(String, StreamFault)] = [
        ("HTTP/1.1 400 Bad Request\r\n", .malformed),
        ("<stream:stream xmlns='jabber:client'>", .invalidNamespace),
        ("<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams'>", .invalidNamespace),
        ("<stream:stream xmlns:stream='http://etherx.jabber.org/streams'>", .invalidNamespace),
        ("<stream xmlns='http://etherx.jabber.org/streams/'>", .invalidNamespace),
        ("<stream:features xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>", .invalidNamespace),
        ("<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'/>", .malformed),
        (
            "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' a='1' a='2'>",
            .malformed
        ),
        ("</stream:stream>", .malformed),
        ("<!DOCTYPE x><stream:stream>", .restrictedXML),
        ("<?xml version='1.0' encoding='latin1'?>" + streamHeader.dropFirst(21), .malformed),
        ("<?xml version='1.0'?><?xml version='1.0'?>", .restrictedXML),
        ("<?pi?>" + streamHeader.dropFirst(21), .restrictedXML),
        (streamHeader + "text", .malformed),
        (streamHeader + "<!-- -->", .restrictedXML),
        (streamHeader + "<?pi?>", .restrictedXML),
        (streamHeader + "<![CDATA[x]]>", .malformed),
        (streamHeader + "<m><!-- --></m>", .restrictedXML),
        (streamHeader + "<m>&nbsp;</m>", .restrictedXML),
        (streamHeader + "<m>&#1;</m>", .malformed),
        (streamHeader + "<m>\u{1}</m>", .malformed),
        (streamHeader + "<m>\u{FFFF}</m>", .malformed),
        (streamHeader + "<m></n>", .malformed),
        (streamHeader + "<m a=1/>", .malformed),
        (streamHeader + "<p:m/>", .malformed),
        (streamHeader + "<m></stream:stream>", .malformed),
        (streamHeader + "</stream:strea>", .malformed),
        (streamHeader + "</stream>", .malformed),
        (streamHeader + "<stream:stream>x</stream:stream>", .invalidNamespace),
        (streamHeader + "<stream:other/>", .invalidNamespace),
        (streamHeader + "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", .invalidNamespace),
    ]

    @Test("a second root inside the stream is a fault as soon as its name is there", arguments: roots)
    func repeatedRoot(text: String) {
        let before = streamHeader + "<message/>"
        let expected = Array(items(before, reader)) + [.fault(.invalidNamespace)]
        let bytes = Array((before + text).utf8)
        #expect(items([bytes], reader) == expected)
        #expect(items(bytes.map { [$0] }, reader) == expected)
        for point in 0...bytes.count {
            #expect(items([Array(bytes[..<point]), Array(bytes[point...])], reader) == expected, "at \(point)")
        }
        // The bytes that follow belong to no stream.
        #expect(items([bytes, Array("<message/>".utf8)], reader) == expected)
        let tag = text.hasSuffix(">") ? text : text + " a='1'>"
        #expect(items(before + tag + "<message/></stream:stream>", reader) == expected)
    }

    static let roots: [String] = [
        String(streamHeader.dropFirst(21)), "<stream:stream ", "<stream:stream\n", "<stream:stream>",
        "<stream:stream/>",
        "<stream:stream>x</stream:stream>", "<stream:stream><message/></stream:stream>",
        "<stream:stream xmlns:stream='urn:x'/>", "<stream:stream xmlns:stream='urn:x'></stream:stream>",
    ]

    @Test("after a reset the root is the root again, and after the header's own root has come in pieces")
    func rootAfterReset() {
        var stream = UpstreamXML()
        let header = Array(streamHeader.utf8)
        for _ in 0..<3 {
            var last: UpstreamItem?
            for byte in header {
                var offset = 0
                #expect(last == nil)
                last = stream.next([byte].span, offset: &offset, reader: reader)
            }
            #expect(last == .header(StreamHeader(from: "example.test", id: "a&b", version: (1, 0))))
            stream.reset()
        }
    }

    @Test("what only looks like a second root is an element like any other", arguments: lookalikes)
    func noRepeatedRoot(text: String, expected: String) {
        let header = String(streamHeader.dropLast()) + " xmlns:s='urn:s' xmlns:streams='urn:s'>"
        #expect(forwarded(text, header: header, reader) == expected)
        let whole = items(header + text, reader)
        #expect(items((header + text).utf8.map { [$0] }, reader) == whole)
        let bytes = Array((header + text).utf8)
        for point in 0...bytes.count {
            #expect(items([Array(bytes[..<point]), Array(bytes[point...])], reader) == whole, "at \(point)")
        }
    }

    static let lookalikes: [(String, String)] = [
        ("<s:stream><m/></s:stream>", "<s:stream xmlns='jabber:client' xmlns:s='urn:s'><m/></s:stream>"),
        ("<streams:stream a='1'/>", "<streams:stream xmlns:streams='urn:s' a='1'/>"),
        ("<stream><m/></stream>", "<stream xmlns='jabber:client'><m/></stream>"),
        ("<stream xmlns='urn:x'/>", "<stream xmlns='urn:x'/>"),
        ("<m><s:stream>x</s:stream></m>", "<m xmlns='jabber:client' xmlns:s='urn:s'><s:stream>x</s:stream></m>"),
        ("<m>&lt;stream:stream></m>", "<m xmlns='jabber:client'>&lt;stream:stream></m>"),
        ("<m a='&lt;stream:stream '/>", "<m xmlns='jabber:client' a='&lt;stream:stream '/>"),
        ("<stream:features><stream:stream/></stream:features>", "<stream:features><stream:stream/></stream:features>"),
    ]

    @Test(
        "an element of the streams namespace that begins like the root waits for its end, and is none",
        arguments: [
            "<stream:streams>", "<stream:stream-x ", "<stream:stream.>",
        ])
    func longerName(start: String) {
        let bytes = Array((streamHeader + start).utf8)
        #expect(items([bytes], reader).count == 1)
        #expect(items(bytes.map { [$0] }, reader).count == 1)
        let name = start.dropFirst().prefix { !" >".contains($0) }
        #expect(items(streamHeader + "<\(name)></\(name)>", reader).last == .fault(.invalidNamespace))
    }

    @Test("a second root of another prefix waits for its end, which is bounded")
    func otherRootRepeated() {
        let reader = UpstreamReader(limits: XMLLimits(elementSize: 300))
        let header = "<s:stream xmlns='jabber:client' xmlns:s='http://etherx.jabber.org/streams'>"
        let second = "<t:stream xmlns='jabber:client' xmlns:t='http://etherx.jabber.org/streams'>"
        var stream = UpstreamXML()
        var offset = 0
        #expect(stream.next(Array(header.utf8).span, offset: &offset, reader: reader) != nil)
        offset = 0
        #expect(stream.next(Array(second.utf8).span, offset: &offset, reader: reader) == nil)
        // So the time for the rest of an element has begun.
        #expect(stream.hasPartial)
        var kept = header.utf8.count
        var fault: UpstreamItem?
        while fault == nil, kept < 1_000 {
            offset = 0
            fault = stream.next(Array("<message/>".utf8).span, offset: &offset, reader: reader)
            kept += 10
        }
        #expect(fault == .fault(.limit("element-size")))
        #expect(kept <= 310)
        #expect(!stream.hasPartial)
        #expect(items(header + second + "</t:stream>", reader).last == .fault(.invalidNamespace))
        // Here the usual name is not the root's, and no server uses it.
        #expect(items(header + "<stream:stream>", reader).last == .fault(.invalidNamespace))
    }

    @Test("namespaces of the stream move to where they are used (N-10, X-14)", arguments: namespaces)
    func movedNamespaces(element: String, expected: String) {
        let header =
            "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' xmlns:db='urn:d&amp;b'"
            + " xmlns:q='urn:q' version='1.0'>"
        #expect(forwarded(element, header: header, reader) == expected)
        #expect(forwarded(element + "</stream:stream>", header: header, reader) == expected + "[end]")
    }

    static let namespaces: [(String, String)] = [
        ("<message/>", "<message xmlns='jabber:client'/>"),
        ("<message ><body/></message >", "<message xmlns='jabber:client' ><body/></message >"),
        ("<message xmlns='jabber:client'/>", "<message xmlns='jabber:client'/>"),
        ("<message xmlns=\"jabber:client\"><x/></message>", "<message xmlns=\"jabber:client\"><x/></message>"),
        ("<x xmlns='urn:x'><y/></x>", "<x xmlns='urn:x'><y/></x>"),
        ("<x xmlns=''/>", "<x xmlns=''/>"),
        ("<db:x/>", "<db:x xmlns:db='urn:d&amp;b'/>"),
        ("<db:x><y/></db:x>", "<db:x xmlns='jabber:client' xmlns:db='urn:d&amp;b'><y/></db:x>"),
        ("<m><n><o q:a='1'/></n></m>", "<m xmlns='jabber:client' xmlns:q='urn:q'><n><o q:a='1'/></n></m>"),
        ("<m xmlns='urn:m' xmlns:q='urn:z' q:a='1'/>", "<m xmlns='urn:m' xmlns:q='urn:z' q:a='1'/>"),
        (
            "<m><stream:x/></m>",
            "<m xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'><stream:x/></m>"
        ),
        ("<stream:features/>", "<stream:features/>"),
        ("<stream:features><x/></stream:features>", "<stream:features xmlns='jabber:client'><x/></stream:features>"),
        (
            "<stream:features><q:x/><stream:y/></stream:features>",
            "<stream:features xmlns:q='urn:q'><q:x/><stream:y/></stream:features>"
        ),
        (
            "<features xmlns='http://etherx.jabber.org/streams'><x xmlns='urn:x'/></features >",
            "<stream:features xmlns='http://etherx.jabber.org/streams'><x xmlns='urn:x'/></stream:features >"
        ),
        (
            "<stream:features a='1' xmlns:stream='http://etherx.jabber.org/streams' b='2'><stream:x/></stream:features>",
            "<stream:features a='1' b='2'><stream:x/></stream:features>"
        ),
        (
            "<stream:error\txmlns:stream = \"http://etherx.jabber.org/streams\"/>", "<stream:error/>"
        ),
        ("<m xmlns='urn:ü ä'/>", "<m xmlns='urn:ü ä'/>"),
        ("<m xmlns='relative'/>", "<m xmlns='relative'/>"),
    ]

    @Test("another prefix for the streams namespace becomes `stream` (L-12)")
    func otherStreamPrefix() {
        let header = "<s:stream xmlns='jabber:client' xmlns:s='http://etherx.jabber.org/streams' version='1.0'>"
        #expect(forwarded("<s:features/>", header: header, reader) == "<stream:features/>")
        #expect(
            forwarded("<s:features a='1'><x xmlns='urn:x'/></s:features\n>", header: header, reader)
                == "<stream:features a='1'><x xmlns='urn:x'/></stream:features\n>")
        #expect(
            forwarded("<s:error><s:x/></s:error>", header: header, reader)
                == "<stream:error xmlns:s='http://etherx.jabber.org/streams'><s:x/></stream:error>")
        #expect(forwarded("<m/></s:stream>", header: header, reader) == "<m xmlns='jabber:client'/>[end]")
        #expect(forwarded("<m/></stream:stream>", header: header, reader) == nil)
        #expect(forwarded("<s:features xmlns:stream='urn:x'/>", header: header, reader) == nil)
        let taken =
            "<s:stream xmlns='jabber:client' xmlns:s='http://etherx.jabber.org/streams' xmlns:stream='urn:other'>"
        #expect(forwarded("<s:features><stream:x/></s:features>", header: taken, reader) == nil)
        #expect(forwarded("<stream:x/>", header: taken, reader) == "<stream:x xmlns:stream='urn:other'/>")
    }

    @Test(
        "stream errors tell their condition",
        arguments: [
            ("<not-well-formed xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>", "not-well-formed"),
            (
                "<text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>x</text><e:conflict xmlns:e='urn:ietf:params:xml:ns:xmpp-streams'/>",
                "conflict"
            ),
            (
                "<x xmlns='urn:x'/><system-shutdown xmlns='urn:ietf:params:xml:ns:xmpp-streams'>y</system-shutdown>",
                "system-shutdown"
            ),
            ("<x xmlns='urn:x'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></x>", "undefined-condition"),
            ("", "undefined-condition"),
        ])
    func streamErrors(content: String, condition: String) {
        let error = "<stream:error>\(content)</stream:error>"
        #expect(
            items(streamHeader + error, reader).last
                == .streamError(condition: condition, redirect: nil, bytes: Array(error.utf8)))
    }

    @Test("STARTTLS answers")
    func startTLS() {
        let namespace = "xmlns='urn:ietf:params:xml:ns:xmpp-tls'"
        #expect(items(streamHeader + "<proceed \(namespace)></proceed>", reader).last == .proceed)
        #expect(items(streamHeader + "<failure \(namespace)/>", reader).last == .startTLSFailure)
        #expect(
            items(streamHeader + "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>", reader).last
                == .stanza(
                    bytes: Array("<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>".utf8), login: .failure(.other)))
    }

    @Test("an element that is too large is skipped, and a header is refused, whole or in pieces")
    func elementSize() {
        let reader = UpstreamReader(limits: XMLLimits(elementSize: 300))
        let head = streamHeader
        let fits = "<m>" + String(repeating: "x", count: 293) + "</m>"
        #expect(items(head + fits, reader).count == 2)
        for text in [head + "<m>x" + fits.dropFirst(3), head + "<m " + String(repeating: " ", count: 400) + "/>"] {
            #expect(items(text, reader).last.isSkipped)
            #expect(items(text.utf8.map { [$0] }, reader).last.isSkipped)
        }
        let header = UpstreamItem.fault(.limit("header-size"))
        #expect(items(head.dropLast() + String(repeating: " ", count: 300), reader) == [header])
    }

    @Test("white space between elements is never kept, however much comes")
    func keepalives() {
        var stream = UpstreamXML()
        var offset = 0
        _ = stream.next(Array(streamHeader.utf8).span, offset: &offset, reader: reader)
        let space = [UInt8](repeating: 0x20, count: 2_000_000)
        offset = 0
        #expect(stream.next(space.span, offset: &offset, reader: reader) == nil)
        #expect(offset == space.count)
        #expect(!stream.hasPartial)
    }
}
