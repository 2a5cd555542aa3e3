import Glibc
import TestSupport
import Testing

/// A domain with several servers: which one is tried, and when the next one is.
@Suite struct UpstreamTargetsTests {
    @Test("targets: a server that refuses connections is passed over")
    func refuses() throws {
        let scene = try TargetScene()
        scene.servers[0].stopListening()
        for _ in 0..<3 {
            let client = BOSHClient(scene.daemon)
            let request = try client.create()
            let stream = try scene.servers[1].accept()
            try stream.open()
            #expect(try client.adopt(try request.answer()).payload == ScriptedStream.features)
            try scene.expectWorks(client, stream)
        }
        #expect(try scene.daemon.statistics().number("sessions.now") == 3)
    }

    @Test("targets: the one with the lowest priority gets every stream as long as it works")
    func priorities() throws {
        let scene = try TargetScene(count: 3)
        for _ in 0..<20 {
            let client = BOSHClient(scene.daemon)
            let request = try client.create()
            try scene.servers[0].accept().open()
            try client.adopt(try request.answer())
        }
        #expect(try scene.servers[1].isUntouched)
        #expect(try scene.servers[2].isUntouched)
    }

    @Test("targets: those of one priority share the streams, those behind them get none")
    func weights() throws {
        let servers = try (0..<3).map { _ in try ScriptedUpstream() }
        let scene = try TargetScene(servers) { "127.0.0.1:\($1) priority=\($0 / 2) weight=\($0 + 1)" }
        var counts = [0, 0, 0]
        while counts[0] == 0 || counts[1] == 0 {
            guard counts[0] + counts[1] < 200 else { break }
            let client = BOSHClient(scene.daemon)
            let request = try client.create()
            let index = try scene.awaitedServer()
            counts[index] += 1
            try servers[index].accept().open()
            try client.adopt(try request.answer())
        }
        #expect(counts[0] > 0)
        #expect(counts[1] > 0)
        #expect(counts[2] == 0)
    }

    @Test("targets: a server that fails before the stream is open is followed by the next", arguments: BadTarget.all)
    func movesOn(target: BadTarget) throws {
        let authority = try TLSIdentity.authority()
        let file = try TemporaryFile(authority.pem)
        let trust = target.mode == "none" ? [] : ["--upstream-ca", file.path]
        let scene = try TargetScene(flags: ["--upstream-tls", target.mode] + trust)
        let client = BOSHClient(scene.daemon)
        let request = try client.create()
        let failed = try scene.servers[0].accept()
        try target.act(failed, authority)
        let good = try scene.servers[1].accept()
        let stream: any ServerStream
        switch target.mode {
        case "none":
            try good.open()
            stream = good
        case "starttls":
            try good.proceed()
            stream = try good.secure(as: try TLSIdentity(issuedBy: authority))
        default:
            stream = try good.secure(as: try TLSIdentity(issuedBy: authority))
        }
        if target.mode != "none" { try stream.send(ScriptedStream.header(id: "s2") + ScriptedStream.features) }
        #expect(try client.adopt(try request.answer()).payload == ScriptedStream.features)
        try scene.expectWorks(client, stream)
        // Nothing is left of the failed connection.
        if !target.closes { try failed.wire.drain() }
        let statistics = try scene.daemon.statistics()
        #expect(try statistics.number("upstream.streams_now") == 1)
        #expect(try statistics.number("sessions.now") == 1)
        #expect(try statistics.number("connects", ofSite: "example.org") == 2)
        #expect(try statistics.number("failures.\(target.label)", ofSite: "example.org") == 1)
        withExtendedLifetime(failed) {}
    }

    @Test(
        "targets: a server that says that the client is at fault is believed",
        arguments: [
            "policy-violation", "not-authorized", "invalid-namespace", "unsupported-version", "not-well-formed",
        ])
    func believes(condition: String) throws {
        let scene = try TargetScene()
        let request = try BOSHClient(scene.daemon).create()
        let stream = try scene.servers[0].accept()
        _ = try stream.readHeader()
        try stream.send(ScriptedStream.header() + ScriptedStream.error(condition) + "</stream:stream>")
        let answer = try request.answer()
        #expect(answer.condition == "remote-stream-error")
        #expect(answer.payload == ScriptedStream.error(condition))
        #expect(try scene.servers[1].isUntouched)
    }

