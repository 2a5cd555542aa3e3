import CLinux
import TestSupport
import Testing

/// How connections are kept, ordered and ended.
@Suite struct HTTPConnectionTests {
    /// A request that is answered at once, without any upstream.
    private let junk = "<body xmlns='http://jabber.org/protocol/httpbind' rid='1' sid='none'/>"

    @Test("H-13: many requests on one connection")
    func keepsAlive() throws {
        let client = try Daemon(upstream: 1).connect()
        for _ in 0..<20 {
            let answer = try client.exchange(RawClient.post(junk))
            #expect(answer.status == 200)
            #expect(answer.field("Connection") == nil)
            #expect(try BOSHBody(answer.body).condition == "item-not-found")
        }
    }

    @Test("H-13: Connection: close ends the connection behind the answer")
    func closesWhenAsked() throws {
        let client = try Daemon(upstream: 1).connect()
        let answer = try client.exchange(RawClient.post(junk, "Connection: close"))
        #expect(answer.status == 200)
        #expect(answer.field("Connection") == "close")
        #expect(try client.wire.readToEnd() == "")
    }

    @Test("H-14: an HTTP/1.0 connection ends behind its answer")
    func endsHTTP10() throws {
        let client = try Daemon(upstream: 1).connect()
        let answer = try client.exchange(
            "POST /http-bind HTTP/1.0\r\nContent-Length: \(junk.utf8.count)\r\n\r\n\(junk)")
        #expect(answer.status == 200)
        #expect(answer.field("Connection") == "close")
        #expect(try client.wire.readToEnd() == "")
    }

    @Test("H-14: HTTP/1.0 with keep-alive is told that the connection stays")
    func keepsHTTP10Alive() throws {
        let client = try Daemon(upstream: 1).connect()
        for _ in 0..<3 {
            let answer = try client.exchange(
                "POST /http-bind HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: \(junk.utf8.count)\r\n\r\n\(junk)"
            )
            #expect(answer.status == 200)
            #expect(answer.field("Connection") == "keep-alive")
        }
    }

    @Test("H-30: head and body leave in one write")
    func writesOnce() throws {
        let client = try Daemon(upstream: 1).connect()
        for _ in 0..<5 {
            try client.send(RawClient.post(junk))
            guard case .bytes(let bytes) = try client.wire.receive() else { throw TestFault("closed") }
            #expect(bytes.text.hasSuffix("condition='item-not-found'/>"))
        }
    }

    @Test("H-24: a request that comes byte by byte")
    func readsBytewise() throws {
        let client = try Daemon(upstream: 1).connect()
        try client.wire.sendBytewise(RawClient.post(junk))
        #expect(try client.answer().status == 200)
    }

    @Test("H-12: a request behind a held poll is read at once, releases the poll, and both are answered in order")
    func readsBehindAHeldPoll() throws {
        let session = try OpenSession()
        let client = try session.daemon.connect()
        try client.send(RawClient.post(session.client.nextBody()))
        try session.daemon.settle()
        #expect(try client.wire.isSilent)
        try client.send(RawClient.post(session.client.nextBody("", "<message xmlns='jabber:client' id='m1'/>")))
        #expect(try session.stream.read(until: "/>").contains("id='m1'"))
        #expect(try BOSHBody(try client.answer().body).isEmpty)
        try session.daemon.settle()
        #expect(try client.wire.isSilent)
        try session.stream.send("<message id='m2'/>")
        #expect(try BOSHBody(try client.answer().body).payload.contains("id='m2'"))
    }

    @Test("H-12: requests sent in one write, the first of them held, are answered in order")
    func answersInOrder() throws {
        let session = try OpenSession()
        let client = try session.daemon.connect()
        let poll = RawClient.post(session.client.nextBody())
        try client.send(
            poll + "GET /nowhere HTTP/1.1\r\nHost: h\r\n\r\n" + "GET /http-bind HTTP/1.1\r\nHost: h\r\n\r\n")
        try session.daemon.settle()
        #expect(try client.wire.isSilent)
        try session.stream.send("<message id='m1'/>")
        #expect(try client.answer().body.contains("id='m1'"))
        #expect(try client.answer().status == 404)
        #expect(try client.answer().status == 200)
    }

