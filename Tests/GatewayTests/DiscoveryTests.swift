import TestSupport
import Testing

/// How clients that know only the domain find the endpoint.
@Suite struct DiscoveryTests {
    private func client() throws -> RawClient {
        try Daemon(
            upstream: 1, "--public-url", "https://Example.org/http-bind", "--public-url",
            "https://b.example:8443/x?a='1'&b=2"
        ).connect()
    }

    @Test("D-01 D-04 D-05: host-meta")
    func xrd() throws {
        let answer = try client().get("/.well-known/host-meta")
        #expect(answer.status == 200)
        #expect(answer.field("Content-Type") == "application/xrd+xml")
        #expect(answer.field("Access-Control-Allow-Origin") == "*")
        #expect(
            answer.body == """
                <?xml version='1.0' encoding='utf-8'?>
                <XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>
                  <Link rel='urn:xmpp:alt-connections:xbosh' href='https://example.org/http-bind'/>
                  <Link rel='urn:xmpp:alt-connections:xbosh' href='https://b.example:8443/x?a=&#39;1&#39;&amp;b=2'/>
                </XRD>

                """)
    }

    @Test("D-02 D-04 D-05: host-meta.json")
    func json() throws {
        let answer = try client().get("//.well-known/host-meta.json/?x=y")
        #expect(answer.status == 200)
        #expect(answer.field("Content-Type") == "application/json")
        #expect(answer.field("Access-Control-Allow-Origin") == "*")
        let relation = "{\"rel\":\"urn:xmpp:alt-connections:xbosh\",\"href\":"
        #expect(
            answer.body
                == "{\"links\":[\(relation)\"https://example.org/http-bind\"},"
                + "\(relation)\"https://b.example:8443/x?a='1'&b=2\"}]}\n")
    }

    @Test("H-19 H-20: methods on the documents", arguments: ["/.well-known/host-meta", "/.well-known/host-meta.json"])
    func methods(path: String) throws {
        let client = try client()
        let length = try client.get(path).field("Content-Length")
        try client.send("HEAD \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n")
        let head = try client.answer(toHead: true)
        #expect(head.status == 200)
        #expect(head.field("Content-Length") == length)
        func status(_ method: String) throws -> HTTPAnswer {
            try client.exchange("\(method) \(path) HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
        }
        #expect(try status("OPTIONS").status == 204)
        #expect(try status("POST").status == 405)
        #expect(try status("DELETE").field("Allow") == "GET, HEAD, OPTIONS")
        #expect(try status("BREW").status == 501)
    }

    @Test("D-01: nothing is said that was not configured")
    func unset() throws {
        let client = try Daemon(upstream: 1).connect()
        #expect(try client.get("/.well-known/host-meta").status == 404)
        #expect(try client.get("/.well-known/host-meta.json").status == 404)
    }

    @Test("D-01: no other path")
    func otherPaths() throws {
        let client = try client()
        for path in ["/.well-known/host-meta/x", "/.well-known/host-meta.xml", "/.well-known/", "/host-meta"] {
            #expect(try client.get(path).status == 404, "\(path)")
        }
    }

    @Test("D-03: an address that is not https is refused at the start", arguments: ["http://a.example/", "wss://a/"])
    func refusesPlain(url: String) throws {
        let run = try Daemon.run(["run", "--domain", "a", "--upstream", "b:1", "--public-url", url])
        #expect(run.exit == .code(64))
        #expect(run.errors.contains("--public-url: '\(url)' is not an https URL"))
    }
}
