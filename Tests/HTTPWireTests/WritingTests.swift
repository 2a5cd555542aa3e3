import Effort
import Testing

@testable import HTTPWire

/// A request that is written for another process, and read there.
struct WritingTests {
    /// What must be the same on both sides.
    private struct Rules {
        var limits = HTTPLimits()
        var crossOrigin = CrossOriginPolicy.off
        var captures = CapturedField.none

        /// Where a field names the client, one says its scheme.
        private var capturesScheme: Bool { captures == .xForwardedFor || captures == .xRealIP }

        var verifier: ChunkingVerifier {
            ChunkingVerifier(
                limits: limits, crossOrigin: crossOrigin, captures: captures, capturesScheme: capturesScheme)
        }

        /// The first request in `bytes`, and the bytes that are written of it.
        func writing(_ bytes: [UInt8]) -> (request: HTTPRequest, wire: [UInt8])? {
            var connection = HTTPConnection(
                limits: limits, crossOrigin: crossOrigin, captures: captures, capturesScheme: capturesScheme)
            var offset = 0
            while let event = connection.next(bytes.span, offset: &offset) {
                guard case .request(let request) = event else { continue }
                var wire: [UInt8] = []
                connection.appendWire(request, to: &wire)
                return (request, wire)
            }
            return nil
        }
    }

    /// The request as a reader of what was written sees it.
    private func expected(_ request: HTTPRequest) -> HTTPRequest {
        var expected = request
        expected.exchange = 1
        expected.head.expectsContinue = false
        if expected.head.framing == .chunked { expected.head.framing = .length(request.body.count) }
        return expected
    }

    /// The policies that a listener which captures this may have.
    private func policies(_ captures: CapturedField) -> [CrossOriginPolicy] {
        captures == .provenance ? [.off, .any] : [.list(["https://a.test"], credentials: true), .off, .any]
    }

    private func headCount(_ bytes: [UInt8]) -> Int {
        let text = Substring(String(decoding: bytes, as: Unicode.ASCII.self))
        return text.range(of: "\r\n\r\n").map { text.utf8.distance(from: text.startIndex, to: $0.upperBound) } ?? 0
    }

    private func wire(_ text: String, _ rules: Rules = Rules()) throws -> String {
        String(decoding: try #require(rules.writing(Array(text.utf8))).wire, as: UTF8.self)
    }

    @Test("an ordinary request")
    func ordinary() throws {
        let text = """
            POST /http-bind/?a=b?c HTTP/1.1\r
            Host: chat.example\r
            User-Agent: x\r
            Accept-Encoding: gzip, deflate, br\r
            Origin: https://chat.example\r
            Content-Type: text/xml\r
            Expect: 100-continue\r
            Content-Length: 005\r
            \r
            hello
            """
        #expect(
            try wire(text) == """
                POST /http-bind/?a=b?c HTTP/1.1\r
                Host:\r
                Origin:https://chat.example\r
                Accept-Encoding:*\r
                Content-Length:5\r
                \r
                hello
                """)
    }

    @Test("a chunked body gets a length")
    func chunked() throws {
        let text = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"
        #expect(try wire(text) == "POST / HTTP/1.1\r\nHost:\r\nContent-Length:5\r\n\r\nhello")
    }

    @Test("a request without a length has none afterwards")
    func noLength() throws {
        #expect(try wire("POST / HTTP/1.1\r\nHost: h\r\n\r\n") == "POST / HTTP/1.1\r\nHost:\r\n\r\n")
    }

    @Test(
        "whether a page is of elsewhere is told in the shortest way",
        arguments: [
            ("Host: h:443\r\nOrigin: https://h\r\n", "Host:h\r\nOrigin:https://h\r\n"),
            (
                "Host:\r\nOrigin: null\r\nSec-Fetch-Site: Same-Origin\r\n",
                "Host:\r\nSec-Fetch-Site:same-origin\r\nOrigin:null\r\n"
            ),
            ("Host: h\r\nOrigin: https://other\r\n", "Host:\r\nOrigin:https://other\r\n"),
            ("Host: h\r\nSec-Fetch-Site: same-site\r\n", "Host:\r\nOrigin:\u{FF}\r\n"),
            ("Host: h\r\n", "Host:\r\n"),
        ])
    func elsewhere(fields: String, written: String) throws {
        let rules = Rules(crossOrigin: .list(["https://a.test"], credentials: false))
        let result = try #require(rules.writing(Array("GET / HTTP/1.1\r\n\(fields)\r\n".utf8)))
        let bytes = "GET / HTTP/1.1\r\n\(written)\r\n".unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
        #expect(result.wire == bytes)
        #expect(rules.verifier.verify(bytes).requests == [result.request])
    }

