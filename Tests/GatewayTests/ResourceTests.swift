import CLinux
import TestSupport
import Testing

/// What happens when a resource of the daemon runs out, or one of its processes dies.
@Suite struct ResourceTests {
    @Test("limits: clients beyond the number of descriptors are turned away, those there are served on")
    func survivesDescriptorExhaustion() throws {
        let daemon = try Daemon(["--upstream", "127.0.0.1:1"], descriptors: 140)
        let first = try daemon.connect()
        let admin = try daemon.connectToAdmin()
        #expect(try first.get("/http-bind").status == 200)
        #expect(try admin.get("/healthz").status == 200)
        let others = try (0..<150).map { _ in try daemon.connect() }
        // The last connection is closed, because a connection without a descriptor must not be left waiting.
        #expect(throws: TestFault.self) { try others[149].get("/http-bind") }
        #expect(try first.get("/http-bind").status == 200)
        let statistics = try admin.statistics()
        #expect(try statistics.number("http.connections_turned_away") > 0)
        let unserved = try statistics.number("http.connections_without_descriptor")
        #expect(try statistics.number("http.connections_turned_away") == unserved)
        #expect(try daemon.errors.split(separator: "\n").count { $0.contains("no file descriptor is left") } == 1)
        // Operators have descriptors of their own, each time anew.
        for _ in 0..<20 {
            let late = try daemon.connectToAdmin()
            #expect(try late.get("/readyz").status == 503)
            #expect(try late.statistics().number("process.descriptor_limit") == 140)
            late.wire.close()
        }
        for other in others { other.wire.close() }
        try admin.wait(until: "http.connections_now", is: 2)
        #expect(try daemon.connect().get("/http-bind").status == 200)
    }

