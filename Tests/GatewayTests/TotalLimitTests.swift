import TestSupport
import Testing

/// Limits on the sessions of all clients together: `max-sessions` and `creation-rate`.
@Suite struct TotalLimitTests {
    private let server: ScriptedUpstream

    init() throws {
        server = try ScriptedUpstream()
    }

    private func daemon(_ environment: [String: String]) throws -> Daemon {
        let usual = PollingPeer.environment.merging(environment) { $1 }
        return try Daemon(upstream: server.port, environment: usual)
    }

    private func create(_ daemon: Daemon, _ connection: RawClient) throws -> HTTPAnswer {
        let body = BOSHClient(daemon).nextBody("to='example.org' wait='0' hold='0' ver='1.6'")
        return try connection.exchange(RawClient.post(body))
    }

    /// A session that has begun.
    private func begin(_ daemon: Daemon, _ connection: RawClient) throws -> BOSHClient {
        let client = BOSHClient(daemon)
        let answer = try connection.exchange(
            RawClient.post(client.nextBody("to='example.org' wait='0' hold='0' ver='1.6'")))
        try client.adopt(try BOSHBody(answer.body))
        return client
    }

    @Test("S-23: max-sessions: one more is 503 at every door, which makes clients come back, until one has ended")
    func sessions() throws {
        let daemon = try daemon(["HOLDFAST_MAX_SESSIONS": "2"])
        let connection = try daemon.connect()
        let client = try begin(daemon, connection)
        #expect(try create(daemon, connection).status == 200)
        let refused = try create(daemon, connection)
        #expect(refused.status == 503)
        #expect(try isSpread(refused))
        let socket = try daemon.connect().exchange(WebSocketPeer.request())
        #expect(socket.status == 503)
        #expect(try isSpread(socket))
        let polled = try daemon.connect().exchange(RawClient.post("0," + PollingPeer.header, to: "/http-poll"))
        #expect(polled.field("Set-Cookie")?.hasPrefix("ID=-1:0") == true, "\(polled.head)")
        let statistics = try daemon.statistics()
        #expect(try statistics.number("limits.max-sessions") == 3)
        #expect(try statistics.number("websockets.refused.crowd") == 1)
        #expect(try statistics.number("capacity.max-sessions.used") == 2)
        #expect(try statistics.number("capacity.max-sessions.limit") == 2)
        _ = try connection.exchange(RawClient.post(client.nextBody("type='terminate'")))
        #expect(try create(daemon, connection).status == 200)
    }

    @Test("max-sessions: holds over all workers")
    func workers() throws {
        let scene = try WorkersScene(workers: 2, environment: ["HOLDFAST_MAX_SESSIONS": "5"])
        let connection = try scene.daemon.connect()
        var members: [WorkersScene.Member] = []
        for _ in 0..<5 { members.append(try scene.begin(over: connection)) }
        #expect(Set(members.map(\.worker)).count == 2)
        // A worker shows the others what it has a moment after it has answered.
        try scene.waitUntilAllShow("sessions.now", 5)
        for _ in 0..<6 { #expect(try create(scene.daemon, try scene.daemon.connect()).status == 503) }
    }

    @Test("creation-rate: those of two seconds at once; one more is 503, each at another time, and sessions go on")
    func rate() throws {
        // So slow that no time of this test brings another one.
        let daemon = try daemon(["HOLDFAST_CREATION_RATE": "1"])
        let connection = try daemon.connect()
        let client = try begin(daemon, connection)
        var refusals: [HTTPAnswer] = []
        // They are sent in one write, so the program has them faster than it allows, however busy the machine is.
        let creation = RawClient.post(BOSHClient(daemon).nextBody("to='example.org' wait='0' hold='0' ver='1.6'"))
        try connection.send(String(repeating: creation, count: 40))
        for _ in 0..<40 {
            let answer = try connection.answer()
            if answer.status == 503 { refusals.append(answer) } else { #expect(answer.status == 200) }
        }
        #expect(refusals.count > 10)
        for refusal in refusals { #expect(try isSpread(refusal)) }
        #expect(Set(refusals.map { $0.field("Retry-After") ?? "" }).count > 1, "all come back together")
        let goes = try connection.exchange(RawClient.post(client.nextBody("")))
        #expect(try goes.status == 200 && !BOSHBody(goes.body).isTerminal)
        let statistics = try daemon.statistics()
        #expect(try statistics.number("limits.creation-rate") == refusals.count)
        #expect(try statistics.number("sessions.refused.policy-violation") == refusals.count)
    }

    /// Whether the client is asked to come back after 5 to 20 seconds.
    private func isSpread(_ answer: HTTPAnswer) throws -> Bool {
        guard let seconds = answer.field("Retry-After").flatMap({ Int($0) }) else { return false }
        return (5...20).contains(seconds)
    }
}
