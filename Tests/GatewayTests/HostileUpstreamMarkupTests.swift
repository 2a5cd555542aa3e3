import TestSupport
import Testing

/// Servers whose open stream stops being XML, contains XML that XMPP forbids, or has too much of it.
@Suite struct HostileUpstreamMarkupTests {
    @Test("S-17 N-02 N-04: what is not well-formed", arguments: HostileMarkup.malformed, Listening.allCases)
    func malformed(markup: HostileMarkup, listening: Listening) throws {
        try markup.play(listening)
    }

    @Test("S-17 N-02: what RFC 6120 §11.1 forbids", arguments: HostileMarkup.restricted, Listening.allCases)
    func restricted(markup: HostileMarkup, listening: Listening) throws {
        try markup.play(listening)
    }

    @Test("S-17 N-08 N-09: what is not UTF-8, or no character", arguments: HostileMarkup.characters, Listening.allCases)
    func characters(markup: HostileMarkup, listening: Listening) throws {
        try markup.play(listening)
    }

    @Test("S-17 X-16: what is not the server's to say", arguments: HostileMarkup.misplaced, Listening.allCases)
    func misplaced(markup: HostileMarkup, listening: Listening) throws {
        try markup.play(listening)
    }

    @Test("S-17 N-11: what is too much is skipped, and harms nobody, its own session neither")
    func bombs() throws {
        let scene = try HostileScene(environment: ["HOLDFAST_MAX_STANZA": "1000000"])
        let (client, stream) = try scene.join()
        for markup in HostileMarkup.bombs {
            let poll = try client.send()
            try stream.wire.send(markup.bytes + Array("<message id='m2'/>".utf8))
            #expect(
                try poll.answer().payload == "<message xmlns='jabber:client' id='m2'/>", "\(markup.testDescription)")
        }
        _ = try client.exchange("type='terminate'")
        try scene.daemon.wait(until: "sessions.now", is: 1)
        try scene.expectOthersUnharmed()
        withExtendedLifetime(stream) {}
    }

    @Test("S-17 N-11: what never ends is cut off", arguments: HostileFlood.all)
    func floods(flood: HostileFlood) throws {
        let end = HostileEnd("", pending: "<message xmlns='jabber:client' id='m1'/>") { stream in
            try stream.send("<message id='m1'/>" + flood.beginning)
            let piece = Array(String(repeating: flood.piece, count: 65_536 / flood.piece.utf8.count).utf8)
            var sent = 0
            while try !stream.wire.sendUntilCut(piece) {
                sent += piece.count
                guard sent < 67_108_864 else { throw TestFault("nobody stops it") }
            }
        }
        try end.play(.absent, environment: ["HOLDFAST_MAX_STANZA": "100000", "HOLDFAST_MAX_SKIPPED": "8388608"])
    }
}

