import Testing

@testable import HTTPWire

/// Well-formed requests, whole, byte by byte and split at every position.
struct RequestReadingTests {
    private let verifier = ChunkingVerifier()

    /// The only request in `text`.
    private func request(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) throws -> HTTPRequest {
        let reading = verifier.verify(text, sourceLocation: sourceLocation)
        #expect(reading.events.count == 1, sourceLocation: sourceLocation)
        return try #require(reading.requests.first, sourceLocation: sourceLocation)
    }

    @Test func postWithLength() throws {
        let request = try request(
            "POST /http-bind?a=b?c HTTP/1.1\r\nHost: example.test\r\nContent-Length: 7\r\n\r\n<body/>")
        #expect(request.exchange == 1)
        #expect(
            request.head
                == RequestHead(
                    method: .post, version: .http11, path: "/http-bind", query: "a=b?c", origin: nil,
                    acceptedCoding: .identity, coding: .identity, framing: .length(7), expectsContinue: false,
                    keepAlive: true))
        #expect(request.body == Array("<body/>".utf8))
    }

    @Test func wantedFieldsInAnyCaseAndAnySpacing() throws {
        let request = try request(
            "POST / HTTP/1.1\r\nhOST:\t h:80 \t\r\nORIGIN:https://a.test\r\naccept-ENCODING:   gzip;q=0, deflate\t\r\n"
                + "Content-encoding: GZIP\r\ncontent-LENGTH:0\r\nX-Empty:\r\nX-Tab:a\tb\r\n\r\n")
        #expect(request.head.origin == "https://a.test")
        #expect(request.head.acceptedCoding == .deflate)
        #expect(request.head.coding == .gzip)
        #expect(request.head.framing == .length(0))
        #expect(request.body.isEmpty)
    }

    @Test("fields of the same length as a wanted one are not taken for it")
    func similarFieldNames() throws {
        let request = try request(
            "POST / HTTP/1.1\r\nHost: h\r\nHosu: a, b\r\nContent-Lengti: 9\r\nTransfer-Encodinh: x\r\nOrigim: o\r\n"
                + "Connectioo: close\r\nExpecu: no\r\nAccept-Encodinh: gzip\r\nContent-Encodinh: gzip\r\n\r\n")
        #expect(request.head.framing == .none)
        #expect(request.head.origin == nil)
        #expect(request.head.keepAlive)
        #expect(request.head.acceptedCoding == .identity)
        #expect(request.head.coding == .identity)
    }

    @Test(
        "targets (H-24, RFC 9112 §3.2)",
        arguments: [
            ("GET", "/", "/", nil),
            ("GET", "/http-bind/", "/http-bind/", nil),
            ("GET", "/a%20b;c=d", "/a%20b;c=d", nil),
            ("GET", "/a?", "/a", ""),
            ("GET", "//host/x", "//host/x", nil),
            ("GET", "http://example.test/http-bind?x=1", "/http-bind", "x=1"),
            ("GET", "HTTPS://example.test:5281/x", "/x", nil),
            ("GET", "http://[::1]:5280/x", "/x", nil),
            ("GET", "http://example.test", "/", nil),
            ("GET", "http://example.test?q", "/", "q"),
            ("OPTIONS", "*", "*", nil),
            ("OPTIONS", "http://example.test", "*", nil),
            ("OPTIONS", "http://example.test/", "/", nil),
            ("CONNECT", "example.test:443", "example.test:443", nil),
        ] as [(String, String, String, String?)])
    func target(method: String, target: String, path: String, query: String?) throws {
        let request = try request("\(method) \(target) HTTP/1.1\r\nHost: example.test\r\n\r\n")
        #expect(request.head.path == path)
        #expect(request.head.query == query)
    }

    @Test(
        "methods (H-19)",
        arguments: [
            ("GET", HTTPMethod.get), ("HEAD", .head), ("POST", .post), ("OPTIONS", .options), ("PUT", .put),
            ("DELETE", .delete), ("PATCH", .patch), ("TRACE", .trace), ("PROPFIND", .unknown), ("get", .unknown),
            ("G", .unknown), ("POSTPOSTPOST", .unknown), ("M-SEARCH", .unknown), ("POS", .unknown), ("!#$%", .unknown),
        ])
    func method(name: String, method: HTTPMethod) throws {
        #expect(try request("\(name) / HTTP/1.1\r\nHost: h\r\n\r\n").head.method == method)
    }

    @Test(
        "hosts (RFC 9110 §7.2)",
        arguments: ["", "h", "example.test:5280", "127.0.0.1", "[::1]", "[fe80::1%25eth0]:1", "a_b.test", "h:", "%61"])
    func host(value: String) throws {
        #expect(try request("GET / HTTP/1.1\r\nHost: \(value)\r\n\r\n").head.path == "/")
    }

    @Test("H-17: a POST without a length has an empty body and is delivered at once")
    func postWithoutLength() throws {
        let request = try request("POST / HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(request.head.framing == .none)
        #expect(request.body.isEmpty)
    }

    @Test("H-05, RFC 9112 §7.1: a chunked body")
    func chunkedBody() throws {
        let request = try request(
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: ChunKed\r\n\r\n"
                + "3\r\n<bo\r\n0004;a=b;c=\"d\"\r\ndy/>\r\n0\r\nTrailer: x\r\n\r\n")
        #expect(request.head.framing == .chunked)
        #expect(request.body == Array("<body/>".utf8))
    }

    @Test("a body is read whatever the method")
    func bodyOfGet() {
        let reading = verifier.verify(
            "GET /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabcGET /b HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(reading.requests.map(\.head.path) == ["/a", "/b"])
        #expect(reading.requests.first?.body == Array("abc".utf8))
    }

    @Test("H-12: several requests in one buffer, each framed in another way")
    func severalRequests() {
        let reading = verifier.verify(
            "POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab"
                + "\r\nPOST /2 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nc\r\n0\r\n\r\n"
                + "GET /3 HTTP/1.1\r\nHost: h\r\n\r\nPOST /4 HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n")
        #expect(reading.requests.map(\.exchange) == [1, 2, 3, 4])
        #expect(reading.requests.map(\.head.path) == ["/1", "/2", "/3", "/4"])
        #expect(reading.requests.map(\.body) == [Array("ab".utf8), Array("c".utf8), [], []])
        #expect(reading.text.answerBodies == ["answer 1", "answer 2", "answer 3", "answer 4"])
    }

    @Test("H-24: empty lines before a request, up to the bound, and again before the next")
    func emptyLines() {
        let request = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
        let lines = String(repeating: "\r\n", count: HTTPLimits.emptyLines)
        let reading = verifier.verify(lines + request + lines + request)
        #expect(reading.requests.count == 2)
        #expect(verifier.verify(lines + "\r\n" + request).faults == [.tooManyEmptyLines])
    }

    @Test("empty lines between requests arm no deadline")
    func emptyLinesAreIdle() {
        var connection = HTTPConnection(limits: HTTPLimits())
        #expect(connection.feed("\r\n\r") == [])
        #expect(connection.phase == .idle)
        #expect(connection.feed("\nG") == [])
        #expect(connection.phase == .readingHead)
    }

    @Test("a field that is no UTF-8 is passed over where it is text and kept out of the way where it is not")
    func valueOutsideUTF8() {
        var bytes = Array("GET / HTTP/1.1\r\nHost: h\r\nOrigin: ".utf8)
        bytes += [0xFF, 0xFE] + Array("\r\nX-Name: caf".utf8) + [0xE9] + Array("\r\n\r\n".utf8)
        let reading = verifier.verify(bytes)
        #expect(reading.requests.count == 1)
        #expect(reading.requests.first?.head.origin == nil)
    }

    @Test("an idle connection has let go of what it read")
    func phases() {
        var connection = HTTPConnection(limits: HTTPLimits())
        #expect(connection.phase == .idle)
        #expect(connection.feed("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n") == [])
        #expect(connection.phase == .readingHead)
        #expect(connection.feed("\r\nab") == [])
        #expect(connection.phase == .readingBody)
        #expect(connection.feed("c").count == 1)
        #expect(connection.phase == .idle)
        #expect(connection.owed == 1)
    }

    @Test("a body that lies whole in the input uses the given storage, and nothing of its old content is left")
    func room() throws {
        var connection = HTTPConnection(limits: HTTPLimits(pipelining: 8))
        let head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: "
        let input = Array((head + "5\r\n\r\nfirst" + head + "0\r\n\r\n" + head + "6\r\n\r\nsecond").utf8)
        var room = Array("much longer content of an earlier request".utf8)
        room.reserveCapacity(500)
        let capacity = room.capacity
        var bodies: [String] = []
        var offset = 0
        while let event = connection.next(input.span, offset: &offset, room: &room) {
            guard case .request(let request) = event else {
                Issue.record("\(event)")
                return
            }
            bodies.append(String(decoding: request.body, as: UTF8.self))
            #expect(room.capacity == 0)
            #expect(request.body.capacity == capacity)
            room = request.body
        }
        #expect(bodies == ["first", "", "second"])
    }

    @Test("a body that comes in pieces leaves the given storage alone")
    func roomOfPieces() {
        var connection = HTTPConnection(limits: HTTPLimits())
        var room = Array("kept".utf8)
        for piece in ["POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n", "a", "bc"] {
            let bytes = Array(piece.utf8)
            var offset = 0
            if case .request(let request)? = connection.next(bytes.span, offset: &offset, room: &room) {
                #expect(request.body == Array("abc".utf8))
            }
        }
        #expect(room == Array("kept".utf8))
    }
}
