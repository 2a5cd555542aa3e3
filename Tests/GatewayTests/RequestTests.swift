import TestSupport
import Testing

/// Requests of a session: held, answered, repeated, early, lost.
@Suite struct RequestTests {
    private let message = "<message xmlns='jabber:client' id='up'/>"

    @Test("R-16: what the server sends goes to the held request at once")
    func delivers() throws {
        let session = try OpenSession()
        for index in 0..<20 {
            let poll = try session.client.send()
            try session.stream.send("<message id='m\(index)'/>")
            let body = try poll.answer()
            #expect(body.payload == "<message xmlns='jabber:client' id='m\(index)'/>")
            #expect(body.attributes.keys.sorted() == ["xmlns"])
        }
    }

    @Test("R-14: a held request is released by the next one, on a second connection")
    func releases() throws {
        let session = try OpenSession()
        var held = try session.client.send()
        for _ in 0..<10 {
            try session.daemon.settle()
            #expect(try held.isHeld)
            let next = try session.client.send("", message)
            #expect(try held.answer().isEmpty)
            #expect(try session.stream.read(until: "/>").contains("id='up'"))
            held = next
        }
        try session.daemon.settle()
        #expect(try held.isHeld)
    }

    @Test("R-15: a request that was held for wait gets an empty body")
    func expires() throws {
        let session = try OpenSession("wait='1' hold='1' ver='1.6'")
        for _ in 0..<2 { #expect(try session.client.exchange().isEmpty) }
    }

    @Test("P-09: with hold=0 every request is answered at once")
    func polls() throws {
        let session = try OpenSession("wait='60' hold='0' ver='1.6'")
        #expect(try session.client.exchange("", message).isEmpty)
        try session.stream.send("<message id='m1'/><message id='m2'/>")
        try session.daemon.settle()
        let payload = try session.client.exchange().payload
        #expect(payload == "<message xmlns='jabber:client' id='m1'/><message xmlns='jabber:client' id='m2'/>")
    }

    @Test("R-02 R-04: an early request is kept until the gap closes")
    func keepsEarly() throws {
        let session = try OpenSession()
        let rid = session.client.rid
        let second = try session.client.send("", "<message xmlns='jabber:client' id='two'/>", rid: rid + 2)
        try session.daemon.settle()
        #expect(try second.isHeld)
        #expect(try session.stream.wire.isSilent)
        let first = try session.client.send("", "<message xmlns='jabber:client' id='one'/>", rid: rid + 1)
        #expect(try session.stream.read(until: "/>").contains("id='one'"))
        #expect(try session.stream.read(until: "/>").contains("id='two'"))
        #expect(try first.answer().isEmpty)
        try session.stream.send("<message id='down'/>")
        #expect(try second.answer().payload.contains("id='down'"))
    }

    @Test("R-05: a rid above the window ends the session")
    func endsAboveWindow() throws {
        let session = try OpenSession()
        let rid = session.client.rid
        let held = try session.client.send()
        try session.daemon.settle()
        #expect(try session.client.exchange("", rid: rid + 5).condition == "item-not-found")
        #expect(try held.answer().condition == "other-request")
        #expect(try session.stream.read(until: "</stream:stream>") == "</stream:stream>")
    }

    @Test("R-08: the repeat of a held request takes its place; the server gets its payload once")
    func repeatsHeld() throws {
        let session = try OpenSession()
        let old = try session.client.send("", message)
        #expect(try session.stream.read(until: "/>").contains("id='up'"))
        let new = try session.client.send("", message, rid: old.rid)
        #expect(try old.answer()["type"] == "error")
        try session.daemon.settle()
        #expect(try session.stream.wire.isSilent)
        #expect(try new.isHeld)
        try session.stream.send("<message id='down'/>")
        #expect(try new.answer().payload.contains("id='down'"))
    }

    @Test("R-07: a repeated rid gets the same bytes again; the server gets nothing twice")
    func replays() throws {
        let session = try OpenSession()
        let first = try session.client.send("", message)
        _ = try session.stream.read(until: "/>")
        try session.stream.send("<message id='down'><body>&lt; \u{1F600} &amp;</body></message>")
        let answer = try first.answer()
        #expect(answer.payload.contains("id='down'"))
        for _ in 0..<3 {
            let again = try session.client.send("", message, rid: first.rid).answer()
            #expect(again.text == answer.text)
        }
        try session.daemon.settle()
        #expect(try session.stream.wire.isSilent)
    }

    @Test("R-10: a rid whose answer is no longer kept ends the session")
    func endsTooOld() throws {
        let session = try OpenSession()
        let first = try session.client.send()
        var held = first
        var answers: [String] = []
        // The last `requests` responses are kept; more may be kept, but that is not promised.
        for index in 1...20 {
            let next = try session.client.send()
            let answer = try held.answer()
            held = next
            answers.append(answer.text)
            if index <= 2 { #expect(try session.client.exchange("", rid: first.rid).text == answers.first) }
        }
        #expect(try session.client.exchange("", rid: first.rid).condition == "item-not-found")
        #expect(try held.answer().condition == "other-request")
    }

    @Test("P-13 H-27: what comes after the connection of a held request closed goes to the next rid")
    func survivesLostPoll() throws {
        let session = try OpenSession()
        for index in 0..<10 {
            let poll = try session.client.send()
            try session.daemon.settle()
            poll.abort()
            try session.daemon.settle()
            try session.stream.send("<message id='m\(index)'/>")
            try session.daemon.settle()
            #expect(try session.client.exchange().payload.contains("id='m\(index)'"))
        }
    }

    @Test("P-13: a reset counts like a close")
    func survivesReset() throws {
        let session = try OpenSession()
        let poll = try session.client.send()
        try session.daemon.settle()
        try poll.connection.wire.reset()
        try session.daemon.settle()
        try session.stream.send("<message id='m1'/>")
        #expect(try session.client.exchange().payload.contains("id='m1'"))
        // The lost request was answered without payload, and keeps that answer.
        #expect(try session.client.exchange("", rid: poll.rid).isEmpty)
    }

    @Test("P-13: the payload of a request whose connection closes at once counts")
    func countsAbortedPayload() throws {
        let session = try OpenSession()
        for index in 0..<10 {
            let request = try session.client.send("", "<message xmlns='jabber:client' id='u\(index)'/>")
            request.abort()
            #expect(try session.stream.read(until: "/>").contains("id='u\(index)'"))
        }
    }

    @Test("P-13: a request cut off in the middle of its body changes nothing")
    func ignoresHalfRequest() throws {
        let session = try OpenSession()
        let body = session.client.nextBody("", message)
        let whole = RawClient.post(body)
        for length in [20, whole.utf8.count - body.utf8.count + 10, whole.utf8.count - 1] {
            let connection = try session.daemon.connect()
            try connection.wire.send(Array(whole.utf8.prefix(length)))
            try session.daemon.settle()
            connection.wire.close()
        }
        try session.daemon.settle()
        #expect(try session.stream.wire.isSilent)
        _ = try session.client.send(text: body)
        #expect(try session.stream.read(until: "/>").contains("id='up'"))
    }

    @Test("S-22 P-13: a creation request whose client goes away leaves nothing behind")
    func abortsCreation() throws {
        let server = try ScriptedUpstream()
        let daemon = try Daemon(upstream: server.port)
        let request = try BOSHClient(daemon).create()
        let stream = try server.accept()
        _ = try stream.readHeader()
        request.abort()
        #expect(try stream.read(until: "</stream:stream>").hasSuffix("</stream:stream>"))
        try daemon.wait(until: "sessions.ended.creation-aborted", is: 1)
        #expect(try daemon.statistics().number("sessions.now") == 0)
        stream.wire.close()
        try daemon.wait(until: "upstream.streams_now", is: 0)
    }

    @Test("P-03 P-04: a pause releases what is held and brings no payload")
    func pauses() throws {
        let session = try OpenSession()
        let poll = try session.client.send()
        try session.daemon.settle()
        #expect(try session.client.exchange("pause='60'").isEmpty)
        #expect(try poll.answer().isEmpty)
        try session.stream.send("<message id='m1'/>")
        try session.daemon.settle()
        #expect(try session.client.exchange().payload.contains("id='m1'"))
    }

    @Test("X-08: a restart opens the stream anew on the same connection")
    func restarts() throws {
        let session = try OpenSession("xml:lang='fr' wait='60' hold='1' ver='1.6' xmpp:version='1.0'")
        let restart = try session.client.send("xmlns:xmpp='urn:xmpp:xbosh' xmpp:restart='true' to='example.org'")
        let header = try session.stream.readHeader()
        #expect(header.contains(" to='example.org'"))
        #expect(header.contains(" xml:lang='fr'"))
        let features = "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features>"
        try session.stream.send(ScriptedStream.header(id: "s2") + features)
        let body = try restart.answer()
        #expect(body.payload == features)
        #expect(body["xmlns:stream"] == "http://etherx.jabber.org/streams")
        let poll = try session.client.send("", message)
        #expect(try session.stream.read(until: "/>").contains("id='up'"))
        try session.stream.send("<message id='m1'/>")
        #expect(try poll.answer().payload.contains("id='m1'"))
    }

    @Test("X-10: a restart without `to` and `xml:lang` is that of the creation")
    func restartsWithLess() throws {
        let session = try OpenSession("xml:lang='fr' wait='60' hold='1' ver='1.6' xmpp:version='1.0'")
        for value in ["true", "1"] {
            let restart = try session.client.send("xmlns:xmpp='urn:xmpp:xbosh' xmpp:restart='\(value)'")
            let header = try session.stream.open(id: "again")
            #expect(header.contains(" to='example.org'"))
            #expect(header.contains(" xml:lang='fr'"))
            #expect(try restart.answer().payload == ScriptedStream.features)
        }
    }

    @Test("T-13: junk with a valid sid does not end the session, alone or in the middle of a poll")
    func survivesJunk() throws {
        let session = try OpenSession()
        let poll = try session.client.send()
        let start = "<body xmlns='http://jabber.org/protocol/httpbind' sid='\(session.client.sid)'"
        for junk in [
            "\(start)", "\(start)/>", "\(start) rid='0'/>", "\(start) rid='9'><a></body>", "\(start) rid='x'/>",
        ] {
            #expect(try session.client.send(text: junk).answer().condition == "bad-request", "\(junk)")
        }
        try session.daemon.settle()
        #expect(try poll.isHeld)
        try session.stream.send("<message id='m1'/>")
        #expect(try poll.answer().payload.contains("id='m1'"))
    }

    @Test("P-13: a hundred polls lost one after the other, each with a stanza behind it")
    func losesNothing() throws {
        let session = try OpenSession()
        var received = ""
        for index in 0..<100 {
            let poll = try session.client.send()
            if index % 3 == 0 { try session.daemon.settle() }
            poll.abort()
            if index % 2 == 0 { try session.daemon.settle() }
            try session.stream.send("<m n='\(index)'/>")
            // The answer may have been on its way when the connection closed: a client that has it does not repeat its
            // rid.
            let repeated = try session.client.exchange("", rid: poll.rid)
            received += try repeated.isEmpty ? session.client.exchange().payload : repeated.payload
        }
        let expected = (0..<100).map { "<m xmlns='jabber:client' n='\($0)'/>" }.joined()
        #expect(received == expected)
    }
}
