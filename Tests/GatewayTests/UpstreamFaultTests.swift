import TestSupport
import Testing

/// Servers that cannot be reached, are lost, or send what is not allowed.
@Suite struct UpstreamFaultTests {
    @Test("S-17: where no connection can be made, clients are told at once to try again")
    func refused() throws {
        let server = try ScriptedUpstream()
        server.stopListening()
        let daemon = try Daemon(upstream: server.port)
        for _ in 0..<3 {
            #expect(try BOSHClient(daemon).create().isTurnedAway())
        }
        let statistics = try daemon.statistics()
        #expect(try statistics.number("sessions.ended.upstream-unreachable") == 3)
        #expect(try statistics.number("sessions.now") == 0)
        #expect(try statistics.number("upstream.streams_now") == 0)
    }

    @Test("S-17: a server that comes back is used again")
    func comesBack() throws {
        let server = try ScriptedUpstream()
        let daemon = try Daemon(upstream: 0, "--upstream", "localhost:\(server.port)")
        for _ in 0..<2 {
            let client = BOSHClient(daemon)
            let request = try client.create()
            try server.accept().open()
            try client.adopt(try request.answer())
        }
        server.stopListening()
        #expect(try BOSHClient(daemon).create().isTurnedAway())
    }

    @Test("S-17: a name without an address")
    func unresolved() throws {
        let daemon = try Daemon(upstream: 0, "--upstream", "nowhere.invalid:5222")
        #expect(try BOSHClient(daemon).create().isTurnedAway())
        #expect(try daemon.statistics().number("sessions.ended.upstream-unresolved") == 1)
    }

