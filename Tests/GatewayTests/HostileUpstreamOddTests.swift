import TestSupport
import Testing

/// Servers that look hostile but do nothing wrong, and are served.
@Suite struct HostileUpstreamOddTests {
    @Test("R-16 N-10 X-14: what is odd and comes through", arguments: OddStream.all)
    func comesThrough(odd: OddStream) throws {
        let scene = try HostileScene()
        let (client, stream) = try scene.join()
        var rest = odd.bytes[...]
        var received = ""
        var poll = try client.send()
        while received.utf8.count < odd.expected.utf8.count || !rest.isEmpty {
            if !rest.isEmpty {
                let count = try stream.wire.sendSome(Array(rest.prefix(odd.isBytewise ? 1 : 65_536)))
                rest = rest.dropFirst(count)
                // The server is read no faster than its client fetches.
                if count == 0 || rest.isEmpty { try scene.daemon.settle() }
                if try poll.isHeld { continue }
            }
            let answer = try poll.answer()
            #expect(!answer.isTerminal)
            received += answer.payload
            poll = try client.send()
        }
        #expect(received == odd.expected)
        // The stream goes on as before.
        try stream.send("<message id='last'/>")
        #expect(try poll.answer().payload == "<message xmlns='jabber:client' id='last'/>")
        #expect(try client.exchange("type='terminate'", "<presence xmlns='jabber:client'/>").isTerminal)
        #expect(
            try stream.read(until: "</stream:stream>").hasSuffix("<presence xmlns='jabber:client'/></stream:stream>"))
        stream.wire.close()
        try scene.daemon.wait(until: "upstream.streams_now", is: 1)
        try scene.expectOthersUnharmed()
    }

    @Test("S-17: a stream that comes one byte at a time")
    func bytewise() throws {
        let scene = try HostileScene()
        let client = BOSHClient(scene.daemon)
        let request = try client.create()
        let stream = try scene.server.accept()
        _ = try stream.readHeader()
        try stream.wire.sendBytewise(ScriptedStream.header() + ScriptedStream.features)
        #expect(try client.adopt(try request.answer()).payload == ScriptedStream.features)
        let poll = try client.send()
        let error = "<stream:error><reset xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"
        try stream.wire.sendBytewise(" <message id='é€😀'>&lt;<![CDATA[<a>]]></message> " + error)
        let end = HostileEnd(
            "", "", reason: "upstream-stream-error",
            pending: "<message xmlns='jabber:client' id='é€😀'>&lt;<![CDATA[<a>]]></message>", error: error)
        try end.expectEnd(of: client, from: poll, scene)
        withExtendedLifetime(stream) {}
    }

    @Test("R-16: a stanza in two pieces, cut wherever it can be")
    func cutAnywhere() throws {
        let scene = try HostileScene()
        let (client, stream) = try scene.join()
        let stanza = Array("<message a=\"'\"><b c='>'/>€<![CDATA[]]]]></message>".utf8)
        let expected = "<message xmlns='jabber:client' a=\"'\"><b c='>'/>€<![CDATA[]]]]></message>"
        var poll = try client.send()
        for cut in 1..<stanza.count {
            try stream.wire.send(Array(stanza[..<cut]))
            try scene.daemon.settle()
            try stream.wire.send(Array(stanza[cut...]))
            #expect(try poll.answer().payload == expected, "cut at \(cut)")
            poll = try client.send()
        }
        poll.abort()
        withExtendedLifetime(stream) {}
    }

    @Test("S-22: what is odd about a beginning and does no harm", arguments: OddBeginning.all)
    func begins(beginning: OddBeginning) throws {
        let scene = try HostileScene()
        let client = BOSHClient(scene.daemon)
        let request = try client.create()
        let stream = try scene.server.accept()
        _ = try stream.readHeader()
        try stream.send(beginning.text)
        let created = try client.adopt(try request.answer())
        #expect(created.payload == beginning.features)
        let poll = try client.send()
        if !beginning.pending.isEmpty {
            #expect(try poll.answer().payload == beginning.pending)
        } else {
            try stream.send("<message id='m1'/>")
            #expect(try poll.answer().payload.contains("id='m1'"))
        }
        #expect(try client.exchange("type='terminate'").isTerminal)
        stream.wire.close()
        try scene.daemon.wait(until: "upstream.streams_now", is: 1)
        try scene.expectOthersUnharmed()
    }
}

