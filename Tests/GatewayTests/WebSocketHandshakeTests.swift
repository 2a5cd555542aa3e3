import TestSupport
import Testing

/// Requests for a WebSocket, and their answers.
@Suite struct WebSocketHandshakeTests {
    private let server: ScriptedUpstream
    private let daemon: Daemon

    init() throws {
        server = try ScriptedUpstream()
        daemon = try Daemon(upstream: server.port)
    }

    private func answer(_ request: String, of other: Daemon? = nil) throws -> HTTPAnswer {
        try (other ?? daemon).connect().exchange(request)
    }

    @Test("W-01 W-16 W-17: 101 with the subprotocol once, the hash of the key, and no more than that")
    func accepts() throws {
        let peer = try WebSocketPeer(daemon)
        let lines = peer.handshake.split(separator: "\r\n").map(String.init)
        #expect(lines.first == "HTTP/1.1 101 Switching Protocols")
        #expect(
            Set(lines.dropFirst()) == [
                "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Protocol: xmpp",
                "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
            ])
    }

    @Test(
        "W-01 W-14 W-21: lists, cases, extensions, queries and slashes that others write",
        arguments: [
            ["Connection": ["Connection: keep-alive, Upgrade"]], ["Upgrade": ["upgrade: WebSocket"]],
            ["Upgrade": ["Upgrade: h2c, websocket"]],
            ["Sec-WebSocket-Protocol": ["Sec-WebSocket-Protocol: chat, xmpp"]],
            ["Sec-WebSocket-Protocol": ["sec-websocket-protocol: chat", "Sec-WebSocket-Protocol: ,xmpp,xmpp"]],
            [
                "Sec-WebSocket-Protocol": [
                    "Sec-WebSocket-Protocol: xmpp",
                    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
                    "Cookie: a=b", "Authorization: Basic eDp5",
                ]
            ],
        ])
    func acceptsVariants(replacing: [String: [String]]) throws {
        let peer = try WebSocketPeer(daemon, request: WebSocketPeer.request(replacing: replacing))
        #expect(!peer.handshake.contains("Extensions"))
        #expect(peer.handshake.contains("\r\nSec-WebSocket-Protocol: xmpp\r\n"))
        let query = WebSocketPeer.request(path: "/xmpp-websocket/?a=b")
        _ = try WebSocketPeer(daemon, request: query)
    }

    @Test(
        "W-01 W-14 W-18: what is missing, doubled or wrong is 400, and nothing behind it is read",
        arguments: [
            ["Connection": ["Connection: keep-alive"]], ["Connection": []], ["Sec-WebSocket-Key": []],
            ["Sec-WebSocket-Key": ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ="]],
            ["Sec-WebSocket-Key": ["Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAA"]],
            ["Sec-WebSocket-Key": ["Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAAA="]],
            ["Sec-WebSocket-Key": ["Sec-WebSocket-Key: dGhl IHNhbXBsZSBub25jZQ=="]],
            [
                "Sec-WebSocket-Key": [
                    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
                ]
            ],
            ["Sec-WebSocket-Version": []], ["Sec-WebSocket-Protocol": []],
            ["Sec-WebSocket-Protocol": ["Sec-WebSocket-Protocol: XMPP"]],
            ["Sec-WebSocket-Protocol": ["Sec-WebSocket-Protocol: xmpp2, xmpp1"]],
            ["Upgrade": ["Upgrade: websocket", "Content-Length: 2"]],
        ])
    func refuses(replacing: [String: [String]]) throws {
        let client = try daemon.connect()
        try client.send(WebSocketPeer.request(replacing: replacing) + "xxGET / HTTP/1.1\r\nHost: a\r\n\r\n")
        let answer = try client.answer()
        #expect(answer.status == 400 && answer.field("Connection") == "close" && answer.body.hasSuffix(".\n"))
        #expect(try client.wire.readToEnd().isEmpty)
    }

    @Test("W-15: another version, no upgrade, another method, an old HTTP")
    func refusesOthers() throws {
        let old = try answer(
            WebSocketPeer.request(replacing: ["Sec-WebSocket-Version": ["Sec-WebSocket-Version: 8"]]))
        #expect(old.status == 426 && old.field("Sec-WebSocket-Version") == "13" && old.field("Upgrade") == "websocket")
        #expect(old.field("Connection").map { Set($0.split(separator: ", ")) } == ["Upgrade", "close"])
        let page = try answer("GET /xmpp-websocket HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(page.status == 426 && page.body.contains("It works.") && page.field("Upgrade") == "websocket")
        for method in ["POST", "PUT", "OPTIONS", "HEAD", "DELETE"] {
            let client = try daemon.connect()
            try client.send("\(method) /xmpp-websocket HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
            let answer = try client.answer(toHead: method == "HEAD")
            #expect(answer.status == 405 && answer.field("Allow") == "GET", "\(method)")
        }
        let ancient = WebSocketPeer.request().replacing("HTTP/1.1\r\n", with: "HTTP/1.0\r\n", maxReplacements: 1)
        #expect(try answer(ancient).status == 400)
        // Chunks come with no length.
        let chunked = WebSocketPeer.request(["Transfer-Encoding: chunked"]) + "0\r\n\r\n"
        #expect(try answer(chunked).status == 400)
    }

    @Test(
        "W-20: with a list only its origins, compared as browsers write them; without a list any",
        arguments: [
            ("https://example.org.evil.net", 403), ("null", 403), ("https://EXAMPLE.org:443", 101),
            ("https://example.org", 101), ("http://example.org", 403), ("https://sub.example.org", 403),
        ])
    func judgesOrigin(origin: String, status: Int) throws {
        let daemon = try Daemon(
            upstream: server.port, environment: ["HOLDFAST_CORS_ORIGIN": "https://example.org"])
        let client = try daemon.connect()
        try client.send(WebSocketPeer.request(["Origin: \(origin)"]))
        let head = try client.wire.read(until: "\r\n\r\n")
        #expect(head.hasPrefix("HTTP/1.1 \(status) "))
        // A program names no origin.
        _ = try WebSocketPeer(daemon)
        _ = try WebSocketPeer(self.daemon, request: WebSocketPeer.request(["Origin: \(origin)"]))
    }

    @Test("W-20: require-origin refuses who names none")
    func requiresOrigin() throws {
        let daemon = try Daemon(upstream: server.port, environment: ["HOLDFAST_REQUIRE_ORIGIN": "on"])
        #expect(try answer(WebSocketPeer.request(), of: daemon).status == 403)
        _ = try WebSocketPeer(daemon, request: WebSocketPeer.request(["Origin: https://a.example"]))
        #expect(try daemon.statistics().number("websockets.refused.origin") == 1)
    }

    @Test("W-21: other paths, the path of BOSH itself, and none")
    func hasPaths() throws {
        let daemon = try Daemon(upstream: server.port, "--websocket-path", "/ws", "--websocket-path", "/http-bind")
        for path in ["/ws", "//ws/", "/http-bind"] {
            _ = try WebSocketPeer(daemon, request: WebSocketPeer.request(path: path))
        }
        #expect(try answer(WebSocketPeer.request(), of: daemon).status == 404)
        // Where both endpoints are, people get the page and BOSH clients their sessions.
        #expect(try daemon.connect().get("/http-bind").status == 200)
        #expect(try daemon.connect().exchange(RawClient.post("<x/>")).status == 200)
        let off = try Daemon(upstream: server.port, "--websocket-path", "off")
        #expect(try answer(WebSocketPeer.request(), of: off).status == 404)
    }

    @Test("W-18 W-19: requests before it are answered first, held polls too, and frames behind it count")
    func waitsForAnswers() throws {
        let session = try OpenSession()
        let client = try session.daemon.connect()
        let rid = session.client.rid + 1
        try client.send(
            RawClient.post(
                "<body xmlns='http://jabber.org/protocol/httpbind' sid='\(session.client.sid)' rid='\(rid)'/>"))
        try session.daemon.settle()
        try client.wire.send(
            Array(WebSocketPeer.request().utf8) + WebSocketPeer.frame([1, 2], opcode: 9)
                + WebSocketPeer.frame(Array(WebSocketPeer.opening.utf8)))
        #expect(try client.answer().status == 200)
        #expect(try client.wire.read(until: "\r\n\r\n").hasPrefix("HTTP/1.1 101"))
        #expect(try client.wire.read(count: 4) == [0x8A, 2, 1, 2])
        _ = try session.server.accept().readHeader()
    }

    @Test("W-22 W-49: what a client can try again is 503: too many of one address, and a program that ends")
    func turnsAway() throws {
        let daemon = try Daemon(
            upstream: server.port,
            environment: ["HOLDFAST_ADDRESS_SESSIONS": "1", "HOLDFAST_TRUSTED_PROXY": "192.0.2.1"])
        let peer = try WebSocketPeer(daemon)
        let refused = try answer(WebSocketPeer.request(), of: daemon)
        #expect(refused.status == 503 && refused.field("Retry-After") == "5" && refused.field("Connection") == "close")
        #expect(try daemon.statistics().number("websockets.refused.address") == 1)
        try peer.send(WebSocketPeer.close(1000))
        #expect(try peer.rest() == [.close(1000)])
        try daemon.wait(until: "websockets.now", is: 0)
        _ = try WebSocketPeer(daemon)
    }

    @Test("W-22: while every server of every domain is left alone, a handshake is 503; one that may work is enough")
    func noServer() throws {
        server.stopListening()
        let breaker = ["HOLDFAST_UPSTREAM_BREAKER_FAILURES": "1"]
        let table = "[domains.\"example.org\"]\nupstream = \"127.0.0.1:\(server.port)\"\n"
        let other = "[domains.\"example.net\"]\nupstream = \"127.0.0.1:\(server.port)\"\n"
        let daemon = try Daemon(configuration: table, flags: [], environment: breaker)
        // The server is left alone for a second first, which may have passed before the handshake comes.
        var isRefused = false
        for _ in 0..<100 where !isRefused {
            #expect(try BOSHClient(daemon).create(to: "example.org").isTurnedAway())
            isRefused = try handshake(daemon).hasPrefix("HTTP/1.1 503 ")
        }
        #expect(isRefused)
        #expect(try daemon.statistics().number("websockets.refused.servers") == 1)
        let both = try Daemon(configuration: table + other, flags: [], environment: breaker)
        #expect(try BOSHClient(both).create(to: "example.org").isTurnedAway())
        #expect(try handshake(both).hasPrefix("HTTP/1.1 101 "))
    }

    /// The head of the answer to a handshake.
    private func handshake(_ daemon: Daemon) throws -> String {
        let client = try daemon.connect()
        try client.wire.send(Array(WebSocketPeer.request().utf8))
        return try client.wire.read(until: "\r\n\r\n")
    }
}
