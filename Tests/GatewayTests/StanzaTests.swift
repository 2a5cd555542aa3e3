import TestSupport
import Testing

/// Stanzas on their way through the daemon, in both directions.
@Suite struct StanzaTests {
    @Test("N-05 N-06: what a stanza needs from the body around it comes with it")
    func forwardsNamespaces() throws {
        let session = try OpenSession()
        _ = try session.client.send(
            "xmlns:p='urn:p' xmlns:unused='urn:unused'",
            "<message id='1' p:a='x'><p:b/><c xmlns='urn:c'><d/></c></message>")
        let stanza = try session.stream.read(until: "</message>")
        #expect(stanza.contains("xmlns:p='urn:p'"))
        #expect(!stanza.contains("unused"))
        #expect(!stanza.contains("httpbind"))
        #expect(stanza.hasSuffix("<p:b/><c xmlns='urn:c'><d/></c></message>"))
    }

    @Test("N-06: the language of a body is that of its stanzas, unless they have one of their own")
    func forwardsLanguage() throws {
        let session = try OpenSession()
        let own = "<message xmlns='jabber:client' xml:lang='de'/>"
        let other = "<x xmlns='urn:x'/>"
        _ = try session.client.send("xml:lang='fr-CH'", own + other + "<message xmlns='jabber:client' id='m1'/>")
        let text = try session.stream.read(until: "id='m1'/>")
        #expect(text.hasPrefix(own + other + "<message "))
        #expect(text.dropFirst((own + other).count).contains(" xml:lang='fr-CH'"))
        let plain = "<message xmlns='jabber:client' id='m2'/>"
        _ = try session.client.send("", plain)
        #expect(try session.stream.read(until: "/>") == plain)
    }

    @Test("N-07: text is kept as it was written", arguments: Self.contents)
    func keepsText(content: String) throws {
        let session = try OpenSession()
        let element = "<message xmlns='jabber:client' to=\"a&quot;'&#10;&#x9;\u{E9}\"><body>\(content)</body></message>"
        let poll = try session.client.send("", element)
        #expect(try session.stream.read(until: "</message>") == element)
        try session.stream.send(element)
        #expect(try poll.answer().payload == element)
    }

    static let contents = [
        "<![CDATA[<not> & markup ]]]]><![CDATA[>]]>", "]]&gt; &#10; &#x1F600; \u{1F600} \u{10FFFD}", "a\r\n\tb\n",
        "&lt;&gt;&amp;&apos;&quot; ' \"", String(repeating: "\u{E4}", count: 5_000),
    ]

    @Test("X-14 N-10: stanzas get the namespaces that the stream header declared")
    func deliversNamespaces() throws {
        let server = try ScriptedUpstream()
        let daemon = try Daemon(upstream: server.port)
        let client = BOSHClient(daemon)
        let request = try client.create()
        let stream = try server.accept()
        _ = try stream.readHeader()
        try stream.send(
            "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
                + "xmlns:db='jabber:server:dialback' id='x' version='1.0'>" + ScriptedStream.features)
        try client.adopt(try request.answer())
        try stream.send("<iq id='1'><db:x/></iq>")
        let payload = try client.exchange().payload
        #expect(payload.contains("xmlns='jabber:client'"))
        #expect(payload.contains("xmlns:db='jabber:server:dialback'"))
        #expect(payload.hasSuffix("<db:x/></iq>"))
    }

    @Test("X-06: features that concern the server's connection are not for the client")
    func filtersFeatures() throws {
        let server = try ScriptedUpstream()
        let daemon = try Daemon(upstream: server.port)
        let request = try BOSHClient(daemon).create()
        try server.accept().open(
            features: "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
                + "<compression xmlns='http://jabber.org/features/compress'><method>zlib</method></compression>"
                + "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>SCRAM-SHA-1-PLUS</mechanism>"
                + "<mechanism>EXTERNAL</mechanism><mechanism>SCRAM-SHA-1</mechanism></mechanisms></stream:features>")
        let payload = try request.answer().payload
        #expect(payload.contains("<mechanism>SCRAM-SHA-1</mechanism>"))
        for word in ["starttls", "compression", "EXTERNAL"] { #expect(!payload.contains(word), "\(word)") }
    }

    @Test("X-16: any first-level element passes, both ways")
    func passesAnyElement() throws {
        let session = try OpenSession()
        let elements = [
            "<r xmlns='urn:xmpp:sm:3'/>", "<inactive xmlns='urn:xmpp:csi:0'/>",
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGEAYg==</auth>",
        ]
        for element in elements {
            let poll = try session.client.send("", element)
            #expect(String(decoding: try session.stream.wire.read(count: element.utf8.count), as: UTF8.self) == element)
            try session.stream.send(element)
            #expect(try poll.answer().payload == element)
        }
    }

    @Test("R-16: stanzas of one write come in one response")
    func deliversTogether() throws {
        let session = try OpenSession()
        let poll = try session.client.send()
        try session.stream.send((0..<100).map { "<message id='m\($0)'/>" }.joined(separator: "\n"))
        let expected = (0..<100).map { "<message xmlns='jabber:client' id='m\($0)'/>" }.joined()
        #expect(try poll.answer().payload == expected)
    }

    @Test("R-16: a stream that comes byte by byte")
    func readsBytewise() throws {
        let server = try ScriptedUpstream()
        let daemon = try Daemon(upstream: server.port)
        let client = BOSHClient(daemon)
        let request = try client.create()
        let stream = try server.accept()
        _ = try stream.readHeader()
        try stream.wire.sendBytewise(ScriptedStream.header() + "\n" + ScriptedStream.features)
        #expect(try client.adopt(try request.answer()).payload == ScriptedStream.features)
        let stanza = "<message xmlns='jabber:client' to='\u{E9}'><body>&lt;<![CDATA[>]]>\u{1F600}</body></message>"
        let poll = try client.send()
        try stream.wire.sendBytewise(" " + stanza + "\n")
        #expect(try poll.answer().payload == stanza)
    }

    @Test("R-16: a stanza cut at every place")
    func readsCut() throws {
        let session = try OpenSession()
        let stanza = Array("<message xmlns='jabber:client' a=\"&#10;>\"><b>\u{1F600}]]&gt;</b></message>".utf8)
        for cut in 1..<stanza.count {
            let poll = try session.client.send()
            try session.stream.wire.send(Array(stanza[..<cut]))
            try session.daemon.settle()
            #expect(try poll.isHeld)
            try session.stream.wire.send(Array(stanza[cut...]))
            #expect(try poll.answer().payload == stanza.text, "cut at \(cut)")
        }
    }

    @Test("R-18 T-13: a body that is not well-formed forwards nothing of what stands before the fault")
    func forwardsNoHalf() throws {
        let session = try OpenSession()
        _ = try session.client.send("", "<message id='1'/><message id='2'>")
        #expect(try session.stream.read(until: "</stream:stream>") == "</stream:stream>")
    }

    @Test("H-23 N-11: large stanzas, both ways")
    func passesLarge() throws {
        let session = try OpenSession()
        let text = String(repeating: "0123456789abcdef", count: 12_000)
        let poll = try session.client.send("", "<message xmlns='jabber:client'><body>\(text)</body></message>")
        #expect(try session.stream.read(until: "</message>").utf8.count > text.utf8.count)
        try session.stream.send("<message><body>\(text)</body></message>")
        #expect(try poll.answer().payload == "<message xmlns='jabber:client'><body>\(text)</body></message>")
    }
}
