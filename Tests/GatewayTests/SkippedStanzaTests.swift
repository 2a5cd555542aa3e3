import TestSupport
import Testing

/// Well-formed elements of a server that are only too deep, wide or large: the session lives, and whoever waits is
/// told.
@Suite struct SkippedStanzaTests {
    private static let condition =
        "<error type='modify'><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
    private static let next = "<message xmlns='jabber:client' id='next'/>"

    static let beyond: [(String, String, String)] = [
        ("stanza-depth", "", String(repeating: "<a>", count: 999) + String(repeating: "</a>", count: 999)),
        ("stanza-attributes", "", "<a\((0..<1_025).map { " a\($0)=''" }.joined())/>"),
        ("stanza-attributes", (0..<1_025).map { " a\($0)=''" }.joined(), ""),
        ("max-stanza", "", String(repeating: "x", count: 100_000)),
    ]

    @Test(
        "N-11 T-12: a message that is too deep, wide or large is skipped, its sender is told, the next one arrives",
        arguments: beyond)
    func message(setting: String, attributes: String, content: String) throws {
        let session = try OpenSession(environment: ["HOLDFAST_MAX_STANZA": "100000"])
        let poll = try session.client.send()
        try session.stream.send(
            "<message from='mallory@example.test/x' id='m1' type='chat'\(attributes)>\(content)</message>")
        #expect(
            try session.stream.read(until: "</message>")
                == "<message xmlns='jabber:client' type='error' to='mallory@example.test/x' id='m1'>"
                + Self.condition + "</message>")
        try session.stream.send("<message id='next'/>")
        #expect(try poll.answer().payload == Self.next)
        let statistics = try session.daemon.statistics()
        #expect(try statistics.number("limits.\(setting)") == 1)
        #expect(try statistics.number("upstream.stanzas_returned") == 1)
        #expect(try statistics.number("sessions.now") == 1)
    }

    @Test("N-11: what others deliver is delivered: depth 1,000, 1,024 attributes, a roster of 1.1 MB")
    func delivered() throws {
        let session = try OpenSession()
        let deep = String(repeating: "<a>", count: 998) + String(repeating: "</a>", count: 998)
        let wide = "<a\((0..<1_024).map { " a\($0)=''" }.joined())/>"
        let item = "<item jid='somebody.with.a.name@example.test' name='Somebody With A Name' subscription='both'/>"
        let roster = "<query xmlns='jabber:iq:roster'>\(String(repeating: item, count: 12_000))</query>"
        for content in [deep, wide, roster] {
            let poll = try session.client.send()
            try session.stream.send("<iq type='result' id='1'>\(content)</iq>")
            #expect(try poll.answer().payload == "<iq xmlns='jabber:client' type='result' id='1'>\(content)</iq>")
        }
    }

    @Test("N-11: a result that is too large becomes an error with its id; nothing goes to the server")
    func result() throws {
        let session = try OpenSession(environment: ["HOLDFAST_MAX_STANZA": "100000"])
        let poll = try session.client.send()
        let large = String(repeating: "x", count: 1_100_000)
        try session.stream.send("<iq type='result' id='r1' from='example.test' to='u@example.test/x'>\(large)</iq>")
        #expect(
            try poll.answer().payload
                == "<iq xmlns='jabber:client' type='error' id='r1' from='example.test' to='u@example.test/x'>"
                + Self.condition + "</iq>")
        let next = try session.client.send("", Self.next)
        #expect(try session.stream.read(until: "/>") == Self.next)
        try session.stream.send("<message id='next'/>")
        #expect(try next.answer().payload == Self.next)
    }

    @Test("N-11 T-12 c: where stanzas are counted one without content stands in, and the server gets none")
    func counted() throws {
        let session = try OpenSession(environment: ["HOLDFAST_STANZA_DEPTH": "8"])
        let enabled = "<enabled xmlns='urn:xmpp:sm:3' id='x' resume='true'/>"
        let poll = try session.client.send()
        try session.stream.send(enabled)
        #expect(try poll.answer().payload == enabled)
        let deep = String(repeating: "<a>", count: 8) + String(repeating: "</a>", count: 8)
        let attributes = "type='chat' id='m1' from='mallory@example.test/x' to='u@example.test'"
        let second = try session.client.send()
        try session.stream.send("<message \(attributes)>\(deep)</message>")
        #expect(try second.answer().payload == "<message xmlns='jabber:client' \(attributes)/>")
        let third = try session.client.send("", Self.next)
        #expect(try session.stream.read(until: "/>") == Self.next)
        try session.stream.send("<presence>\(deep)</presence>")
        #expect(try third.answer().payload == "<presence xmlns='jabber:client'/>")
    }

    @Test("N-11: many skipped elements take no memory, and a client that fetches nothing still stops the reading")
    func memory() throws {
        let session = try OpenSession(
            environment: ["HOLDFAST_MAX_STANZA": "100000", "HOLDFAST_SESSION_BUFFER": "200000"])
        let large = Array("<presence>\(String(repeating: "<a b='c'>d</a>", count: 30_000))</presence>".utf8)
        try session.daemon.forgetPeak()
        let before = try session.daemon.residentKilobytes()
        for _ in 0..<30 { try session.stream.wire.send(large) }
        try session.stream.send("<message id='next'/>")
        try session.daemon.wait(until: "limits.max-stanza", is: 30)
        #expect(try session.client.exchange().payload == Self.next)
        #expect(try session.daemon.peakKilobytes() - before < 4_000)
    }

    @Test("max-skipped: an element beyond it ends the session")
    func skippedSize() throws {
        let session = try OpenSession(
            environment: ["HOLDFAST_MAX_STANZA": "10000", "HOLDFAST_MAX_SKIPPED": "8 MiB"])
        let poll = try session.client.send()
        let piece = Array(String(repeating: "x", count: 65_536).utf8)
        try session.stream.send("<message>")
        var sent = 0
        while try !session.stream.wire.sendUntilCut(piece), sent < 1_000 { sent += 1 }
        #expect(sent < 1_000)
        #expect(try poll.answer().condition == "remote-connection-failed")
        #expect(try session.daemon.statistics().number("limits.max-skipped") == 1)
    }
}