    @Test("the operator's listener gets the host, the sites and the token that came, in their order")
    func provenance() throws {
        let text =
            "GET /stats HTTP/1.1\r\nSec-Fetch-Site: none\r\nAUTHORIZATION: Bearer t\r\nhost:  a:1 \r\nSec-Fetch-Site:\r\n\r\n"
        #expect(
            try wire(text, Rules(captures: .provenance))
                == "GET /stats HTTP/1.1\r\nSec-Fetch-Site:none\r\nAuthorization:Bearer t\r\nHost:a:1\r\nSec-Fetch-Site:\r\n\r\n"
        )
    }

    @Test("what follows on the connection is read behind it")
    func pipelined() throws {
        let rules = Rules()
        let first = try #require(rules.writing(Array("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx".utf8)))
        let reading = rules.verifier.verify(first.wire + Array("GET /b HTTP/1.1\r\nHost: h\r\n\r\n".utf8))
        #expect(reading.requests.map(\.head.path) == ["/a", "/b"])
    }

    @Test("any request is read again as it was, in a head that is not longer", arguments: CapturedField.allCases)
    func random(captures: CapturedField) {
        let seed = UInt64.random(in: .min ... .max)
        var generator = SeededGenerator(seed: seed)
        let policies = policies(captures)
        var (requests, elsewhere, captured) = (0, 0, 0)
        for round in 0..<Effort.cases(1_500, atLeast: 300) {
            let rules = Rules(crossOrigin: policies[generator.below(policies.count)], captures: captures)
            let bytes = RandomRequest.bytes(&generator)
            guard let (request, wire) = rules.writing(bytes) else { continue }
            requests += 1
            if request.head.isFromElsewhere { elsewhere += 1 }
            if !request.head.forwarded.isEmpty { captured += 1 }
            let single = rules.verifier.read(wire, splits: Array(wire.indices.dropFirst()))
            let split = rules.verifier.read(wire, splits: [1 + generator.below(wire.count - 1)])
            for reading in [rules.verifier.read(wire, splits: []), single, split] {
                guard reading.requests == [expected(request)], reading.faults.isEmpty else {
                    Issue.record(
                        """
                        seed \(seed), round \(round)
                        came \(String(decoding: bytes, as: UTF8.self).debugDescription)
                        written \(String(decoding: wire, as: UTF8.self).debugDescription)
                        read \(reading)
                        """)
                    return
                }
            }
            #expect(headCount(wire) <= headCount(bytes), "seed \(seed), round \(round)")
        }
        // A generator that makes only refused or plain requests would prove nothing.
        #expect(requests > Effort.cases(700, atLeast: 140), "seed \(seed)")
        #expect(elsewhere > Effort.cases(40, atLeast: 8) || captures == .provenance, "seed \(seed)")
        #expect(captured > 0 || captures == .none, "seed \(seed)")
    }

    @Test("at every split", arguments: CapturedField.allCases)
    func everySplit(captures: CapturedField) {
        let seed = UInt64.random(in: .min ... .max)
        var generator = SeededGenerator(seed: seed)
        let rules = Rules(crossOrigin: policies(captures)[0], captures: captures)
        for _ in 0..<Effort.cases(20, atLeast: 5) {
            guard let (request, wire) = rules.writing(RandomRequest.bytes(&generator)) else { continue }
            #expect(rules.verifier.verify(wire).requests == [expected(request)], "seed \(seed)")
        }
    }
}