    @Test(
        "targets: once the stream was open no other server is asked",
        arguments: ["", ScriptedStream.error("system-shutdown"), "</stream:stream>", "<mess<"])
    func staysWithOpenStream(words: String) throws {
        let scene = try TargetScene()
        let client = BOSHClient(scene.daemon)
        let request = try client.create()
        let stream = try scene.servers[0].accept()
        try stream.open()
        try client.adopt(try request.answer())
        let poll = try client.send()
        try scene.daemon.settle()
        try stream.send(words)
        stream.wire.close()
        let answer = try poll.answer()
        #expect(
            answer.condition == (words.contains("stream:error") ? "remote-stream-error" : "remote-connection-failed"))
        #expect(try scene.servers[1].isUntouched)
        try scene.daemon.wait(until: "upstream.streams_now", is: 0)
    }

    @Test("targets: when all fail, the last thing that a server did says why", arguments: LastWord.all)
    func allFail(last: LastWord) throws {
        let scene = try TargetScene(count: last.acts.count)
        for (server, act) in zip(scene.servers, last.acts) where act == .refuses { server.stopListening() }
        let request = try BOSHClient(scene.daemon).create()
        for (server, act) in zip(scene.servers, last.acts) where act != .refuses {
            let stream = try server.accept()
            _ = try stream.readHeader()
            if act == .errs { try stream.send(ScriptedStream.header() + ScriptedStream.error("host-unknown")) }
            stream.wire.close()
        }
        let answer = try request.endOrTurnedAway()
        #expect(answer?.condition == last.condition)
        if let answer { #expect(answer.payload == ScriptedStream.error("host-unknown")) }
        try scene.daemon.wait(until: "upstream.streams_now", is: 0)
        let statistics = try scene.daemon.statistics()
        #expect(try statistics.number("sessions.ended.\(last.reason)") == 1)
        #expect(try statistics.number("sessions.now") == 0)
    }

    @Test("targets: a server that never answers the connection does not keep anybody from the next")
    func passesSilentServer() throws {
        let servers = [try ScriptedUpstream(backlog: 0), try ScriptedUpstream()]
        let other = try ByteStream(port: servers[0].port)
        let scene = try TargetScene(servers)
        let client = BOSHClient(scene.daemon)
        let request = try client.create()
        let stream = try servers[1].accept()
        try stream.open()
        try client.adopt(try request.answer())
        try scene.expectWorks(client, stream)
        withExtendedLifetime(other) {}
    }

    @Test("targets: a server that takes the connection and says nothing does not keep anybody from the next")
    func passesSpeechlessServer() throws {
        let scene = try TargetScene(environment: ["HOLDFAST_UPSTREAM_CONNECT_TIMEOUT": "3"])
        let client = BOSHClient(scene.daemon)
        let request = try client.create()
        let silent = try scene.servers[0].accept()
        let stream = try scene.servers[1].accept()
        try stream.open()
        try client.adopt(try request.answer())
        try scene.expectWorks(client, stream)
        try silent.wire.drain()
    }

    @Test("targets: a client that leaves while nobody has answered takes everything with it")
    func leavesWhileConnecting() throws {
        let servers = [try ScriptedUpstream(backlog: 0), try ScriptedUpstream()]
        let other = try ByteStream(port: servers[0].port)
        let scene = try TargetScene(servers)
        try scene.daemon.settle()
        let before = try scene.daemon.descriptorCount()
        let request = try BOSHClient(scene.daemon).create()
        try scene.daemon.wait(until: "upstream.streams_now", is: 1)
        request.abort()
        try scene.daemon.wait(until: "sessions.ended.creation-aborted", is: 1)
        try scene.daemon.wait(until: "upstream.streams_now", is: 0)
        try scene.daemon.settle()
        #expect(try scene.daemon.descriptorCount() <= before)
        #expect(try servers[1].isUntouched)
        withExtendedLifetime(other) {}
    }

    @Test("T-08: a daemon that is stopped while it looks for a server")
    func stopsWhileConnecting() throws {
        let servers = [try ScriptedUpstream(backlog: 0), try ScriptedUpstream()]
        let other = try ByteStream(port: servers[0].port)
        let scene = try TargetScene(servers)
        let request = try BOSHClient(scene.daemon).create()
        try scene.daemon.wait(until: "upstream.streams_now", is: 1)
        scene.daemon.send(SIGTERM)
        #expect(try request.answer().condition == "system-shutdown")
        #expect(try scene.daemon.waitUntilEnded() == .code(0))
        #expect(try servers[1].isUntouched)
        withExtendedLifetime(other) {}
    }

    @Test("M-02: a stream that is added goes on to the next server too, and fails alone", arguments: [true, false])
    func addedStream(secondWorks: Bool) throws {
        let scene = try TargetScene()
        let client = BOSHClient(scene.daemon)
        let request = try client.create()
        let stream = try scene.servers[0].accept()
        try stream.open()
        let name = try #require(try client.adopt(try request.answer())["stream"])
        let added = try client.send("to='example.org'")
        let failed = try scene.servers[0].accept()
        _ = try failed.readHeader()
        failed.wire.close()
        let second = try scene.servers[1].accept()
        _ = try second.readHeader()
        var answer: BOSHBody
        if secondWorks {
            try second.send(ScriptedStream.header() + ScriptedStream.features)
            answer = try added.answer()
            if answer.payload.isEmpty { answer = try client.exchange() }
            #expect(answer.payload == ScriptedStream.features)
            #expect(try scene.daemon.statistics().number("upstream.streams_now") == 2)
        } else {
            second.wire.close()
            answer = try added.answer()
            if !answer.isTerminal { answer = try client.exchange() }
            #expect(answer.condition == "remote-connection-failed")
            #expect(try scene.daemon.statistics().number("sessions.now") == 1)
        }
        let poll = try client.send("stream='\(name)'")
        try stream.send("<message id='m1'/>")
        answer = try poll.answer()
        if answer.payload.isEmpty { answer = try client.exchange() }
        #expect(answer["stream"] == name)
        #expect(answer.payload == "<message xmlns='jabber:client' id='m1'/>")
        withExtendedLifetime(second) {}
    }

    @Test("targets: a client that leaves while the server says nothing takes the connection with it")
    func leavesBeforeHeader() throws {
        let scene = try TargetScene()
        let request = try BOSHClient(scene.daemon).create()
        let stream = try scene.servers[0].accept()
        _ = try stream.readHeader()
        request.abort()
        #expect(try stream.wire.readToEnd().hasSuffix("</stream:stream>"))
        try scene.daemon.wait(until: "sessions.ended.creation-aborted", is: 1)
        try scene.daemon.wait(until: "upstream.streams_now", is: 0)
        #expect(try scene.servers[1].isUntouched)
    }
}

