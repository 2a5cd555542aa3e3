import TestSupport
import Testing

/// Clients that are older than terminal conditions, and know HTTP errors instead (XEP-0124 §17.1).
@Suite struct LegacyTests {
    private let creation = "wait='60' hold='1'"
    private let message = "<message xmlns='jabber:client'/>"

    /// Checks that an answer is only a status.
    private func expect(_ answer: HTTPAnswer, is status: Int, at location: SourceLocation = #_sourceLocation) {
        #expect(answer.status == status, sourceLocation: location)
        #expect(answer.body.isEmpty, sourceLocation: location)
        #expect(answer.field("Content-Length") == "0", sourceLocation: location)
        #expect(answer.field("Access-Control-Allow-Origin") == "*", sourceLocation: location)
        #expect(answer.field("Connection") == nil, sourceLocation: location)
    }

    @Test("T-10 S-07: a client that names no version is not told one")
    func creates() throws {
        let session = try OpenSession(creation)
        #expect(session.created["ver"] == nil)
        #expect(session.created.payload == ScriptedStream.features)
        let poll = try session.client.send("", message)
        try session.stream.send("<message id='m1'/>")
        #expect(try poll.answer().payload.contains("id='m1'"))
    }

    @Test(
        "T-10: a creation request that is wrong in itself",
        arguments: ["wait='x'", "hold='-1'", "wait='1' hold='one'"])
    func refusesCreation(attributes: String) throws {
        let client = BOSHClient(try Daemon(upstream: 1))
        expect(try client.send("to='example.org' \(attributes)").httpAnswer(), is: 400)
        #expect(try client.send("ver='1.6' to='example.org' \(attributes)").answer().condition == "bad-request")
    }

    @Test("T-10: conditions without a status stand in a body")
    func refusesWithBody() throws {
        let client = BOSHClient(try Daemon(upstream: 1))
        #expect(try client.send("to='example.com'").answer().condition == "host-unknown")
        #expect(try client.send("wait='1'").answer().condition == "improper-addressing")
        #expect(try client.send("to='example.org'").isTurnedAway())
    }

    @Test("T-10: item-not-found is 404, on the request whose fault it is")
    func outOfWindow() throws {
        let session = try OpenSession(creation)
        let poll = try session.client.send()
        try session.daemon.settle()
        expect(try session.client.send("", rid: poll.rid + 100).httpAnswer(), is: 404)
        #expect(try poll.answer().condition == "other-request")
        #expect(try session.stream.read(until: "</stream:stream>") == "</stream:stream>")
        #expect(try session.daemon.statistics().number("sessions.ended.rid-above-window") == 1)
    }

    @Test("T-10: policy-violation is 403")
    func overactive() throws {
        let session = try OpenSession("wait='60' hold='0'")
        #expect(try session.client.exchange().isEmpty)
        expect(try session.client.send().httpAnswer(), is: 403)
        #expect(try session.daemon.statistics().number("sessions.ended.overactive") == 1)
    }

    @Test("T-10: bad-request is 400")
    func malformed() throws {
        let session = try OpenSession(creation)
        let start = "<body xmlns='http://jabber.org/protocol/httpbind' sid='\(session.client.sid)'"
        // A stranger's malformed request ends nothing.
        expect(try session.client.send(text: "\(start)/>").httpAnswer(), is: 400)
        let poll = try session.client.send("", message)
        #expect(try session.stream.read(until: "/>") == message)
        expect(try session.client.send("", "<a>").httpAnswer(), is: 400)
        #expect(try poll.answer().condition == "other-request")
    }

    @Test("T-10: where no session says what the client is, it is taken for a newer one")
    func unknown() throws {
        let session = try OpenSession(creation)
        let sid = session.client.sid
        #expect(try session.client.exchange("type='terminate'").isTerminal)
        #expect(try session.client.exchange().condition == "item-not-found")
        for body in ["", "<body", "<body xmlns='http://jabber.org/protocol/httpbind' sid='\(sid)'><a>"] {
            #expect(try session.client.send(text: body).answer().condition == "bad-request", "\(body)")
        }
    }

    @Test("T-06 T-10: a stream error stands in a body")
    func streamError() throws {
        let session = try OpenSession(creation)
        let poll = try session.client.send()
        try session.daemon.settle()
        let error = "<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"
        try session.stream.send(error + "</stream:stream>")
        let answer = try poll.answer()
        #expect(answer.condition == "remote-stream-error")
        #expect(answer.payload == error)
    }
}
