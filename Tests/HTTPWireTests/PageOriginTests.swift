import Testing

@testable import HTTPWire

/// Which requests are for pages of other origins (`cors-origin`).
struct PageOriginTests {
    private static let policy = CrossOriginPolicy.list(["https://a.test", "app://chat"], credentials: false)

    /// Whether a POST with these field lines is accepted, however it arrives; nil if it is not a valid request.
    private func admits(
        _ fields: String..., policy: CrossOriginPolicy = PageOriginTests.policy,
        sourceLocation: SourceLocation = #_sourceLocation
    ) -> Bool? {
        let lines = fields.map { $0 + "\r\n" }.joined()
        let requests = ChunkingVerifier(crossOrigin: policy)
            .verify("POST / HTTP/1.1\r\n\(lines)Content-Length: 0\r\n\r\n", sourceLocation: sourceLocation).requests
        return requests.first.map { policy.admits($0.head) }
    }

    @Test("cors-origin: a listed origin, wherever the browser places it")
    func listed() {
        #expect(admits("Host: h", "Origin: https://a.test") == true)
        #expect(admits("Host: h", "Origin: app://chat", "Sec-Fetch-Site: cross-site") == true)
        #expect(admits("Sec-Fetch-Site: same-site", "Origin: https://a.test", "Host: h") == true)
    }

    @Test("cors-origin: an origin that is not listed")
    func notListed() {
        for origin in ["https://b.test", "null", "", "https://a.test:8443", "http://a.test", "https://a.test.b.test"] {
            #expect(admits("Host: h", "Origin: \(origin)") == false)
            #expect(admits("Host: h", "Origin: \(origin)", "Sec-Fetch-Site: cross-site") == false)
            #expect(admits("Host: h", "Origin: \(origin)", "Sec-Fetch-Site: same-site") == false)
            #expect(admits("Host: h", "Origin: \(origin)", "Sec-Fetch-Site: none") == false)
        }
    }

    @Test("cors-origin: a page of the endpoint's own origin by Sec-Fetch-Site, whatever a proxy made of Host")
    func ownByFetchSite() {
        #expect(admits("Host: 127.0.0.1:5280", "Origin: https://b.test", "Sec-Fetch-Site: same-origin") == true)
        #expect(admits("Host: h", "Origin: null", "Sec-Fetch-Site: same-origin") == true)
        #expect(admits("Host: b.test", "Origin: https://b.test", "Sec-Fetch-Site: cross-site") == false)
        for other in ["none", "cross-site", "", "same-origin, same-origin", "same-origi"] {
            let fields = ["Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: \(other)"]
            #expect(admits("Host: b.test", "Origin: https://b.test", fields[0], fields[1]) == false)
            #expect(admits("Host: b.test", "Origin: https://b.test", fields[1], fields[0]) == false)
        }
    }

    @Test(
        "cors-origin: a page of the endpoint's own origin by Host, of an older browser",
        arguments: [
            ("https://b.test", "b.test"), ("http://b.test", "b.test"), ("https://b.test", "B.TEST:443"),
            ("http://b.test", "b.test:80"), ("https://b.test:8443", "b.test:8443"), ("https://[::1]:5", "[::1]:5"),
            ("HTTPS://B.test:443", "b.test"), ("https://[::443]", "[::443]:443"),
        ])
    func ownByHost(origin: String, host: String) {
        #expect(admits("Host: \(host)", "Origin: \(origin)") == true)
        #expect(admits("Origin: \(origin)", "Host: \(host)") == true)
    }

    @Test(
        "cors-origin: another host or port is another origin",
        arguments: [
            ("https://b.test", "b.test:80"), ("http://b.test", "b.test:443"), ("https://b.test", "b.test:8443"),
            ("https://b.test:8443", "b.test"), ("https://b.test", "a.b.test"), ("https://a.b.test", "b.test"),
            ("https://b.test", "b.tes"), ("https://b.tes", "b.test"), ("b.test", "b.test"), ("//b.test", "b.test"),
            ("app://b.test", "b.test"), ("https://", ""), ("https://b.test", ""),
            ("https://b.test/", "b.test"), ("https://[b.test", "{b.test"), ("https://b@test", "b%60test"),
        ])
    func anotherHost(origin: String, host: String) {
        #expect(admits("Host: \(host)", "Origin: \(origin)") != true)
    }

    @Test("cors-origin: without a host nothing is known of an origin")
    func noHost() {
        let reading = ChunkingVerifier(crossOrigin: Self.policy).verify(
            "POST / HTTP/1.0\r\nOrigin: https://b.test\r\nContent-Length: 0\r\n\r\n")
        #expect(reading.requests.map(\.head.isFromElsewhere) == [true])
    }

    @Test("cors-origin: a program names no page, and a page cannot hide")
    func programs() {
        #expect(admits("Host: h") == true)
        #expect(admits("Host: h", "Sec-Fetch-Site: none") == true)
        #expect(admits("Host: h", "Sec-Fetch-Site: same-origin") == true)
        for site in ["cross-site", "same-site", "", "else"] {
            #expect(admits("Host: h", "Sec-Fetch-Site: \(site)") == false)
        }
    }

    @Test("cors-origin: any and off ask nobody")
    func asksNobody() {
        for policy in [CrossOriginPolicy.any, .off] {
            #expect(
                admits("Host: h", "Origin: https://b.test", "Sec-Fetch-Site: cross-site", policy: policy) == true)
        }
    }

    @Test("cors-origin: a list with nothing in it is for pages of the endpoint's own origin")
    func emptyList() {
        let policy = CrossOriginPolicy.list([], credentials: false)
        #expect(admits("Host: b.test", "Origin: https://a.test", policy: policy) == false)
        #expect(admits("Host: b.test", "Origin: https://b.test", policy: policy) == true)
        #expect(admits("Host: b.test", policy: policy) == true)
    }

    @Test("cors-origin: each request on a connection is judged by what it says itself")
    func eachAnew() {
        let foreign = "POST / HTTP/1.1\r\nHost: h\r\nOrigin: https://b.test\r\nContent-Length: 0\r\n\r\n"
        let bare = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"
        let requests = ChunkingVerifier(crossOrigin: Self.policy).verify(foreign + bare + foreign).requests
        #expect(requests.map(\.head.isFromElsewhere) == [true, false, true])
    }
}