    @Test("H-12: no more than sixteen requests of one connection are open; the others wait and none is lost")
    func boundsPipelining() throws {
        let session = try OpenSession()
        let client = try session.daemon.connect()
        let paths = (0..<50).map { $0 % 3 == 0 ? "/http-bind" : "/nowhere" }
        let before = try session.daemon.statistics().number("http.requests")
        let behind = paths.map { "GET \($0) HTTP/1.1\r\nHost: localhost\r\n\r\n" }.joined()
        try client.send(RawClient.post(session.client.nextBody()) + behind)
        try session.daemon.settle()
        let after = try session.daemon.statistics().number("http.requests")
        // Two of them come from `settle`, and one asks for the statistics.
        #expect(after - before - 3 == 16)
        let next = try session.client.send()
        #expect(try BOSHBody(try client.answer().body).isEmpty)
        for path in paths { #expect(try client.answer().status == (path == "/nowhere" ? 404 : 200)) }
        #expect(try next.isHeld)
        // The connection still works.
        #expect(try client.get("/http-bind").status == 200)
    }

    @Test("H-12: a client that pipelines more than is read and then closes gives its session back")
    func closesBehindABacklog() throws {
        let session = try OpenSession()
        let client = try session.daemon.connect()
        let many = String(repeating: "GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n", count: 40)
        try client.send(RawClient.post(session.client.nextBody()) + many)
        try session.daemon.settle()
        client.wire.close()
        // The end stands behind the requests that were not read yet, and takes more turns than one.
        try session.daemon.wait(until: "sessions.held_requests", is: 0)
        try session.stream.send("<message id='m1'/>")
        #expect(try session.client.exchange().payload.contains("id='m1'"))
    }

    @Test("H-27: a client that half-closes is answered and the connection ends")
    func answersHalfClosed() throws {
        let session = try OpenSession()
        for request in [RawClient.post(session.client.nextBody()), RawClient.post(junk)] {
            let client = try session.daemon.connect()
            try client.send(request)
            try client.wire.shutdownWrite()
            #expect(try client.answer().status == 200)
            #expect(try client.wire.readToEnd() == "")
        }
    }

    @Test("H-12: all requests of a client that half-closes behind them are answered")
    func answersAllOfAHalfClosed() throws {
        let client = try Daemon(upstream: 1).connect()
        let count = 40
        try client.send(String(repeating: "GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n", count: count))
        try client.wire.shutdownWrite()
        for _ in 0..<count { #expect(try client.answer().status == 404) }
        #expect(try client.wire.readToEnd() == "")
    }

    @Test("H-30: BOSH over a Unix socket")
    func servesUnixSocket() throws {
        let path = "/tmp/holdfast-\(UInt64.random(in: 0 ... .max)).sock"
        let daemon = try Daemon(upstream: 1, "--listen", "unix:\(path)")
        let client = try daemon.connect(path: path)
        for _ in 0..<2 {
            #expect(try BOSHBody(try client.exchange(RawClient.post(junk)).body).condition == "item-not-found")
        }
        daemon.send(SIGTERM)
        #expect(try daemon.waitUntilEnded() == .code(0))
        #expect(throws: TestFault.self) { try ByteStream(path: path) }
        #expect(!Files.exists(path))
    }

    @Test("H-30: two listeners of one daemon")
    func servesTwoListeners() throws {
        let path = "/tmp/holdfast-\(UInt64.random(in: 0 ... .max)).sock"
        let daemon = try Daemon(upstream: 1, "--listen", "127.0.0.1:0", "--listen", "unix:\(path)")
        #expect(try daemon.connect().get("/http-bind").status == 200)
        #expect(try daemon.connect(path: path).get("/http-bind").status == 200)
        daemon.send(SIGTERM)
        #expect(try daemon.waitUntilEnded() == .code(0))
    }
}
