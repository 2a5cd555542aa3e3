import Bridge
import Testing

@testable import XMLCodec

/// The XML stream of a client over HTTP polling (XEP-0025).
@Suite struct ClientStreamXMLTests {
    private let reader = ClientStreamReader(limits: XMLLimits(depth: 10, attributes: 8, elementSize: 100_000))

    private static let header =
        "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='a.example' "
        + "version='1.0'>"

    /// Reads a stream whole, byte by byte, and cut at every place; the results are the same.
    private func read(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) -> [String] {
        let bytes = Array(text.utf8)
        let whole = read([bytes[...]])
        #expect(read(bytes.indices.map { bytes[$0...$0] }) == whole, "bytewise", sourceLocation: sourceLocation)
        for cut in bytes.indices {
            let items = read([bytes[..<cut], bytes[cut...]])
            #expect(items == whole, "cut at \(cut)", sourceLocation: sourceLocation)
        }
        return whole
    }

    private func read(_ pieces: [ArraySlice<UInt8>]) -> [String] {
        var stream = ClientStreamXML()
        var items: [String] = []
        for piece in pieces {
            let piece = Array(piece)
            var offset = 0
            while let item = stream.next(piece.span, offset: &offset, mostBytes: .max, reader: reader) {
                switch item {
                case .header(let header):
                    items.append(
                        "header \(header.attributes.to?.text ?? "-") \(header.attributes.language ?? "-") "
                            + "\(header.hasVersion)")
                case .element(let bytes): items.append(String(decoding: bytes, as: UTF8.self))
                case .end: items.append("end")
                case .fault(let fault): items.append("fault \(fault)")
                }
            }
            #expect(offset == piece.count)
        }
        return items
    }

    @Test("Q-31 Q-34 Q-36: header, elements as they came, end; white space between is dropped")
    func reads() {
        #expect(
            read(
                "<?xml version='1.0'?>\n\(Self.header) <presence/>\r\n<iq type='get' id='1'><q xmlns='u:x'>ü</q></iq> "
                    + "<m:r xmlns:m='urn:xmpp:sm:3'/><message><![CDATA[<a>]]></message></stream:stream> <more/>")
                == [
                    "header a.example - true", "<presence/>", "<iq type='get' id='1'><q xmlns='u:x'>ü</q></iq>",
                    "<m:r xmlns:m='urn:xmpp:sm:3'/>", "<message><![CDATA[<a>]]></message>", "end",
                ])
    }

    @Test("Q-32: a header without version, with other prefixes and a language")
    func readsHeaders() {
        #expect(
            read(
                "<s:stream xml:lang='de' xmlns:s='http://etherx.jabber.org/streams' xmlns='jabber:client' to='b'>"
                    + "<presence/></s:stream>")
                == ["header b de false", "<presence/>", "end"])
        #expect(
            read(
                "<stream xmlns='http://etherx.jabber.org/streams' version='0.9'>"
                    + "<message xmlns='jabber:client'><body>x</body></message></stream>")
                == ["header - - false", "<message xmlns='jabber:client'><body>x</body></message>", "end"])
    }

    @Test("N-05: an element declares what it takes from the header, except what the own stream declares")
    func declares() {
        let header =
            "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' xmlns:a='urn:a' "
            + "xmlns:b='urn:b&amp;c' xmlns:c='jabber:client'>"
        #expect(
            read(header + "<message><a:x/></message><a:y b:z='1'/><c:iq/><a:q xmlns:a='urn:other'/>")
                == [
                    "header - - false", "<message xmlns:a='urn:a'><a:x/></message>",
                    "<a:y xmlns:a='urn:a' xmlns:b='urn:b&amp;c' b:z='1'/>", "<c:iq xmlns:c='jabber:client'/>",
                    "<a:q xmlns:a='urn:other'/>",
                ])
    }

    @Test("Q-35: another header, with a declaration or without, in the middle of everything")
    func restarts() {
        let auth = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGEAYg==</auth>"
        #expect(
            read("\(Self.header)\(auth)\(Self.header)<iq/><?xml version='1.0'?> \(Self.header)<iq/></stream:stream>")
                == [
                    "header a.example - true", auth, "header a.example - true", "<iq/>", "header a.example - true",
                    "<iq/>", "end",
                ])
    }

    @Test(
        "Q-34 N-02: what is refused, and why",
        arguments: [
            ("text", "text"), ("<a></b>", "malformed"), ("<iq><!-- c --></iq>", "restrictedXML"),
            ("<!DOCTYPE a>", "restrictedXML"), ("<iq>&lol;</iq>", "restrictedXML"),
            ("<iq><?a b?></iq>", "restrictedXML"), ("<?a b?>", "restrictedXML"), ("<a:b/>", "malformed"),
            ("<message xmlns=''/>", "invalidRoot"), ("<iq>\u{FFFE}</iq>", "encoding"),
            ("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", "forbiddenElement"),
            ("<compress xmlns='http://jabber.org/protocol/compress'/>", "forbiddenElement"),
            ("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>", "forbiddenElement"),
            ("<stream:features/>", "forbiddenElement"), ("<stream:stream/>", "malformed"),
            ("<stream:stream>", "invalidRoot"), ("</stream:other>", "malformed"),
            ("<a b='<'/>", "malformed"),
        ])
    func refuses(text: String, fault: String) {
        let items = read(Self.header + "<iq/>" + text + "<iq/>")
        #expect(items.prefix(2) == ["header a.example - true", "<iq/>"])
        #expect(items.count == 3 && items.last?.hasPrefix("fault \(fault)") == true, "\(items)")
    }

    @Test(
        "Q-31: headers that are refused",
        arguments: [
            "<presence/>", "<stream:stream>", "<stream:stream xmlns='jabber:client' xmlns:stream='urn:x'>",
            "<stream:stream xmlns:stream='http://etherx.jabber.org/streams'>",
            "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams'>",
            "<?xml version='1.0' encoding='latin1'?>\(header)", "<!DOCTYPE a>\(header)", "text", "</stream:stream>",
            "<a xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>",
        ])
    func refusesHeaders(text: String) {
        let items = read(text)
        #expect(items.count == 1 && items[0].hasPrefix("fault "), "\(items)")
    }

    @Test("hostile cases 8 and 11: bounds of headers and elements, and of what is added to elements")
    func bounds() {
        let long = String(repeating: "x", count: 20_000)
        #expect(read([Array("<stream:stream a='\(long)".utf8)[...]]) == ["fault limit(XMLCodec.XMLLimit.headerSize)"])
        let filling = Array(repeating: Array(long.utf8)[...], count: 6)
        #expect(
            read([Array((Self.header + "<message>").utf8)[...]] + filling)
                == ["header a.example - true", "fault limit(XMLCodec.XMLLimit.elementSize)"])
        let large = Self.header + "<message>" + String(repeating: "y", count: 80_000) + "</message>"
        #expect(read([Array(large.utf8)[...]]).last?.count == 80_019)
        let namespace = "urn:" + String(repeating: "n", count: 5_000)
        let many =
            Self.header.dropLast() + " xmlns:n='\(namespace)'>" + String(repeating: "<n:a/>", count: 20)
        #expect(read([Array(many.utf8)[...]]).last == "fault limit(XMLCodec.XMLLimit.declarationBytes)")
    }
}
