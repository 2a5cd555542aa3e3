import TestSupport
import Testing

/// Which requests are served, and how the others are answered.
@Suite struct HTTPRequestTests {
    private let junk = "<body xmlns='http://jabber.org/protocol/httpbind' rid='1' sid='none'/>"

    @Test("H-05: a chunked body")
    func readsChunks() throws {
        let client = try Daemon(upstream: 1).connect()
        let chunks = junk.map { "1;x=y\r\n\($0)\r\n" }.joined() + "0\r\nTrailer: x\r\n\r\n"
        for _ in 0..<2 {
            let answer = try client.exchange(
                "POST /http-bind HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n\(chunks)")
            #expect(try BOSHBody(answer.body).condition == "item-not-found")
            #expect(answer.field("Transfer-Encoding") == nil)
        }
    }

    @Test("H-18: Expect: 100-continue is answered before the body comes")
    func continues() throws {
        let client = try Daemon(upstream: 1).connect()
        try client.send(
            "POST /http-bind HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: \(junk.utf8.count)\r\n\r\n"
        )
        #expect(try client.answer().status == 100)
        #expect(try client.exchange(junk).status == 200)
    }

    @Test("H-18: a body that waits for 100 Continue behind a held poll releases it")
    func continuesBehindAHeldPoll() throws {
        let session = try OpenSession()
        let client = try session.daemon.connect()
        try client.send(RawClient.post(session.client.nextBody()))
        try session.daemon.settle()
        let message = "<message xmlns='jabber:client' id='m1'/>"
        let body = session.client.nextBody("", message)
        try client.send(
            "POST /http-bind HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
        )
        let released = try client.answer()
        #expect(released.status == 200)
        #expect(try BOSHBody(released.body).isEmpty)
        #expect(try client.answer().status == 100)
        try client.send(body)
        #expect(try session.stream.read(until: "/>") == message)
        try session.stream.send("<message id='n1'/>")
        #expect(try client.answer().body.contains("id='n1'"))
    }

    @Test("H-18 H-26 body-timeout: the time that we owe 100 Continue is not the client's")
    func doesNotTimeOwedContinue() throws {
        let server = try ScriptedUpstream()
        let daemon = try Daemon(upstream: server.port, environment: ["HOLDFAST_BODY_TIMEOUT": "2"])
        let client = try daemon.connect()
        let creator = BOSHClient(daemon)
        // The creation is held until the server has sent its features, whatever comes after it.
        let creation = "to='example.org' wait='60' hold='1' ver='1.6'"
        try client.send(RawClient.post(creator.nextBody(creation)))
        let stream = try server.accept()
        try client.send(
            "POST /http-bind HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: \(junk.utf8.count)\r\n\r\n"
        )
        // A late body on another connection shows that the time has passed.
        let late = try daemon.connect()
        try late.send("POST /http-bind HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\na")
        #expect(try late.answer().status == 408)
        try daemon.settle()
        #expect(try client.wire.isSilent)
        try stream.open()
        #expect(try client.answer().status == 200)
        #expect(try client.answer().status == 100)
        #expect(try client.exchange(junk).status == 200)
    }

