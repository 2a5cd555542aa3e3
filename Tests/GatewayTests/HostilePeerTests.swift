import CLinux
import TestSupport
import Testing

/// Hostile servers and clients: none of them ends the process, stops it, or fills its memory or its log.
@Suite struct HostilePeerTests {
    @Test("X-18 X-19: a server that breaks TLS and resets the connection ends its session alone", arguments: Breach.all)
    func survivesReset(breach: Breach) throws {
        let server = try ScriptedUpstream()
        let daemon = try Daemon(upstream: server.port, "--upstream-tls", breach.mode)
        // In some rounds the reset comes together with the bytes before it, in others a turn of the loop later.
        for round in 0..<20 {
            let request = try BOSHClient(daemon).create()
            let stream = try server.accept()
            if breach.mode == "starttls" {
                try stream.open(
                    features: "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>")
                _ = try stream.read(until: "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
            } else {
                #expect(try stream.wire.read(count: 1) == [0x16])
            }
            func breakOff() throws {
                try stream.wire.send(breach.bytes)
                try stream.wire.reset()
            }
            if round.isMultiple(of: 2) { try daemon.standingStill(breakOff) } else { try breakOff() }
            // The reset may come before the bytes.
            let end = try request.endOrTurnedAway()
            #expect(end == nil || end?.condition == "remote-connection-failed")
        }
        #expect(daemon.isRunning)
        let statistics = try daemon.statistics()
        #expect(try statistics.number("sessions.now") == 0)
        #expect(try statistics.number("upstream.streams_now") == 0)
    }

    @Test("H-10: a poll on a connection that will not be kept alive is held as any other", arguments: Closing.all)
    func holdsOnClosingConnection(closing: Closing) throws {
        let session = try OpenSession()
        let connection = try session.daemon.connect()
        try connection.send(closing.post(session.client.nextBody()))
        try session.daemon.wait(until: "sessions.held_requests", is: 1)
        try session.stream.send("<message id='m1'/>")
        let answer = try connection.answer()
        #expect(answer.field("Connection") == "close")
        #expect(try BOSHBody(answer.body).payload == "<message xmlns='jabber:client' id='m1'/>")
        #expect(try connection.wire.readToEnd() == "")
    }

    @Test(
        "P-13: a client that leaves such a connection gets what comes then with its next request",
        arguments: Closing.all)
    func losesClosingConnection(closing: Closing) throws {
        let session = try OpenSession()
        let connection = try session.daemon.connect()
        try connection.send(closing.post(session.client.nextBody()))
        try session.daemon.wait(until: "sessions.held_requests", is: 1)
        connection.wire.close()
        try session.daemon.wait(until: "sessions.held_requests", is: 0)
        try session.stream.send("<message id='m1'/>")
        let poll = try session.client.send()
        #expect(try poll.answer().payload == "<message xmlns='jabber:client' id='m1'/>")
    }

    @Test("R-07: hundreds of repeats of one large response in one segment: others are served, memory stays, all come")
    func answersManyRepeats() throws {
        let session = try OpenSession()
        let other = try OpenSession(on: session)
        let poll = session.client.nextBody()
        let first = try session.client.send(text: poll)
        let text = String(repeating: "x", count: 200_000)
        try session.stream.send("<message>\(text)</message>")
        let expected = try first.answer()
        #expect(expected.payload.utf8.count > 200_000)

        let repeated = RawClient.post(poll)
        let count = 65_000 / repeated.utf8.count
        let connection = try session.daemon.connect()
        try connection.send(String(repeating: repeated, count: count))
        for index in 0..<3 {
            let held = try other.client.send()
            try other.stream.send("<message id='m\(index)'/>")
            #expect(try held.answer().payload == "<message xmlns='jabber:client' id='m\(index)'/>")
        }
        try session.daemon.settle()
        // All answers together would be far more.
        #expect(count * text.utf8.count > 40_000_000)
        #expect(try session.daemon.residentKilobytes() < 36_000)

        for _ in 0..<count {
            let answer = try connection.answer()
            #expect(answer.status == 200 && answer.body == expected.text)
        }
        #expect(try connection.wire.isSilent)
        // The postponed work is done, and done only once.
        #expect(try connection.get("/http-bind").status == 200)
        #expect(try session.client.send(text: poll).answer() == expected)
    }

    @Test("T-06: a huge stream error reaches the client and not the log")
    func keepsErrorsOutOfLog() throws {
        let session = try OpenSession()
        let streams = "urn:ietf:params:xml:ns:xmpp-streams"
        let text = String(repeating: "secret ", count: 20_000)
        try session.stream.send(
            "<stream:error><conflict xmlns='\(streams)'/><text xmlns='\(streams)'>\(text)</text></stream:error>"
                + "</stream:stream>")
        let answer = try session.client.exchange()
        #expect(answer.condition == "remote-stream-error")
        #expect(answer.payload.contains(text))
        try session.daemon.wait(until: "upstream.streams_now", is: 0)
        let log = try session.daemon.errors
        #expect(log.contains("stream error conflict"))
        #expect(!log.contains("secret"))
        #expect(log.split(separator: "\n").allSatisfy { $0.utf8.count <= 1_000 })
    }

    @Test("R-06: what sessions keep for late repeats leaves with them", arguments: [true, false])
    func returnsSpareBudget(terminates: Bool) throws {
        let creation = "wait='60' hold='1' ver='1.6' ack='1'"
        let first = try OpenSession(creation)
        let admin = try first.daemon.connectToAdmin()
        let sessions = try [first] + (0..<4).map { _ in try OpenSession(creation, on: first) }
        for session in sessions {
            for _ in 0..<8 {
                // The client only acknowledges the first response, so the others are kept.
                let poll = try session.client.send("ack='1000'")
                try session.stream.send("<message>\(String(repeating: "x", count: 3_000))</message>")
                #expect(try !poll.answer().payload.isEmpty)
            }
        }
        #expect(try admin.statistics().number("sessions.spare_response_bytes") > 3_000)
        for session in sessions {
            if terminates {
                #expect(try session.client.exchange("type='terminate' ack='1000'").isTerminal)
            } else {
                let poll = try session.client.send("ack='1000'")
                try first.daemon.settle()
                try session.stream.wire.reset()
                #expect(try poll.answer().isTerminal)
            }
        }
        try admin.wait(until: "sessions.now", is: 0)
        #expect(try admin.statistics().number("sessions.spare_response_bytes") == 0)
    }

    @Test("M-02: the end of a stream that nobody serves is told at once, whatever the first one has to say")
    func tellsRefusedStreams() throws {
        let session = try OpenSession()
        var received = 0
        var refused: Set<String> = []
        func take(_ answer: BOSHBody) throws {
            received += answer.payload.split(separator: "<message ").count
            guard answer.isTerminal else { return }
            #expect(answer.condition == "host-unknown")
            refused.insert(try #require(answer["stream"]))
        }
        // There is a stanza for every answer, and still no end has to wait.
        let rounds = 100
        for index in 0..<rounds {
            try session.stream.send("<message id='m\(index)'/>")
            try session.daemon.wait(until: "upstream.stanzas_in", is: index + 1)
            try take(try session.client.exchange("to='unknown.example'"))
        }
        let before = refused.count
        var poll = try session.client.send()
        try session.daemon.settle()
        while try !poll.isHeld {
            try take(try poll.answer())
            poll = try session.client.send()
            try session.daemon.settle()
        }
        #expect(before == rounds)
        #expect(refused.count == rounds)
        #expect(received == rounds)
        // The session goes on.
        try session.stream.send("<message id='last'/>")
        #expect(try poll.answer().payload == "<message xmlns='jabber:client' id='last'/>")
        let adding = try session.client.send("to='example.org'")
        try session.server.accept().open(id: "s2")
        #expect(try adding.answer()["authid"] == "s2")
    }
}

/// How a server breaks the beginning of TLS before it resets the connection.
struct Breach: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let mode: String
    let bytes: [UInt8]

    private static let proceed = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"

    static let all = [
        Self(testDescription: "<proceed/> and nothing", mode: "starttls", bytes: Array(proceed.utf8)),
        Self(testDescription: "<proceed/> and one byte", mode: "starttls", bytes: Array((proceed + " ").utf8)),
        // A handshake record with an empty ServerHello and something that is not a message.
        Self(
            testDescription: "no ServerHello", mode: "direct",
            bytes: [0x16, 0x03, 0x03, 0x00, 0x04, 0x02, 0x00, 0x00, 0x00]),
        Self(testDescription: "no TLS", mode: "direct", bytes: Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8)),
        Self(testDescription: "nothing", mode: "direct", bytes: []),
    ]
}

/// A client whose connection ends together with the answer.
struct Closing: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let version: String
    let field: String

    static let all = [
        Self(testDescription: "Connection: close", version: "1.1", field: "Connection: close\r\n"),
        Self(testDescription: "HTTP/1.0", version: "1.0", field: ""),
    ]

    func post(_ body: String) -> String {
        "POST /http-bind HTTP/\(version)\r\nHost: localhost\r\n\(field)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }
}
