import TestSupport
import Testing

/// How clients end sessions.
@Suite struct EndTests {
    private let unavailable = "<presence xmlns='jabber:client' type='unavailable'/>"

    @Test("T-01 T-02: terminate alone: payload first, then the end of the stream")
    func terminates() throws {
        let session = try OpenSession()
        let answer = try session.client.exchange("type='terminate'", unavailable)
        #expect(answer.isTerminal)
        #expect(answer.condition == nil)
        #expect(try session.stream.read(until: "</stream:stream>") == unavailable + "</stream:stream>")
        try session.stream.send("</stream:stream>")
        #expect(try session.stream.wire.readToEnd() == "")
        #expect(try session.client.exchange().condition == "item-not-found")
        try session.daemon.wait(until: "sessions.ended.terminated", is: 1)
        try session.daemon.wait(until: "upstream.streams_now", is: 0)
    }

    @Test("T-02: with a held poll, that one gets the terminate and the request itself an empty body")
    func terminatesHeld() throws {
        let session = try OpenSession()
        let poll = try session.client.send()
        try session.daemon.settle()
        let last = try session.client.send("type='terminate'", unavailable)
        #expect(try poll.answer().isTerminal)
        #expect(try last.answer().isEmpty)
        #expect(try session.stream.read(until: "</stream:stream>") == unavailable + "</stream:stream>")
    }

    @Test("T-01 L-10: a client that terminates and closes at once is heard")
    func hearsLastWords() throws {
        let session = try OpenSession()
        let request = try session.client.send("type='terminate'", unavailable)
        request.abort()
        #expect(try session.stream.read(until: "</stream:stream>") == unavailable + "</stream:stream>")
        try session.daemon.wait(until: "sessions.ended.terminated", is: 1)
    }

    @Test(
        "T-11: a terminate with a condition, and the one that gloox writes",
        arguments: [
            "type='terminate' condition='remote-stream-error'", "type='terminal'", "condition='x' type='terminate'",
        ])
    func terminatesInOtherWords(attributes: String) throws {
        let session = try OpenSession()
        let answer = try session.client.exchange(attributes, unavailable)
        #expect(answer.isTerminal)
        #expect(answer.condition == nil)
        #expect(try session.stream.read(until: "</stream:stream>") == unavailable + "</stream:stream>")
        try session.daemon.wait(until: "sessions.ended.terminated", is: 1)
    }

    @Test("T-09: any other type means nothing", arguments: ["error", "", "x"])
    func ignoresType(type: String) throws {
        let session = try OpenSession()
        let poll = try session.client.send("type='\(type)'", unavailable)
        #expect(try session.stream.read(until: "/>") == unavailable)
        try session.daemon.settle()
        #expect(try poll.isHeld)
    }

    @Test("T-01: a server that goes on sending after the end disturbs nobody")
    func ignoresLateStanzas() throws {
        let session = try OpenSession()
        _ = try session.client.exchange("type='terminate'")
        _ = try session.stream.read(until: "</stream:stream>")
        try session.stream.send("<message id='late'/><message id='later'/></stream:stream>")
        #expect(try session.stream.wire.readToEnd() == "")
        try session.daemon.wait(until: "upstream.streams_now", is: 0)
    }

    @Test("T-01: a server that does not close its side is left after a while")
    func leavesSilentServer() throws {
        let session = try OpenSession()
        _ = try session.client.exchange("type='terminate'")
        #expect(try session.stream.wire.readToEnd() == "</stream:stream>")
        try session.daemon.wait(until: "upstream.streams_now", is: 0)
    }

    @Test("P-01 P-14: a client that stays silent loses its session, and its stream is closed")
    func endsInactive() throws {
        let server = try ScriptedUpstream()
        let daemon = try Daemon(upstream: server.port, "--inactivity", "5")
        let client = BOSHClient(daemon)
        let request = try client.create()
        let stream = try server.accept()
        try stream.open()
        try client.adopt(try request.answer())
        #expect(try stream.wire.readToEnd() == "</stream:stream>")
        #expect(try client.exchange().condition == "item-not-found")
        #expect(try daemon.statistics().number("sessions.ended.inactive") == 1)
    }
}
