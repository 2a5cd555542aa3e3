import Testing

@testable import HTTPWire

/// The CORS protocol (H-21).
struct CrossOriginPolicyTests {
    private func answer(
        _ policy: CrossOriginPolicy, origin: String?, _ response: HTTPResponse = HTTPResponse(status: .ok)
    ) -> String {
        var connection = HTTPConnection(limits: HTTPLimits(), crossOrigin: policy)
        let field = origin.map { "Origin: \($0)\r\n" } ?? ""
        #expect(connection.feed("OPTIONS / HTTP/1.1\r\nHost: h\r\n\(field)\r\n").count == 1)
        connection.respond(to: 1, with: response)
        return connection.takeText()
    }

    /// The CORS fields of an answer.
    private func fields(_ policy: CrossOriginPolicy, origin: String?) -> [String] {
        answer(policy, origin: origin).split(separator: "\r\n").map(String.init)
            .filter { $0.hasPrefix("Access-Control") || $0.hasPrefix("Vary") }
    }

    @Test func off() {
        #expect(fields(.off, origin: "https://a.test") == [])
    }

    @Test("any page, never with credentials, with or without an Origin")
    func any() {
        #expect(fields(.any, origin: "https://a.test") == ["Access-Control-Allow-Origin: *"])
        #expect(fields(.any, origin: nil) == ["Access-Control-Allow-Origin: *"])
    }

    @Test("listed origins are named; what is not listed learns nothing, and caches learn that it varies")
    func list() {
        let policy = CrossOriginPolicy.list(["https://a.test", "https://b.test:8443"], credentials: false)
        #expect(
            fields(policy, origin: "https://b.test:8443")
                == ["Vary: Origin", "Access-Control-Allow-Origin: https://b.test:8443"])
        for stranger in ["https://b.test", "http://a.test", "https://a.test.evil.test", "null", "HTTPS://A.TEST", ""] {
            #expect(fields(policy, origin: stranger) == ["Vary: Origin"])
        }
        #expect(fields(policy, origin: nil) == ["Vary: Origin"])
    }

    @Test("credentials only together with a named origin")
    func credentials() {
        let policy = CrossOriginPolicy.list(["https://a.test"], credentials: true)
        #expect(
            fields(policy, origin: "https://a.test")
                == [
                    "Vary: Origin", "Access-Control-Allow-Origin: https://a.test",
                    "Access-Control-Allow-Credentials: true",
                ])
        #expect(fields(policy, origin: "https://b.test") == ["Vary: Origin"])
    }

    @Test("an answer out of order names the origin of its own request")
    func perExchange() {
        var connection = HTTPConnection(
            limits: HTTPLimits(), crossOrigin: .list(["https://a.test", "https://b.test"], credentials: false))
        for origin in ["https://a.test", "https://b.test", "https://c.test"] {
            _ = connection.feed("GET / HTTP/1.1\r\nHost: h\r\nOrigin: \(origin)\r\n\r\n")
        }
        for exchange: UInt64 in [3, 2, 1] { connection.answer(exchange, "\(exchange)") }
        let text = connection.takeText()
        let named = text.split(separator: "\r\n").filter { $0.hasPrefix("Access-Control-Allow-Origin") }
        #expect(named.map { $0.suffix(6) } == ["a.test", "b.test"])
    }

    @Test("the preflight of a browser")
    func preflight() {
        #expect(
            answer(.any, origin: "http://127.0.0.1:8000", CrossOriginPolicy.any.preflight)
                == "HTTP/1.1 204 No Content\r\n"
                + "Cache-Control: no-store\r\n"
                + "X-Content-Type-Options: nosniff\r\n"
                + "Allow: GET, HEAD, POST, OPTIONS\r\n"
                + "Access-Control-Allow-Methods: GET, HEAD, POST, OPTIONS\r\n"
                + "Access-Control-Allow-Headers: Content-Type, Authorization, Accept, X-Requested-With\r\n"
                + "Access-Control-Max-Age: 7200\r\n"
                + "Access-Control-Allow-Origin: *\r\n"
                + "\r\n")
    }

    @Test("without CORS an OPTIONS request learns the methods and nothing else")
    func preflightOff() {
        let text = answer(.off, origin: "https://a.test", CrossOriginPolicy.off.preflight)
        #expect(text.hasPrefix("HTTP/1.1 204 No Content\r\n"))
        #expect(text.contains("\r\nAllow: GET, HEAD, POST, OPTIONS\r\n"))
        #expect(!text.contains("Access-Control"))
    }
}
