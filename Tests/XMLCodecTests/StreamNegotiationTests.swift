import StreamCore
import Testing

@testable import XMLCodec

/// What a server sends to this program itself, besides its features.
@Suite("Stream negotiation")
struct StreamNegotiationTests {
    let reader = UpstreamReader()

    private static let compress = "xmlns='http://jabber.org/protocol/compress'"

    @Test("answers to the request for compression (XEP-0138 §4)")
    func compression() {
        #expect(items(streamHeader + "<compressed \(Self.compress)/>", reader).last == .compressed)
        #expect(
            items(
                streamHeader + "<c:compressed xmlns:c='http://jabber.org/protocol/compress'>\n</c:compressed>", reader
            ).last == .compressed)
        #expect(
            items(streamHeader + "<failure \(Self.compress)><setup-failed/></failure>", reader).last
                == .compressionFailure)
        #expect(items(streamHeader + "<failure \(Self.compress)/>", reader).last == .compressionFailure)
        #expect(items(streamHeader + "<compress \(Self.compress)/>", reader).last == .fault(.invalidNamespace))
        // In other namespaces they are for the client.
        for (element, login) in [
            ("<compressed xmlns='urn:x'/>", LoginSign.none), ("<failure xmlns='urn:xmpp:sasl:2'/>", .failure(.other)),
        ] {
            #expect(items(streamHeader + element, reader).last == .stanza(bytes: Array(element.utf8), login: login))
        }
    }

    @Test("bytes behind <compressed/> are left to be inflated, and then a header is expected")
    func compressedBytes() {
        var stream = UpstreamXML()
        let bytes = Array((streamHeader + "<compressed \(Self.compress)/>").utf8) + [0x78, 0x9C, 0x00]
        var offset = 0
        _ = stream.next(bytes.span, offset: &offset, reader: reader)
        #expect(stream.next(bytes.span, offset: &offset, reader: reader) == .compressed)
        #expect(offset == bytes.count - 3)
        stream.reset()
        offset = 0
        #expect(
            stream.next(bytes.span, offset: &offset, reader: reader)
                == .header(StreamHeader(from: "example.test", id: "a&b", version: (1, 0))))
    }

    @Test("the request itself is one element in its namespace")
    func request() {
        let text = String(decoding: StreamHeaderWriter.compress, as: UTF8.self)
        #expect(text == "<compress xmlns='http://jabber.org/protocol/compress'><method>zlib</method></compress>")
        #expect(InfosetTree.children(of: Array("<a>\(text)</a>".utf8))?.count == 1)
    }

    @Test("where a server sends its clients (RFC 6120 §4.9.3.19)", arguments: redirects)
    func seeOtherHost(content: String, condition: String, redirect: String?) {
        let error = "<stream:error>\(content)</stream:error>"
        let expected = UpstreamItem.streamError(condition: condition, redirect: redirect, bytes: Array(error.utf8))
        #expect(items(streamHeader + error, reader).last == expected)
        #expect(items((streamHeader + error).utf8.map { [$0] }, reader).last == expected)
    }

    private static let errors = "xmlns='urn:ietf:params:xml:ns:xmpp-streams'"

    private static func other(_ text: String) -> String { "<see-other-host \(errors)>\(text)</see-other-host>" }

    static let redirects: [(String, String, String?)] = [
        (other("other.example.test"), "see-other-host", "other.example.test"),
        (other("[2001:41D0:1:A49b::1]:9222"), "see-other-host", "[2001:41D0:1:A49b::1]:9222"),
        (other("\n  other.example.test:5222\t"), "see-other-host", "other.example.test:5222"),
        (other("o<![CDATA[the]]>&#114;"), "see-other-host", "other"),
        (other("bücher.example"), "see-other-host", "bücher.example"),
        (other("<x>a</x>b"), "see-other-host", "b"),
        (other("a<x>b</x>"), "see-other-host", "a"),
        (other("a") + "<text \(errors)>t</text>", "see-other-host", "a"),
        ("<text \(errors)>t</text>" + other("a"), "see-other-host", "a"),
        ("<x xmlns='urn:x'>y</x>" + other("a"), "see-other-host", "a"),
        (
            "<e:see-other-host xmlns:e='urn:ietf:params:xml:ns:xmpp-streams'>a</e:see-other-host>", "see-other-host",
            "a"
        ),
        (other(String(repeating: "h", count: 300)), "see-other-host", String(repeating: "h", count: 300)),
        // Not a host.
        (other(""), "see-other-host", nil),
        (other(" \n "), "see-other-host", nil),
        ("<see-other-host \(errors)/>", "see-other-host", nil),
        (other(String(repeating: "h", count: 301)), "see-other-host", nil),
        (other("a b"), "see-other-host", nil),
        (other("a\nb"), "see-other-host", nil),
        (other("a\u{7F}"), "see-other-host", nil),
        (other("<x>a</x>"), "see-other-host", nil),
        // Another condition, or the first of two.
        ("<see-other-host xmlns='urn:x'>a</see-other-host>", "undefined-condition", nil),
        ("<x xmlns='urn:x'>\(other("a"))</x>", "undefined-condition", nil),
        ("<conflict \(errors)>a</conflict>", "conflict", nil),
        ("<conflict \(errors)/>" + other("a"), "conflict", nil),
        (other("a") + "<conflict \(errors)>b</conflict>", "see-other-host", "a"),
        (other("a") + other("b"), "see-other-host", "a"),
        ("a", "undefined-condition", nil),
    ]

    @Test("one error's redirect is not the next one's")
    func nothingLeftOver() {
        _ = items(streamHeader + "<stream:error>\(Self.other("a"))</stream:error>", reader)
        let error = "<stream:error><conflict \(Self.errors)/></stream:error>"
        #expect(
            items(streamHeader + error, reader).last
                == .streamError(condition: "conflict", redirect: nil, bytes: Array(error.utf8)))
    }
}

