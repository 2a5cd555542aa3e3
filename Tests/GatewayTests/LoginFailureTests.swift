import TestSupport
import Testing

/// Log-ins that a server refuses: the line, the counter and the limit for each client address.
@Suite struct LoginFailureTests {
    private let server: ScriptedUpstream
    private static let refusal = "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>"
    private static let fault = "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><temporary-auth-failure/></failure>"

    init() throws {
        server = try ScriptedUpstream()
    }

    /// A daemon behind a proxy that names its clients.
    private func daemon(_ environment: [String: String] = [:]) throws -> Daemon {
        let usual = ["HOLDFAST_CLIENT_ADDRESS_FROM": "x-forwarded-for", "HOLDFAST_POLLING_PATH": "/http-poll"]
        return try Daemon(upstream: server.port, environment: usual.merging(environment) { $1 })
    }

    private func create(_ daemon: Daemon, _ connection: RawClient, for client: String) throws -> HTTPAnswer {
        let body = BOSHClient(daemon).nextBody("to='example.org' wait='0' hold='0' ver='1.6'")
        return try connection.exchange(RawClient.post(body, "X-Forwarded-For: \(client)"))
    }

    /// Begins a session, and has its server send elements on its stream.
    private func begin(
        _ daemon: Daemon, _ connection: RawClient, for client: String, _ elements: String...
    ) throws -> ScriptedStream {
        #expect(try create(daemon, connection, for: client).status == 200)
        let stream = try server.accept()
        try stream.open()
        for element in elements { try stream.send(element) }
        return stream
    }

    private func failures(_ daemon: Daemon) throws -> [String] {
        try daemon.errors.split(separator: "\n").filter { $0.contains("login-failed") }.map(String.init)
    }

    @Test("address-login-failures: each has a line of the form that fail2ban looks for, and a counter by condition")
    func line() throws {
        let daemon = try daemon()
        let connection = try daemon.connect()
        let streams = [
            try begin(daemon, connection, for: "203.0.113.9", Self.refusal),
            try begin(daemon, connection, for: "2001:db8::1", Self.fault),
            try begin(daemon, connection, for: "203.0.113.9", "<iq type='error' id='a'><error code='401'/></iq>"),
            try begin(
                daemon, connection, for: "203.0.113.9",
                "<failure xmlns='urn:xmpp:sasl:2'><x client='192.0.2.1'/><text>\n2026 login-failed client=192.0.2.1</text></failure>"
            ),
        ]
        try daemon.wait(until: "sessions.login_failures.not-authorized", is: 2)
        try daemon.wait(until: "sessions.login_failures.temporary-auth-failure", is: 1)
        try daemon.wait(until: "sessions.login_failures.other", is: 1)
        let lines = try failures(daemon)
        #expect(lines.count == 4 && streams.count == 4)
        let known = lines.map { $0.split(separator: " ").dropFirst().prefix(6).joined(separator: " ") }
        #expect(
            known.sorted() == [
                "notice sessions: login-failed client=2001:db8::1 condition=temporary-auth-failure domain=example.org",
                "notice sessions: login-failed client=203.0.113.9 condition=not-authorized domain=example.org",
                "notice sessions: login-failed client=203.0.113.9 condition=not-authorized domain=example.org",
                "notice sessions: login-failed client=203.0.113.9 condition=other domain=example.org",
            ])
        #expect(!lines.joined().contains("192.0.2.1"))
    }

    @Test(
        "address-login-failures: an address that failed too often begins no session; others do, and so do all after a server's fault"
    )
    func limit() throws {
        let daemon = try daemon(["HOLDFAST_ADDRESS_LOGIN_FAILURES": "2"])
        let connection = try daemon.connect()
        let stream = try begin(daemon, connection, for: "203.0.113.9", Self.fault, Self.fault, Self.refusal)
        try daemon.wait(until: "sessions.login_failures.not-authorized", is: 1)
        #expect(try create(daemon, connection, for: "203.0.113.9").status == 200)
        try stream.send(Self.refusal)
        try daemon.wait(until: "sessions.login_failures.not-authorized", is: 2)
        let refused = try create(daemon, connection, for: "203.0.113.9")
        #expect(refused.status == 503)
        #expect(refused.field("Retry-After") != nil)
        #expect(try create(daemon, connection, for: "203.0.113.10").status == 200)
        // The session that is there may go on.
        try stream.send("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
        try daemon.wait(until: "sessions.not_logged_in", is: 2)
        // The other doors are closed in the same way.
        let handshake = WebSocketPeer.request(["X-Forwarded-For: 203.0.113.9"])
        #expect(try daemon.connect().exchange(handshake).status == 503)
        let poll =
            "0,<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='example.org'>"
        let polled = try daemon.connect().exchange(
            RawClient.post(poll, "X-Forwarded-For: 203.0.113.9", to: "/http-poll"))
        #expect(polled.field("Set-Cookie")?.hasPrefix("ID=-1:0") == true, "\(polled.head)")
        let statistics = try daemon.statistics()
        #expect(try statistics.number("limits.address-login-failures") == 3)
        #expect(try statistics.number("websockets.refused.address") == 1)
        #expect(try daemon.errors.split(separator: "\n").count { $0.contains("setting=address-login-failures") } == 1)
    }

    @Test("address-login-failures: after the login nothing is a failed one, over any door")
    func afterLogin() throws {
        let session = try OpenSession()
        try session.stream.send("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
        try session.stream.send("<iq type='error' id='a'><error code='401'/></iq>" + Self.refusal)
        try session.daemon.wait(until: "upstream.stanzas_in", is: 3)
        let peer = try WebSocketPeer(session.daemon)
        let stream = try peer.open(on: session.server)
        try stream.send(Self.refusal)
        try session.daemon.wait(until: "sessions.login_failures.not-authorized", is: 1)
        // What it reads next is about the second attempt.
        #expect(try peer.text().contains("not-authorized"))
        try peer.logIn(on: stream)
        try stream.send(Self.refusal + "<message id='m1'/>")
        try session.daemon.wait(until: "upstream.stanzas_in", is: 7)
        #expect(try session.daemon.statistics().number("sessions.login_failures.not-authorized") == 1)
        #expect(try failures(session.daemon).count == 1)
    }

    @Test("address-login-failures: workers share the limit, each with a quarter more")
    func workers() throws {
        let scene = try WorkersScene(
            workers: 2,
            environment: [
                "HOLDFAST_ADDRESS_LOGIN_FAILURES": "4", "HOLDFAST_CLIENT_ADDRESS_FROM": "x-forwarded-for",
            ])
        let connection = try scene.daemon.connect()
        var streams: [ScriptedStream] = []
        var refused = false
        for _ in 0..<40 where !refused {
            let body = BOSHClient(scene.daemon).nextBody("to='example.org' wait='0' hold='0' ver='1.6'")
            let answer = try connection.exchange(RawClient.post(body, "X-Forwarded-For: 203.0.113.9"))
            refused = answer.status == 503
            guard !refused else { break }
            let stream = try scene.server.accept()
            try stream.open()
            try stream.send(Self.refusal)
            streams.append(stream)
            try scene.daemon.wait(until: "sessions.login_failures.not-authorized", is: streams.count)
        }
        // Each worker admits three.
        #expect(refused && (3...6).contains(streams.count), "\(streams.count)")
    }
}
