import TestSupport
import Testing

/// Settings that have no flag, and the sources of settings, seen from outside.
@Suite struct ConfigurationTests {
    private let message = "<message xmlns='jabber:client' id='m1'/>"

    // MARK: Sources

    @Test("settings: a flag wins over the environment, which wins over the file")
    func precedence() throws {
        let server = try ScriptedUpstream()
        for (environment, flags, expected) in [
            ([:], [], "10"), (["HOLDFAST_MAX_WAIT": "20"], [], "20"),
            (["HOLDFAST_MAX_WAIT": "20"], ["--max-wait", "30"], "30"), ([:], ["--max-wait", "30"], "30"),
        ] as [([String: String], [String], String)] {
            let daemon = try Daemon(
                configuration: "max-wait = 10\nupstream = [\"127.0.0.1:\(server.port)\"]\n", flags: flags,
                environment: environment)
            let request = try BOSHClient(daemon).create()
            try server.accept().open()
            #expect(try request.answer()["wait"] == expected)
        }
    }

    /// Wrong files, and what the error line names.
    static let wrong = [
        ("max-wait = 0", ":1", "max-wait"), ("\nmax-hold = 11", ":2", "max-hold"),
        ("max-weight = 1", ":1", "max-weight"),
        ("max-wait = [1", ":1", "no ] at its end"), ("[domains.\"a b\"]", ":1", "a b"),
        ("max-wait = true", ":1", "max-wait"),
        ("[domains.\"example.org\"]\nmax-wait = 5", ":2", "max-wait"), ("upstream = [\"x\"]", ":1", "upstream"),
    ]

    @Test("settings: a file that is wrong is named with line and key, and exit 78", arguments: wrong)
    func refusesFile(text: String, line: String, key: String) throws {
        let file = try TemporaryFile(Array(text.utf8))
        for check in [[], ["--check-config"]] {
            let run = try Daemon.run(
                ["run", "--config", file.path, "--domain", "example.org", "--upstream", "127.0.0.1:1"] + check)
            #expect(run.exit == .code(78))
            #expect(run.output == "")
            #expect(run.errors.contains(file.path + line), "\(run.errors)")
            #expect(run.errors.contains(key), "\(run.errors)")
        }
    }

    @Test("settings: a variable that no setting has, or a value that it may not have, is exit 78")
    func refusesEnvironment() throws {
        for (name, value) in [("HOLDFAST_MAX_WEIGHT", "1"), ("HOLDFAST_MAX_WAIT", "soon")] {
            let run = try Daemon.run(
                ["run", "--domain", "example.org", "--upstream", "127.0.0.1:1"], environment: [name: value])
            #expect(run.exit == .code(78))
            #expect(run.errors.contains(name) || run.errors.contains("max-w"), "\(run.errors)")
        }
    }

    @Test("settings: --check-config says that all is well and serves nothing")
    func checks() throws {
        let file = try TemporaryFile(Array("[domains.\"example.org\"]\nupstream = [\"127.0.0.1:1\"]\n".utf8))
        let run = try Daemon.run(["run", "--config", file.path, "--check-config"])
        #expect(run.exit == .code(0))
        #expect(run.errors == "")
    }

    // MARK: Clients that keep the program waiting

    @Test("head-timeout: a head that does not come to its end", arguments: [false, true])
    func head(trickles: Bool) throws {
        let daemon = try Daemon(upstream: 1, environment: ["HOLDFAST_HEAD_TIMEOUT": "4"])
        let start = ContinuousClock.now
        let connection = try daemon.connect()
        try connection.send("POST /http-bind HTTP/1.1\r\nHost: localhost\r\nX-Long: ")
        try daemon.expectPatience(with: connection, since: start)
        if trickles { try trickle(on: connection) }
        #expect(try connection.answer().status == 408)
        #expect(try connection.wire.readToEnd() == "")
    }

    @Test(
        "body-timeout: a body that does not come to its end, whole or in chunks", arguments: [false, true],
        [false, true])
    func body(trickles: Bool, isChunked: Bool) throws {
        let daemon = try Daemon(
            upstream: 1, environment: ["HOLDFAST_BODY_TIMEOUT": "4", "HOLDFAST_HEAD_TIMEOUT": "300"])
        let start = ContinuousClock.now
        let connection = try daemon.connect()
        let framing =
            isChunked ? "Transfer-Encoding: chunked\r\n\r\nfff\r\n<body " : "Content-Length: 1000\r\n\r\n<body "
        try connection.send("POST /http-bind HTTP/1.1\r\nHost: localhost\r\n" + framing)
        try daemon.expectPatience(with: connection, since: start)
        if trickles { try trickle(on: connection) }
        #expect(try connection.answer().status == 408)
        #expect(try connection.wire.readToEnd() == "")
    }

