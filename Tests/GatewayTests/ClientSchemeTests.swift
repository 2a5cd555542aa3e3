import TestSupport
import Testing

/// Over which scheme a client came, by the word of a trusted proxy, and what depends on it.
@Suite struct ClientSchemeTests {
    private static let https = "X-Forwarded-Proto: https"
    private static let http = "X-Forwarded-Proto: http"
    private static let believing = ["HOLDFAST_CLIENT_SCHEME_FROM": "x-forwarded-proto"]

    /// Whether the page for people says that it came over https.
    private func isSecure(_ connection: RawClient, _ field: String) throws -> Bool {
        let page = try connection.exchange("GET /http-bind HTTP/1.1\r\nHost: h\r\n\(field)\r\n\r\n")
        #expect(page.status == 200)
        let says = page.body.contains("You came over https")
        #expect(page.body.contains("plain HTTP") == !says)
        return says
    }

    // MARK: The page

    @Test("H-20 H-28: the page for people says what a trusted proxy says")
    func page() throws {
        let daemon = try Daemon(upstream: 1, environment: Self.believing)
        let connection = try daemon.connect()
        #expect(try isSecure(connection, Self.https))
        #expect(try !isSecure(connection, Self.http))
        #expect(try !isSecure(connection, "X-Forwarded-Proto: junk"))
        #expect(try !isSecure(connection, "Forwarded: for=192.0.2.1;proto=https"))
        #expect(try !isSecure(connection, "A: b"))
    }

    @Test("H-28: nobody else is believed")
    func untrusted() throws {
        let stranger = ["HOLDFAST_TRUSTED_PROXY": "192.0.2.0/24"].merging(Self.believing) { $1 }
        #expect(try !isSecure(try Daemon(upstream: 1, environment: stranger).connect(), Self.https))
        #expect(try !isSecure(try Daemon(upstream: 1).connect(), Self.https))
    }

    @Test("H-28: Forwarded says it beside the client's address")
    func forwarded() throws {
        let daemon = try Daemon(
            upstream: 1,
            environment: ["HOLDFAST_CLIENT_SCHEME_FROM": "forwarded", "HOLDFAST_CLIENT_ADDRESS_FROM": "forwarded"])
        let connection = try daemon.connect()
        #expect(try isSecure(connection, "Forwarded: for=192.0.2.1;proto=https"))
        #expect(try !isSecure(connection, "Forwarded: for=192.0.2.66;proto=https, for=192.0.2.1;proto=http"))
        #expect(try !isSecure(connection, Self.https))
    }

    // MARK: PROXY headers

    /// A header of version 2 for a client at `address`, with a value about TLS whose flags are these.
    private func prelude(_ flags: UInt8?, address: [UInt8] = [203, 0, 113, 9]) -> [UInt8] {
        let values: [UInt8] = flags.map { [0x20, 0, 5, $0, 0, 0, 0, 0] } ?? []
        return [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]
            + [0x21, 0x11, 0, UInt8(12 + values.count)] + address + [192, 0, 2, 1, 0x12, 0x67, 1, 0xBB] + values
    }