    @Test("S-17: what a server says instead of features", arguments: BadOpening.all)
    func badOpening(opening: BadOpening) throws {
        let server = try ScriptedUpstream()
        let daemon = try Daemon(upstream: server.port, "--upstream-tls", opening.mode)
        let request = try BOSHClient(daemon).create()
        let stream = try server.accept()
        _ = try stream.readHeader()
        // A server that is refused in the middle of its text is cut off.
        do { try stream.send(opening.text) } catch { #expect(opening.text.utf8.count > 1_000_000, "\(error)") }
        if opening.closes { stream.wire.close() }
        let answer = try request.endOrTurnedAway()
        #expect(answer?.condition == opening.condition)
        let statistics = try daemon.statistics()
        #expect(try statistics.number("sessions.ended.\(opening.reason)") == 1)
        #expect(try statistics.number("sessions.now") == 0)
        if !opening.closes { try stream.wire.drain() }
        try daemon.wait(until: "upstream.streams_now", is: 0)
    }

    @Test("X-19: bytes behind <proceed/> are never taken for protected ones")
    func refusesInjection() throws {
        let server = try ScriptedUpstream()
        let daemon = try Daemon(upstream: server.port, "--upstream-tls", "starttls")
        let request = try BOSHClient(daemon).create()
        let stream = try server.accept()
        try stream.open(
            features: "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>")
        _ = try stream.read(until: "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
        try stream.send("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/><message/>")
        #expect(try request.answer().condition == "remote-connection-failed")
        #expect(try daemon.statistics().number("sessions.ended.upstream-tls") == 1)
    }

    @Test("X-19: a server that speaks no TLS behind <proceed/>")
    func refusesPlainText() throws {
        let server = try ScriptedUpstream()
        let daemon = try Daemon(upstream: server.port, "--upstream-tls", "starttls")
        let request = try BOSHClient(daemon).create()
        let stream = try server.accept()
        try stream.open(
            features: "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>")
        _ = try stream.read(until: "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
        try stream.send("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
        // The beginning of a TLS record: nothing of the stream is sent unencrypted any more.
        #expect(try stream.wire.read(count: 1) == [0x16])
        try stream.send(ScriptedStream.header())
        #expect(try request.answer().condition == "remote-connection-failed")
        #expect(try daemon.statistics().number("sessions.ended.upstream-tls") == 1)
    }

    @Test("X-18: a server that speaks no TLS where it is expected from the first byte")
    func refusesPlainTextDirectly() throws {
        let server = try ScriptedUpstream()
        let daemon = try Daemon(upstream: server.port, "--upstream-tls", "direct")
        let request = try BOSHClient(daemon).create()
        let stream = try server.accept()
        #expect(try stream.wire.read(count: 1) == [0x16])
        try stream.send(ScriptedStream.header() + ScriptedStream.features)
        #expect(try request.answer().condition == "remote-connection-failed")
    }

    @Test("S-17 T-07: what a server does to an open stream, while a request is held", arguments: StreamEnd.all)
    func endsWhileHeld(end: StreamEnd) throws {
        let session = try OpenSession()
        let poll = try session.client.send()
        try session.daemon.settle()
        try end.act(session.stream)
        // Stanzas before the end go to the held request, as always; the end goes to the next one.
        if !end.stanza.isEmpty {
            let body = try poll.answer()
            #expect(!body.isTerminal)
            #expect(body.payload == end.stanza)
        }
        let answer = try end.stanza.isEmpty ? poll.answer() : session.client.exchange()
        #expect(answer.isTerminal)
        #expect(answer.condition == end.condition)
        #expect(answer.payload == end.error)
        if answer.payload.contains("<stream:") {
            #expect(answer["xmlns:stream"] == "http://etherx.jabber.org/streams")
        }
        let statistics = try session.daemon.statistics()
        #expect(try statistics.number("sessions.ended.\(end.reason)") == 1)
        #expect(try statistics.number("sessions.now") == 0)
        #expect(try session.client.exchange().condition == "item-not-found")
    }

    @Test("S-17 T-06 T-07: what a server does to an open stream is told to the next request", arguments: StreamEnd.all)
    func endsUnheard(end: StreamEnd) throws {
        let session = try OpenSession()
        try end.act(session.stream)
        try session.daemon.wait(until: "upstream.streams_now", is: 0)
        let answer = try session.client.exchange()
        #expect(answer.isTerminal)
        #expect(answer.condition == end.condition)
        #expect(answer.payload == end.stanza + end.error)
        try session.daemon.wait(until: "sessions.ended.\(end.reason)", is: 1)
    }

    @Test("T-06: what came before in several writes stands before the stream error")
    func keepsStanzasBeforeError() throws {
        let session = try OpenSession()
        try session.stream.send("<message id='m1'/>")
        try session.daemon.settle()
        try session.stream.send("<message id='m2'/><stream:error><conflict xmlns='\(streams)'/></stream:error>")
        try session.stream.send("</stream:stream>")
        try session.daemon.wait(until: "upstream.streams_now", is: 0)
        let answer = try session.client.exchange()
        #expect(answer.condition == "remote-stream-error")
        #expect(
            answer.payload == "<message xmlns='jabber:client' id='m1'/><message xmlns='jabber:client' id='m2'/>"
                + "<stream:error><conflict xmlns='\(streams)'/></stream:error>")
    }

    @Test("S-17: a hundred servers are lost at the same time")
    func losesManyAtOnce() throws {
        let first = try OpenSession()
        let sessions = try [first] + (1..<100).map { _ in try OpenSession(on: first) }
        let polls = try sessions.map { try $0.client.send() }
        try first.daemon.settle()
        for session in sessions { try session.stream.wire.reset() }
        for poll in polls { #expect(try poll.answer().condition == "remote-connection-failed") }
        let statistics = try first.daemon.statistics()
        #expect(try statistics.number("sessions.ended.upstream-lost") == 100)
        #expect(try statistics.number("sessions.now") == 0)
        #expect(try statistics.number("upstream.streams_now") == 0)
        #expect(try statistics.number("sessions.held_requests") == 0)
        // The daemon goes on.
        let next = try OpenSession(on: first)
        #expect(next.created.payload == ScriptedStream.features)
    }

    private let streams = "urn:ietf:params:xml:ns:xmpp-streams"
}

/// A server's first bytes, and their result.
struct BadOpening: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let text: String
    let reason: String
    /// What the client is told; nil when it is to try again.
    var condition: String? = "remote-connection-failed"
    var mode = "none"
    /// Whether the server closes its connection after them.
    var closes = false

    private static let header = ScriptedStream.header()
    private static let features = ScriptedStream.features

    static let all = [
        Self(testDescription: "closed at once", text: "", reason: "upstream-lost", condition: nil, closes: true),
        Self(
            testDescription: "closed behind the header", text: header, reason: "upstream-lost", condition: nil,
            closes: true),
        Self(
            testDescription: "closed in the features", text: header + "<stream:features><a", reason: "upstream-lost",
            condition: nil, closes: true),
        Self(testDescription: "the end of the stream", text: header + "</stream:stream>", reason: "upstream-closed"),
        Self(
            testDescription: "a stream error",
            text: header + "<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"
                + "</stream:stream>", reason: "upstream-stream-error", condition: "remote-stream-error"),
        Self(testDescription: "HTTP", text: "HTTP/1.1 400 Bad Request\r\n\r\n", reason: "upstream-malformed"),
        Self(testDescription: "bytes", text: "\u{0}\u{1}\u{2}\u{3}", reason: "upstream-malformed"),
        Self(testDescription: "a TLS alert", text: "\u{15}\u{3}\u{1}\u{0}\u{2}", reason: "upstream-malformed"),
        Self(
            testDescription: "another root",
            text: "<stream:flood xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>",
            reason: "upstream-malformed"),
        Self(
            testDescription: "another namespace",
            text: "<stream:stream xmlns='jabber:client' xmlns:stream='urn:example' id='1' version='1.0'>",
            reason: "upstream-malformed"),
        Self(
            testDescription: "a server's stream",
            text: "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>",
            reason: "upstream-malformed"),
        Self(
            testDescription: "a DTD",
            text: "<?xml version='1.0'?><!DOCTYPE stream:stream [<!ENTITY a 'b'>]>" + header.dropFirst(21) + features,
            reason: "upstream-malformed"),
        Self(
            testDescription: "a comment", text: header + "<!-- hello -->" + features, reason: "upstream-malformed"),
        Self(
            testDescription: "a stanza before the features", text: header + "<message/>", reason: "upstream-malformed"),
        Self(
            testDescription: "features without end",
            text: header + "<stream:features>" + String(repeating: "<a>", count: 10_000), reason: "upstream-malformed"),
        Self(
            testDescription: "a header without end",
            text: "<stream:stream " + String(repeating: "a", count: 1_200_000), reason: "upstream-malformed"),
        Self(
            testDescription: "no STARTTLS", text: header + features, reason: "upstream-no-starttls", mode: "starttls"),
    ]
}

/// An event that ends an open stream, and what the client gets.
struct StreamEnd: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let reason: String
    var condition = "remote-connection-failed"
    /// The stanza that comes before the end, as the client gets it.
    var stanza = ""
    /// The stream error, as the client gets it.
    var error = ""
    let act: @Sendable (ScriptedStream) throws -> Void

    private static let message = "<message xmlns='jabber:client' id='m1'/>"
    private static let shutdown =
        "<stream:error><system-shutdown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"

    static let all = [
        Self(testDescription: "reset", reason: "upstream-lost") { try $0.wire.reset() },
        Self(testDescription: "closed", reason: "upstream-lost") { $0.wire.close() },
        Self(testDescription: "half-closed", reason: "upstream-lost") { try $0.wire.shutdownWrite() },
        Self(
            testDescription: "stanza and close", reason: "upstream-lost",
            stanza: message
        ) {
            try $0.send("<message id='m1'/>")
            $0.wire.close()
        },
        Self(testDescription: "half a stanza and close", reason: "upstream-lost") {
            try $0.send("<message><body>")
            $0.wire.close()
        },
        Self(testDescription: "the end of the stream", reason: "upstream-closed") {
            try $0.send("</stream:stream>")
        },
        Self(
            testDescription: "stanza and the end of the stream", reason: "upstream-closed",
            stanza: message
        ) { try $0.send("<message id='m1'/></stream:stream>") },
        Self(
            testDescription: "a stream error", reason: "upstream-stream-error", condition: "remote-stream-error",
            error: shutdown
        ) { try $0.send(shutdown + "</stream:stream>") },
        Self(
            testDescription: "stanza and a stream error", reason: "upstream-stream-error",
            condition: "remote-stream-error", stanza: message, error: shutdown
        ) {
            try $0.send("<message id='m1'/>" + shutdown)
            $0.wire.close()
        },
        Self(
            testDescription: "stanza and garbage", reason: "upstream-malformed",
            stanza: message
        ) { try $0.send("<message id='m1'/></message>") },
        Self(testDescription: "text", reason: "upstream-malformed") { try $0.send("hello") },
        Self(testDescription: "an instruction", reason: "upstream-malformed") { try $0.send("<?php x?>") },
        Self(testDescription: "a billion laughs", reason: "upstream-malformed") {
            try $0.send("<!DOCTYPE x [<!ENTITY a 'aaaa'>]><message>&a;</message>")
        },
        Self(testDescription: "an unbound prefix", reason: "upstream-malformed") { try $0.send("<x:message/>") },
        Self(testDescription: "bytes that are not UTF-8", reason: "upstream-malformed") {
            try $0.wire.send(Array("<message><body>".utf8) + [0xC3, 0x28] + Array("</body></message>".utf8))
        },
        Self(testDescription: "a second header", reason: "upstream-malformed") { try $0.send(ScriptedStream.header()) },
        Self(testDescription: "depth without end", reason: "upstream-malformed") {
            // Elements that are too deep to be delivered are skipped. An element that is too deep to be skipped is cut
            // off in the middle.
            try? $0.send(String(repeating: "<a>", count: 200_000))
        },
    ]
}
