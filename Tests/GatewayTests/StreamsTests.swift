import TestSupport
import Testing

/// Several streams in one session (XEP-0124 §16).
@Suite struct StreamsTests {
    /// A session with a second stream.
    private struct TwoStreams {
        let session: OpenSession
        let second: ScriptedStream
        /// The header that the second stream's server got.
        let header: String
        /// The answer to the request for the second stream.
        let added: BOSHBody
        let names: [String]

        init(_ creation: String = "wait='60' hold='1' ver='1.6'") throws {
            session = try OpenSession(creation, flags: ["--domain", "example.org", "--domain", "example.net"])
            let request = try session.client.send("to='example.net' xml:lang='de'")
            second = try session.server.accept()
            header = try second.open(id: "s2")
            added = try request.answer()
            names = [try #require(session.created["stream"]), try #require(added["stream"])]
        }

        var client: BOSHClient { session.client }
        var first: ScriptedStream { session.stream }
    }

    private func message(_ id: String) -> String { "<message xmlns='jabber:client' id='\(id)'/>" }

    @Test("M-01 M-02: another stream is opened; its answer has its name and nothing of a creation")
    func adds() throws {
        let two = try TwoStreams()
        #expect(two.names[0] != two.names[1])
        for name in two.names { #expect(name.utf8.count >= 16) }
        #expect(two.header.contains(" to='example.net'"))
        #expect(two.header.contains(" xml:lang='de'"))
        #expect(two.added.payload == ScriptedStream.features)
        #expect(two.added["from"] == "example.net")
        #expect(two.added["authid"] == "s2")
        #expect(two.added["xmlns:stream"] == "http://etherx.jabber.org/streams")
        for name in [
            "sid", "requests", "polling", "hold", "inactivity", "maxpause", "accept", "charsets", "ver", "wait",
        ] {
            #expect(two.added[name] == nil, "\(name)")
        }
        let other = try OpenSession(on: two.session)
        #expect(other.created["stream"].map { !two.names.contains($0) } == true)
        #expect(try two.session.daemon.statistics().number("sessions.now") == 2)
        #expect(try two.session.daemon.statistics().number("upstream.streams_now") == 3)
    }

    @Test("M-04: one body has payload of one stream, named; the streams take turns and each keeps its order")
    func separates() throws {
        let two = try TwoStreams()
        for index in 0..<10 {
            try two.first.send(message("a\(index)"))
            try two.second.send(message("b\(index)"))
            try two.session.daemon.settle()
        }
        var received = ["", ""]
        for _ in 0..<2 {
            let answer = try two.client.exchange()
            let index = try #require(two.names.firstIndex(of: answer["stream"] ?? ""))
            #expect(received[index].isEmpty)
            received[index] += answer.payload
        }
        #expect(received[0] == (0..<10).map { message("a\($0)") }.joined())
        #expect(received[1] == (0..<10).map { message("b\($0)") }.joined())
    }

    @Test("M-05: payload without a name goes to all streams, with one to that")
    func broadcasts() throws {
        let two = try TwoStreams()
        _ = try two.client.send("stream='\(two.names[1])'", message("1"))
        _ = try two.client.send("stream='\(two.names[0])'", message("2"))
        _ = try two.client.send("", message("3"))
        try two.session.daemon.settle()
        let first = message("2") + message("3")
        let second = message("1") + message("3")
        #expect(try two.first.wire.read(count: first.utf8.count).text == first)
        #expect(try two.second.wire.read(count: second.utf8.count).text == second)
        #expect(try two.first.wire.isSilent)
        #expect(try two.second.wire.isSilent)
    }

    @Test("M-06: payload for a stream that never was ends the session", arguments: ["x", "", "0123456789abcdef"])
    func refusesUnknown(name: String) throws {
        let two = try TwoStreams()
        #expect(try two.client.exchange("stream='\(name)'", message("1")).condition == "item-not-found")
        #expect(try two.first.read(until: "</stream:stream>") == "</stream:stream>")
        #expect(try two.second.read(until: "</stream:stream>") == "</stream:stream>")
        #expect(try two.session.daemon.statistics().number("sessions.ended.unknown-stream") == 1)
    }

    @Test("M-06: of two sessions none knows the other's streams")
    func keepsApart() throws {
        let two = try TwoStreams()
        let other = try OpenSession(on: two.session)
        #expect(try other.client.exchange("stream='\(two.names[1])'", message("1")).condition == "item-not-found")
        _ = try two.client.send("stream='\(two.names[1])'", message("2"))
        #expect(try two.second.read(until: "/>") == message("2"))
    }

    @Test("M-07: terminate with a name closes that stream, behind its payload; the last one ends the session")
    func closesOne() throws {
        let two = try TwoStreams()
        let closed = try two.client.exchange("type='terminate' stream='\(two.names[0])'", message("1"))
        #expect(closed.isTerminal)
        #expect(closed["stream"] == two.names[0])
        #expect(try two.first.read(until: "</stream:stream>") == message("1") + "</stream:stream>")
        let poll = try two.client.send("", message("2"))
        #expect(try two.second.read(until: "/>") == message("2"))
        try two.second.send(message("3"))
        #expect(try poll.answer().payload == message("3"))
        #expect(try two.client.exchange("type='terminate' stream='\(two.names[1])'").isTerminal)
        #expect(try two.second.read(until: "</stream:stream>") == "</stream:stream>")
        #expect(try two.client.exchange().condition == "item-not-found")
        #expect(try two.session.daemon.statistics().number("sessions.ended.terminated") == 1)
    }

    @Test("M-07: terminate without a name closes all, each behind the payload")
    func closesAll() throws {
        let two = try TwoStreams()
        let answer = try two.client.exchange("type='terminate'", message("1"))
        #expect(answer.isTerminal)
        #expect(answer["stream"] == nil)
        #expect(try two.first.read(until: "</stream:stream>") == message("1") + "</stream:stream>")
        #expect(try two.second.read(until: "</stream:stream>") == message("1") + "</stream:stream>")
    }

    @Test("M-08: a stream that is lost ends alone, and is told with its last stanzas")
    func losesOne() throws {
        let two = try TwoStreams()
        try two.second.send(message("1"))
        two.second.wire.close()
        try two.session.daemon.wait(until: "upstream.streams_now", is: 1)
        let end = try two.client.exchange()
        #expect(end.isTerminal)
        #expect(end.condition == "remote-connection-failed")
        #expect(end["stream"] == two.names[1])
        #expect(end.payload == message("1"))
        let poll = try two.client.send("", message("2"))
        #expect(try two.first.read(until: "/>") == message("2"))
        try two.first.send(message("3"))
        #expect(try poll.answer()["stream"] == two.names[0])
        #expect(try two.session.daemon.statistics().number("sessions.now") == 1)
    }

    @Test("M-08: what cannot be opened ends alone")
    func refusesOne() throws {
        let session = try OpenSession()
        let unknown = try session.client.exchange("to='example.com'")
        #expect(unknown.condition == "host-unknown")
        #expect(unknown["stream"] != nil)
        session.server.stopListening()
        let unreachable = try session.client.exchange("to='example.org'")
        #expect(unreachable.condition == "remote-connection-failed")
        #expect(unreachable["stream"] != nil)
        _ = try session.client.send("", message("1"))
        #expect(try session.stream.read(until: "/>") == message("1"))
    }

    @Test("M-09: a name stands in no empty body")
    func namesNoEmptyBody() throws {
        let two = try TwoStreams()
        let poll = try two.client.send()
        _ = try two.client.send("", message("1"))
        let answer = try poll.answer()
        #expect(answer.isEmpty)
        #expect(answer["stream"] == nil)
    }

    @Test("M-02: no more than eight streams, and a place that is free is used again")
    func boundsStreams() throws {
        let session = try OpenSession()
        var streams: [ScriptedStream] = []
        var names: [String] = []
        func add() throws {
            let request = try session.client.send("to='example.org'")
            let stream = try session.server.accept()
            try stream.open()
            streams.append(stream)
            names.append(try #require(try request.answer()["stream"]))
        }
        for _ in 0..<7 { try add() }
        let refused = try session.client.exchange("to='example.org'")
        #expect(refused.condition == "policy-violation")
        #expect(refused["stream"] != nil)
        #expect(try session.daemon.statistics().number("upstream.streams_now") == 8)
        #expect(try session.client.exchange("type='terminate' stream='\(names[3])'").isTerminal)
        streams[3].wire.close()
        try add()
        #expect(Set(names).count == 8)
        _ = try session.client.send("stream='\(names[7])'", message("1"))
        #expect(try streams[7].read(until: "/>") == message("1"))
    }

    @Test("M-03 X-10: a restart with `to` restarts one stream and opens none")
    func restarts() throws {
        let two = try TwoStreams()
        let restart = try two.client.send(
            "xmlns:xmpp='urn:xmpp:xbosh' xmpp:restart='true' to='example.net' stream='\(two.names[1])'")
        #expect(try two.second.open(id: "s3").contains(" to='example.net'"))
        let answer = try restart.answer()
        #expect(answer.payload == ScriptedStream.features)
        #expect(answer["stream"] == two.names[1])
        #expect(try two.first.wire.isSilent)
        #expect(try two.session.daemon.statistics().number("upstream.streams_now") == 2)
    }

    @Test("M-03: a client that writes `to` into every request, as libpurple does, has one stream")
    func toleratesTo() throws {
        let session = try OpenSession()
        var poll = try session.client.send("to='example.org'", message("1"))
        for _ in 0..<3 {
            try session.daemon.settle()
            let next = try session.client.send("to='example.org'")
            #expect(try poll.answer().isEmpty)
            poll = next
        }
        try session.daemon.settle()
        #expect(try session.daemon.statistics().number("upstream.streams_now") == 1)
        try session.stream.send(message("2"))
        let answer = try poll.answer()
        #expect(answer.payload == message("2"))
        #expect(answer["stream"] == nil)
    }

    @Test("T-12: what was not fetched is returned on the stream that it came from")
    func returns() throws {
        let two = try TwoStreams()
        try two.first.send("<message from='a@example.com' id='a1'/>")
        try two.second.send("<message from='b@example.com' id='b1'/>")
        try two.session.daemon.settle()
        _ = try two.client.send("type='terminate'")
        let first = try two.first.read(until: "</stream:stream>")
        let second = try two.second.read(until: "</stream:stream>")
        #expect(first.contains("id='a1'") && !first.contains("id='b1'") && first.hasSuffix("</stream:stream>"))
        #expect(second.contains("id='b1'") && !second.contains("id='a1'") && second.hasSuffix("</stream:stream>"))
    }

    @Test("T-08: the end of the program ends all streams")
    func shutsDown() throws {
        let two = try TwoStreams()
        let poll = try two.client.send()
        try two.session.daemon.settle()
        two.session.daemon.send(15)
        let answer = try poll.answer()
        #expect(answer.condition == "system-shutdown")
        #expect(answer["stream"] == nil)
        #expect(try two.first.read(until: "</stream:stream>") == "</stream:stream>")
        #expect(try two.second.read(until: "</stream:stream>") == "</stream:stream>")
        two.first.wire.close()
        two.second.wire.close()
        #expect(try two.session.daemon.waitUntilEnded() == .code(0))
    }
}
