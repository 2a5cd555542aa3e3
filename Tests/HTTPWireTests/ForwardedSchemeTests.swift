import Testing

@testable import HTTPWire

/// The scheme that `X-Forwarded-Proto` says.
struct ForwardedSchemeTests {
    private func scheme(_ lines: String, capturesScheme: Bool = true) -> ForwardedScheme? {
        var connection = HTTPConnection(
            rules: HTTPRules(limits: HTTPLimits(), capturesScheme: capturesScheme))
        let bytes = Array("GET / HTTP/1.1\r\nHost: h\r\n\(lines)\r\n".utf8)
        var offset = 0
        guard case .request(let request)? = connection.next(bytes.span, offset: &offset) else { return nil }
        return request.head.forwardedScheme
    }

    @Test(
        "H-28: the last word counts, because the nearest proxy wrote it",
        arguments: [
            ("https", ForwardedScheme.https), ("HTTPS", .https), ("wss", .https), ("http", .http), ("ws", .http),
            ("http, https", .https), ("https,http", .http), ("https, ", .https),
            ("", nil), ("httpss", nil), ("http s", nil), ("https;q=1", nil), ("\"https\"", nil), ("https, on", nil),
            ("tls", nil),
        ])
    func words(value: String, expected: ForwardedScheme?) {
        #expect(scheme("X-Forwarded-Proto: \(value)\r\n") == expected)
    }

    @Test("H-28: of several lines the last one counts, a line without a scheme too")
    func lines() {
        let secure = "X-Forwarded-Proto: https\r\n"
        let plain = "x-forwarded-PROTO:http\r\n"
        #expect(scheme(secure + plain) == .http)
        #expect(scheme(plain + secure) == .https)
        #expect(scheme(secure + "X-Forwarded-Proto: junk\r\n") == nil)
    }

    @Test("H-28: it is not read where it is not captured, and other fields are not taken for it")
    func absent() {
        #expect(scheme("X-Forwarded-Proto: https\r\n", capturesScheme: false) == nil)
        #expect(scheme("X-Forwarded-Prota: https\r\nX-Forwarded-Ssl: on\r\n") == nil)
    }

    @Test("a request that is written again says the same, in no more bytes", arguments: ["https", "wss", "http", "ws"])
    func again(word: String) throws {
        let rules = HTTPRules(limits: HTTPLimits(), captures: .xForwardedFor, capturesScheme: true)
        func read(_ bytes: [UInt8]) throws -> (HTTPRequest, [UInt8]) {
            var connection = HTTPConnection(rules: rules)
            var offset = 0
            guard case .request(let request)? = connection.next(bytes.span, offset: &offset) else { throw Lost() }
            var written: [UInt8] = []
            connection.appendWire(request, to: &written)
            return (request, written)
        }
        let text = "GET / HTTP/1.1\r\nHost:\r\nX-Forwarded-For:a\r\nX-Forwarded-Proto:\(word)\r\n\r\n"
        let (first, written) = try read(Array(text.utf8))
        #expect(written.count <= text.utf8.count)
        #expect(try read(written).0 == first)
        #expect(first.head.forwardedScheme == (word.hasSuffix("s") && word != "ws" ? .https : .http))
    }

    private struct Lost: Error {}
}
