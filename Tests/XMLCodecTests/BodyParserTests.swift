import BOSHCore
import Bridge
import Testing

@testable import XMLCodec

@Suite("BodyParser")
struct BodyParserTests {
    let parser = BodyParser()

    @Test("reads every attribute it knows")
    func attributes() throws {
        let attributes = try #require(
            parser.attributes(
                """
                <body xmlns='http://jabber.org/protocol/httpbind' xmlns:x='urn:xmpp:xbosh' rid='9007199254740991'
                  sid='n1.7.000102030405060708090a0b0c0d0e0f' type='terminate' pause='60' wait=" 30 " hold='1' ack='3' ver='1.11'
                  to='example.test' from='a@b' route='xmpp:h:5222' content='text/xml; charset=utf-8' key='k' newkey='n'
                  stream='s' xml:lang='de' x:version='1.0' x:restart='1' secure='true'/>
                """))
        #expect(attributes.rid == .value(RequestID.maximum))
        #expect(
            attributes.sid
                == .known(
                    SessionID(
                        node: NodeName(ofHost: "n1"), worker: 7, high: 0x0001_0203_0405_0607, low: 0x0809_0a0b_0c0d_0e0f
                    )))
        #expect(attributes.type == .terminate)
        #expect(attributes.pause == .value(60))
        #expect(attributes.rare.wait == .value(30))
        #expect(attributes.rare.hold == .value(1))
        #expect(attributes.ack == .value(3))
        #expect(attributes.rare.version == ProtocolVersion(major: 1, minor: 11))
        #expect(attributes.rare.to == "example.test")
        #expect(attributes.rare.from == "a@b")
        #expect(attributes.rare.route == "xmpp:h:5222")
        #expect(attributes.rare.content == "text/xml; charset=utf-8")
        #expect(attributes.rare.key == "k")
        #expect(attributes.rare.newkey == "n")
        #expect(attributes.rare.stream == "s")
        #expect(attributes.rare.language == "de")
        #expect(attributes.rare.xmppVersion == ProtocolVersion(major: 1, minor: 0))
        #expect(attributes.isRestart)
    }

    @Test("an absent attribute is absent, a wrong one is wrong (S-19, S-20, S-24)")
    func absentAndWrongAttributes() throws {
        #expect(parser.attributes(body("")) == BodyAttributes())
        let wrong = try #require(parser.attributes(body("rid='-1' sid='' wait='' hold='x' ver='2' xml:lang=''")))
        #expect(wrong.rid == .malformed)
        #expect(wrong.sid == .foreign)
        #expect(wrong.rare.wait == .malformed)
        #expect(wrong.rare.hold == .malformed)
        #expect(wrong.rare.version == nil)
        #expect(wrong.rare.language == "")
        #expect(parser.attributes(body("rid='9007199254740992'"))?.rid == .malformed)
    }

    @Test("attributes count by namespace, not by prefix")
    func attributeNamespaces() throws {
        let other = try #require(
            parser.attributes(body("xmlns:xmpp='urn:other' xmpp:restart='true' xmpp:rid='5' xmpp:version='1.0'")))
        #expect(other == BodyAttributes())
        for word in ["true", "1"] {
            #expect(parser.attributes(body("xmlns:q='urn:xmpp:xbosh' q:restart='\(word)'"))?.isRestart == true)
        }
        for word in ["false", "0", "TRUE", ""] {
            #expect(parser.attributes(body("xmlns:q='urn:xmpp:xbosh' q:restart='\(word)'"))?.isRestart == false)
        }
    }

    @Test("acknowledgements: a number, or recognisably none (A-03, A-07)")
    func acknowledgements() {
        let values: [(String, NumberAttribute)] = [
            ("1", .value(1)), ("0", .value(0)), ("9007199254740991", .value(RequestID.maximum)), ("007", .value(7)),
            ("&#49;2", .value(12)), ("", .malformed), ("-1", .malformed), ("+1", .malformed), ("1.0", .malformed),
            ("9007199254740992", .malformed), ("18446744073709551617", .malformed), ("true", .malformed),
        ]
        for (text, value) in values { #expect(parser.attributes(body("ack='\(text)'"))?.ack == value, "\(text)") }
        #expect(parser.attributes(body("rid='1'"))?.ack == .absent)
    }

    @Test("keys leave as the client wrote them: the letters' case and any other text count (K-01, K-05)")
    func keys() throws {
        let upper = "6F825E81F4532B2C5FA2D12457D8A1F22E8F838E"
        let lower = upper.lowercased()
        let attributes = try #require(parser.attributes(body("key='\(upper)' newkey='\(lower)'")))
        #expect(attributes.rare.key == PeerText(upper))
        #expect(attributes.rare.newkey == PeerText(lower))
        #expect(parser.attributes(body("newkey='\(lower)'"))?.rare.key == nil)
        #expect(parser.attributes(body("key='\(upper)'"))?.rare.newkey == nil)
        let odd = try #require(parser.attributes(body("key='' newkey=' a&amp;b&#10;é'")))
        #expect(odd.rare.key == "")
        #expect(odd.rare.newkey == " a&b\né")
        #expect(parser.attributes(body("xmlns:p='urn:p' p:key='a' KEY='b'"))?.rare.key == nil)
    }

    @Test("the name of a stream is any text (M-02, M-06)")
    func streams() {
        #expect(parser.attributes(body("stream='firstStreamName'"))?.rare.stream == "firstStreamName")
        #expect(parser.attributes(body("stream=''"))?.rare.stream == "")
        #expect(parser.attributes(body("stream='&lt;a&apos;&#x1F600;&gt;'"))?.rare.stream == "<a'😀>")
        #expect(parser.attributes(body("xmlns:stream='urn:x' stream:stream='a'"))?.rare.stream == nil)
        #expect(parser.attributes(body(""))?.rare.stream == nil)
    }

    @Test("the wanted media type, whatever it says (H-07)")
    func contents() {
        for text in ["text/xml; charset=utf-8", "application/xml", "text/html", "", "a\tb"] {
            let value = text.replacing("\t", with: "&#13;&#10;")
            let expected = text.replacing("\t", with: "\r\n")
            #expect(parser.attributes(body("content='\(value)'"))?.rare.content == PeerText(expected))
        }
        #expect(parser.attributes(body(""))?.rare.content == nil)
    }

    @Test(
        "any declared encoding but UTF-8 is refused, whatever the bytes are, and nothing of the body is believed (N-08)"
    )
    func encodings() {
        let names = [
            "ISO-8859-1", "iso-8859-15", "US-ASCII", "UTF-16", "UTF-16LE", "UTF-32", "UTF-7", "UCS-4", "EBCDIC-CP-US",
            "windows-1252", "Shift_JIS", "GB18030", "utf8", "UTF-88", "xTF-8", "",
        ]
        for name in names {
            let text = "<?xml version='1.0' encoding='\(name)'?>" + body("rid='1'", "<m/>")
            #expect(parser.parse(text) == .refused(.encoding, attributes: nil), "\(name)")
        }
        for name in ["UTF-8", "utf-8", "Utf-8"] {
            let text = "<?xml version='1.0' encoding=\"\(name)\"?>" + body("rid='1'", "<m>é</m>")
            #expect(parser.payload(text) == "<m>é</m>", "\(name)")
        }
        // It is declared as UTF-8, but is not.
        let latin = Array("<?xml version='1.0' encoding='utf-8'?>\(body("rid='1'", "<m>"))".utf8.dropLast(7)) + [0xE9]
        #expect(parser.fault(latin + Array("</m></body>".utf8)) == .encoding)
    }

    @Test("values are decoded (N-07)")
    func attributeDecoding() {
        #expect(parser.attributes(body("to='a&amp;&lt;&#x20AC;&quot;&apos;b'"))?.rare.to == "a&<€\"'b")
        #expect(parser.attributes(body("to='a\tb&#9;c'"))?.rare.to == "a b\tc")
    }

    @Test(
        "every form of the root (N-01, N-08, N-12)",
        arguments: [
            "<body xmlns='http://jabber.org/protocol/httpbind' rid='1'/>",
            "<body xmlns=\"http://jabber.org/protocol/httpbind\" rid=\"1\"></body>",
            "<b:body xmlns:b='http://jabber.org/protocol/httpbind' rid='1'/>",
            "\u{FEFF}<body xmlns='http://jabber.org/protocol/httpbind' rid='1'/>",
            "<?xml version='1.0'?><body xmlns='http://jabber.org/protocol/httpbind' rid='1'/>",
            "<?xml version=\"1.0\" encoding=\"utf-8\" standalone='yes' ?>\r\n<body xmlns='http://jabber.org/protocol/httpbind' rid='1'/>",
            "\u{FEFF}<?xml version='1.0' encoding='UTF-8'?> <body xmlns='http://jabber.org/protocol/httpbind' rid='1' >\n</body >\r\n ",
            "\n<body\nxmlns = 'http://jabber.org/protocol/httpbind'\trid='1'> \t\r\n </body>",
        ])
    func roots(text: String) {
        #expect(parser.parse(text) == .body(rid(1), payload: [], stanzas: 0))
    }

    @Test("refuses what is not a body", arguments: refused)
    func refusals(text: String, fault: BodyFault) {
        #expect(parser.fault(text) == fault)
        // The context works for the next body.
        #expect(parser.parse(body("rid='1'", "<a/>")) == .body(rid(1), payload: Array("<a/>".utf8), stanzas: 1))
    }

    static let refused: [(String, BodyFault)] = [
        ("", .malformed),
        ("   ", .malformed),
        ("x", .malformed),
        ("<body xmlns='urn:x'/>", .invalidRoot),
        ("<body/>", .invalidRoot),
        ("<bodyx xmlns='http://jabber.org/protocol/httpbind'/>", .invalidRoot),
        ("<body xmlns='http://jabber.org/protocol/httpbind'", .malformed),
        ("<body xmlns='http://jabber.org/protocol/httpbind'>", .malformed),
        ("<body xmlns='http://jabber.org/protocol/httpbind'></bodi>", .malformed),
        ("<body xmlns='http://jabber.org/protocol/httpbind'/><body/>", .malformed),
        ("<body xmlns='http://jabber.org/protocol/httpbind'/>x", .malformed),
        ("<body xmlns='http://jabber.org/protocol/httpbind'/>\u{FEFF}", .malformed),
        ("<body xmlns='http://jabber.org/protocol/httpbind' rid='1' rid='2'/>", .malformed),
        ("<body xmlns='http://jabber.org/protocol/httpbind' rid=1/>", .malformed),
        ("<body xmlns='http://jabber.org/protocol/httpbind' rid='<'/>", .malformed),
        ("<b:body xmlns='http://jabber.org/protocol/httpbind'/>", .invalidRoot),
        ("<?xml version='1.1'?>" + body(), .malformed),
        ("<?xml version='1.0' encoding='ISO-8859-1'?>" + body(), .encoding),
        ("<?xml version='1.0' encoding='UTF-16'?>" + body(), .encoding),
        ("<?xml version='1.0' encoding='utf8'?>" + body(), .encoding),
        ("<?xml version='1.0' standalone='maybe'?>" + body(), .malformed),
        ("<?xml version='1.0'", .malformed),
        (" <?xml version='1.0'?>" + body(), .restrictedXML),
        ("<?xml-stylesheet href='x'?>" + body(), .restrictedXML),
        ("<!DOCTYPE body>" + body(), .restrictedXML),
        ("<!DOCTYPE body [<!ENTITY a 'b'>]>" + body("", "<m>&a;</m>"), .restrictedXML),
        ("<!-- c -->" + body(), .restrictedXML),
        (body() + "<!-- c -->", .malformed),
        (body("", "<!-- c -->"), .restrictedXML),
        (body("", "<m><!-- c --></m>"), .restrictedXML),
        (body("", "<m><?pi x?></m>"), .restrictedXML),
        (body("", "<m>&nbsp;</m>"), .restrictedXML),
        (body("", "<m a='&nbsp;'/>"), .restrictedXML),
        (body("to='&x;'"), .restrictedXML),
        (body("", "text"), .text),
        (body("", "<m/>text"), .text),
        (body("", "<m/>&#32;"), .text),
        (body("", "<![CDATA[ ]]>"), .text),
        (body("", "<m/><![CDATA[x]]>"), .text),
        (body("", "<m>]]></m>"), .malformed),
        (body("", "<m>&#0;</m>"), .malformed),
        (body("", "<m>&#xFFFE;</m>"), .malformed),
        (body("", "<m>&#xD800;</m>"), .malformed),
        (body("", "<m>&</m>"), .malformed),
        (body("", "<m a='1' a='2'/>"), .malformed),
        (body("", "<m a='1'b='2'/>"), .malformed),
        (body("", "<m></n>"), .malformed),
        (body("", "<m>"), .malformed),
        (body("", "</m>"), .malformed),
        (body("", "</body><body>"), .malformed),
        (body("", "< m/>"), .malformed),
        (body("", "<m/ >"), .malformed),
        (body("", "<1/>"), .malformed),
        (body("", "<p:m/>"), .malformed),
        (body("", "<m p:a='1'/>"), .malformed),
        (body("", "<m:n:o xmlns:m='urn:m'/>"), .malformed),
        (body("", "<m xmlns:p='urn:p' xmlns:q='urn:p' p:a='1' q:a='2'/>"), .malformed),
        (body("", "<m xmlns:p=''/>"), .malformed),
        (body("", "<m xmlns:xmlns='urn:x'/>"), .malformed),
        (body("", "<m xmlns:xml='urn:x'/>"), .malformed),
        (body("", "<stream:stream xmlns:stream='http://etherx.jabber.org/streams'/>"), .forbiddenElement),
        (body("xmlns:s='http://etherx.jabber.org/streams'", "<s:error/>"), .forbiddenElement),
        (body("", "</stream:stream>"), .malformed),
        (body("", "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"), .forbiddenElement),
        (body("", "<m/><compress xmlns='http://jabber.org/protocol/compress'/>"), .forbiddenElement),
        (body("xmlns:b='http://jabber.org/protocol/httpbind'", "<m b:a='1'/>"), .malformed),
    ]

    @Test("bytes that are not UTF-8 or not XML are refused before libxml2 (N-08, N-09)")
    func characters() {
        let head = Array("<body xmlns='http://jabber.org/protocol/httpbind' rid='1'><m>".utf8)
        let tail = Array("</m></body>".utf8)
        let bad: [[UInt8]] = [
            [0x00], [0x01], [0x1F], [0x0B], [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC2], [0xE0, 0x80, 0x80],
            [0xE2, 0x82], [0xED, 0xA0, 0x80], [0xEF, 0xBF, 0xBE], [0xEF, 0xBF, 0xBF], [0xF0, 0x80, 0x80, 0x80],
            [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFF], [0xFE],
        ]
        for bytes in bad {
            #expect(parser.parse((head + bytes + tail).span) == .refused(.encoding, attributes: rid(1)), "\(bytes)")
        }
        for text in [
            "\u{7F}", "\u{80}", "\u{7FF}", "\u{800}", "\u{D7FF}", "\u{E000}", "\u{FFFD}", "\u{10000}", "\u{10FFFF}",
        ] {
            #expect(parser.payload(body("rid='1'", "<m>\(text)</m>")) == "<m>\(text)</m>")
        }
        #expect(parser.fault([0xFF, 0xFE] + head.flatMap { [$0, 0] }) == .encoding)
        #expect(parser.fault([0xFE, 0xFF] + head.flatMap { [0, $0] }) == .encoding)
    }

    @Test("a refusal tells the attributes when the start tag was readable (T-13)")
    func attributesOfRefused() {
        let texts: [(String, BodyFault)] = [
            (body("rid='1'", "<m>"), .malformed),
            (body("rid='1'", "<m></n>"), .malformed),
            (body("rid='1'", "<!-- -->"), .restrictedXML),
            (body("rid='1'", "x"), .text),
            (body("rid='1'", "<m/><stream:x xmlns:stream='http://etherx.jabber.org/streams'/>"), .forbiddenElement),
            (body("rid='1'") + "x", .malformed),
        ]
        for (text, fault) in texts {
            #expect(parser.parse(text) == .refused(fault, attributes: rid(1)), "\(text)")
        }
        #expect(parser.parse("<body rid='1'/>") == .refused(.invalidRoot, attributes: nil))
        #expect(
            parser.parse("<body xmlns='http://jabber.org/protocol/httpbind' rid='1'")
                == .refused(.malformed, attributes: nil))
    }

    @Test("children leave as they came (N-07)", arguments: verbatim)
    func verbatimChildren(child: String) {
        #expect(parser.payload(body("rid='1'", child)) == child)
        #expect(parser.payload(body("rid='1'", " \n\(child)\t")) == child)
    }

    static let verbatim = [
        "<message xmlns='jabber:client'><body>hi</body></message>",
        "<message><body>hi</body></message>",
        "<message xmlns=\"jabber:client\" to='a' ><body >x</body\n></message >",
        "<iq a='&#9;&#10;&#13;&quot;\"' b=\"'&apos;\">a&#9;b&#13;&#10;c&lt;&gt;&amp;&#x1F600;😀</iq>",
        "<m><![CDATA[<a>&b;]] >]]>]]&gt;</m>",
        "<m><![CDATA[x]]]></m>",
        "<m><![CDATA[]]]]]]><![CDATA[]]></m>",
        "<m><![CDATA[]>]]>]]<![CDATA[> ]] ]> ]]></m>",
        "<m>></m>",
        "<a/><b/><c></c>",
        "<r xmlns='urn:xmpp:sm:3'/>",
        "<x xmlns='urn:x'><y xmlns=''><z/></y></x>",
        "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN' xmlns:ga='http://www.google.com/talk/protocol/auth'"
            + " ga:client-uses-full-bind-result='true'>AA==</auth>",
        "<m xml:lang='de' xml:space='preserve'> </m>",
        "<m><x xmlns='http://jabber.org/protocol/httpbind'/></m>",
        "<m><stream:features xmlns:stream='http://etherx.jabber.org/streams'/></m>",
        "<m xmlns:p='urn:ü'/>",
        "<ünïcode ättribute='ö'/>",
    ]

    @Test("children are dropped into one run, white space between them is not (N-03)")
    func severalChildren() {
        #expect(
            parser.parse(body("rid='1'", "\n  <a/>\n  <b>x</b>\n"))
                == .body(rid(1), payload: Array("<a/><b>x</b>".utf8), stanzas: 2))
    }

    @Test("declarations of the body move to where they are used (N-05, N-06)", arguments: moved)
    func namespaces(attributes: String, child: String, forwarded: String) {
        #expect(parser.payload(body(attributes, child)) == forwarded)
    }

    static let moved: [(String, String, String)] = [
        ("xmlns:p='urn:p'", "<m/>", "<m/>"),
        ("xmlns:p='urn:p'", "<p:m/>", "<p:m xmlns:p='urn:p'/>"),
        ("xmlns:p='urn:p'", "<p:m><p:n/></p:m>", "<p:m xmlns:p='urn:p'><p:n/></p:m>"),
        ("xmlns:p='urn:p'", "<m><n><o p:a='1'/></n></m>", "<m xmlns:p='urn:p'><n><o p:a='1'/></n></m>"),
        ("xmlns:p='urn:p'", "<m p:a='1' xmlns:p='urn:q'/>", "<m p:a='1' xmlns:p='urn:q'/>"),
        ("xmlns:p='urn:p'", "<m p:a='1' xmlns:p='urn:p'/>", "<m p:a='1' xmlns:p='urn:p'/>"),
        ("xmlns:p='urn:p'", "<m><n xmlns:p='urn:p' p:a='1'/></m>", "<m><n xmlns:p='urn:p' p:a='1'/></m>"),
        (
            "xmlns:p='urn:p'", "<m><n xmlns:p='urn:p' p:a='1'/><p:o/></m>",
            "<m xmlns:p='urn:p'><n xmlns:p='urn:p' p:a='1'/><p:o/></m>"
        ),
        (
            "xmlns:p='urn:p' xmlns:q='urn:q'", "<q:m/><p:m/><m/>",
            "<q:m xmlns:q='urn:q'/><p:m xmlns:p='urn:p'/><m/>"
        ),
        ("xmlns:p='urn:&amp;&#9;&apos;'", "<p:m/>", "<p:m xmlns:p='urn:&amp;&#9;&apos;'/>"),
        ("xmlns:stream='urn:not-streams'", "<stream:m/>", "<stream:m xmlns:stream='urn:not-streams'/>"),
        ("", "<m xmlns='http://jabber.org/protocol/httpbind'/>", "<m xmlns='jabber:client'/>"),
        (
            "",
            "<m xmlns = \"http://jabber.org/protocol/httpbin&#100;\" xmlnsx='http://jabber.org/protocol/httpbind'/>",
            "<m xmlns = \"jabber:client\" xmlnsx='http://jabber.org/protocol/httpbind'/>"
        ),
        (
            "",
            "<b:m xmlns:b='http://jabber.org/protocol/httpbind'><b:n>http://jabber.org/protocol/httpbind</b:n></b:m>",
            "<b:m xmlns:b='jabber:client'><b:n>http://jabber.org/protocol/httpbind</b:n></b:m>"
        ),
        ("xmlns:b='http://jabber.org/protocol/httpbind'", "<b:m><n/></b:m>", "<b:m xmlns:b='jabber:client'><n/></b:m>"),
        ("xml:lang='de'", "<m xml:lang='en'/>", "<m xml:lang='en'/>"),
        (
            "xmlns:p='urn:p'", "<m xmlns='http://jabber.org/protocol/httpbind' p:a='1'/>",
            "<m xmlns:p='urn:p' xmlns='jabber:client' p:a='1'/>"
        ),
    ]

    @Test("the body's language goes to stanzas that have none of their own (N-06)", arguments: languages)
    func inheritedLanguages(attributes: String, child: String, forwarded: String) {
        #expect(parser.payload(body(attributes, child)) == forwarded)
        // The language does not stay for the next body.
        #expect(parser.payload(body("", child)) == child)
    }

    static let languages: [(String, String, String)] = [
        ("xml:lang='de'", "<message a='1'/>", "<message xml:lang='de' a='1'/>"),
        ("xml:lang='de'", "<presence>x</presence><iq/>", "<presence xml:lang='de'>x</presence><iq xml:lang='de'/>"),
        ("xml:lang='d&#101;-CH'", "<iq xmlns='jabber:client'/>", "<iq xml:lang='de-CH' xmlns='jabber:client'/>"),
        (
            "xml:lang='de'", "<c:iq xmlns:c='jabber:client'></c:iq>",
            "<c:iq xml:lang='de' xmlns:c='jabber:client'></c:iq>"
        ),
        ("xml:lang='de'", "<message xml:lang='en'/><iq/>", "<message xml:lang='en'/><iq xml:lang='de'/>"),
        ("xml:lang='de'", "<message a='1' xml:lang=''/>", "<message a='1' xml:lang=''/>"),
        ("xml:lang='de'", "<message lang='en'/>", "<message xml:lang='de' lang='en'/>"),
        (
            "xml:lang='de'", "<message><body xml:lang='en'/><message/></message>",
            "<message xml:lang='de'><body xml:lang='en'/><message/></message>"
        ),
        ("xml:lang='de'", "<message xmlns=''/>", "<message xmlns=''/>"),
        ("xml:lang='de'", "<message xmlns='jabber:server'/>", "<message xmlns='jabber:server'/>"),
        ("xml:lang='de'", "<messages/><r xmlns='urn:xmpp:sm:3'/>", "<messages/><r xmlns='urn:xmpp:sm:3'/>"),
        (
            "xml:lang='de'", "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"
        ),
        ("lang='de'", "<message/>", "<message/>"),
        ("xml:lang=''", "<message/>", "<message/>"),
        ("xml:lang='de_DE'", "<message/>", "<message/>"),
        ("xml:lang=\"'/>&lt;x\"", "<message/>", "<message/>"),
        ("xml:lang='\(String(repeating: "a", count: 36))'", "<message/>", "<message/>"),
    ]

    @Test("a language and what a body declares, together (N-05, N-06)")
    func languageAndNamespaces() {
        #expect(
            parser.payload(
                body(
                    "xmlns:b='http://jabber.org/protocol/httpbind' xmlns:p='urn:p' xml:lang='de'",
                    "<b:message p:a='1'/><message xmlns='http://jabber.org/protocol/httpbind' p:a='1'/>"))
                == "<b:message xmlns:b='jabber:client' xmlns:p='urn:p' xml:lang='de' p:a='1'/>"
                + "<message xmlns:p='urn:p' xml:lang='de' xmlns='jabber:client' p:a='1'/>")
        #expect(
            parser.payload("<b:body xmlns:b='http://jabber.org/protocol/httpbind' xml:lang='de'><iq/></b:body>")
                == "<iq xml:lang='de'/>")
        #expect(
            parser.payload(
                "<b:body xmlns:b='http://jabber.org/protocol/httpbind' xmlns='urn:x' xml:lang='de'><iq/></b:body>")
                == "<iq xmlns='urn:x'/>")
        // A body with as many children as there may be is not refused for what they get.
        let many = String(repeating: "<iq/>", count: 1024)
        let language = String(repeating: "a", count: 35)
        #expect(
            parser.payload(body("xml:lang='\(language)'", many))
                == String(repeating: "<iq xml:lang='\(language)'/>", count: 1024))
    }

    @Test("a prefixed body with a default namespace of its own (N-01, N-05)")
    func prefixedBody() {
        func wrapped(_ declaration: String, _ child: String) -> String? {
            parser.payload("<b:body xmlns:b='http://jabber.org/protocol/httpbind' \(declaration)>\(child)</b:body>")
        }
        #expect(wrapped("", "<m/>") == "<m/>")
        #expect(wrapped("xmlns=''", "<m/>") == "<m/>")
        #expect(wrapped("xmlns='jabber:client'", "<m/>") == "<m/>")
        #expect(wrapped("xmlns='urn:x'", "<m/>") == "<m xmlns='urn:x'/>")
        #expect(wrapped("xmlns='urn:x'", "<m xmlns='urn:y'/>") == "<m xmlns='urn:y'/>")
        #expect(
            wrapped("xmlns='urn:x'", "<m xmlns='urn:y'><n xmlns='urn:x'/></m>")
                == "<m xmlns='urn:y'><n xmlns='urn:x'/></m>")
        #expect(wrapped("xmlns='urn:x'", "<b:m><n/></b:m>") == "<b:m xmlns:b='jabber:client' xmlns='urn:x'><n/></b:m>")
    }

    @Test("the same answer for any input that the one before left behind")
    func reuse() {
        for _ in 0..<3 {
            for (text, fault) in Self.refused { #expect(parser.fault(text) == fault, "\(text)") }
            for child in Self.verbatim { #expect(parser.payload(body("", child)) == child) }
        }
    }

    @Test("every beginning of a body is refused, and tells the attributes from the start tag's end on")
    func everyBeginning() {
        let text = "<body xmlns='http://jabber.org/protocol/httpbind' rid='1'>"
        let whole = Array((text + "<m a='€'>x<![CDATA[y]]>&amp;</m></body>").utf8)
        for length in 0..<whole.count {
            guard case .refused(_, let attributes) = parser.parse(whole.span.extracting(0..<length)) else {
                Issue.record("accepted \(length) of \(whole.count) bytes")
                continue
            }
            #expect(attributes == (length < text.utf8.count ? nil : rid(1)), "\(length)")
        }
    }

    private func rid(_ number: UInt64) -> BodyAttributes {
        var attributes = BodyAttributes()
        attributes.rid = .value(number)
        return attributes
    }

    @Test("T-11 the words that end a session", arguments: ["terminate", "terminal"])
    func ends(word: String) {
        let body = "<body xmlns='http://jabber.org/protocol/httpbind' rid='1' type='\(word)'/>"
        guard case .body(let attributes, _, _) = BodyParser().parse(Array(body.utf8).span) else {
            Issue.record("refused: \(body)")
            return
        }
        #expect(attributes.type == .terminate)
    }
}
