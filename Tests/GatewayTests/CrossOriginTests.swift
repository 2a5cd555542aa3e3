import TestSupport
import Testing

/// Which pages may use the endpoint (`H-21`), over sockets.
@Suite struct CrossOriginTests {
    private static let creation =
        "<body rid='1' to='example.org' wait='1' hold='1' xmlns='http://jabber.org/protocol/httpbind'/>"

    private func post(_ client: RawClient, _ fields: String..., body: String = creation) throws -> HTTPAnswer {
        let lines = fields.map { $0 + "\r\n" }.joined()
        return try client.exchange(
            "POST /http-bind HTTP/1.1\r\n\(lines)Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
    }

    private func preflight(_ client: RawClient, _ origin: String, path: String = "/http-bind") throws -> HTTPAnswer {
        try client.exchange(
            "OPTIONS \(path) HTTP/1.1\r\nHost: localhost\r\nOrigin: \(origin)\r\nAccess-Control-Request-Method: POST\r\n"
                + "Access-Control-Request-Headers: cache-control,content-type,x-api-key\r\n\r\n")
    }

    @Test("cors-header: a page may send the fields that its browser asks for")
    func echoes() throws {
        let answer = try preflight(Daemon(upstream: 1).connect(), "https://a.test")
        #expect(answer.status == 204)
        #expect(answer.field("Access-Control-Allow-Headers") == "cache-control, content-type, x-api-key")
        #expect(answer.field("Vary") == "Access-Control-Request-Headers")
    }

    @Test("cors-origin, cors-credentials, cors-header: listed pages, with credentials and named fields")
    func list() throws {
        let daemon = try Daemon(
            upstream: 1, "--public-url", "https://b.test/http-bind",
            environment: [
                "HOLDFAST_CORS_ORIGIN": "https://a.test,https://b.test:8443", "HOLDFAST_CORS_CREDENTIALS": "on",
                "HOLDFAST_CORS_HEADER": "X-Api-Key",
            ])
        let client = try daemon.connect()
        let asked = try preflight(client, "https://b.test:8443")
        #expect(asked.status == 204)
        #expect(asked.field("Access-Control-Allow-Origin") == "https://b.test:8443")
        #expect(asked.field("Access-Control-Allow-Credentials") == "true")
        #expect(asked.field("Access-Control-Allow-Headers") == "Content-Type, X-Api-Key")
        #expect(asked.field("Vary") == "Origin")
        let stranger = try preflight(client, "https://c.test")
        #expect(stranger.status == 204)
        #expect(stranger.field("Access-Control-Allow-Origin") == nil)
        #expect(stranger.field("Access-Control-Allow-Headers") == nil)

        // No server listens, so a session that is admitted ends at once, and the client is to try again.
        let listed = try post(client, "Host: h", "Origin: https://a.test", "Sec-Fetch-Site: cross-site")
        #expect(listed.status == 503 && listed.field("Access-Control-Allow-Origin") == "https://a.test")
        #expect(try post(client, "Host: h", "Origin: https://h", "Sec-Fetch-Site: same-origin").status == 503)
        #expect(try post(client, "Host: c.test", "Origin: https://c.test").status == 503)
        #expect(try post(client, "Host: h").status == 503)
        #expect(try daemon.statistics().number("http.requests_refused") == 0)

        let refused = try post(client, "Host: h", "Origin: https://c.test", "Content-Type: text/plain")
        #expect(refused.status == 403)
        #expect(refused.field("Access-Control-Allow-Origin") == nil)
        #expect(refused.field("Vary") == "Origin")
        #expect(try post(client, "Host: c.test", "Origin: https://c.test", "Sec-Fetch-Site: same-site").status == 403)
        #expect(try post(client, "Host: h", "Origin: null", body: "junk").status == 403)
        let statistics = try daemon.statistics()
        #expect(try statistics.number("http.requests_refused") == 3)
        #expect(try statistics.number("sessions.ever") == 4)
        #expect(try daemon.errors.contains("page refused: its origin is not in cors-origin"))

        // The documents are for everybody (D-04).
        let document = try client.exchange(
            "GET /.well-known/host-meta.json HTTP/1.1\r\nHost: h\r\nOrigin: https://c.test\r\n\r\n")
        #expect(document.status == 200)
        #expect(document.field("Access-Control-Allow-Origin") == "*")
        #expect(document.field("Access-Control-Allow-Credentials") == nil)
        let path = "/.well-known/host-meta"
        #expect(try preflight(client, "https://c.test", path: path).field("Access-Control-Allow-Origin") == "*")
    }

    @Test("cors-origin: off leaves every field to the proxy and refuses nobody")
    func off() throws {
        let daemon = try Daemon(
            upstream: 1, "--public-url", "https://b.test/http-bind", environment: ["HOLDFAST_CORS_ORIGIN": "off"])
        let client = try daemon.connect()
        for answer in [
            try preflight(client, "https://a.test"),
            try post(client, "Host: h", "Origin: https://a.test", "Sec-Fetch-Site: cross-site"),
            try post(client, "Host: h", "Origin: https://a.test", body: "junk"),
            try client.get("/.well-known/host-meta"),
            try client.get("/nowhere"),
        ] {
            #expect([200, 204, 400, 404, 503].contains(answer.status))
            #expect(answer.field("Cache-Control") == "no-store")
            #expect(!answer.head.lowercased().contains("access-control"))
        }
    }
}
