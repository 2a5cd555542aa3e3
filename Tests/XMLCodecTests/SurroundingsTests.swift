import Testing

@testable import XMLCodec

/// Short bodies and elements are read one after the other in one document of libxml2's. None may affect the next.
@Suite("Pieces of one document") struct SurroundingsTests {
    @Test(
        "a body that is refused leaves the next one as it would be",
        arguments: [
            "</pieces>", "</pieces><pieces>", "<body/></pieces>", "<body/>", "<body", "</body>", "<a/>", "text",
            "<!-- -->", "<?a b?>", "<!DOCTYPE a>", "<body xmlns:p='urn:p'/>", "]]>",
            "<p:body xmlns:p='http://jabber.org/protocol/httpbind'>",
            "<body xmlns='http://jabber.org/protocol/httpbind'/><body xmlns='http://jabber.org/protocol/httpbind'/>",
            "</pieces><body xmlns='http://jabber.org/protocol/httpbind'/>",
            "<body xmlns='http://jabber.org/protocol/httpbind'></pieces>",
            "<body xmlns='http://jabber.org/protocol/httpbind'><a></body></a>",
            "<body xmlns='http://jabber.org/protocol/httpbind'><p:a/></body>",
            "<body xmlns='http://jabber.org/protocol/httpbind'><a>&b;</a></body>",
            "<body xmlns='http://jabber.org/protocol/httpbind'>text</body>",
        ])
    func refusedBody(_ refused: String) {
        let parser = BodyParser()
        let plain = body("rid='1' xmlns:p='urn:p'", "<message xmlns='jabber:client'><p:a>b</p:a></message>")
        let first = parser.parse(plain)
        guard case .body = first else {
            Issue.record("\(first)")
            return
        }
        let alone = BodyParser().fault(refused)
        #expect(alone != nil)
        #expect(parser.fault(refused) == alone)
        #expect(parser.parse(plain) == first)
        #expect(parser.parse(plain) == first)
    }

    @Test("declarations of one body mean nothing in the next")
    func scopes() {
        let parser = BodyParser()
        #expect(parser.payload(body("xmlns:p='urn:p'", "<p:a/>")) == "<p:a xmlns:p='urn:p'/>")
        #expect(parser.fault(body("", "<p:a/>")) == .malformed)
        #expect(parser.payload(body("", "<a xmlns:p='urn:q'><p:b/></a>")) == "<a xmlns:p='urn:q'><p:b/></a>")
        #expect(parser.fault(body("", "<p:b/>")) == .malformed)
    }

    @Test("white space around a body, and bodies of all sizes, in any order")
    func sizes() {
        let parser = BodyParser()
        for count in [0, 1, 3_000, 65_000, 65_536, 70_000, 1, 300_000, 0] {
            let text = String(repeating: "x", count: count)
            let child = "<message xmlns='jabber:client'>\(text)</message>"
            #expect(parser.payload(" \r\n" + body("", child) + "\r\n \r") == child)
            #expect(parser.payload("<?xml version='1.0'?>\n" + body("", child)) == child)
        }
    }

    @Test("documents are begun anew in time, and nobody sees it")
    func manyBodies() {
        let parser = BodyParser()
        let child = "<message xmlns='jabber:client'>\(String(repeating: "x", count: 900))</message>"
        for _ in 0..<3_000 { #expect(parser.payload(body("rid='1'", child)) == child) }
    }

    @Test("streams with other declarations, and elements that end them, between those of the usual one")
    func streams() {
        let reader = UpstreamReader()
        let other =
            "<s:stream xmlns='jabber:client' xmlns:s='http://etherx.jabber.org/streams' xmlns:p='urn:p' version='1.0'>"
        let odd =
            "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' xmlns:p='urn :p'>"
        for _ in 0..<3 {
            #expect(forwarded("<message/>", reader) == "<message xmlns='jabber:client'/>")
            #expect(forwarded("<p:a/>", reader) == nil)
            #expect(
                forwarded("<message/><p:a/>", header: other, reader)
                    == "<message xmlns='jabber:client'/><p:a xmlns:p='urn:p'/>")
            #expect(forwarded("<p:a/><a/>", header: odd, reader) == "<p:a xmlns:p='urn :p'/><a xmlns='jabber:client'/>")
            #expect(forwarded("<a></a></stream:stream>", reader) == "<a xmlns='jabber:client'></a>[end]")
            #expect(forwarded("<a></b>", reader) == nil)
            #expect(forwarded("<a>&b;</a>", reader) == nil)
        }
    }
}