/// What a server sends on an open stream, and what the client gets.
struct OddStream: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let bytes: [UInt8]
    let expected: String
    let isBytewise: Bool

    /// The client gets what was sent.
    private init(_ name: String, _ text: String, as expected: String? = nil, isBytewise: Bool = false) {
        testDescription = name
        bytes = Array(text.utf8)
        self.expected = expected ?? text
        self.isBytewise = isBytewise
    }

    /// Elements without a namespace get that of the stream.
    private init(_ name: String, stanza content: String, attributes: String = "", isBytewise: Bool = false) {
        self.init(
            name, "<message\(attributes)>\(content)</message>",
            as: "<message xmlns='jabber:client'\(attributes)>\(content)</message>", isBytewise: isBytewise)
    }

    private static let bosh = "http://jabber.org/protocol/httpbind"
    private static let m1 = "<message xmlns='jabber:client' id='m1'/>"

    static let all = [
        Self(
            "a hundred thousand stanzas", String(repeating: "<a/>", count: 100_000),
            as: String(repeating: "<a xmlns='jabber:client'/>", count: 100_000)),
        Self("a megabyte of white space", String(repeating: " \r\n\t", count: 262_144) + "<message id='m1'/>", as: m1),
        Self(
            "white space one byte at a time", String(repeating: " \n", count: 200) + "<message id='m1'/>", as: m1,
            isBytewise: true),
        Self("CDATA sections", stanza: String(repeating: "<![CDATA[<>&]]>", count: 10_000)),
        Self("a CDATA section with half its end", stanza: "<body><![CDATA[]] > ]]]]></body>"),
        Self("a CDATA section with end tags", stanza: "<body><![CDATA[</body></message></stream:stream>]]></body>"),
        Self("end tags as text", stanza: "<body>&lt;/body>&lt;/message>&lt;/stream:stream></body>"),
        Self("a > in text", stanza: "<body>a > b ]] > c</body>"),
        Self("a ]]> in an attribute", stanza: "", attributes: " a=']]>'"),
        Self("a > in an attribute", stanza: "", attributes: " a='/>' b=\"'>\""),
        Self("all five entities", stanza: "<body>&lt;&gt;&amp;&apos;&quot;</body>", attributes: " a='&lt;&apos;'"),
        Self("character references", stanza: "<body>&#9;&#xA;&#13;&#x10FFFD;</body>", attributes: " a='&#10;'"),
        Self("four bytes for a character", stanza: "<body>😀\u{10FFFD}</body>", isBytewise: true),
        Self("line ends of Unicode", stanza: "<body>\u{85}\u{2028}\u{FEFF}</body>"),
        Self("white space in tags", stanza: "", attributes: " \n a = '1' \t "),
        Self(
            "as deep as it may be", stanza: String(repeating: "<a>", count: 62) + String(repeating: "</a>", count: 62)),
        Self("as many attributes as there may be", stanza: "", attributes: (0..<64).map { " a\($0)=''" }.joined()),
        Self(
            "a value nearly as long as it may be", stanza: "",
            attributes: " a='\(String(repeating: "a", count: 1_048_000))'"),
        Self("text nearly as long as it may be", stanza: String(repeating: "a", count: 1_048_000)),
        Self("an element that nobody knows", "<flood xmlns='urn:example'><a/></flood>"),
        Self("an element with a prefix", "<x:flood xmlns:x='urn:example'><x:a/></x:flood>"),
        Self("no namespace", "<message xmlns=''><body/></message>"),
        Self("a server's stanza", "<message xmlns='jabber:server'/>"),
        Self("a namespace that is no URI", "<flood xmlns='näm lich'/>"),
        Self("XEP-0198", "<r xmlns='urn:xmpp:sm:3'/><a xmlns='urn:xmpp:sm:3' h='1'/>"),
        Self(
            "features again", ScriptedStream.features,
            as: ScriptedStream.features.replacingStart(
                "<stream:features", "<stream:features xmlns:stream='http://etherx.jabber.org/streams'")),
        Self("a body that ends a session", "<body xmlns='\(bosh)' type='terminate' condition='item-not-found'/>"),
        Self("a body with a session's name", "<body xmlns='\(bosh)' sid='1' requests='9'><message/></body>"),
        Self("a body with another prefix", "<b:body xmlns:b='\(bosh)' b:type='terminate'/>"),
        Self("a body in a stanza", stanza: "<body xmlns='\(bosh)' type='terminate'/>"),
        Self(
            "a body without a namespace", "<body type='terminate'/>",
            as: "<body xmlns='jabber:client' type='terminate'/>"),
        Self(
            "a stream error of another namespace",
            "<stream:error xmlns:stream='urn:example'><a xmlns='urn:a'/></stream:error>"),
        Self("a stream error in a stanza", stanza: "<stream:error xmlns:stream='urn:example'/>"),
        Self("features of another namespace", "<features xmlns='urn:example'>\(ScriptedStream.startTLS)</features>"),
        Self("another meaning of the prefix", stanza: "<stream:a/>", attributes: " xmlns:stream='urn:example'"),
        Self(
            "the stream's prefix in a stanza", "<message><stream:a/></message>",
            as: "<message xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'><stream:a/></message>"),
        Self("STARTTLS in a stanza", stanza: ScriptedStream.proceed),
        Self("the same declaration again", stanza: "<a xmlns='jabber:client' xmlns:x='u'><x:b xmlns:x='v'/></a>"),
    ]
}

