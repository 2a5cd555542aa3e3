import TestSupport
import Testing

/// Servers that fail repeatedly are left alone for a while. The first pause is one second; no test measures it.
@Suite struct UpstreamBreakerTests {
    private static let environment = [
        "HOLDFAST_UPSTREAM_BREAKER_FAILURES": "2", "HOLDFAST_UPSTREAM_BREAKER_PAUSE": "3600",
    ]

    /// The result of a request for a session.
    private enum Outcome {
        case connected(ScriptedStream, BOSHClient, BOSHRequest)
        case spared
    }

    private let scene: TargetScene
    private var server: ScriptedUpstream { scene.servers[0] }

    init() throws {
        scene = try TargetScene(count: 1, environment: Self.environment)
    }

    private func ask() throws -> Outcome {
        let client = BOSHClient(scene.daemon)
        let request = try client.create()
        while try request.isHeld {
            if try !server.isUntouched {
                let stream = try server.accept()
                _ = try stream.readHeader()
                return .connected(stream, client, request)
            }
            Patience.pause(milliseconds: 1)
        }
        // After a connection attempt, the answer would be another one.
        #expect(try server.isUntouched)
        #expect(try request.isTurnedAway())
        return .spared
    }

    /// Fails each connection until one request is refused by the breaker.
    private func failUntilSpared() throws {
        let before = try spared()
        var failures = 0
        while case .connected(let stream, _, let request) = try ask() {
            stream.wire.close()
            #expect(try request.isTurnedAway())
            failures += 1
            // Between the second failure and the next look a pause may pass; then a longer one follows.
            try #require(failures < 20)
        }
        #expect(failures >= 2)
        #expect(try spared() == before + 1)
        #expect(try scene.daemon.statistics().number("upstream.breakers_open") == 1)
    }

    /// Asks until one request is let through.
    private func probe() throws -> (ScriptedStream, BOSHClient, BOSHRequest) {
        var probe: (ScriptedStream, BOSHClient, BOSHRequest)?
        try Patience.wait("one is let through") {
            if case .connected(let stream, let client, let request) = try ask() { probe = (stream, client, request) }
            return probe != nil
        }
        return try #require(probe)
    }

    private func spared() throws -> Int {
        try scene.daemon.statistics().number("sessions.ended.upstream-spared")
    }

    private func open(_ stream: ScriptedStream) throws {
        try stream.send(ScriptedStream.header() + ScriptedStream.features)
    }

    @Test("breaker: a server that fails is spared, then one is let through, and all when that one was served")
    func comesBack() throws {
        try failUntilSpared()
        #expect(try scene.daemon.statistics().number("failures.spared", ofSite: "example.org") == 1)
        let (stream, client, request) = try probe()
        // As long as its result is unknown, no other request is let through.
        for _ in 0..<3 {
            guard case .spared = try ask() else {
                Issue.record("a second one is let through")
                continue
            }
        }
        try open(stream)
        try client.adopt(try request.answer())
        try scene.expectWorks(client, stream)
        #expect(try scene.daemon.statistics().number("upstream.breakers_open") == 0)
        for _ in 0..<3 {
            guard case .connected(let next, let client, let request) = try ask() else {
                Issue.record("spared although it works")
                continue
            }
            try open(next)
            try client.adopt(try request.answer())
        }
        #expect(try scene.daemon.statistics().number("sessions.now") == 4)
    }

    @Test("breaker: when the one that is let through fails, the server is spared again")
    func failsAgain() throws {
        try failUntilSpared()
        let (stream, _, request) = try probe()
        stream.wire.close()
        #expect(try request.isTurnedAway())
        // Now a single failure is enough.
        guard case .spared = try ask() else {
            Issue.record("let through at once")
            return
        }
        let (next, client, last) = try probe()
        try open(next)
        try client.adopt(try last.answer())
    }

    @Test("breaker: when the client of the one that is let through leaves, the next one is")
    func probeLeaves() throws {
        try failUntilSpared()
        let (stream, _, request) = try probe()
        request.abort()
        _ = try stream.read(until: "</stream:stream>")
        stream.wire.close()
        try scene.daemon.wait(until: "upstream.streams_now", is: 0)
        guard case .connected(let next, let client, let last) = try ask() else {
            Issue.record("nobody is let through")
            return
        }
        try open(next)
        try client.adopt(try last.answer())
    }

