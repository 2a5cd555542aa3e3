import BOSHCore
import StreamCore
import Testing

@testable import XMLCodec

/// Elements that a client must not be able to send on this program's own connection to the server.
@Suite("What no client may send")
struct ForbiddenElementTests {
    let parser = BodyParser()

    private static let sasl = "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'"
    private static let sasl2 = "xmlns='urn:xmpp:sasl:2'"

    @Test("nobody logs in by this program's certificate (X-06, X-15)", arguments: externals)
    func external(element: String) {
        for content in [element, "<iq/>\(element)", "\(element)<iq/>"] {
            guard case .refused(.forbiddenElement, let attributes) = parser.parse(body("rid='1'", content)) else {
                Issue.record("\(content) is not refused")
                continue
            }
            #expect(attributes?.rid == .value(1))
        }
    }

    static let externals = [
        "<auth \(sasl) mechanism='EXTERNAL'/>",
        "<auth \(sasl) mechanism=\"EXTERNAL\">=</auth>",
        "<auth mechanism='EXTERNAL' \(sasl)>dXNlcg==</auth>",
        "<auth \(sasl) mechanism='external'/>",
        "<auth \(sasl) mechanism='eXtErNaL'/>",
        "<auth \(sasl) mechanism=' EXTERNAL '/>",
        "<auth \(sasl) mechanism='\n\tEXTERNAL'/>",
        "<auth \(sasl) mechanism='EXTERNAL&#10;&#9;&#13;&#32;'/>",
        "<auth \(sasl) mechanism='&#69;XTERNAL'/>",
        "<auth \(sasl) mechanism='&#x45;&#x58;&#x54;&#x45;&#x52;&#x4e;&#x41;&#x4C;'/>",
        "<auth \(sasl) mechanism = 'EXTERN&#0065;L'/>",
        "<s:auth xmlns:s='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'/>",
        "<auth xmlns='urn:ietf:params:xml:ns:xmpp-&#115;asl' mechanism='EXTERNAL'/>",
        "<auth \(sasl) xmlns:p='urn:p' p:mechanism='EXTERNAL' mechanism='PLAIN'/>",
        "<auth \(sasl) xml:mechanism='EXTERNAL'/>",
        "<authenticate \(sasl2) mechanism='EXTERNAL'/>",
        "<authenticate \(sasl2) mechanism='External '><initial-response/></authenticate>",
        "<authenticate \(sasl2) mechanism='E&#88;TERNAL'/>",
        "<q:authenticate xmlns:q='urn:xmpp:sasl:2' mechanism='EXTERNAL'/>",
    ]

    @Test("EXTERNAL through a prefix or a default namespace that only the body declares")
    func inheritedNamespaces() {
        #expect(
            parser.fault(body("rid='1' xmlns:s='urn:ietf:params:xml:ns:xmpp-sasl'", "<s:auth mechanism='EXTERNAL'/>"))
                == .forbiddenElement)
        #expect(
            parser.fault(
                "<b:body xmlns:b='http://jabber.org/protocol/httpbind' xmlns='urn:xmpp:sasl:2'>"
                    + "<authenticate mechanism='EXTERNAL'/></b:body>") == .forbiddenElement)
    }

    @Test("what is no request for EXTERNAL passes as it came", arguments: allowed)
    func otherMechanisms(element: String) {
        #expect(parser.payload(body("rid='1'", element)) == element)
    }

    static let allowed = [
        "<auth \(sasl) mechanism='PLAIN'>AHUAcA==</auth>",
        "<auth \(sasl) mechanism='SCRAM-SHA-1'>biws</auth>",
        "<auth \(sasl)>EXTERNAL</auth>",
        "<auth \(sasl) mechanism=''/>",
        "<auth \(sasl) mechanism='EXTERNAL-2'/>",
        "<auth \(sasl) type='EXTERNAL' mechanism='PLAIN'/>",
        "<response \(sasl)>EXTERNAL</response>",
        "<authenticate \(sasl2) mechanism='SCRAM-SHA-256'><initial-response>biws</initial-response></authenticate>",
        // These elements log nobody in.
        "<auth xmlns='urn:x' mechanism='EXTERNAL'/>",
        "<authenticate \(sasl) mechanism='EXTERNAL'/>",
        "<auth \(sasl2) mechanism='EXTERNAL'/>",
        "<message><auth \(sasl) mechanism='EXTERNAL'/></message>",
    ]

    @Test("nothing of the streams, STARTTLS and compression namespaces passes", arguments: namespaces)
    func ownNamespaces(namespace: String) {
        for name in ["stream", "features", "error", "starttls", "proceed", "failure", "compress", "compressed", "x"] {
            #expect(parser.fault(body("rid='1'", "<\(name) xmlns='\(namespace)'/>")) == .forbiddenElement, "\(name)")
            #expect(
                parser.fault(body("rid='1' xmlns:p='\(namespace)'", "<iq/><p:\(name)>x</p:\(name)>"))
                    == .forbiddenElement, "\(name)")
            let escaped = "&#\(namespace.unicodeScalars.first?.value ?? 0);" + namespace.dropFirst()
            #expect(parser.fault(body("rid='1'", "<\(name) xmlns='\(escaped)'/>")) == .forbiddenElement, "\(name)")
        }
    }

    static let namespaces = [
        "http://etherx.jabber.org/streams", "urn:ietf:params:xml:ns:xmpp-tls", "http://jabber.org/protocol/compress",
    ]

    @Test("no client ends its stream or opens another: bodies hold whole elements and nothing else (N-04)")
    func injection() {
        for content in [
            "</stream:stream>", "<iq/></stream:stream>", "<iq></stream:stream></iq>", "</body></stream:stream><body>",
            "<stream:stream>", "<iq/><stream:stream to='x'>", "<iq", "<iq/><", "</iq><iq>",
            "<?xml version='1.0'?><iq/>", "<iq/><?xml version='1.0'?>", "]]></stream:stream>",
            "<iq><![CDATA[</iq></stream:stream>", "<iq a='</stream:stream>'/>",
        ] {
            let fault = parser.fault(body("rid='1' xmlns:stream='http://etherx.jabber.org/streams'", content))
            #expect(fault != nil, "\(content)")
        }
        // As text it is harmless.
        for content in ["<iq><![CDATA[</stream:stream>]]></iq>", "<iq>&lt;/stream:stream></iq>"] {
            #expect(parser.payload(body("rid='1'", content)) == content)
        }
    }

    @Test("what is accepted is whole elements to the server's parser too")
    func onlyWholeElements() {
        let start = "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
        let reader = UpstreamReader()
        var accepted = 0
        for seed in UInt64(0)..<3000 {
            var random = RandomXML(seed: seed)
            let bytes = random.mutated(Array(RandomDocument.body(&random).text.utf8))
            guard case .body(_, let payload, let stanzas) = parser.parse(bytes.span) else { continue }
            accepted += 1
            // Two readers that share no state read the stream: this program's own, and libxml2's tree.
            let all = items([Array(start.utf8), payload, Array("</stream:stream>".utf8)], reader)
            #expect(all.count == stanzas + 2, "seed \(seed): \(String(decoding: bytes, as: UTF8.self))")
            #expect(all.last == .end, "seed \(seed): \(String(decoding: bytes, as: UTF8.self))")
            let tree = InfosetTree.children(of: Array(start.utf8) + payload + Array("</stream:stream>".utf8))
            #expect(tree?.count == stanzas, "seed \(seed): \(String(decoding: bytes, as: UTF8.self))")
        }
        #expect(accepted > 150)
    }
}