extension String {
    /// The text with its beginning replaced.
    fileprivate func replacingStart(_ start: String, _ replacement: String) -> String {
        replacement + dropFirst(start.count)
    }
}

/// How a server may begin a stream, and what the client gets.
struct OddBeginning: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let text: String
    var features = ScriptedStream.features
    /// What comes after the features.
    var pending = ""

    private static let header = ScriptedStream.header()
    private static let streams = "http://etherx.jabber.org/streams"

    static let all = [
        Self(testDescription: "no XML declaration", text: header.dropFirst(21) + ScriptedStream.features),
        Self(
            testDescription: "an XML declaration of all it may have",
            text: "<?xml version=\"1.0\" encoding = 'utf-8' standalone='yes' ?>\n" + header.dropFirst(21)
                + ScriptedStream.features),
        Self(testDescription: "a newer version", text: header.dropLast(5) + "1.9'>" + ScriptedStream.features),
        Self(
            testDescription: "the default namespace",
            text: "<stream xmlns='\(streams)' version='1.0'><features/><message xmlns='jabber:client' id='m1'/>",
            features: "<stream:features/>", pending: "<message xmlns='jabber:client' id='m1'/>"),
        Self(
            testDescription: "another prefix",
            text: "<s:stream xmlns='jabber:client' xmlns:s='\(streams)' version='1.0'><s:features/>",
            features: "<stream:features/>"),
        Self(
            testDescription: "features with STARTTLS and compression",
            text: header + "<stream:features>\(ScriptedStream.startTLS)<compression xmlns='http://jabber.org/features/"
                + "compress'><method>zlib</method></compression></stream:features>",
            features: "<stream:features></stream:features>"),
        Self(
            testDescription: "mechanisms that are not for clients",
            text: header + "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"
                + "<mechanism>EXTERNAL</mechanism><mechanism> external\n</mechanism>"
                + "<mechanism>PLAIN</mechanism></mechanisms></stream:features>"),
        Self(
            testDescription: "features in which the prefix means something else",
            text: header + "<stream:features><stream:a xmlns:stream='urn:example'/></stream:features>",
            features: "<stream:features><stream:a xmlns:stream='urn:example'/></stream:features>"),
        Self(
            testDescription: "features twice", text: header + ScriptedStream.features + ScriptedStream.features,
            pending: ScriptedStream.features.replacingStart(
                "<stream:features", "<stream:features xmlns:stream='\(streams)'")),
        Self(
            testDescription: "a stanza right behind the features",
            text: header + ScriptedStream.features + "<message id='m1'/>",
            pending: "<message xmlns='jabber:client' id='m1'/>"),
        Self(
            testDescription: "white space everywhere",
            text: header.replacingStart("<?xml version='1.0'?>", "<?xml version='1.0'?>\n\n ") + " \n "
                + ScriptedStream.features + " "),
    ]
}