    @Test("H-18: an unknown expectation")
    func refusesExpectation() throws {
        #expect(
            try refusal("POST /http-bind HTTP/1.1\r\nHost: localhost\r\nExpect: tea\r\nContent-Length: 1\r\n\r\nx")
                == 417)
    }

    @Test("H-21: a preflight names what is allowed")
    func answersPreflight() throws {
        let answer = try Daemon(upstream: 1).connect().exchange(
            "OPTIONS /http-bind HTTP/1.1\r\nHost: localhost\r\nOrigin: https://chat.example\r\n"
                + "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: content-type\r\n\r\n")
        #expect(answer.status == 204)
        #expect(answer.field("Access-Control-Allow-Origin") == "*")
        #expect(answer.field("Access-Control-Allow-Methods")?.contains("POST") == true)
        #expect(answer.field("Access-Control-Allow-Headers")?.lowercased().contains("content-type") == true)
        #expect(answer.field("Access-Control-Max-Age") != nil)
    }

    @Test("H-19: methods", arguments: [("PUT", 405), ("DELETE", 405), ("PATCH", 405), ("TRACE", 405), ("BREW", 501)])
    func refusesMethod(method: String, status: Int) throws {
        let client = try Daemon(upstream: 1).connect()
        let answer = try client.exchange(
            "\(method) /http-bind HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
        #expect(answer.status == status)
        #expect((answer.field("Allow") != nil) == (status == 405))
        #expect(try client.get("/http-bind").status == 200)
    }

    @Test("H-22: the path with slashes or a query, and others")
    func findsPath() throws {
        let client = try Daemon(upstream: 1).connect()
        for path in [
            "/http-bind", "/http-bind/", "/http-bind//", "//http-bind", "/http-bind?x=1", "/http-bind/?room=a/b",
            "http://localhost/http-bind",
        ] {
            #expect(try client.get(path).status == 200, "\(path)")
        }
        for path in ["/", "//", "/http-bindx", "/http-bind/x", "/stats", "/healthz"] {
            #expect(try client.get(path).status == 404, "\(path)")
        }
    }

    @Test("H-22: another path")
    func usesConfiguredPath() throws {
        let daemon = try Daemon(upstream: 1, "--path", "/xmpp/bosh/")
        let client = try daemon.connect()
        #expect(try client.get("/xmpp/bosh").status == 200)
        #expect(try client.get("/http-bind").status == 404)
    }

    @Test("H-17: POST without a length")
    func demandsLength() throws {
        let client = try Daemon(upstream: 1).connect()
        #expect(try client.exchange("POST /http-bind HTTP/1.1\r\nHost: localhost\r\n\r\n").status == 411)
        #expect(
            try client.exchange("POST /http-bind HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n").status
                == 200)
    }

    @Test("H-23: a body over the limit gets a readable 413, even while the client goes on sending")
    func refusesLargeBody() throws {
        let daemon = try Daemon(upstream: 1, "--max-body", "2000")
        let client = try daemon.connect()
        let body = String(repeating: "x", count: 1_000_000)
        try client.send("POST /http-bind HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n")
        // Sends as much as the kernel takes without a reader; the daemon reads and drops it.
        _ = try client.wire.sendSome(Array(body.utf8))
        let answer = try client.answer()
        #expect(answer.status == 413)
        #expect(answer.field("Connection") == "close")
        #expect(try client.wire.readToEnd() == "")
    }

    @Test("H-23: a chunked body over the limit")
    func refusesLargeChunks() throws {
        let client = try Daemon(upstream: 1, "--max-body", "2000").connect()
        let chunk = "3e8\r\n" + String(repeating: "x", count: 1_000) + "\r\n"
        try client.send("POST /http-bind HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in 0..<3 { try client.send(chunk) }
        #expect(try client.answer().status == 413)
        #expect(try client.wire.readToEnd() == "")
    }

    @Test("H-23: a body of just the limit is read")
    func readsLargestBody() throws {
        let client = try Daemon(upstream: 1, "--max-body", "2000").connect()
        let body = junk + String(repeating: "\n", count: 2_000 - junk.utf8.count)
        #expect(try BOSHBody(try client.exchange(RawClient.post(body)).body).condition == "item-not-found")
    }

    @Test("H-15 H-16 H-23 H-24: what two parties could read in two ways is refused", arguments: Refused.all)
    func refusesFraming(refused: Refused) throws {
        #expect(try refusal(refused.request) == refused.status)
    }

    @Test("H-03 H-04: fields that real clients send wrongly or not at all")
    func takesAnyContentType() throws {
        let client = try Daemon(upstream: 1).connect()
        let fields = [
            "Content-Encoding: text/xml; charset=utf-8", "Content-Type: text/plain",
            "Content-Type: application/x-www-form-urlencoded", "Content-Type: application/octet-stream", "X-Nothing:",
        ]
        for field in fields {
            let answer = try client.exchange(RawClient.post(junk, field))
            #expect(try BOSHBody(answer.body).condition == "item-not-found", "\(field)")
        }
    }

    @Test("H-06 H-21 H-25: what every answer carries, refusals included")
    func carriesFields() throws {
        let daemon = try Daemon(upstream: 1)
        let requests = [
            RawClient.post(junk), "GET /http-bind HTTP/1.1\r\nHost: h\r\n\r\n", "GET /x HTTP/1.1\r\nHost: h\r\n\r\n",
            "OPTIONS /http-bind HTTP/1.1\r\nHost: h\r\n\r\n",
            "PUT /http-bind HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n",
            "POST /http-bind HTTP/1.1\r\nHost: h\r\n\r\n", "POST /http-bind HTTP/1.1\r\n\r\n", "nonsense\r\n\r\n",
            RawClient.post(junk, "Content-Encoding: gzip"),
        ]
        for request in requests {
            let answer = try daemon.connect().exchange(request)
            #expect(answer.field("Access-Control-Allow-Origin") == "*", "\(request)")
            #expect(answer.field("Cache-Control") == "no-store", "\(request)")
            #expect(answer.field("X-Content-Type-Options") == "nosniff", "\(request)")
            #expect(answer.field("Date") != nil, "\(request)")
        }
        #expect(try daemon.connect().exchange(RawClient.post(junk)).field("Content-Type") == "text/xml; charset=utf-8")
    }

    /// The status of an answer after which the connection ends.
    private func refusal(_ request: String) throws -> Int {
        let client = try Daemon(upstream: 1).connect()
        try client.send(request)
        let answer = try client.answer()
        #expect(answer.field("Connection") == "close")
        #expect(try client.wire.readToEnd() == "")
        return answer.status
    }
}

/// A request that is refused, whatever comes after it.
struct Refused: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let request: String
    let status: Int

    init(_ name: String, _ request: String, _ status: Int = 400) {
        testDescription = name
        self.request = request
        self.status = status
    }

    private static let post = "POST /http-bind HTTP/1.1\r\nHost: a\r\n"

    static let all = [
        Refused("no host", "POST /http-bind HTTP/1.1\r\nContent-Length: 0\r\n\r\n"),
        Refused("two hosts", post + "Host: b\r\nContent-Length: 0\r\n\r\n"),
        Refused("two lengths", post + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nx"),
        Refused("negative length", post + "Content-Length: -1\r\n\r\n"),
        Refused("length beyond numbers", post + "Content-Length: 99999999999999999999\r\n\r\n"),
        Refused("two framings", post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        Refused("chunks in HTTP/1.0", "POST /http-bind HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        Refused("no chunk", post + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n"),
        Refused("space before the colon", post + "X : y\r\n\r\n"),
        Refused("folded field", post + " folded: b\r\n\r\n"),
        Refused("two spaces", "GET  /http-bind HTTP/1.1\r\nHost: a\r\n\r\n"),
        Refused("TLS", "\u{16}\u{3}\u{1}\u{0}\u{1}"),
        Refused("HTTP/2.0", "GET /http-bind HTTP/2.0\r\nHost: a\r\n\r\n", 505),
        Refused("long line", "GET /\(String(repeating: "x", count: 9_000)) HTTP/1.1\r\nHost: a\r\n\r\n", 414),
        Refused("long head", post + "X: \(String(repeating: "x", count: 40_000))\r\n\r\n", 431),
        Refused("many fields", post + String(repeating: "X: y\r\n", count: 200) + "\r\n", 431),
    ]
}