/// Requests that are mostly valid, with all that a head may say, in any order and any case.
private enum RandomRequest {
    private static let starts = [
        "POST /http-bind HTTP/1.1", "POST /http-bind/ HTTP/1.0", "GET /?a=b HTTP/1.1", "GET //x?a?b HTTP/1.0",
        "HEAD http://h?q HTTP/1.1", "OPTIONS * HTTP/1.1", "OPTIONS http://h HTTP/1.1", "OPTIONS /b HTTP/1.1",
        "OPTIONS /b HTTP/1.0", "CONNECT h:1 HTTP/1.1", "PUT / HTTP/1.1", "DELETE / HTTP/1.1", "PATCH / HTTP/1.1",
        "TRACE / HTTP/1.1", "X-Y / HTTP/1.1", "post / HTTP/1.1", "M http://[::1]:80/? HTTP/1.1",
    ]

    private static let hosts = ["", "h", "H:80", "h:443", "[::1]:443", "a-long.name.of.a.host.in.some.domain.example"]

    private static let fields = [
        "Origin:", "Origin: null", "Origin: https://h", "Origin: HTTP://h", "Origin: https://h:443",
        "Origin: https://[::1]", "Origin: https://a-long.name.of.a.host.in.some.domain.example",
        "Origin: https://a.test", "Origin: \u{FF}", "Origin: h\u{E9}", "Origin: https://", "Origin: https://a b",
        "Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: none", "Sec-Fetch-Site:",
        "Accept-Encoding:*", "Accept-Encoding: gzip;q=0, *", "Accept-Encoding: deflate, gzip;q=0.5",
        "Accept-Encoding: identity", "Accept-Encoding:gzip;,*", "Accept-Encoding: x-gzip",
        "Content-Encoding: gzip", "Content-Encoding: deflate", "Content-Encoding:br", "Content-Encoding: text/xml",
        "Content-Encoding: identity", "Connection: close", "Connection: keep-alive", "Connection: keep-alive, close",
        "Expect: 100-continue", "Expect:", "Access-Control-Request-Headers:a,b,c", "Access-Control-Request-Headers: ,",
        "Access-Control-Request-Headers: content-type , (", "X-Forwarded-For:192.0.2.1", "X-Forwarded-For: a,\tb ",
        "X-Real-IP: 192.0.2.1", "x-real-ip:\t[::1]", "X-Forwarded-Proto: https, ws", "X-Forwarded-Proto:HTTP",
        "x-forwarded-proto: junk",
        "X-Forwarded-For:", "X-Forwarded-For: \u{E9}\"", "Forwarded: for=a;by=\"b,c\"", "Forwarded: ,", "Forwarded:",
        "User-Agent: x", "Cookie: a=b",
    ]

    static func bytes(_ generator: inout SeededGenerator) -> [UInt8] {
        var lines: [String] = []
        for _ in 0..<generator.below(7) { lines.append(fields[generator.below(fields.count)]) }
        if !generator.oneIn(8) { lines.append("Host:" + hosts[generator.below(hosts.count)]) }
        let body = (0..<generator.below(40)).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
        var coded: [UInt8] = []
        switch generator.below(4) {
        case 0: break
        case 1:
            lines.append("Transfer-Encoding:chunked")
            let half = generator.below(body.count + 1)
            for part in [body[..<half], body[half...]] where !part.isEmpty {
                coded += Array("\(String(part.count, radix: 16))\r\n".utf8) + part + Array("\r\n".utf8)
            }
            coded += Array("0\r\n\r\n".utf8)
        default:
            lines.append("Content-Length:\(body.count)")
            coded = body
        }
        lines.shuffle(using: &generator)
        lines = [starts[generator.below(starts.count)]] + lines.map { vary($0, &generator) }
        // Characters above 0x7F become single bytes, which are no UTF-8, unless a line says otherwise.
        return lines.flatMap { scalars($0, &generator) + [13, 10] } + [13, 10] + coded
    }

    /// A line with the letters of its name in any case.
    private static func vary(_ line: String, _ generator: inout SeededGenerator) -> String {
        let colon = line.firstIndex(of: ":") ?? line.startIndex
        let name = line[..<colon]
        return (generator.oneIn(3) ? name.lowercased() : generator.oneIn(3) ? name.uppercased() : String(name))
            + line[colon...]
    }

    private static func scalars(_ line: String, _ generator: inout SeededGenerator) -> [UInt8] {
        generator.oneIn(2) ? Array(line.utf8) : line.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
    }
}