/// What a server does before its stream is open, so that the next one is tried.
struct BadTarget: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let mode: String
    /// The counter of its site.
    let label: String
    /// Whether the server closes by itself.
    let closes: Bool
    let act: @Sendable (ScriptedStream, TLSIdentity) throws -> Void

    private init(
        _ name: String, mode: String = "none", label: String, closes: Bool = false,
        act: @escaping @Sendable (ScriptedStream, TLSIdentity) throws -> Void
    ) {
        testDescription = "\(name) (\(mode))"
        self.mode = mode
        self.label = label
        self.closes = closes
        self.act = act
    }

    /// The server answers the header with this text.
    private init(_ name: String, says text: String, label: String) {
        self.init(name, label: label) { stream, _ in
            _ = try stream.readHeader()
            try stream.wire.sendUntilCut(Array(text.utf8))
        }
    }

    private static let header = ScriptedStream.header()

    static let all = plain + encrypted

    private static let plain = [
        Self("closes at once", label: "lost", closes: true) { stream, _ in
            _ = try stream.readHeader()
            stream.wire.close()
        },
        Self("resets", label: "lost", closes: true) { stream, _ in
            _ = try stream.readHeader()
            try stream.wire.reset()
        },
        Self("closes its side", label: "lost") { stream, _ in try stream.wire.shutdownWrite() },
        Self("closes within the features", label: "lost", closes: true) { stream, _ in
            _ = try stream.readHeader()
            try stream.send(header + "<stream:features><a>")
            stream.wire.close()
        },
        Self("speaks HTTP", says: "HTTP/1.1 400 Bad Request\r\n\r\n", label: "malformed"),
        Self("sends bytes", says: "\u{0}\u{1}\u{2}", label: "malformed"),
        Self("sends a TLS alert", says: "\u{15}\u{3}\u{1}\u{0}\u{2}", label: "malformed"),
        Self("sends another root", says: "<body xmlns='jabber:client'>", label: "malformed"),
        Self("sends a DTD", says: "<!DOCTYPE a [<!ENTITY b 'c'>]>", label: "malformed"),
        Self("closes within the header", label: "lost", closes: true) { stream, _ in
            _ = try stream.readHeader()
            try stream.send("<?xml version='1.0'?><stream:str")
            stream.wire.close()
        },
        Self("sends a stanza before the features", says: header + "<message/>", label: "unexpected"),
        Self("ends the stream", says: header + "</stream:stream>", label: "closed"),
        Self("does not know the host", says: header + ScriptedStream.error("host-unknown"), label: "stream-error"),
        Self("shuts down", says: header + ScriptedStream.error("system-shutdown"), label: "stream-error"),
        Self("has no room", says: header + ScriptedStream.error("resource-constraint"), label: "stream-error"),
    ]

    private static let encrypted = [
        Self("offers no STARTTLS", mode: "starttls", label: "no-starttls") { stream, _ in try stream.open() },
        Self("takes STARTTLS back", mode: "starttls", label: "no-starttls") { stream, _ in
            try stream.offerSTARTTLS()
            try stream.send("<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
        },
        Self("says more than proceed", mode: "starttls", label: "bytes-after-proceed") { stream, _ in
            try stream.offerSTARTTLS()
            try stream.send(ScriptedStream.proceed + "<message/>")
        },
        Self("speaks no TLS", mode: "starttls", label: "tls") { stream, _ in
            try stream.proceed()
            // It waits until the client has begun its handshake; otherwise these bytes would come together with
            // `<proceed/>`.
            _ = try stream.wire.read(count: 5)
            try stream.wire.sendUntilCut(Array(header.utf8))
        },
        Self("closes in the handshake", mode: "starttls", label: "tls", closes: true) { stream, _ in
            try stream.proceed()
            _ = try stream.wire.read(count: 5)
            stream.wire.close()
        },
        Self("has a certificate of its own", mode: "starttls", label: "tls") { stream, _ in
            try stream.proceed()
            #expect(throws: TestFault.self) { try stream.secure(as: try TLSIdentity(issuedBy: nil)) }
        },
        Self("has another one's name", mode: "starttls", label: "tls") { stream, authority in
            try stream.proceed()
            #expect(throws: TestFault.self) {
                try stream.secure(as: try TLSIdentity(issuedBy: authority, for: "DNS:example.com"))
            }
        },
        Self("has an expired certificate", mode: "direct", label: "tls") { stream, authority in
            #expect(throws: TestFault.self) {
                try stream.secure(as: try TLSIdentity(issuedBy: authority, until: -60))
            }
        },
        Self("speaks XMPP in the clear", mode: "direct", label: "tls") { stream, _ in
            try stream.wire.sendUntilCut(Array((header + ScriptedStream.features).utf8))
        },
        Self("closes before the handshake", mode: "direct", label: "tls", closes: true) { stream, _ in
            stream.wire.close()
        },
    ]
}

/// How all servers of a domain fail, and the condition that the client is told; nil when it is to try again.
struct LastWord: CustomTestStringConvertible, Sendable {
    enum Act: String, Sendable {
        case refuses, closes, errs
    }

    let acts: [Act]
    let condition: String?
    let reason: String

    var testDescription: String { acts.map(\.rawValue).joined(separator: ", ") }

    static let all = [
        Self(acts: [.closes, .errs], condition: "remote-stream-error", reason: "upstream-stream-error"),
        Self(acts: [.errs, .closes], condition: nil, reason: "upstream-lost"),
        Self(acts: [.errs, .refuses], condition: "remote-stream-error", reason: "upstream-stream-error"),
        Self(acts: [.refuses, .errs], condition: "remote-stream-error", reason: "upstream-stream-error"),
        Self(acts: [.refuses, .closes], condition: nil, reason: "upstream-lost"),
        Self(acts: [.closes, .refuses], condition: nil, reason: "upstream-lost"),
        Self(acts: [.refuses, .refuses, .refuses], condition: nil, reason: "upstream-unreachable"),
    ]
}
