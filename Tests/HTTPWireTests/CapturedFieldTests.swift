import Testing

@testable import HTTPWire

/// The forwarding field that is kept for its owner.
struct CapturedFieldTests {
    private static let both = """
        POST / HTTP/1.1\r
        Host: h\r
        X-Forwarded-For: 198.51.100.7, 192.0.2.1\r
        Forwarded: for=198.51.100.8\r
        x-forwarded-FOR:10.0.0.1\r
        Content-Length: 2\r
        FORWARDED: \t for="[2001:db8::1]:5"; proto=https \t\r
        X-FORWARDED-FOR:\r
        X-Forwarded-For: \t \r
        x-real-ip: 192.0.2.7\r
        X-Forwarded-Proto: https\r
        X-Forwarded-For: ,,\r
        \r
        hi
        """

    /// The part of `text` that is captured; it is the same however the text arrives.
    private func captured(
        _ captures: CapturedField, _ text: String, sourceLocation: SourceLocation = #_sourceLocation
    ) -> [String] {
        ChunkingVerifier(captures: captures).verify(text, sourceLocation: sourceLocation).requests
            .map { String(decoding: $0.head.forwarded, as: UTF8.self) }
    }

    @Test(
        "the lines of the chosen field in order, without those that are empty",
        arguments: [
            (CapturedField.none, ""),
            (.xForwardedFor, "198.51.100.7, 192.0.2.1, 10.0.0.1, ,,"),
            (.forwarded, #"for=198.51.100.8, for="[2001:db8::1]:5"; proto=https"#),
            (.xRealIP, "192.0.2.7"),
        ])
    func joins(captures: CapturedField, expected: String) {
        #expect(captured(captures, Self.both) == [expected])
    }

    @Test("nothing else of the request changes", arguments: CapturedField.allCases)
    func changesNothingElse(captures: CapturedField) throws {
        let plain = try #require(ChunkingVerifier().verify(Self.both).requests.first)
        var request = try #require(ChunkingVerifier(captures: captures).verify(Self.both).requests.first)
        #expect(request.head.forwarded.isEmpty == (captures == .none))
        request.head.forwarded = []
        #expect(request == plain)
        #expect(request.body == Array("hi".utf8))
    }

    @Test(
        "a request without the field has none of the one before it",
        arguments: [CapturedField.xForwardedFor, .forwarded])
    func isOfOneRequest(captures: CapturedField) {
        let bare = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
        let name = captures == .forwarded ? "Forwarded" : "X-Forwarded-For"
        let with = "GET / HTTP/1.1\r\n\(name): a\r\nHost: h\r\n\r\n"
        #expect(captured(captures, bare + with + bare + with) == ["", "a", "", "a"])
    }

    @Test(
        "fields of another name are not taken for it",
        arguments: [
            "Forwardee: x", "Forwarde: x", "Forwarded-For: x", "X-Forwarded: x", "X-Forwarded-Fos: x",
            "X_Forwarded_For: x",
            "X-Forwarded-Host: x", "X-Forwarded-By: x", "Xforwarded-for: x", "X-Real-Ip-: x", "X_Real_IP: x",
            "Accept-Encodinh: x",
        ])
    func similarNames(line: String) {
        for captures in CapturedField.allCases where captures != .provenance {
            #expect(captured(captures, "GET / HTTP/1.1\r\nHost: h\r\n\(line)\r\n\r\n") == [""])
        }
    }

    @Test("a proxy's other fields are read beside it")
    func besideOfTheSameLength() throws {
        // as long as X-Forwarded-For: 15 bytes
        let text = "GET / HTTP/1.1\r\nHost: h\r\nAccept-Encoding: gzip\r\nX-Forwarded-For: a\r\n\r\n"
        let request = try #require(ChunkingVerifier(captures: .xForwardedFor).verify(text).requests.first)
        #expect(request.head.acceptedCoding == .gzip)
        #expect(request.head.forwarded == Array("a".utf8))
    }

    @Test("bytes are kept as they came, but not those that no field may hold")
    func bytes() {
        let head = "GET / HTTP/1.1\r\nHost: h\r\nForwarded: a\u{9}\u{E9}\"\\;\r\n"
        #expect(captured(.forwarded, head + "\r\n") == ["a\u{9}\u{E9}\"\\;"])
        let reading = ChunkingVerifier(captures: .forwarded).verify(head + "Forwarded: \u{0}\r\n\r\n")
        #expect(reading.faults == [.badFieldValue])
    }

    @Test("what is captured is bounded by the head and the number of its fields")
    func bounds() {
        let limits = HTTPLimits(head: 4_096, fields: 20)
        let line = "X-Forwarded-For: a\r\n"
        let head = "GET / HTTP/1.1\r\nHost: h\r\n"
        let full = ChunkingVerifier(limits: limits, captures: .xForwardedFor)
            .verify(head + String(repeating: line, count: 19) + "\r\n")
        #expect(full.requests.first?.head.forwarded.count == 19 + 18 * 2)
        let over = ChunkingVerifier(limits: limits, captures: .xForwardedFor)
            .verify(head + String(repeating: line, count: 20) + "\r\n")
        #expect(over.faults == [.tooManyFields])
        let long = ChunkingVerifier(limits: limits, captures: .xForwardedFor)
            .verify(Array("\(head)X-Forwarded-For: \(String(repeating: "a", count: 4_096))\r\n\r\n".utf8), stride: 7)
        #expect(long.faults == [.headTooLarge])
    }

    @Test(
        "a request that is refused still says whose it was, as far as its head had come",
        arguments: [
            ("POST / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: a\r\nContent-Length: x\r\n\r\n", "a"),
            ("POST / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: a\r\nTransfer-Encoding: chunked\r\n\r\nx", "a"),
            ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\nX-Forwarded-For: a\r\n\r\n", ""),
            ("\u{1}", ""),
        ])
    func refused(request: String, client: String) {
        var connection = HTTPConnection(rules: HTTPRules(limits: HTTPLimits(), captures: .xForwardedFor))
        let bytes = Array(request.utf8)
        var offset = 0
        guard case .refused = connection.next(bytes.span, offset: &offset) else {
            Issue.record("not refused")
            return
        }
        #expect(String(decoding: connection.pendingForwarded, as: UTF8.self) == client)
    }

    @Test("admin-host: the host and where a request comes from, of each request anew")
    func provenance() {
        func heads(_ text: String) -> [RequestHead] {
            var connection = HTTPConnection(rules: HTTPRules(limits: HTTPLimits(), captures: .provenance))
            let bytes = Array(text.utf8)
            var offset = 0
            var heads: [RequestHead] = []
            while let event = connection.next(bytes.span, offset: &offset) {
                if case .request(let request) = event { heads.append(request.head) }
            }
            return heads
        }
        let first =
            "GET / HTTP/1.1\r\nSec-Fetch-Site: none\r\nAuthorization: Bearer x\r\nHost: A.example:80\r\nsec-fetch-site: cross-site\r\n\r\n"
        let read = heads(first + "GET / HTTP/1.1\r\nHost: b\r\nSec-Fetch-Mode: cors\r\n\r\n")
        #expect(read.count == 2)
        #expect(read.map { $0.provenance.host.map { String(decoding: $0, as: UTF8.self) } } == ["A.example:80", "b"])
        #expect(
            read.map { $0.provenance.fetchSites.map { String(decoding: $0, as: UTF8.self) } }
                == [["none", "cross-site"], []])
        #expect(read.map { $0.provenance.authorizations } == [[Array("Bearer x".utf8)], []])
        #expect(heads("GET / HTTP/1.0\r\n\r\n").first?.provenance.host == nil)
    }
}
