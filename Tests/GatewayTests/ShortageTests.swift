import TestSupport
import Testing

/// A shortage on this side does not count against a server.
@Suite struct ShortageTests {
    @Test("upstream-connections: one more is 503 and no verdict on the server; when one goes another may come")
    func connections() throws {
        let server = try ScriptedUpstream()
        let daemon = try Daemon(
            upstream: server.port,
            environment: ["HOLDFAST_UPSTREAM_CONNECTIONS": "2", "HOLDFAST_UPSTREAM_BREAKER_FAILURES": "2"])
        let connection = try daemon.connect()
        let create = RawClient.post(BOSHClient(daemon).nextBody("to='example.org' wait='5' ver='1.6'"))
        var streams: [ScriptedStream] = []
        for _ in 0..<2 {
            try connection.send(create)
            streams.append(try server.accept())
            try streams.last?.open()
            #expect(try connection.answer().status == 200)
        }
        for _ in 0..<5 {
            let refused = try connection.exchange(create)
            #expect(refused.status == 503)
            #expect(refused.field("Retry-After") != nil)
        }
        let statistics = try daemon.statistics()
        #expect(try statistics.number("upstream.breakers_open") == 0)
        // How near each limit is stands beside how often it was reached.
        #expect(try statistics.number("capacity.upstream-connections.used") == 2)
        #expect(try statistics.number("capacity.upstream-connections.limit") == 2)
        #expect(try statistics.number("capacity.login-sessions.used") == 2)
        #expect(try statistics.number("capacity.local-ports.limit") > 2)
        let files = try statistics.number("process.descriptors")
        #expect(try statistics.number("capacity.descriptors.used") == files && files >= 2)
        let metrics = try daemon.connectToAdmin().get("/metrics").body
        #expect(metrics.contains("\nholdfast_limit_used{limit=\"upstream-connections\"} 2\n"))
        #expect(metrics.contains("\nholdfast_limit_max{limit=\"upstream-connections\"} 2\n"))
        #expect(try statistics.number("sessions.ended.upstream-shortage") == 5)
        #expect(try statistics.number("limits.upstream-connections") == 5)
        #expect(try server.isUntouched)
        streams[0].wire.close()
        try daemon.wait(until: "upstream.streams_now", is: 1)
        try connection.send(create)
        try server.accept().open()
        #expect(try connection.answer().status == 200)
    }

    @Test("upstream-connections: a stream that is added in want of one is told apart from the session, which goes on")
    func addedStream() throws {
        let session = try OpenSession(environment: ["HOLDFAST_UPSTREAM_CONNECTIONS": "1"])
        let answer = try session.client.exchange("to='example.org'")
        #expect(answer.isTerminal && answer.condition == "remote-connection-failed")
        #expect(answer["stream"] != nil)
        try session.stream.send("<message id='m1'/>")
        #expect(try session.client.exchange().payload.contains("m1"))
    }

    @Test("session-repeats, session-requests: a session that asks too fast ends alone")
    func rates() throws {
        let session = try OpenSession(
            environment: ["HOLDFAST_SESSION_REPEATS": "2", "HOLDFAST_SESSION_REQUESTS": "10"])
        let other = try OpenSession(on: session)
        // They are sent in one write, so the program has them faster than it allows, however busy the machine is.
        let repeats = try session.daemon.connect()
        try repeats.send((0..<30).map { _ in RawClient.post(session.client.repeatedBody(rid: 1_000)) }.joined())
        var last = try BOSHBody(try repeats.answer().body)
        for _ in 1..<30 where !last.isTerminal { last = try BOSHBody(try repeats.answer().body) }
        #expect(last.isTerminal && last.condition == "policy-violation")
        let statistics = try session.daemon.statistics()
        #expect(try statistics.number("limits.session-repeats") == 1)
        #expect(try statistics.number("sessions.ended.too-many-repeats") == 1)
        try other.stream.send("<message id='m1'/>")
        #expect(try other.client.exchange().payload.contains("m1"))
        // Each of these releases the one before it.
        let connection = try session.daemon.connect()
        try connection.send((0..<200).map { _ in RawClient.post(other.client.nextBody()) }.joined())
        var isOver = false
        for _ in 0..<200 where !isOver { isOver = try BOSHBody(try connection.answer().body).isTerminal }
        #expect(isOver)
        #expect(try session.daemon.statistics().number("limits.session-requests") == 1)
    }
}
