import Glibc
import TestSupport
import Testing

/// Sessions over HTTP polling, from the first request to the last answer.
@Suite struct PollingTests {
    private let server: ScriptedUpstream
    private let daemon: Daemon
    private let peer: PollingPeer

    init() throws {
        server = try ScriptedUpstream()
        daemon = try Daemon(upstream: server.port, environment: PollingPeer.environment)
        peer = PollingPeer(daemon)
    }

    @Test(
        "Q-04 Q-05 Q-07 Q-08 Q-11 Q-31: the header is answered with an own one, which has the server's identifier, and the features"
    )
    func opens() throws {
        let client = try daemon.connect()
        try client.send(
            RawClient.post(
                "0,<?xml version='1.0'?><stream:stream xmlns='jabber:client' from='u@example.org' xml:lang='de' "
                    + "xmlns:stream='http://etherx.jabber.org/streams' to='example.org' version='1.0'>",
                to: "/http-poll"))
        let stream = try server.accept()
        let header = try stream.open(id: "s&quot;1")
        #expect(header.contains(" to='example.org'") && header.contains(" xml:lang='de'"))
        let answer = try PollingPeer.read(from: client)
        #expect(
            answer.body.hasPrefix(
                "<?xml version='1.0'?><stream:stream xmlns='jabber:client' "
                    + "xmlns:stream='http://etherx.jabber.org/streams' from='example.org' id='s&quot;1' xml:lang='de' "
                    + "version='1.0'><stream:features><mechanisms "))
        let parts = answer.id.split(separator: "-")
        #expect(parts.count == 3 && parts[2].count == 32 && !answer.id.contains(".") && !answer.id.hasSuffix(":0"))
        #expect(try daemon.statistics().number("polling.now") == 1)
        #expect(try daemon.statistics().number("sessions.now") == 1)
    }

    @Test("Q-10 Q-32: Psi's empty first request, and an old client's header without a version")
    func opensOldClients() throws {
        #expect(try peer.poll() == "")
        let client = try daemon.connect()
        try client.send(
            RawClient.post(
                peer.head()
                    + "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
                    + "to='example.org'>", to: "/http-poll"))
        let stream = try server.accept()
        #expect(try stream.open().contains(" version='1.0'"))
        let answer = try PollingPeer.read(from: client)
        #expect(answer.body.hasSuffix(" id='s1' xml:lang='en'>"))
    }

    @Test("Q-06 Q-09 Q-34 Q-36: elements pass, cut anywhere, over any number of requests")
    func passes() throws {
        let stream = try peer.open(on: server)
        for part in ["<mes", "sage to='b@example.org'><body>a&", "amp;b</body></message> \r\n <presence", "/>"] {
            _ = try peer.poll(part)
        }
        #expect(
            try stream.read(until: "<presence/>")
                == "<message to='b@example.org'><body>a&amp;b</body></message><presence/>")
        try stream.send("<message><body>ü</body></message>")
        #expect(try peer.read(until: "</message>") == "<message xmlns='jabber:client'><body>ü</body></message>")
    }

    @Test("Q-35: login with a restart, with keys and without", arguments: [0, 5])
    func logsIn(keys: Int) throws {
        let client = PollingPeer(daemon, keys: keys)
        let stream = try client.open(on: server)
        try client.logIn(on: stream)
        #expect(try daemon.statistics().number("polling.restarts") == 1)
        for number in 0..<8 {
            _ = try client.poll("<message id='\(number)'/>")
            #expect(try stream.read(until: "/>") == "<message id='\(number)'/>")
        }
    }

    @Test("Q-21 hostile cases 5 and 15: an answer that was lost is repeated, and nothing is forwarded twice")
    func repeats() throws {
        let client = PollingPeer(daemon, keys: 9)
        let stream = try client.open(on: server)
        try client.logIn(on: stream)
        try stream.send("<message><body>lost</body></message>")
        try daemon.settle()
        let body = client.head() + "<presence/>"
        let lost = try daemon.connect()
        try lost.send(RawClient.post(body, to: "/http-poll"))
        _ = try lost.wire.read(until: "HTTP/1.1")
        try lost.wire.reset()
        let first = try client.post(body)
        #expect(first.body.contains("lost"))
        #expect(try client.post(body) == first)
        #expect(try client.post(body + " ") == PollingPeer.Answer(id: "-3:0", body: ""))
        _ = try client.poll("<iq/>")
        #expect(try stream.read(until: "<iq/>") == "<presence/><iq/>")
        #expect(try daemon.statistics().number("polling.repeats") == 2)
    }

    @Test("Q-23: the connection dies while the request waits; what comes stays for the next one")
    func losesConnection() throws {
        let stream = try peer.open(on: server)
        try peer.logIn(on: stream)
        let lost = try daemon.connect()
        try lost.send(RawClient.post(peer.head() + "<presence/>", to: "/http-poll"))
        #expect(try stream.read(until: "<presence/>") == "<presence/>")
        try lost.wire.reset()
        try stream.send("<message/>")
        #expect(try peer.read(until: "<message ").hasSuffix("<message xmlns='jabber:client'/>"))
    }

    @Test("Q-37: the end of the stream, and what comes behind it")
    func ends() throws {
        let stream = try peer.open(on: server)
        try peer.logIn(on: stream)
        #expect(try peer.poll("<presence type='unavailable'/></stream:stream><evil/>") == "</stream:stream>")
        #expect(try stream.wire.readToEnd() == "<presence type='unavailable'/></stream:stream>")
        #expect(try peer.post("\(peer.id),").id == "0:0")
        try daemon.wait(until: "polling.now", is: 0)
        #expect(try daemon.statistics().number("sessions.ended.terminated") == 1)
        #expect(try daemon.errors.contains("over=polling"))
    }

    @Test("Q-33: the server's own error, its loss, and a domain that is not served")
    func serverEnds() throws {
        let stream = try peer.open(on: server)
        try stream.send(
            "<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>")
        #expect(
            try peer.read(until: "</stream:stream>")
                == "<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>"
        )
        #expect(try peer.post("\(peer.id),").id == "0:0")
        let other = PollingPeer(daemon)
        let lost = try other.open(on: server)
        lost.wire.close()
        #expect(try other.read(until: "</stream:stream>").contains("<remote-connection-failed "))
        let nowhere = PollingPeer.header.replacing("example.org", with: "nowhere.example")
        let refused = try PollingPeer(daemon).post("0,\(nowhere)")
        #expect(refused.body.hasPrefix("<?xml version='1.0'?><stream:stream "))
        #expect(refused.body.contains("<host-unknown ") && refused.body.hasSuffix("</stream:stream>"))
        #expect(try server.isUntouched)
    }

    @Test("T-12 Q-25 Q-28: what was not provably fetched goes back when the program ends")
    func returnsUnfetched() throws {
        let stream = try peer.open(on: server)
        try peer.logIn(on: stream)
        for number in 1...2 {
            try stream.send("<message from='a@example.org/x' type='chat' id='\(number)'><body>x</body></message>")
            _ = try peer.read(until: "id='\(number)'")
        }
        daemon.send(SIGTERM)
        let returned = try stream.wire.readToEnd()
        #expect(returned.contains("id='2'") && returned.contains("type='error'") && !returned.contains("id='1'"))
        #expect(returned.hasSuffix("</stream:stream>"))
        #expect(try daemon.waitUntilEnded() == .code(0))
    }

    @Test("Q-01: GET brings the page for people; no other method than POST, and no path unless it is set")
    func servesPeople() throws {
        let client = try daemon.connect()
        let page = try client.get("/http-poll/")
        #expect(page.status == 200 && page.field("Content-Type") == "text/html; charset=utf-8")
        #expect(try client.exchange("PUT /http-poll HTTP/1.1\r\nHost: a\r\n\r\n").status == 405)
        let off = try Daemon(upstream: server.port)
        #expect(try off.connect().exchange(RawClient.post("0,", to: "/http-poll")).status == 404)
    }

    @Test("Q-20: a start without a key is refused where keys are required")
    func requiresKeys() throws {
        let strict = try Daemon(
            upstream: server.port,
            environment: PollingPeer.environment.merging(["HOLDFAST_POLLING_REQUIRE_KEYS": "on"]) { one, _ in one })
        #expect(try PollingPeer(strict).post("0,").id == "-3:0")
        #expect(try PollingPeer(strict, keys: 3).poll() == "")
    }

    @Test("Q-16: the vectors of the specification")
    func chains() {
        #expect(
            PollingPeer.chain("foo", 6) == [
                "C+7Hteo/D9vJXQ3UfzxbwnXaijM=", "6UU8CDmH3O4aHFmCqSORCn721+M=", "vFFYSOhGyaGUgLrldtMBX7x91Wc=",
                "ZaDxCilBVTHS9dJfbBo1NsC2b+8=", "moPFsvHytDGiJQOjp186AMXAeP0=", "VvxEk07IFy6hUmG/PPBlTLE2fiA=",
            ])
    }

    @Test("Q-15: over the limit of an address")
    func limitsAddresses() throws {
        let small = try Daemon(
            upstream: server.port,
            environment: PollingPeer.environment.merging([
                "HOLDFAST_ADDRESS_SESSIONS": "1", "HOLDFAST_TRUSTED_PROXY": "192.0.2.1",
            ]) { one, _ in one })
        #expect(try PollingPeer(small).poll() == "")
        #expect(try PollingPeer(small).post("0,").id == "-1:0")
    }

    @Test("Q-11: a request goes to the worker that has the session")
    func findsOwner() throws {
        let several = try Daemon(
            upstream: server.port,
            environment: PollingPeer.environment.merging(["HOLDFAST_WORKERS": "2"]) { one, _ in one })
        var sessions: [(PollingPeer, ScriptedStream)] = []
        for _ in 0..<6 {
            let client = PollingPeer(several)
            sessions.append((client, try client.open(on: server)))
        }
        #expect(Set(sessions.map { $0.0.id.split(separator: "-")[1] }).count == 2)
        for round in 0..<3 {
            for (client, stream) in sessions {
                _ = try client.poll("<message id='\(round)'/>")
                #expect(try stream.read(until: "/>") == "<message id='\(round)'/>")
            }
        }
    }

    @Test("a reload that switches the endpoint off leaves its sessions to their workers, and none begins there")
    func reload() throws {
        let scene = try RenewalScene("polling-path = \"/http-poll\"\n")
        let client = PollingPeer(scene.daemon)
        let stream = try client.open(on: scene.workers.server)
        try scene.reload("max-wait = 20\n")
        for round in 0..<4 {
            _ = try client.poll("<message id='\(round)'/>")
            #expect(try stream.read(until: "/>") == "<message id='\(round)'/>")
        }
        #expect(try scene.daemon.connect().exchange(RawClient.post("0,", to: "/http-poll")).status == 404)
        try scene.reload("polling-path = \"/other\"\n")
        _ = try client.poll("<message id='last'/>")
        #expect(try stream.read(until: "/>") == "<message id='last'/>")
    }
}