    @Test("limits: what an operator's connection took of the reserve is in reserve again although nobody else connects")
    func fillsReserveByItself() throws {
        let daemon = try Daemon(["--upstream", "127.0.0.1:1"], descriptors: 140)
        let admin = try daemon.connectToAdmin()
        #expect(try admin.get("/healthz").status == 200)
        let before = try daemon.descriptorCount()
        let others = try (0..<150).map { _ in try daemon.connect() }
        #expect(throws: TestFault.self) { try others[149].get("/http-bind") }
        let late = try (0..<3).map { _ in try daemon.connectToAdmin() }
        for connection in late { #expect(try connection.get("/healthz").status == 200) }
        for connection in others + late { connection.wire.close() }
        try Patience.wait("the reserve is full again") { try daemon.descriptorCount() == before }
    }

    @Test("S-23: sessions that would take the last descriptors are refused with 503, which makes clients come back")
    func refusesSessionsBeyondDescriptors() throws {
        let server = try ScriptedUpstream()
        let daemon = try Daemon(["--upstream", "127.0.0.1:\(server.port)"], descriptors: 128)
        let admin = try daemon.connectToAdmin()
        let connection = try daemon.connect()
        var clients: [(BOSHClient, ScriptedStream)] = []
        var refusal: HTTPAnswer?
        while clients.count < 100 {
            let client = BOSHClient(daemon)
            try connection.send(RawClient.post(client.nextBody("to='example.org' wait='60' hold='1'")))
            guard try isAccepted(admin, clients.count + 1) else {
                refusal = try connection.answer()
                break
            }
            let stream = try server.accept()
            try stream.open()
            try client.adopt(try BOSHBody(try connection.answer().body))
            clients.append((client, stream))
        }
        #expect(refusal?.status == 503)
        #expect(refusal?.field("Retry-After") != nil)
        #expect(clients.count > 20)
        // The existing sessions go on.
        let (client, stream) = try #require(clients.last)
        try stream.send("<message id='m1'/>")
        try admin.wait(until: "upstream.stanzas_in", is: 1)
        let answer = try connection.exchange(RawClient.post(client.nextBody()))
        #expect(try BOSHBody(answer.body).payload.contains("id='m1'"))
        // When one session ends, another one can begin.
        _ = try connection.exchange(RawClient.post(client.nextBody("type='terminate'")))
        _ = try stream.read(until: "</stream:stream>")
        stream.wire.close()
        try admin.wait(until: "upstream.streams_now", is: clients.count - 1)
        try connection.send(RawClient.post(BOSHClient(daemon).nextBody("to='example.org'")))
        try server.accept().open()
        #expect(try BOSHBody(try connection.answer().body)["sid"] != nil)
    }

    /// Whether the session with this number was created, once that is decided.
    private func isAccepted(_ admin: RawClient, _ number: Int) throws -> Bool {
        var isAccepted = false
        try Patience.wait("the creation request is dealt with") {
            let statistics = try admin.statistics()
            isAccepted = try statistics.number("sessions.ever") == number
            return try isAccepted || statistics.number("sessions.refused_without_descriptor") == 1
        }
        return isAccepted
    }

    @Test("S-17: the process that resolves names is started again after it died")
    func restartsResolver() throws {
        // Each session has its own name, because an answer that a name server gave once is kept.
        let domains = (0..<4).map { "d\($0).example" }
        let tables = domains.map { "[domains.\"\($0)\"]\nupstream = \"\($0.prefix(2)).invalid:5222\"\n" }
        let file = try TemporaryFile(Array(tables.joined().utf8))
        let daemon = try Daemon(["--config", file.path, "--upstream", "127.0.0.1:5222"])
        #expect(try BOSHClient(daemon).create(to: domains[0]).isTurnedAway())
        let resolver = try #require(try daemon.children().first)
        kill(resolver, SIGKILL)
        try daemon.settle()
        // A question that was open when the resolver died is answered as well.
        for domain in domains.dropFirst() {
            #expect(try BOSHClient(daemon).create(to: domain).isTurnedAway())
        }
        #expect(try !daemon.children().contains(resolver))
        #expect(try daemon.children().count == 1)
    }

    @Test("T-08: the process that resolves names ends with its parent")
    func takesResolverAlong() throws {
        let daemon = try Daemon(["--upstream", "nowhere.invalid:5222"])
        #expect(try BOSHClient(daemon).create().isTurnedAway())
        let resolver = try #require(try daemon.children().first)
        daemon.send(SIGKILL)
        #expect(try daemon.waitUntilEnded() == .signal(SIGKILL))
        // An ended process has no descriptors, even before its parent has waited for it.
        try Files.wait(untilGone: "/proc/\(resolver)/fd/0")
    }

    @Test("P-13: a poll is lost and a stanza comes in the same turn of the loop", arguments: [true, false])
    func losesPollWithStanza(pollFirst: Bool) throws {
        let session = try OpenSession()
        let poll = try session.client.send()
        // Everything is there when the loop wakes up.
        try session.daemon.standingStill {
            if pollFirst { poll.abort() }
            try session.stream.send("<message id='m1'/>")
            if !pollFirst { poll.abort() }
        }
        try session.daemon.settle()
        // Wherever the stanza went, the repeat of the lost rid or the next one brings it.
        var received = try session.client.exchange("", rid: poll.rid).payload
        if received.isEmpty { received = try session.client.exchange().payload }
        #expect(received == "<message xmlns='jabber:client' id='m1'/>")
    }

    @Test("R-12: a session's end and its next request in one turn of the loop")
    func handlesEndAndRequestTogether() throws {
        for order in 0..<2 {
            let session = try OpenSession()
            var request: BOSHRequest?
            try session.daemon.standingStill {
                if order == 0 { try session.stream.wire.reset() }
                request = try session.client.send("", "<message xmlns='jabber:client'/>")
                if order == 1 { try session.stream.wire.reset() }
            }
            #expect(try request?.answer().condition == "remote-connection-failed")
            #expect(try session.client.exchange().condition == "item-not-found")
        }
    }
}
