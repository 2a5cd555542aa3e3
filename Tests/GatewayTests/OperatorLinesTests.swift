import TestSupport
import Testing

/// What the log says about clients that are refused and servers that fail, to whoever has to answer a complaint.
@Suite struct OperatorLinesTests {
    /// Lines with a text, at a level and above.
    private func lines(_ daemon: Daemon, _ text: String, _ levels: String...) throws -> [String] {
        try daemon.errors.split(separator: "\n").map(String.init).filter { line in
            line.contains(text) && (levels.isEmpty || levels.contains { line.contains(" \($0) ") })
        }
    }

    private func expect(_ line: String?, _ parts: String...) throws {
        let line = try #require(line)
        for part in parts { #expect((line + " ").contains(part), "\(line)") }
    }

    private static let proxied = [
        "HOLDFAST_TRUSTED_PROXY": "127.0.0.1", "HOLDFAST_CLIENT_ADDRESS_FROM": "x-forwarded-for",
    ]

    @Test("what somebody asks for in vain has a line with the client and the proxy, and then one a minute")
    func inVain() throws {
        let daemon = try Daemon(
            upstream: 9, "--path", "/http-bind", environment: Self.proxied.merging(["HOLDFAST_NODE": "n1"]) { $1 })
        let connection = try daemon.connect()
        let client = "X-Forwarded-For: 203.0.113.9"
        for _ in 0..<3 {
            let wrong = BOSHClient(daemon).nextBody("to='else.example' wait='60' hold='1' ver='1.6'")
            #expect(
                try BOSHBody(try connection.exchange(RawClient.post(wrong, client)).body).condition == "host-unknown")
            let unknown =
                "<body xmlns='http://jabber.org/protocol/httpbind' rid='1' sid='n1.0.\(String(repeating: "ab", count: 16))'/>"
            #expect(
                try BOSHBody(try connection.exchange(RawClient.post(unknown, client)).body).condition
                    == "item-not-found")
            let path = "GET /http-bindd?secret=1 HTTP/1.1\r\nHost: a\r\n\(client)\r\n\r\n"
            #expect(try connection.exchange(path).status == 404)
        }
        let domain = try lines(daemon, "a client asked for a domain that is not served", "notice")
        try expect(domain.first, "client=203.0.113.9 ", "proxy=127.0.0.1:", "domain=else.example ", "times=1 ")
        let session = try lines(daemon, "a request was for a session that does not exist", "info")
        try expect(session.first, "client=203.0.113.9 ", "times=1 ")
        let path = try lines(daemon, "a request was for a path where nothing is", "notice")
        try expect(path.first, "client=203.0.113.9 ", "path=/http-bindd ", "times=1 ")
        #expect([domain.count, session.count, path.count] == [1, 1, 1])
        let statistics = try daemon.statistics()
        #expect(try statistics.number("http.unknown_path") == 3 && statistics.number("sessions.unknown_sid") == 3)
        #expect(try statistics.number("sessions.refused.host-unknown") == 3)
        // The other doors say the same, and the counters go on.
        let socket = try WebSocketPeer(daemon)
        try socket.send("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='else.example' version='1.0'/>")
        try daemon.wait(until: "sessions.ended.host-unknown", is: 1)
        #expect(try lines(daemon, "a client asked for a domain that is not served").count == 1)
    }

    @Test(
        "a request that is refused names the client and the proxy, as far as the head had come",
        arguments: [
            ("POST /http-bind HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.9\r\nContent-Length: x\r\n\r\n", true),
            (
                "POST /http-bind HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.9\r\nContent-Length: 99999999\r\n\r\n",
                true
            ),
            ("POST /http-bind HTTP/1.1\r\nContent-Length: x\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n", false),
        ])
    func refused(request: String, isNamed: Bool) throws {
        let daemon = try Daemon(upstream: 9, environment: Self.proxied)
        let connection = try daemon.connect()
        #expect(try [400, 413].contains(connection.exchange(request).status))
        let line = try lines(daemon, "request refused").first
        if isNamed {
            try expect(line, "client=203.0.113.9 ", "proxy=127.0.0.1:", "status=4", "fault=")
        } else {
            try expect(line, "client=127.0.0.1 ")
        }
    }

    @Test("a server that is down is one warning a minute, and the end of each session says it")
    func serverDown() throws {
        let server = try ScriptedUpstream()
        let daemon = try Daemon(upstream: server.port)
        server.stopListening()
        for _ in 0..<3 { #expect(try BOSHClient(daemon).create().isTurnedAway()) }
        let warnings = try lines(daemon, "upstream", "warning")
        #expect(warnings.count == 1)
        try expect(
            warnings.first, "upstream unreachable ", "upstream=127.0.0.1:\(server.port) ", "times=1 ", "error=\"",
            "domain=example.org ")
        #expect(try lines(daemon, "upstream ended", "info").isEmpty && lines(daemon, "upstream ended").count == 3)
        let ends = try lines(daemon, "session ended", "info")
        #expect(ends.count == 3)
        for end in ends {
            try expect(
                end, "reason=upstream-unreachable ", "domain=example.org ",
                "no address of the server accepts a connection (127.0.0.1:\(server.port): ")
        }
        let statistics = try daemon.statistics()
        #expect(try statistics.number("upstream.failures.unreachable") == 3)
        #expect(try statistics.number("upstream.addresses_failed") == 3)
    }

    @Test("a name server that fails is told once, and nothing contradicts it")
    func nameServerDown() throws {
        let names = try NameServer([
            "_xmpp-client._tcp.example.org": .serverFailure, "_xmpps-client._tcp.example.org": .serverFailure,
        ])
        let daemon = try Daemon(
            ["--upstream", "dns", "--upstream-tls", "starttls"], environment: ["HOLDFAST_NAMESERVER": names.address])
        for _ in 0..<2 { #expect(try BOSHClient(daemon).create().isTurnedAway()) }
        let warnings = try lines(daemon, "upstream unresolved", "warning")
        #expect(warnings.count == 1)
        try expect(warnings.first, "upstream=_xmpp", "-client._tcp.example.org ")
        for end in try lines(daemon, "session ended", "info") {
            try expect(end, "reason=upstream-unresolved ", "(_xmpp")
        }
        withExtendedLifetime(names) {}
    }

    @Test("a server that is left alone is told with the pause, then nothing until it works again, with the downtime")
    func spared() throws {
        let server = try ScriptedUpstream()
        let daemon = try Daemon(
            upstream: server.port,
            environment: ["HOLDFAST_UPSTREAM_BREAKER_FAILURES": "2", "HOLDFAST_UPSTREAM_BREAKER_PAUSE": "3600"])
        var requests: [BOSHRequest] = []
        func ask() throws -> ScriptedStream? {
            let request = try BOSHClient(daemon).create()
            requests.append(request)
            while try request.isHeld {
                if try !server.isUntouched { return try server.accept() }
                Patience.pause(milliseconds: 1)
            }
            return nil
        }
        func isSpared() throws -> Bool { try daemon.statistics().number("sessions.ended.upstream-spared") > 0 }
        while try !isSpared() { if let stream = try ask() { stream.wire.close() } }
        let alone = try lines(daemon, "upstream left alone for a while", "warning")
        #expect(alone.count == 1)
        try expect(alone.first, "seconds=1 ", "seconds_at_most=3600 ", "domain=example.org ")
        #expect(try lines(daemon, "upstream-spared", "info", "warning").isEmpty)
        #expect(try lines(daemon, "reason=upstream-spared", "debug").count >= 2)
        var stream: ScriptedStream?
        while stream == nil {
            stream = try ask()
            Patience.pause()
        }
        try stream?.open()
        try daemon.wait(until: "upstream.breakers_open", is: 0)
        try expect(
            try lines(daemon, "upstream works again", "notice").first, "downtime_seconds=", "domain=example.org ")
    }

    @Test(
        "a server that accepts connections and says nothing is told after the third stream, and when it answers again")
    func silent() throws {
        let server = try ScriptedUpstream()
        let daemon = try Daemon(
            upstream: server.port, environment: ["HOLDFAST_UPSTREAM_CONNECT_TIMEOUT": "3"])
        for count in 1...4 {
            let request = try BOSHClient(daemon).create()
            let stream = try server.accept()
            #expect(try request.isTurnedAway())
            stream.wire.close()
            #expect(try lines(daemon, "the server does not answer", "warning").count == (count < 3 ? 0 : 1))
        }
        try expect(
            try lines(daemon, "the server does not answer").first, "streams=3 ", "upstream=127.0.0.1:\(server.port) ",
            "domain=example.org ", "timeout in phase header")
        let client = BOSHClient(daemon)
        let request = try client.create()
        try server.accept().open()
        _ = try client.adopt(try request.answer())
        try expect(try lines(daemon, "the server answers again", "notice").first, "streams=4 ")
    }

    @Test("a poll whose client goes away is counted as such, and a repeat of it as a repeat")
    func aborted() throws {
        let session = try OpenSession()
        let poll = try session.client.send()
        try session.daemon.settle()
        poll.abort()
        try session.daemon.wait(until: "sessions.aborted_polls", is: 1)
        #expect(try session.daemon.statistics().number("sessions.repeats") == 0)
        #expect(try session.client.exchange(rid: session.client.rid).isEmpty)
        let statistics = try session.daemon.statistics()
        #expect(try statistics.number("sessions.repeats") == 1 && statistics.number("http.answers_untaken") == 0)
    }

    @Test("answers that nobody took are counted once for each connection that ended with some left")
    func untaken() throws {
        let daemon = try Daemon(upstream: 9)
        let client = try daemon.connect()
        // Hundreds of megabytes of answers, of which the kernel takes the first few.
        let requests = Array(String(repeating: "GET /http-bind HTTP/1.1\r\nHost: a\r\n\r\n", count: 600_000).utf8)
        var sent = 0
        var pauses = 0
        while sent < requests.count, pauses < 5 {
            let count = try client.wire.sendSome(Array(requests[sent...].prefix(16_384)))
            sent += count
            pauses = count == 0 ? pauses + 1 : 0
            if count == 0 { try daemon.settle() }
        }
        try #require(sent < requests.count)
        #expect(try daemon.statistics().number("http.answers_untaken") == 0)
        try client.wire.reset()
        try daemon.wait(until: "http.answers_untaken", is: 1)
    }
}
