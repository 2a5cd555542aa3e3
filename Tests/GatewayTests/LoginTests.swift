import Deflate
import TestSupport
import Testing

/// Limits on sessions whose clients have not logged in.
@Suite struct LoginTests {
    private static let success = "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"

    /// Sends creation requests, which are answered at once, on one connection.
    private func flood(_ daemon: Daemon, _ server: ScriptedUpstream, count: Int) throws -> [ScriptedStream] {
        let connection = try daemon.connect()
        var streams: [ScriptedStream] = []
        for _ in 0..<count {
            try connection.send(RawClient.post(BOSHClient(daemon).nextBody("to='example.org' wait='0' ver='1.6'")))
            streams.append(try server.accept())
            #expect(try connection.answer().status == 200)
        }
        return streams
    }

    @Test("login-sessions: while strangers come and come, others log in, and who is in stays")
    func floodOfStrangers() throws {
        let first = try OpenSession(environment: ["HOLDFAST_LOGIN_SESSIONS": "20"])
        try first.stream.send(Self.success)
        try first.daemon.wait(until: "sessions.not_logged_in", is: 0)
        _ = try first.client.exchange()
        let before = try flood(first.daemon, first.server, count: 30)
        try first.daemon.wait(until: "sessions.ended.login-displaced", is: 10)
        // A login takes some time, and it has that time: nine other sessions come meanwhile.
        let second = try OpenSession(on: first)
        let behind = try flood(first.daemon, first.server, count: 15)
        try second.stream.send(Self.success)
        #expect(try second.client.exchange().payload == Self.success)
        let further = try flood(first.daemon, first.server, count: 30)
        try first.daemon.settle()
        let statistics = try first.daemon.statistics()
        #expect(try statistics.number("sessions.now") == 22)
        #expect(try statistics.number("sessions.not_logged_in") == 20)
        #expect(try statistics.number("limits.login-sessions") == 55)
        #expect(try statistics.number("sessions.ended.login-displaced") == 55)
        for session in [first, second] {
            try session.stream.send("<message id='m1'/>")
            #expect(try session.client.exchange().payload.contains("m1"))
        }
        #expect(before.count + behind.count + further.count == 75)
    }

    @Test(
        "login-sessions: a server's word that a client is in",
        arguments: [
            success,
            "<success xmlns='urn:xmpp:sasl:2'><authorization-identifier>a@b</authorization-identifier></success>",
            "<iq type='result' id='auth2'/>",
        ])
    func words(success: String) throws {
        let session = try OpenSession()
        #expect(try session.daemon.statistics().number("sessions.not_logged_in") == 1)
        try session.stream.send("<iq type='result' id='r'><query xmlns='jabber:iq:register'/></iq>")
        _ = try session.client.exchange()
        #expect(try session.daemon.statistics().number("sessions.not_logged_in") == 1)
        try session.stream.send(success)
        _ = try session.client.exchange()
        #expect(try session.daemon.statistics().number("sessions.not_logged_in") == 0)
        _ = try session.client.exchange("type='terminate'")
        #expect(try session.daemon.statistics().number("sessions.not_logged_in") == 0)
    }

    /// The default, which the tests otherwise raise.
    private static let narrow = ["HOLDFAST_LOGIN_BODY": "65536"]

    @Test("login-body: a creation request that is too large is 413, also when it became so by its coding")
    func largeCreation() throws {
        let server = try ScriptedUpstream()
        let daemon = try Daemon(upstream: server.port, environment: Self.narrow)
        let connection = try daemon.connect()
        let large = BOSHClient(daemon).nextBody(
            "to='example.org'", "<a>\(String(repeating: "ab c", count: 20_000))</a>")
        #expect(try connection.exchange(RawClient.post(large)).status == 413)
        let junk = BOSHClient(daemon).nextBody("to='example.org'", Self.junk)
        #expect(try connection.exchange(RawClient.post(junk)).status == 413)
        // Random-looking digits expand about three times.
        let digits = (UInt32(1)...10_000).map { String($0 &* 2_654_435_761, radix: 10) }.joined()
        let coded = try BOSHClient(daemon).nextBody("to='example.org'", "<a>\(digits)</a>").compressed(.gzip)
        #expect(coded.count < 65_536 && digits.utf8.count > 65_536)
        try connection.post(coded, "Content-Encoding: gzip")
        #expect(try connection.answer().status == 413)
        #expect(try daemon.statistics().number("limits.login-body") == 3)
        #expect(try daemon.statistics().number("sessions.ever") == 0)
        #expect(try server.isUntouched)
    }

    @Test("login-body: before login a large request ends its session, after it the server gets it")
    func largeRequest() throws {
        let session = try OpenSession(environment: Self.narrow)
        let other = try OpenSession(on: session)
        let message = "<message><body>\(String(repeating: "ab c", count: 20_000))</body></message>"
        let answer = try session.client.exchange("", message)
        #expect(answer.isTerminal && answer.condition == "policy-violation")
        #expect(try session.stream.read(until: ">") == "</stream:stream>")
        #expect(try session.daemon.statistics().number("limits.login-body") == 1)
        try other.stream.send(Self.success)
        #expect(try other.client.exchange().payload == Self.success)
        let request = try other.client.send("", message)
        #expect(try other.stream.read(until: "</message>").utf8.count == message.utf8.count)
        #expect(try request.isHeld)
    }

    @Test("login-body: junk with a sid that stands fails alone")
    func junk() throws {
        let session = try OpenSession(environment: Self.narrow)
        let junk = try session.client.exchange("", Self.junk, rid: 5)
        #expect(junk.isTerminal && junk.condition == "policy-violation")
        let foreign = try BOSHClient(session.daemon).exchange("sid='n1'", Self.junk)
        #expect(foreign.condition == "item-not-found")
        try session.stream.send("<message id='m1'/>")
        #expect(try session.client.exchange().payload.contains("m1"))
    }

    private static let junk = String(repeating: "<a>", count: 30_000)

    @Test("login-body: what a large body costs before login is what its bytes cost to read")
    func cost() throws {
        let stranger = try OpenSession(environment: Self.narrow)
        let known = try OpenSession(on: stranger)
        try known.stream.send(Self.success)
        _ = try known.client.exchange()
        let payload = String(repeating: "<a b='c'/>", count: 100_000)
        let cost = { (client: BOSHClient) in
            try stranger.daemon.leastProcessorTime {
                // This rid is not due, so the same session can be asked again.
                for _ in 0..<3 { _ = try client.exchange("", payload, rid: 5) }
            }
        }
        _ = try cost(stranger.client)
        let strange = try cost(stranger.client)
        let usual = try cost(known.client)
        #expect(strange * 3 < usual * 2)
    }
}
