import TestSupport
import Testing

/// Limits on what one client address may have.
@Suite struct AddressLimitTests {
    private let server: ScriptedUpstream

    init() throws {
        server = try ScriptedUpstream()
    }

    /// A daemon behind a proxy that names its clients.
    private func daemonBehindProxy(_ environment: [String: String] = [:]) throws -> Daemon {
        let usual = ["HOLDFAST_CLIENT_ADDRESS_FROM": "x-forwarded-for"]
        return try Daemon(
            ["--upstream", "127.0.0.1:\(server.port)"], environment: usual.merging(environment) { $1 })
    }

    /// A daemon for which this machine is a stranger.
    private func daemonForStrangers(_ environment: [String: String]) throws -> Daemon {
        let usual = ["HOLDFAST_TRUSTED_PROXY": "192.0.2.1"]
        return try Daemon(
            ["--upstream", "127.0.0.1:\(server.port)"], environment: usual.merging(environment) { $1 })
    }

    /// Asks for a session, whose creation is answered at once.
    private func create(_ daemon: Daemon, _ connection: RawClient, for client: String) throws -> (
        HTTPAnswer, BOSHClient
    ) {
        let session = BOSHClient(daemon)
        let body = session.nextBody("to='example.org' wait='0' hold='0' ver='1.6'")
        return (try connection.exchange(RawClient.post(body, "X-Forwarded-For: \(client)")), session)
    }

    @Test("address-connections: one more is closed, until one of them goes; the admin listener has no such limit")
    func connections() throws {
        let daemon = try daemonForStrangers(["HOLDFAST_ADDRESS_CONNECTIONS": "2"])
        let first = try daemon.connect()
        let second = try daemon.connect()
        #expect(try first.get("/http-bind").status == 200)
        #expect(try second.get("/http-bind").status == 200)
        let third = try daemon.connect()
        #expect(throws: TestFault.self) { try third.get("/http-bind") }
        let admin = try daemon.connectToAdmin()
        #expect(try admin.statistics().number("limits.address-connections") == 1)
        first.wire.close()
        try admin.wait(until: "http.connections_now", is: 2)
        #expect(try daemon.connect().get("/http-bind").status == 200)
    }

    @Test("address-memory: a further body of an address that holds too much is refused, until the others are gone")
    func memory() throws {
        let daemon = try daemonForStrangers(["HOLDFAST_ADDRESS_MEMORY": "1 MiB"])
        // All of a request but its last byte.
        let unfinished = String(RawClient.post(String(repeating: " ", count: 600_000)).dropLast())
        let connections = try (0..<2).map { _ in
            let connection = try daemon.connect()
            try connection.send(unfinished)
            return connection
        }
        try daemon.wait(until: "memory.held", isAtLeast: 1_200_000)
        let third = try daemon.connect()
        try third.send(unfinished)
        #expect(try third.answer().status == 503)
        let (refused, _) = try create(daemon, try daemon.connect(), for: "203.0.113.9")
        #expect(refused.status == 503)
        #expect(try daemon.statistics().number("limits.address-memory") >= 2)
        for connection in connections { connection.wire.close() }
        try daemon.wait(until: "memory.held", is: 0)
        #expect(try create(daemon, try daemon.connect(), for: "203.0.113.9").0.status == 200)
    }

    @Test("address-memory: half-read bodies behind a proxy count for the client that it names, and for no other")
    func memoryBehindProxy() throws {
        let daemon = try daemonBehindProxy(["HOLDFAST_ADDRESS_MEMORY": "1 MiB"])
        func begin(for client: String) throws -> RawClient {
            let connection = try daemon.connect()
            let field = "X-Forwarded-For: \(client)"
            try connection.send(String(RawClient.post(String(repeating: " ", count: 600_000), field).dropLast()))
            return connection
        }
        var connections = try (0..<2).map { _ in try begin(for: "203.0.113.9") }
        try daemon.wait(until: "memory.held", isAtLeast: 1_200_000)
        #expect(try begin(for: "203.0.113.9").answer().status == 503)
        #expect(try create(daemon, try daemon.connect(), for: "203.0.113.9").0.status == 503)
        #expect(try daemon.statistics().number("limits.address-memory") == 2)
        let other = try begin(for: "203.0.113.10")
        try other.send(" ")
        #expect(try other.answer().status == 200)
        #expect(try create(daemon, try daemon.connect(), for: "203.0.113.10").0.status == 200)
        // One body is completed, and the connection of the other one closes.
        try connections[0].send(" ")
        #expect(try connections[0].answer().status == 200)
        connections = []
        try daemon.wait(until: "memory.bodies", is: 0)
        let (answer, client) = try create(daemon, try daemon.connect(), for: "203.0.113.9")
        #expect(answer.status == 200)
        try client.adopt(try BOSHBody(answer.body))
    }