    @Test("H-28 listen-proxy: the header says it, without a setting", arguments: [[:], Self.believing])
    func proxyHeader(environment: [String: String]) throws {
        let daemon = try Daemon(
            upstream: 1, environment: environment.merging(["HOLDFAST_LISTEN_PROXY": "127.0.0.1:0"]) { $1 })
        for (flags, expected) in [(1, true), (0, false), (nil, false)] as [(UInt8?, Bool)] {
            let connection = try daemon.connectBehindProxy()
            try connection.wire.send(prelude(flags))
            // Behind a header that names a stranger, a field is the stranger's own.
            for field in [Self.https, Self.http] { #expect(try isSecure(connection, field) == expected) }
        }
        // Behind one that names a trusted proxy, the field is that proxy's word about its own client.
        let connection = try daemon.connectBehindProxy()
        try connection.wire.send(prelude(0, address: [127, 0, 0, 9]))
        #expect(try isSecure(connection, Self.https) == !environment.isEmpty)
    }

    // MARK: HTTP polling

    @Test("Q-05: the cookie of a client over https is Secure, that of others is not")
    func cookie() throws {
        let server = try ScriptedUpstream()
        let daemon = try Daemon(
            ["--upstream", "127.0.0.1:\(server.port)"],
            environment: PollingPeer.environment.merging(Self.believing) { $1 })
        for (field, secure) in [(Self.https, "; Secure"), (Self.http, ""), ("A: b", "")] {
            // A session, and a request that is refused.
            for body in ["0,", "n1-0-0,"] {
                let client = try daemon.connect()
                try client.send(RawClient.post(body, field, to: "/http-poll"))
                #expect(try PollingPeer.read(from: client, secure: secure).id != "")
            }
        }
    }

    // MARK: BOSH sessions

    /// What would end the session as its next request.
    private func terminate(_ member: WorkersScene.Member) -> String {
        "<body xmlns='http://jabber.org/protocol/httpbind' rid='\(member.client.rid + 1)' sid='\(member.client.sid)' "
            + "type='terminate'/>"
    }

    @Test("H-29: a session that began over https takes no request over http, and goes on", arguments: [1, 2])
    func staysSecure(workers: Int) throws {
        let scene = try WorkersScene(workers: workers, environment: Self.believing)
        let connection = try scene.daemon.connect()
        // With two workers, one of the two sessions is not the worker's that accepts the connection.
        for _ in 0..<2 {
            let member = try scene.begin(over: connection, field: Self.https)
            let intruder = try scene.daemon.connect()
            try intruder.send(RawClient.post(terminate(member), Self.http))
            let refusal = try intruder.answer()
            #expect(refusal.status == 403)
            #expect(refusal.field("Connection") == "close")
            #expect(try intruder.wire.readToEnd().isEmpty)
            try connection.send(
                RawClient.post(member.client.nextBody("", "<message xmlns='jabber:client' id='still'/>"), Self.https))
            #expect(try member.stream.read(until: "id='still'/>").hasSuffix("id='still'/>"))
            try member.stream.send("<message xmlns='jabber:client' id='here'/>")
            #expect(try connection.answer().body.contains("id='here'"))
        }
        try scene.daemon.wait(until: "http.requests_refused", is: 2)
    }

    @Test("H-29: what no proxy says anything of is let pass, and so is http before https")
    func lenient() throws {
        let scene = try WorkersScene(workers: 1, environment: Self.believing)
        let connection = try scene.daemon.connect()
        for (first, second) in [(Self.https, "A: b"), (Self.http, Self.https), ("A: b", Self.http)] {
            let member = try scene.begin(over: connection, field: first)
            try connection.send(RawClient.post(member.client.nextBody("", ""), second))
            try member.stream.send("<message xmlns='jabber:client' id='here'/>")
            #expect(try connection.answer().body.contains("id='here'"))
        }
    }

    @Test("H-28: a connection takes the word of its PROXY header to another worker")
    func moves() throws {
        let scene = try WorkersScene(
            workers: 2, environment: Self.believing.merging(["HOLDFAST_LISTEN_PROXY": "127.0.0.1:0"]) { $1 })
        func connect(_ flags: UInt8) throws -> RawClient {
            let connection = try scene.daemon.connectBehindProxy()
            try connection.wire.send(prelude(flags))
            return connection
        }
        let secure = try connect(1)
        let (first, second) = try scene.twoOwners(over: secure)
        for member in [first, second] {
            for _ in 0..<2 {
                let plain = try connect(0)
                try plain.send(RawClient.post(terminate(member)))
                #expect(try plain.answer().status == 403)
            }
            try secure.send(RawClient.post(member.client.nextBody("", "")))
            try member.stream.send("<message xmlns='jabber:client' id='here'/>")
            #expect(try secure.answer().body.contains("id='here'"))
        }
    }
}