/// This program does not interfere with what client and server send to each other (`X-16`).
@Suite("Pass-through")
struct PassThroughTests {
    private static let streamStart =
        "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
    private static let bodyStart =
        "<body xmlns='http://jabber.org/protocol/httpbind' xmlns:stream='http://etherx.jabber.org/streams'>"

    @Test("from the server to the client, with the same meaning", arguments: elements)
    func down(element: String) throws {
        let stream = Self.streamStart + element + "</stream:stream>"
        let expected = try #require(InfosetTree.children(of: Array(stream.utf8)))
        let all = items(stream, UpstreamReader(largestFromClient: 1000))
        guard all.count == 3, case .stanza(let bytes, _, _) = all[1] else {
            Issue.record("\(all)")
            return
        }
        let body = Array(Self.bodyStart.utf8) + bytes + Array("</body>".utf8)
        #expect(InfosetTree.children(of: body) == expected)
        #expect(CanonicalForm.children(of: body) == CanonicalForm.children(of: Array(stream.utf8)))
    }

    @Test("from the client to the server, byte for byte", arguments: elements)
    func up(element: String) {
        #expect(BodyParser().payload(body("rid='1'", element)) == element)
    }

    static let elements = [
        // XEP-0198.
        "<enable xmlns='urn:xmpp:sm:3' resume='true' max='600'/>",
        "<enabled xmlns='urn:xmpp:sm:3' id='some-long-sm-id' resume='true' location='[2001:db8::1]:9151' max='600'/>",
        "<r xmlns='urn:xmpp:sm:3'/>",
        "<a xmlns='urn:xmpp:sm:3' h='1'/>",
        "<a xmlns='urn:xmpp:sm:3' h='4294967295'></a>",
        "<resume xmlns='urn:xmpp:sm:3' h='0' previd='some-long-sm-id'/>",
        "<resumed xmlns='urn:xmpp:sm:3' h='1' previd='some-long-sm-id'/>",
        "<failed xmlns='urn:xmpp:sm:3' h='7'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>",
        "<r xmlns='urn:xmpp:sm:2'/>",
        // XEP-0352.
        "<active xmlns='urn:xmpp:csi:0'/>",
        "<inactive xmlns='urn:xmpp:csi:0'/>",
        // SASL.
        "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-1'>biwsbj11c2Vy</auth>",
        "<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>cj1meWtv</challenge>",
        "<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
        "<abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
        "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>dj1ybUY5</success>",
        "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/><text xml:lang='en'>No</text></failure>",
        // SASL2 with Bind 2, FAST and tasks (XEP-0388, XEP-0386, XEP-0484).
        "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='SCRAM-SHA-256'><initial-response>biws</initial-response>"
            + "<user-agent id='d4565fa7'><software>x</software></user-agent><bind xmlns='urn:xmpp:bind:0'><tag>x</tag>"
            + "<enable xmlns='urn:xmpp:sm:3'/><inactive xmlns='urn:xmpp:csi:0'/></bind>"
            + "<request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-NONE'/></authenticate>",
        "<challenge xmlns='urn:xmpp:sasl:2'>cj1meWtv</challenge>",
        "<continue xmlns='urn:xmpp:sasl:2'><additional-data>dj0</additional-data><tasks><task>T</task></tasks></continue>",
        "<next xmlns='urn:xmpp:sasl:2' task='T'/>",
        "<success xmlns='urn:xmpp:sasl:2'><additional-data>dj1m</additional-data>"
            + "<authorization-identifier>u@example.test/x</authorization-identifier><bound xmlns='urn:xmpp:bind:0'>"
            + "<enabled xmlns='urn:xmpp:sm:3' id='1' resume='1'/></bound></success>",
        "<failure xmlns='urn:xmpp:sasl:2'><aborted xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/></failure>",
        // A stanza that looks like an element that is read in another place.
        "<limits xmlns='urn:xmpp:stream-limits:0'><max-bytes>99999</max-bytes></limits>",
        "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>EXTERNAL</mechanism></mechanisms>",
        "<iq type='get' id='1'><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></iq>",
        "<iq><compressed xmlns='http://jabber.org/protocol/compress'/></iq>",
    ]