    /// Sends a byte from time to time until an answer comes.
    private func trickle(on connection: RawClient) throws {
        try Patience.wait("an answer comes", pause: 50) {
            if try !connection.wire.isSilent { return true }
            _ = try connection.wire.sendSome([0x78])
            return false
        }
    }

    @Test("head-timeout: a connection that rests between requests has more time")
    func restsBetweenRequests() throws {
        let daemon = try Daemon(upstream: 1, environment: ["HOLDFAST_HEAD_TIMEOUT": "1", "HOLDFAST_BODY_TIMEOUT": "1"])
        let connection = try daemon.connect()
        let fresh = try daemon.connect()
        #expect(try connection.get("/http-bind").status == 200)
        try passTwoHeadTimeouts(daemon)
        #expect(try connection.get("/http-bind").status == 200)
        #expect(try fresh.get("/http-bind").status == 200)
    }

    /// Waits until two other connections, one after the other, have met their deadlines.
    private func passTwoHeadTimeouts(_ daemon: Daemon) throws {
        for _ in 0..<2 {
            let other = try daemon.connect()
            try other.send("GET / HT")
            #expect(try other.answer().status == 408)
        }
    }

    @Test("R-15: a request that is held has no deadline but its own", arguments: ["close", "keep-alive"])
    func heldRequest(option: String) throws {
        let session = try OpenSession(
            environment: ["HOLDFAST_HEAD_TIMEOUT": "1", "HOLDFAST_BODY_TIMEOUT": "1", "HOLDFAST_SEND_TIMEOUT": "1"])
        let connection = try session.daemon.connect()
        try connection.send(RawClient.post(session.client.nextBody(), "Connection: \(option)"))
        try passTwoHeadTimeouts(session.daemon)
        #expect(try connection.wire.isSilent)
        try session.stream.send("<message id='m1'/>")
        #expect(try BOSHBody(try connection.answer().body).payload == message)
        if option == "close" { #expect(try connection.wire.readToEnd() == "") }
    }

    @Test("send-timeout: a client that does not read its answer loses the connection, and may ask for it again")
    func send() throws {
        let session = try OpenSession(
            environment: [
                "HOLDFAST_SEND_TIMEOUT": "1", "HOLDFAST_MAX_STANZA": "8388608",
                "HOLDFAST_SESSION_BUFFER": "16777216",
            ])
        let slow = RawClient(try ByteStream(port: session.daemon.port, receiveBuffer: 4_096), of: session.daemon)
        let body = session.client.nextBody()
        try slow.send(RawClient.post(body))
        let text = String(repeating: "x", count: 5_000_000)
        try session.stream.send("<message><body>\(text)</body></message>")
        let admin = try session.daemon.connectToAdmin()
        // The first client's connection and this one are left.
        try admin.wait(until: "http.connections_now", is: 2)
        let answer = try fetch(body, session)
        #expect(answer.payload == "<message xmlns='jabber:client'><body>\(text)</body></message>")
        #expect(try admin.statistics().number("sessions.now") == 1)
        withExtendedLifetime(slow) {}
    }

    /// The answer to a repeat. On a busy machine this client may read too slowly as well, and ask once more.
    private func fetch(_ body: String, _ session: OpenSession) throws -> BOSHBody {
        try Patience.value("the whole answer comes") { try? session.client.send(text: body).answer() }
    }

    @Test("send-rate: a client that reads its answer slowly loses the connection, and may ask for it again")
    func sendRate() throws {
        let session = try OpenSession(
            environment: [
                "HOLDFAST_SEND_TIMEOUT": "1", "HOLDFAST_SEND_RATE": "1000000", "HOLDFAST_MAX_STANZA": "8388608",
                "HOLDFAST_SESSION_BUFFER": "16777216",
            ])
        let slow = RawClient(try ByteStream(port: session.daemon.port, receiveBuffer: 16_384), of: session.daemon)
        let body = session.client.nextBody()
        try slow.send(RawClient.post(body))
        let text = String(repeating: "x", count: 5_000_000)
        try session.stream.send("<message><body>\(text)</body></message>")
        var fetched = 0
        while case .bytes(let bytes) = try slow.wire.receive() {
            fetched += bytes.count
            // The pauses are short, because silence has a deadline of its own.
            Patience.pause(milliseconds: 30)
        }
        #expect(fetched > 0 && fetched < text.utf8.count)
        let answer = try fetch(body, session)
        #expect(answer.payload == "<message xmlns='jabber:client'><body>\(text)</body></message>")
        let statistics = try session.daemon.statistics()
        #expect(try statistics.number("limits.send-rate") >= 1)
        #expect(try statistics.number("sessions.now") == 1)
    }

    @Test("body-rate: a body that trickles in is refused while one that comes as fast as it must is taken")
    func bodyRate() throws {
        let daemon = try Daemon(
            upstream: 1, environment: ["HOLDFAST_BODY_TIMEOUT": "4", "HOLDFAST_BODY_RATE": "1000"])
        let (slow, quick) = (try daemon.connect(), try daemon.connect())
        let head = "POST /http-bind HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900000\r\n\r\n"
        for connection in [slow, quick] { try connection.send(head) }
        var sent = 0
        while try slow.wire.isSilent, sent < 800_000 {
            try slow.send(" ")
            try quick.send(String(repeating: " ", count: 4_000))
            sent += 4_000
            Patience.pause(milliseconds: 30)
        }
        #expect(try slow.answer().status == 408)
        try quick.send(String(repeating: " ", count: 900_000 - sent))
        #expect(try quick.answer().status == 200)
        #expect(try daemon.statistics().number("limits.body-rate") == 1)
    }

    @Test("login-timeout: a session ends that nobody has logged in to, however busy; one that somebody has stays")
    func login() throws {
        let known = try OpenSession(environment: ["HOLDFAST_LOGIN_TIMEOUT": "10"])
        try known.stream.send("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
        _ = try known.client.exchange()
        let stranger = try OpenSession(on: known)
        var poll = try stranger.client.send("", "<message/>")
        try Patience.wait("the session ends", pause: 50) {
            try stranger.stream.send("<message id='m1'/>")
            if try poll.answer().isTerminal { return true }
            poll = try stranger.client.send("", "<message/>")
            return false
        }
        let statistics = try known.daemon.statistics()
        #expect(try statistics.number("sessions.ended.login-timeout") == 1)
        #expect(try statistics.number("limits.login-timeout") == 1)
        #expect(try statistics.number("sessions.now") == 1)
        try known.stream.send("<message id='m1'/>")
        #expect(try known.client.exchange().payload.contains("m1"))
    }

    // MARK: Bounds

    @Test("replay-budget: with none, only the answers that must be are kept", arguments: [0, 1_000_000])
    func replayBudget(bytes: Int) throws {
        let session = try OpenSession(environment: ["HOLDFAST_REPLAY_BUDGET": "\(bytes)"])
        // Each request releases the one before it, whose answer is empty and takes little space.
        var held = try session.client.send()
        var answers: [(rid: UInt64, text: String)] = []
        for _ in 0..<6 {
            let next = try session.client.send()
            answers.append((held.rid, try held.answer().text))
            held = next
        }
        let statistics = try session.daemon.statistics()
        let evicted = try statistics.number("sessions.responses_evicted")
        #expect(bytes == 0 ? evicted > 0 : evicted == 0)
        let kept = try statistics.number("sessions.spare_response_bytes")
        #expect(bytes == 0 ? kept == 0 : kept > 0)
        // `requests` is 2: that many are kept, whatever the budget is.
        for answer in answers.suffix(2) {
            #expect(try session.client.exchange("", rid: answer.rid).text == answer.text)
        }
        let old = try session.client.exchange("", rid: answers[3].rid)
        if bytes == 0 { #expect(old.condition == "item-not-found") } else { #expect(old.text == answers[3].text) }
        withExtendedLifetime(held) {}
    }

    @Test("polling, maxpause: clients are told of them")
    func announced() throws {
        let session = try OpenSession(environment: ["HOLDFAST_POLLING": "5", "HOLDFAST_MAXPAUSE": "7"])
        #expect(session.created["polling"] == "5")
        #expect(session.created["maxpause"] == "7")
    }

    private func nested(_ depth: Int) -> String {
        String(repeating: "<a>", count: depth - 1) + "<a/>" + String(repeating: "</a>", count: depth - 1)
    }

    @Test("xml-depth, stanza-depth: so deep may elements nest, from clients and from servers")
    func xmlDepth() throws {
        let environment = ["HOLDFAST_XML_DEPTH": "8", "HOLDFAST_STANZA_DEPTH": "8"]
        let session = try OpenSession(environment: environment)
        let deepest = "<message xmlns='jabber:client'>\(nested(6))</message>"
        let poll = try session.client.send("", deepest)
        #expect(try session.stream.read(until: "</message>") == deepest)
        try session.stream.send("<message>\(nested(6))</message>")
        #expect(try poll.answer().payload == deepest)
        #expect(
            try session.client.exchange("", "<message xmlns='jabber:client'>\(nested(7))</message>").condition
                == "bad-request")
        let other = try OpenSession(on: session)
        let last = try other.client.send()
        try other.stream.send("<message>\(nested(7))</message><message/>")
        #expect(try last.answer().payload == "<message xmlns='jabber:client'/>")
    }

    @Test("xml-attributes, stanza-attributes: so many may an element have, from clients and from servers")
    func xmlAttributes() throws {
        let session = try OpenSession(environment: ["HOLDFAST_XML_ATTRIBUTES": "8", "HOLDFAST_STANZA_ATTRIBUTES": "8"])
        func stanza(_ count: Int) -> String {
            "<message" + (0..<count).map { " a\($0)='x'" }.joined() + "/>"
        }
        let poll = try session.client.send()
        try session.stream.send(stanza(8))
        #expect(try poll.answer().payload.hasSuffix(" a7='x'/>"))
        let next = try session.client.send("", "<x xmlns='urn:x' a='1' b='2' c='3' d='4' e='5' f='6' g='7'/>")
        #expect(try session.stream.read(until: "/>").contains(" g='7'"))
        try session.stream.send(stanza(9) + "<message/>")
        #expect(try next.answer().payload == "<message xmlns='jabber:client'/>")
        let other = try OpenSession(on: session)
        let tooMany = "<x xmlns='urn:x' a='1' b='2' c='3' d='4' e='5' f='6' g='7' h='8'/>"
        #expect(try other.client.exchange("", tooMany).condition == "bad-request")
    }

    @Test("max-stanza: so large may an element of a server be to be delivered")
    func maxStanza() throws {
        let session = try OpenSession(environment: ["HOLDFAST_MAX_STANZA": "10000"])
        let fits = "<message>\(String(repeating: "x", count: 10_000 - 19))</message>"
        let poll = try session.client.send()
        try session.stream.send(fits)
        #expect(try poll.answer().payload.utf8.count == 10_000 + " xmlns='jabber:client'".utf8.count)
        let next = try session.client.send()
        try session.stream.send("<message>\(String(repeating: "x", count: 20_000))</message><message/>")
        #expect(try next.answer().payload == "<message xmlns='jabber:client'/>")
    }

    @Test("compress-responses, compress-from: whether and from where on answers are compressed")
    func compressedResponses() throws {
        let long = "<message xmlns='jabber:client'>\(String(repeating: "x", count: 900))</message>"
        for (environment, isCompressed) in [
            ([:], true), (["HOLDFAST_COMPRESS_RESPONSES": "off"], false), (["HOLDFAST_COMPRESS_FROM": "2000"], false),
        ] as [([String: String], Bool)] {
            let session = try OpenSession(environment: environment)
            let connection = try session.daemon.connect()
            try connection.send(RawClient.post(session.client.nextBody(), "Accept-Encoding: gzip"))
            try session.daemon.settle()
            try session.stream.send(long)
            let answer = try connection.answer()
            #expect(answer.field("Content-Encoding") == (isCompressed ? "gzip" : nil))
            if !isCompressed { #expect(try BOSHBody(answer.body).payload == long) }
        }
    }
}

extension Daemon {
    /// Expects that what a client has sent so far has arrived and is not refused yet, so that only a deadline can end it. On
    /// a busy machine the deadline of 4 s may have passed by now.
    func expectPatience(with connection: RawClient, since start: ContinuousClock.Instant) throws {
        try settle()
        let isSilent = try connection.wire.isSilent
        #expect(isSilent || start.duration(to: .now) >= .seconds(4), "it was answered before its time")
    }
}