/// What a server sends between two stanzas; only the first one is delivered then.
struct HostileMarkup: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let bytes: [UInt8]

    init(_ name: String, _ text: String) {
        testDescription = name
        bytes = Array(text.utf8)
    }

    /// Bytes inside the text of a stanza.
    init(_ name: String, inside bytes: [UInt8]) {
        testDescription = name
        self.bytes = Array("<message><body>".utf8) + bytes + Array("</body></message>".utf8)
    }

    /// Plays it in one write; without a held request byte by byte, unless it is long.
    func play(_ listening: Listening) throws {
        let pending = "<message xmlns='jabber:client' id='m1'/>"
        let all = Array("<message id='m1'/>".utf8) + bytes + Array("<message id='m2'/>".utf8)
        let isBytewise = listening == .absent && all.count < 1_000
        let end = HostileEnd("", pending: pending) { stream in
            guard isBytewise else {
                try stream.wire.sendUntilCut(all)
                return
            }
            for byte in all where try stream.wire.sendUntilCut([byte]) { return }
        }
        try end.play(listening)
    }

    static let malformed = [
        Self("an end tag too many", "</message>"),
        Self("another end tag", "<message><body></subject></message>"),
        Self("another end tag of the stanza", "<message></presence>"),
        Self("an end tag in other capitals", "<message></Message>"),
        Self("end tags in the wrong order", "<message><a><b></a></b></message>"),
        Self("an end tag with an attribute", "<message></message a='1'>"),
        Self("the end of the features", "</stream:features>"),
        Self("the end of the stream with another prefix", "</s:stream>"),
        Self("the end of the stream without a prefix", "</stream>"),
        Self("the end of a body", "</body>"),
        Self("a < in text", "<message><body>1 < 2</body></message>"),
        Self("a < in an attribute", "<message a='<'/>"),
        Self("a & alone", "<message><body>this & that</body></message>"),
        Self("a ]]> in text", "<message><body>a ]]> b</body></message>"),
        Self("a CDATA section in other capitals", "<message><![cdata[x]]></message>"),
        Self("a name that begins with a digit", "<message><1/></message>"),
        Self("a name that begins with a hyphen", "<-message/>"),
        Self("an empty tag", "<message><></></message>"),
        Self("a space before a name", "< message/>"),
        Self("a slash and a space", "<message / >"),
        Self("an attribute without a value", "<message a/>"),
        Self("an attribute without quotes", "<message a=1/>"),
        Self("two attributes without space", "<message a='1'b='2'/>"),
        Self("an attribute twice", "<message a='1' a='2'/>"),
        Self("an attribute twice by two prefixes", "<message xmlns:a='u' xmlns:b='u' a:x='1' b:x='2'/>"),
        Self("a declaration twice", "<message xmlns='urn:a' xmlns='urn:b'/>"),
        Self("a prefix that nobody declared", "<x:message/>"),
        Self("an attribute's prefix that nobody declared", "<message x:a='1'/>"),
        Self("a prefix out of its scope", "<message><a xmlns:x='u'/><x:b/></message>"),
        Self("two colons", "<a:b:c xmlns:a='u'/>"),
        Self("a prefix without a namespace", "<x:message xmlns:x=''/>"),
        Self("another meaning of xml", "<message xmlns:xml='urn:example'/>"),
        Self("a meaning of xmlns", "<message xmlns:xmlns='urn:example'/>"),
        Self("an element in xmlns", "<xmlns:message/>"),
        Self("an attribute in angle brackets", "<message <a='1'>/>"),
        Self("quotes that do not match", "<message a='1\"/>"),
    ]

    static let restricted = [
        Self("a comment", "<!-- hello -->"),
        Self("a comment in a stanza", "<message><!-- hello --></message>"),
        Self("a comment that hides an end tag", "<message><!-- </message> --></message>"),
        Self("an instruction", "<?hello world?>"),
        Self("an instruction in a stanza", "<message><?hello world?></message>"),
        Self("a second XML declaration", "<?xml version='1.0'?>"),
        Self("an XML declaration in a stanza", "<message><?xml version='1.0'?></message>"),
        Self("a DTD", "<!DOCTYPE message [<!ENTITY a 'aaaa'>]><message>&a;</message>"),
        Self("a DTD in a stanza", "<message><!DOCTYPE a></message>"),
        Self("a declaration of an element", "<message><!ELEMENT a ANY></message>"),
        Self("a declaration of an entity", "<!ENTITY a SYSTEM 'file:///etc/passwd'>"),
        Self("a conditional section", "<message><![INCLUDE[<a/>]]></message>"),
        Self("an exclamation mark alone", "<message><!></message>"),
        Self("an entity", "<message><body>&hello;</body></message>"),
        Self("an entity of HTML", "<message><body>&nbsp;</body></message>"),
        Self("an entity in an attribute", "<message a='&hello;'/>"),
        Self("an entity in other capitals", "<message><body>&LT;</body></message>"),
        Self("an entity between stanzas", "&lt;"),
        Self("text between stanzas", "hello"),
        Self("a character reference between stanzas", "&#32;"),
        Self("a CDATA section between stanzas", "<![CDATA[ ]]>"),
    ]

    static let characters = [
        Self("NUL between stanzas", "\u{0}"),
        Self("NUL in text", inside: [0]),
        Self("NUL in a name", "<mess\u{0}age/>"),
        Self("a control character", inside: [0x1B]),
        Self("a reference to NUL", "<message><body>&#0;</body></message>"),
        Self("a reference to a control character", "<message><body>&#x1B;</body></message>"),
        Self("a reference to a surrogate", "<message><body>&#xD800;</body></message>"),
        Self("a reference to U+FFFE", "<message><body>&#xFFFE;</body></message>"),
        Self("a reference beyond Unicode", "<message><body>&#x110000;</body></message>"),
        Self("a reference that wraps around", "<message><body>&#x100000041;</body></message>"),
        Self("a reference without a number", "<message><body>&#;</body></message>"),
        Self("a byte that begins nothing", inside: [0x80]),
        Self("a byte that is never there", inside: [0xFF]),
        Self("ISO-8859-1", inside: [0x67, 0x72, 0xFC, 0x6E]),
        Self("a character that is cut off by a tag", inside: [0xE2, 0x82]),
        Self("a < in two bytes", inside: [0xC0, 0xBC]),
        Self("a < in three bytes", inside: [0xE0, 0x80, 0xBC]),
        Self("a slash in two bytes", inside: [0xC0, 0xAF]),
        Self("a surrogate", inside: [0xED, 0xA0, 0x80]),
        Self("two surrogates", inside: [0xED, 0xA0, 0xBD, 0xED, 0xB8, 0x80]),
        Self("U+FFFE", inside: [0xEF, 0xBF, 0xBE]),
        Self("U+FFFF", inside: [0xEF, 0xBF, 0xBF]),
        Self("a character beyond Unicode", inside: [0xF4, 0x90, 0x80, 0x80]),
        Self("five bytes for a character", inside: [0xF8, 0x88, 0x80, 0x80, 0x80]),
        Self("a byte order mark between stanzas", "\u{FEFF}"),
        Self("a space of Unicode between stanzas", "\u{A0}"),
        Self("a line end of Unicode between stanzas", "\u{85}"),
    ]

    static let misplaced = [
        Self("a stream header", ScriptedStream.header()),
        // The daemon does not wait for its end.
        Self("a stream header without a declaration", String(ScriptedStream.header().dropFirst(21))),
        Self("a whole stream", "<stream:stream/>"),
        Self("a whole stream in a stream", "<stream:stream><message/></stream:stream>"),
        Self("an element of streams that nobody knows", "<stream:flood/>"),
        Self("the same with another prefix", "<s:flood xmlns:s='http://etherx.jabber.org/streams'/>"),
        Self("<proceed/>", ScriptedStream.proceed),
        Self("<starttls/>", ScriptedStream.startTLS),
        Self("the failure of STARTTLS", "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"),
        Self("an element of STARTTLS that nobody knows", "<flood xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"),
        Self("<compressed/>", "<compressed xmlns='http://jabber.org/protocol/compress'/>"),
    ]

    static let bombs = [
        Self("depth", String(repeating: "<a>", count: 10_000) + String(repeating: "</a>", count: 10_000)),
        Self("one level too many", String(repeating: "<a>", count: 1_000) + String(repeating: "</a>", count: 1_000)),
        Self("attributes", "<message \((0..<100_000).map { "a\($0)='' " }.joined())/>"),
        Self("one attribute too many", "<message \((0..<1_025).map { "a\($0)='' " }.joined())/>"),
        Self("declarations in one element", "<message \((0..<1_025).map { "xmlns:a\($0)='u' " }.joined())/>"),
        Self(
            "declarations in all that is open",
            "<message>"
                + (0..<20).map { level in
                    "<a \((0..<20).map { "xmlns:a\(level)b\($0)='u' " }.joined())>"
                }.joined() + String(repeating: "</a>", count: 20) + "</message>"),
        Self("names", "<message>\((0..<20_000).map { "<a\($0)/>" }.joined())</message>"),
        Self("a name", "<message><\(String(repeating: "a", count: 100_000))/></message>"),
        Self("a value", "<message a='\(String(repeating: "a", count: 1_048_576))'/>"),
        Self("text", "<message><body>\(String(repeating: "a", count: 1_048_576))</body></message>"),
        Self("children", "<message>\(String(repeating: "<a/>", count: 300_000))</message>"),
        Self("references", "<message><body>\(String(repeating: "&#65;", count: 250_000))</body></message>"),
        Self("CDATA sections", "<message>\(String(repeating: "<![CDATA[]]>", count: 100_000))</message>"),
        Self("white space in a tag", "<message\(String(repeating: " ", count: 1_048_576))/>"),
    ]
}

/// What a server sends without end.
struct HostileFlood: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let beginning: String
    let piece: String

    static let all = [
        Self(testDescription: "text", beginning: "<message><body>", piece: "hello "),
        Self(testDescription: "elements", beginning: "<message>", piece: "<a>b</a>"),
        Self(testDescription: "a name", beginning: "<message", piece: "e"),
        Self(testDescription: "a value", beginning: "<message a='", piece: "hello "),
        Self(testDescription: "white space in a start tag", beginning: "<message", piece: " \n"),
        Self(testDescription: "white space in an end tag", beginning: "<message></message", piece: " \n"),
        Self(testDescription: "an end tag", beginning: "<message></message", piece: "e"),
        Self(testDescription: "a CDATA section", beginning: "<message><![CDATA[", piece: "]] >"),
        Self(testDescription: "a reference", beginning: "<message>&#", piece: "0"),
    ]
}
