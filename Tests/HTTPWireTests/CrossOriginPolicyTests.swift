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

    /// The answer to a preflight with these field lines.
    private func preflight(_ policy: CrossOriginPolicy, headers: [String] = [], _ fields: String) -> String {
        var connection = HTTPConnection(limits: HTTPLimits(), crossOrigin: policy)
        let events = connection.feed("OPTIONS / HTTP/1.1\r\nHost: h\r\n\(fields)\r\n")
        guard events.count == 1, case .request(let request) = events[0] else {
            Issue.record("not a request: \(events)")
            return ""
        }
        connection.respond(to: 1, with: policy.preflight(for: request.head, headers: headers))
        return connection.takeText()
    }

    /// The fields that a page may send, as the answer to a preflight for `asked` says.
    private func allowed(_ asked: String, headers: [String] = []) -> String? {
        let name = "Access-Control-Allow-Headers: "
        let lines = preflight(.any, headers: headers, "Access-Control-Request-Headers: \(asked)\r\n")
            .split(separator: "\r\n").filter { $0.hasPrefix(name) }
        #expect(lines.count == 1)
        return lines.first.map { String($0.dropFirst(name.count)) }
    }

    @Test("the preflight of a browser")
    func answersPreflight() {
        #expect(
            preflight(
                .any, "Origin: http://127.0.0.1:8000\r\nAccess-Control-Request-Headers: content-type,x-api-key\r\n")
                == "HTTP/1.1 204 No Content\r\n"
                + "Cache-Control: no-store\r\n"
                + "X-Content-Type-Options: nosniff\r\n"
                + "Allow: GET, HEAD, POST, OPTIONS\r\n"
                + "Access-Control-Allow-Methods: GET, HEAD, POST, OPTIONS\r\n"
                + "Access-Control-Allow-Headers: content-type, x-api-key\r\n"
                + "Vary: Access-Control-Request-Headers\r\n"
                + "Access-Control-Max-Age: 7200\r\n"
                + "Access-Control-Allow-Origin: *\r\n"
                + "\r\n")
    }

    @Test("cors-header: what is asked for is said back, in order and as it was written")
    func saysBack() {
        #expect(allowed("cache-control,content-type,x-api-key") == "cache-control, content-type, x-api-key")
        #expect(allowed(" X-A ,\t,, b!#$%&'*+-.^_`|~9 ,") == "X-A, b!#$%&'*+-.^_`|~9")
        #expect(allowed("a\r\nAccess-Control-Request-Headers: b\r\nACCESS-CONTROL-REQUEST-HEADERS: c") == "a, b, c")
    }

    @Test(
        "cors-header: what is no token is not said back",
        arguments: [
            "a b", "a:b", "a;b", "a\"b\"", "(a)", "a/b", "\u{E9}", "a\tb", "<a>", "[a]", "{a}", "a=b", "@", "\\",
        ])
    func saysTokensBack(name: String) {
        #expect(allowed("x, \(name), y") == "x, y")
        #expect(allowed(name) == "Content-Type, Authorization, Accept, X-Requested-With")
    }

    @Test("cors-header: no line of an answer is a client's")
    func splitsNoAnswer() {
        for end in ["\r", "\n", "\u{0}", "\r\n ", "\r\n\t"] {
            let asked = "a\(end)Set-Cookie: b"
            var connection = HTTPConnection(limits: HTTPLimits(), crossOrigin: .any)
            _ = connection.feed(
                "OPTIONS / HTTP/1.1\r\nHost: h\r\nAccess-Control-Request-Headers: \(asked)\r\n\r\n")
            let text = connection.takeText()
            #expect(text.hasPrefix("HTTP/1.1 400 "))
            #expect(!text.contains("Set-Cookie"))
        }
    }

    @Test("cors-header: what is said back has 1024 bytes at most, in whole names")
    func saysBackSoMuch() throws {
        let long = String(repeating: "n", count: 1_020)
        #expect(allowed("\(long)n, xx") == "\(long)n")
        #expect(allowed("\(long), xx, x") == "\(long), xx")
        #expect(allowed("a, \(long), b, \(long)") == "a, \(long)")
        #expect(allowed("\(long)nnnnn, b") == "b")
        let many = try #require(allowed((1...900).map { "h\($0)" }.joined(separator: ",")))
        #expect(many.utf8.count <= 1_024 && many.utf8.count > 1_010)
        #expect(many.hasPrefix("h1, h2, ") && !many.hasSuffix(","))
    }

    @Test("cors-header: a list is said whatever is asked for, and needs no Vary")
    func saysList() {
        #expect(allowed("x-other", headers: ["Content-Type", "X-Api-Key"]) == "Content-Type, X-Api-Key")
        #expect(!preflight(.any, headers: ["X-Api-Key"], "").contains("Vary"))
    }

    @Test("cors-header: only a preflight has what it asks for kept")
    func keepsOfPreflightsOnly() throws {
        var connection = HTTPConnection(limits: HTTPLimits(), crossOrigin: .any)
        for (method, kept) in [("GET", nil), ("OPTIONS", "a"), ("OPTIONS", nil), ("POST", nil)] {
            let field = kept == nil && method == "OPTIONS" ? "" : "Access-Control-Request-Headers: a\r\n"
            let events = connection.feed("\(method) / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\(field)\r\n")
            guard case .request(let request)? = events.first else { throw NotARequest() }
            #expect(request.head.requestedHeaders == kept)
        }
    }

    private struct NotARequest: Error {}

    @Test("cors-origin: a preflight of a listed origin alone learns what it may do")
    func preflightOfList() {
        let policy = CrossOriginPolicy.list(["https://a.test"], credentials: true)
        let listed = preflight(policy, "Origin: https://a.test\r\nAccess-Control-Request-Headers: x\r\n")
        #expect(listed.contains("\r\nAccess-Control-Allow-Headers: x\r\nVary: Access-Control-Request-Headers\r\n"))
        #expect(listed.contains("\r\nVary: Origin\r\n"))
        #expect(listed.contains("\r\nAccess-Control-Allow-Origin: https://a.test\r\n"))
        #expect(listed.contains("\r\nAccess-Control-Allow-Credentials: true\r\n"))
        for other in ["Origin: https://b.test\r\n", "Origin: null\r\n", ""] {
            let text = preflight(policy, other + "Access-Control-Request-Headers: x\r\n")
            #expect(text.hasPrefix("HTTP/1.1 204 No Content\r\n"))
            #expect(text.contains("\r\nVary: Origin\r\n"))
            #expect(!text.contains("Access-Control"))
        }
    }

    @Test("cors-origin: off leaves every field to the proxy")
    func preflightOff() {
        let text = preflight(.off, "Origin: https://a.test\r\nAccess-Control-Request-Headers: x\r\n")
        #expect(text.hasPrefix("HTTP/1.1 204 No Content\r\n"))
        #expect(text.contains("\r\nAllow: GET, HEAD, POST, OPTIONS\r\n"))
        #expect(!text.contains("Access-Control") && !text.contains("Vary"))
    }

    @Test("D-04: what is for every page is so whichever origins are listed, and without credentials")
    func isForEveryPage() {
        var document = HTTPResponse(status: .ok)
        document.isForEveryPage = true
        func fields(_ policy: CrossOriginPolicy) -> [String] {
            answer(policy, origin: "https://a.test", document).split(separator: "\r\n").map(String.init)
                .filter { $0.hasPrefix("Access-Control") || $0.hasPrefix("Vary") }
        }
        #expect(fields(.list(["https://a.test"], credentials: true)) == ["Access-Control-Allow-Origin: *"])
        #expect(fields(.list([], credentials: false)) == ["Access-Control-Allow-Origin: *"])
        #expect(fields(.any) == ["Access-Control-Allow-Origin: *"])
        #expect(fields(.off) == [])
    }
}