    @Test(
        "no element but <enabled/> and <resumed/> says something of the stream's management, also with the login (T-12)",
        arguments: elements)
    func management(element: String) {
        let isSuccess = element.hasPrefix("<success xmlns='urn:xmpp:sasl:2'>") && element.contains("<enabled ")
        let isManaging = isSuccess || element.hasPrefix("<enabled ") || element.hasPrefix("<resumed ")
        #expect(management(of: element) == (isManaging ? .resumable : StreamManagement.none))
    }

    @Test("only resume='true' makes <enabled/> resumable; <resumed/> is so in any case (T-12 c, XEP-0198 §3, §5)")
    func resumption() {
        let table: [(String, StreamManagement)] = [
            ("<enabled xmlns='urn:xmpp:sm:3'/>", .counting),
            ("<enabled xmlns='urn:xmpp:sm:3' id='x'/>", .counting),
            ("<enabled xmlns='urn:xmpp:sm:3' resume='false'/>", .counting),
            ("<enabled xmlns='urn:xmpp:sm:3' resume='0'/>", .counting),
            ("<enabled xmlns='urn:xmpp:sm:3' resume=''/>", .counting),
            ("<enabled xmlns='urn:xmpp:sm:3' xmlns:x='urn:x' x:resume='true'/>", .counting),
            ("<enabled xmlns='urn:xmpp:sm:3' resume='true'/>", .resumable),
            ("<enabled xmlns='urn:xmpp:sm:3' resume='1'/>", .resumable),
            ("<x:enabled xmlns:x='urn:xmpp:sm:2' id='x' resume=' true '></x:enabled>", .resumable),
            ("<resumed xmlns='urn:xmpp:sm:3' previd='x' h='0'/>", .resumable),
            ("<resumed xmlns='urn:xmpp:sm:3' previd='x' resume='false'/>", .resumable),
            ("<enabled xmlns='urn:xmpp:carbons:2' resume='true'/>", .none),
            ("<message><enabled xmlns='urn:xmpp:sm:3' resume='true'/></message>", .none),
        ]
        for (element, expected) in table {
            #expect(management(of: element) == expected, "\(element)")
            let success = "<success xmlns='urn:xmpp:sasl:2'><bound xmlns='urn:xmpp:bind:0'>\(element)</bound></success>"
            if !element.hasPrefix("<message>") { #expect(management(of: success) == expected, "\(success)") }
        }
        // Only the login itself contains news of the stream.
        let enabled = "<enabled xmlns='urn:xmpp:sm:3' resume='true'/>"
        #expect(management(of: "<continue xmlns='urn:xmpp:sasl:2'>\(enabled)</continue>") == StreamManagement.none)
        #expect(
            management(of: "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>\(enabled)</success>")
                == StreamManagement.none)
    }

    private func management(of element: String) -> StreamManagement? {
        guard case .stanza(_, let management, _) = items(Self.streamStart + element, UpstreamReader()).last else {
            return nil
        }
        return management
    }
}