    @Test("address-memory: behind a proxy nothing of a client is left when its bodies are gone")
    func forgetsBodies() throws {
        let daemon = try daemonBehindProxy()
        for client in ["203.0.113.9", "203.0.113.10", "2001:db8::1"] {
            let connection = try daemon.connect()
            let request = RawClient.post(String(repeating: " ", count: 300_000), "X-Forwarded-For: \(client)")
            // The end of each body comes together with the beginning of the next.
            let pieces = [String(request.dropLast()), " " + String(request.dropLast()), " "]
            try connection.send(pieces[0])
            try daemon.wait(until: "sessions.addresses", is: 1)
            try connection.send(pieces[1])
            #expect(try connection.answer().status == 200)
            try connection.send(pieces[2])
            #expect(try connection.answer().status == 200)
            try daemon.wait(until: "sessions.addresses", is: 0)
            try connection.send(pieces[0])
            try daemon.wait(until: "sessions.addresses", is: 1)
            connection.wire.close()
            try daemon.wait(until: "sessions.addresses", is: 0)
        }
    }

    @Test("address-connections: behind a balancer that says by a PROXY header whose connection it is")
    func connectionsBehindBalancer() throws {
        let daemon = try Daemon(
            ["--upstream", "127.0.0.1:1"],
            environment: ["HOLDFAST_ADDRESS_CONNECTIONS": "1", "HOLDFAST_LISTEN_PROXY": "127.0.0.1:0"])
        let get = "GET /http-bind HTTP/1.1\r\nHost: localhost\r\n\r\n"
        let first = try daemon.connectBehindProxy()
        #expect(try first.exchange("PROXY TCP4 203.0.113.9 192.0.2.1 4711 443\r\n" + get).status == 200)
        let second = try daemon.connectBehindProxy()
        #expect(throws: TestFault.self) {
            try second.exchange("PROXY TCP4 203.0.113.9 192.0.2.1 4712 443\r\n" + get)
        }
        let other = try daemon.connectBehindProxy()
        #expect(try other.exchange("PROXY TCP4 203.0.113.10 192.0.2.1 4711 443\r\n" + get).status == 200)
    }

    @Test("address-sessions, address-logins: one more is 503, which makes clients come back; others are not touched")
    func sessions() throws {
        let daemon = try daemonBehindProxy(["HOLDFAST_ADDRESS_SESSIONS": "2", "HOLDFAST_ADDRESS_LOGINS": "1"])
        let connection = try daemon.connect()
        let (answer, client) = try create(daemon, connection, for: "203.0.113.9")
        try client.adopt(try BOSHBody(answer.body))
        let stream = try server.accept()
        let refused = try create(daemon, connection, for: "203.0.113.9").0
        #expect(refused.status == 503)
        #expect(refused.field("Retry-After") != nil)
        #expect(try create(daemon, connection, for: "203.0.113.10").0.status == 200)
        #expect(try create(daemon, connection, for: "2001:db8::1").0.status == 200)
        #expect(try create(daemon, connection, for: "2001:db8::2").0.status == 503)
        #expect(try create(daemon, connection, for: "2001:db8:0:1::1").0.status == 200)
        try stream.open()
        try stream.send("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
        try daemon.wait(until: "sessions.not_logged_in", is: 3)
        #expect(try create(daemon, connection, for: "203.0.113.9").0.status == 200)
        #expect(try create(daemon, connection, for: "203.0.113.9").0.status == 503)
        let limits = try daemon.statistics()
        #expect(try limits.number("limits.address-logins") == 2)
        #expect(try limits.number("limits.address-sessions") == 1)
        _ = try connection.exchange(RawClient.post(client.nextBody("type='terminate'")))
        #expect(try create(daemon, connection, for: "203.0.113.9").0.status == 503)
    }

    @Test("address-creations: one more in a minute is 503, although the others have ended")
    func creations() throws {
        let daemon = try daemonBehindProxy(["HOLDFAST_ADDRESS_CREATIONS": "3"])
        let connection = try daemon.connect()
        for _ in 0..<3 {
            let (answer, client) = try create(daemon, connection, for: "203.0.113.9")
            try client.adopt(try BOSHBody(answer.body))
            _ = try connection.exchange(RawClient.post(client.nextBody("type='terminate'")))
        }
        let refused = try create(daemon, connection, for: "203.0.113.9").0
        #expect(refused.status == 503)
        #expect(refused.field("Retry-After") != nil)
        #expect(try create(daemon, connection, for: "203.0.113.10").0.status == 200)
        #expect(try daemon.statistics().number("limits.address-creations") == 1)
    }

    @Test("address-sessions: who is not known, and a proxy that names nobody, is not limited")
    func unknown() throws {
        let daemon = try daemonBehindProxy(["HOLDFAST_ADDRESS_SESSIONS": "1", "HOLDFAST_ADDRESS_LOGINS": "1"])
        let connection = try daemon.connect()
        for _ in 0..<5 { #expect(try create(daemon, connection, for: "127.0.0.1").0.status == 200) }
        for _ in 0..<5 { #expect(try create(daemon, connection, for: "unknown").0.status == 200) }
        #expect(try daemon.statistics().number("sessions.addresses") == 0)
    }

    @Test("address-sessions: 400 users behind one company's address log in at nine o'clock")
    func company() throws {
        let daemon = try daemonBehindProxy()
        let connection = try daemon.connect()
        for _ in 0..<400 { #expect(try create(daemon, connection, for: "203.0.113.9").0.status == 200) }
        let statistics = try daemon.statistics()
        #expect(try statistics.number("sessions.now") == 400)
        #expect(try statistics.number("sessions.addresses") == 1)
        #expect(try statistics.number("sessions.refused.policy-violation") == 0)
    }

    @Test("address-sessions: however sessions log in and end, nothing stays behind")
    func isExact() throws {
        let daemon = try daemonBehindProxy(["HOLDFAST_ADDRESS_CREATIONS": "100000", "HOLDFAST_LOGIN_SESSIONS": "8"])
        let connection = try daemon.connect()
        var streams: [ScriptedStream] = []
        for round in 0..<60 {
            let address = "203.0.113.\(round % 7)"
            if round % 5 == 4 {
                // The client does not wait for the answer.
                let impatient = try daemon.connect()
                let body = BOSHClient(daemon).nextBody("to='example.org' wait='60' ver='1.6'")
                try impatient.send(RawClient.post(body, "X-Forwarded-For: \(address)"))
                streams.append(try server.accept())
                impatient.wire.close()
                continue
            }
            let (answer, client) = try create(daemon, connection, for: address)
            try client.adopt(try BOSHBody(answer.body))
            let stream = try server.accept()
            streams.append(stream)
            if round % 2 == 0 {
                try stream.open()
                try stream.send("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
                try daemon.settle()
            }
            switch round % 4 {
            case 0: _ = try connection.exchange(RawClient.post(client.nextBody("type='terminate'")))
            case 1: try stream.wire.reset()
            case 2: _ = try connection.exchange(RawClient.post(client.nextBody("key='none' stream='nothing'", "<a/>")))
            default: break
            }
        }
        for stream in streams { stream.wire.close() }
        // These sessions displace all that are left.
        let last = try (0..<8).map { _ in
            let (answer, client) = try create(daemon, connection, for: "203.0.113.200")
            try client.adopt(try BOSHBody(answer.body))
            return client
        }
        #expect(try daemon.statistics().number("sessions.now") == 8)
        #expect(try daemon.statistics().number("sessions.not_logged_in") == 8)
        for client in last { _ = try connection.exchange(RawClient.post(client.nextBody("type='terminate'"))) }
        try daemon.wait(until: "sessions.now", is: 0)
        #expect(try daemon.statistics().number("sessions.not_logged_in") == 0)
        try daemon.wait(until: "sessions.addresses", is: 0)
    }
}
