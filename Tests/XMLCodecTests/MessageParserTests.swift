import Bridge
import Testing

@testable import XMLCodec

/// Messages of clients over WebSocket (RFC 7395 §3.3.3).
@Suite struct MessageParserTests {
    private let parser = MessageParser(limits: XMLLimits(depth: 10, attributes: 8))

    /// Reads a message at once and, with another parser, in steps of every size; the results are the same.
    private func read(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) -> ClientMessage {
        let bytes = Array(text.utf8)
        let whole = parser.parse(bytes.span)
        for budget in [1, 7, 1_000] {
            let stepwise = MessageParser(limits: XMLLimits(depth: 10, attributes: 8))
            var result = stepwise.begin(bytes.span)
            for _ in 0...bytes.count + 20 where result == nil { result = stepwise.proceed(budget: budget) }
            #expect(result == whole, "\(text) in steps of \(budget)", sourceLocation: sourceLocation)
        }
        return whole
    }

    /// The part of a message that is for the server; nil when it is refused or something else.
    private func forwarded(_ text: String) -> String? {
        guard case .element(let range) = read(text) else { return nil }
        return String(decoding: Array(text.utf8)[range], as: UTF8.self)
    }

    @Test(
        "W-03 W-12: one element passes as it came",
        arguments: [
            "<message xmlns='jabber:client'><body>ü &amp; 𝄞</body></message>", "<iq type='get' id='1'/>",
            "<presence/>", "<r xmlns='urn:xmpp:sm:3'/>", "<a:b xmlns:a='urn:x' a:c='d'><a:e/></a:b>",
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGEAYg==</auth>",
            "<message><![CDATA[<a>]]></message>", "<iq><query xmlns=''/></iq>",
        ])
    func passes(text: String) { #expect(forwarded(text) == text) }

    @Test("W-42: a declaration and white space in front are left out; white space alone is a sign of life")
    func strips() {
        #expect(forwarded("<?xml version='1.0' encoding='UTF-8'?>\n <iq/>") == "<iq/>")
        #expect(forwarded(" \t\r\n<iq/>") == "<iq/>")
        for text in ["", " ", "\r\n\t "] { #expect(read(text) == .blank) }
    }

    @Test(
        "W-03 W-42 W-43: what is refused, and why",
        arguments: [
            ("<a/><b/>", .malformed), ("<iq/> ", .malformed), ("<iq>", .malformed), ("iq", .text),
            ("<iq></iqq>", .malformed),
            ("<iq/>x", .malformed), ("</m>", .malformed), ("</m><m>", .malformed), ("<x:iq/>", .malformed),
            ("<iq x:a='b'/>", .malformed), ("<iq a='1' a='2'/>", .malformed), ("<iq>\u{1}</iq>", .encoding),
            ("<iq>\u{FFFF}</iq>", .encoding), ("<?xml version='1.0' encoding='latin1'?><iq/>", .encoding),
            ("<!DOCTYPE iq><iq/>", .restrictedXML), ("<iq><!-- --></iq>", .restrictedXML),
            ("<iq><?a?></iq>", .restrictedXML),
            ("<iq>&lol;</iq>", .restrictedXML), ("<foo/>", .invalidRoot), ("<iq xmlns=''/>", .invalidRoot),
            ("<m/>", .invalidRoot),
            ("<iq><a><a><a><a><a><a><a><a><a/></a></a></a></a></a></a></a></a></iq>", .limit(.depth)),
            ("<iq a='' b='' c='' d='' e='' f='' g='' h='' i=''/>", .limit(.attributes)),
            ("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", .forbiddenElement),
            ("<x:features xmlns:x='http://etherx.jabber.org/streams'/>", .forbiddenElement),
            ("<compress xmlns='http://jabber.org/protocol/compress'/>", .forbiddenElement),
            ("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'/>", .forbiddenElement),
            ("<authenticate xmlns='urn:xmpp:sasl:2' mechanism='EXTERNAL'/>", .forbiddenElement),
            ("<openn xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>", .forbiddenElement),
        ] as [(String, XMLFault)])
    func refuses(text: String, fault: XMLFault) {
        guard case .refused(let found) = read(text) else {
            Issue.record("\(text) passes")
            return
        }
        #expect(found == fault, "\(text)")
        // The parser reads on as if nothing had been.
        #expect(forwarded("<iq/>") == "<iq/>")
    }

    @Test("W-04: the attributes of <open/>, with any prefix and in bounds")
    func opens() {
        let framing = "urn:ietf:params:xml:ns:xmpp-framing"
        var expected = OpenAttributes()
        #expect(read("<open xmlns='\(framing)'/>") == .open(expected))
        expected.to = "a&b"
        expected.from = "u@a/'"
        expected.language = "de-CH"
        #expect(
            read("<f:open xmlns:f='\(framing)' to='a&amp;b' from=\"u@a/'\" xml:lang='de-CH' version='1.0' f:to='x'/>")
                == .open(expected))
        expected = OpenAttributes()
        expected.to = .tooLong
        #expect(read("<open xmlns='\(framing)' to='\(String(repeating: "x", count: 1_024))'/>") == .open(expected))
        for language in ["", "d e", "&lt;", String(repeating: "d", count: 36)] {
            #expect(read("<open xmlns='\(framing)' xml:lang='\(language)'/>") == .open(OpenAttributes()))
        }
        #expect(read("<close xmlns='\(framing)' see-other-uri='wss://a'/>") == .close)
    }

    @Test("W-03: the same message means the same after a thousand others")
    func keepsNothing() {
        for number in 0..<1_000 {
            #expect(forwarded("<message id='\(number)'><x\(number) xmlns='urn:\(number)'/></message>") != nil)
            #expect(read("<a\(number):b/>") == .refused(.malformed))
        }
    }

    @Test("a long message takes several steps, and a refused one ends at once")
    func takesSteps() {
        let text = "<message><body>" + String(repeating: "ü", count: 200_000) + "</body></message>"
        let bytes = Array(text.utf8)
        #expect(parser.begin(bytes.span) == nil)
        var steps = 0
        var result: ClientMessage?
        while result == nil {
            result = parser.proceed(budget: 65_536)
            steps += 1
        }
        #expect(result == .element(0..<bytes.count) && steps == 7)
        #expect(parser.proceed(budget: 1) == .refused(.malformed))
        #expect(parser.begin(Array("<a/><b/>".utf8).span) == .refused(.malformed))
    }
}