    @Test("breaker: a server that speaks XMPP works, whatever it says", arguments: ["not-authorized", "host-unknown"])
    func errorsAreLife(condition: String) throws {
        for _ in 0..<6 {
            guard case .connected(let stream, _, let request) = try ask() else {
                Issue.record("spared")
                return
            }
            try stream.send(ScriptedStream.header() + ScriptedStream.error(condition))
            #expect(try request.answer().condition == "remote-stream-error")
        }
        #expect(try scene.daemon.statistics().number("upstream.breakers_open") == 0)
    }

    @Test("breaker: a server that is told whose stream it is may mean that client alone", arguments: ["v1", "v2"])
    func bannedClient(version: String) throws {
        let scene = try TargetScene(
            count: 1,
            environment: Self.environment.merging(["HOLDFAST_UPSTREAM_PROXY_PROTOCOL": version]) { $1 })
        for _ in 0..<6 {
            let request = try BOSHClient(scene.daemon).create()
            // If the breaker were open, no connection would come.
            let stream = try scene.servers[0].accept()
            _ = try stream.read(until: "<stream:stream")
            stream.wire.close()
            #expect(try request.isTurnedAway())
        }
        #expect(try scene.daemon.statistics().number("upstream.breakers_open") == 0)
    }

    @Test("breaker: another domain's failures with the same server do not count")
    func perDomain() throws {
        let server = try ScriptedUpstream()
        let daemon = try Daemon(
            configuration: "[domains.\"bad.example\"]\nupstream = \"127.0.0.1:\(server.port)\"\n",
            flags: ["--upstream", "127.0.0.1:\(server.port)"], environment: Self.environment)
        for _ in 0..<2 {
            let request = try BOSHClient(daemon).create(to: "bad.example")
            try server.accept().wire.close()
            #expect(try request.isTurnedAway())
        }
        #expect(try daemon.statistics().number("upstream.breakers_open") == 1)
        let client = BOSHClient(daemon)
        let request = try client.create()
        try server.accept().open()
        try client.adopt(try request.answer())
    }

    @Test("breaker: failures that are not in a row are none")
    func notInARow() throws {
        for round in 0..<6 {
            guard case .connected(let stream, let client, let request) = try ask() else {
                Issue.record("spared")
                return
            }
            if round % 2 == 0 {
                stream.wire.close()
                #expect(try request.isTurnedAway())
            } else {
                try open(stream)
                try client.adopt(try request.answer())
            }
        }
    }

    @Test("breaker: streams that were open and are lost say nothing against the server")
    func openStreamsDoNotCount() throws {
        for _ in 0..<5 {
            guard case .connected(let stream, let client, let request) = try ask() else {
                Issue.record("spared")
                return
            }
            try open(stream)
            try client.adopt(try request.answer())
            stream.wire.close()
            #expect(try client.exchange().condition == "remote-connection-failed")
        }
    }

    @Test("breaker: the servers behind one that is spared are asked at once")
    func nextTarget() throws {
        let scene = try TargetScene(count: 2, environment: Self.environment)
        for round in 0..<2 {
            let client = BOSHClient(scene.daemon)
            let request = try client.create()
            let failed = try scene.servers[0].accept()
            _ = try failed.readHeader()
            failed.wire.close()
            try scene.servers[1].accept().open()
            try client.adopt(try request.answer())
            #expect(try scene.daemon.statistics().number("upstream.breakers_open") == round)
        }
        // The breaker of the first server is open now. If its pause is over, the server gets another connection, fails
        // again, and a longer pause begins.
        for _ in 0..<20 {
            let client = BOSHClient(scene.daemon)
            let request = try client.create()
            let index = try scene.awaitedServer()
            let stream = try scene.servers[index].accept()
            _ = try stream.readHeader()
            guard index == 1 else {
                stream.wire.close()
                try scene.servers[1].accept().open()
                try client.adopt(try request.answer())
                continue
            }
            try stream.send(ScriptedStream.header() + ScriptedStream.features)
            try client.adopt(try request.answer())
            #expect(try scene.servers[0].isUntouched)
            return
        }
        Issue.record("the first one is never spared")
    }

    @Test("breaker: 0 failures means never")
    func off() throws {
        let server = try ScriptedUpstream()
        let daemon = try Daemon(upstream: server.port, environment: ["HOLDFAST_UPSTREAM_BREAKER_FAILURES": "0"])
        for _ in 0..<20 {
            let request = try BOSHClient(daemon).create()
            try server.accept().wire.close()
            #expect(try request.isTurnedAway())
        }
        #expect(try daemon.statistics().number("sessions.ended.upstream-spared") == 0)
    }
}
