import Testing

@testable import HTTPWire

/// Answers as they are on the wire, byte for byte.
struct HTTPResponseTests {
    private func encode(
        _ response: HTTPResponse, request: String = "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
        policy: CrossOriginPolicy = .off, date: HTTPDate? = nil
    ) -> String {
        var connection = HTTPConnection(limits: HTTPLimits(), crossOrigin: policy)
        #expect(connection.feed(request).count == 1)
        connection.respond(to: 1, with: response, date: date)
        return connection.takeText()
    }

    @Test("H-05, H-06, H-07, H-25, H-30: an answer in full")
    func golden() {
        let response = HTTPResponse(status: .ok, contentType: .xml, body: Array("<body/>".utf8))
        #expect(
            encode(response, policy: .any, date: HTTPDate(secondsSince1970: 784_111_777))
                == "HTTP/1.1 200 OK\r\n"
                + "Cache-Control: no-store\r\n"
                + "X-Content-Type-Options: nosniff\r\n"
                + "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                + "Content-Length: 7\r\n"
                + "Content-Type: text/xml; charset=utf-8\r\n"
                + "Access-Control-Allow-Origin: *\r\n"
                + "\r\n"
                + "<body/>")
    }

    @Test("no body still has a length")
    func emptyBody() {
        #expect(
            encode(HTTPResponse(status: .notFound))
                == "HTTP/1.1 404 Not Found\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
                + "Content-Length: 0\r\n\r\n")
    }

    @Test("RFC 9110 §8.6: 204 has neither body nor length nor type")
    func noContent() {
        let text = encode(HTTPResponse(status: .noContent, contentType: .plain, body: Array("x".utf8)))
        #expect(
            text == "HTTP/1.1 204 No Content\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n\r\n")
    }

    @Test("H-20: HEAD has the fields of GET and no body")
    func head() {
        let response = HTTPResponse(status: .ok, contentType: .html, body: Array("<p>hello</p>".utf8))
        let get = encode(response)
        let head = encode(response, request: "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(get == head + "<p>hello</p>")
        #expect(head.contains("Content-Length: 12\r\n"))
        #expect(head.hasSuffix("\r\n\r\n"))
    }

    @Test("H-19: 405 with Allow")
    func allow() {
        let text = encode(HTTPResponse(status: .methodNotAllowed, fields: [("Allow", "POST"), ("Retry-After", "5")]))
        #expect(text.hasPrefix("HTTP/1.1 405 Method Not Allowed\r\n"))
        #expect(text.contains("\r\nAllow: POST\r\nRetry-After: 5\r\n"))
    }

    @Test(
        "media types",
        arguments: [
            (HTTPContentType.xml, "text/xml; charset=utf-8"), (.html, "text/html; charset=utf-8"),
            (.json, "application/json"), (.plain, "text/plain; charset=utf-8"), (.other("text/x"), "text/x"),
        ])
    func contentType(type: HTTPContentType, text: String) {
        #expect(encode(HTTPResponse(status: .ok, contentType: type)).contains("\r\nContent-Type: \(text)\r\n"))
    }

    @Test("H-07: no value can split the answer, no name can pass for another field")
    func splitting() {
        let text = encode(
            HTTPResponse(
                status: .ok, contentType: .other("text/html\r\nSet-Cookie: a=b\r\n\r\n<script>"),
                fields: [("X", "a\r\n\r\nb\u{0}\u{7F}\tc"), ("Bad Name", "x"), ("", "y"), ("Evil\r\nX", "z")]))
        #expect(text.contains("\r\nContent-Type: text/html  Set-Cookie: a=b    <script>\r\n"))
        #expect(text.contains("\r\nX: a    b  \tc\r\n"))
        #expect(text.occurrences(of: "\r\n\r\n") == 1)
        #expect(!text.contains("Bad Name"))
        #expect(!text.contains("Evil"))
        #expect(!text.contains("\r\n: y"))
    }

    @Test("every status has its line")
    func statuses() {
        for status in HTTPStatus.allCases {
            #expect(status.line.hasPrefix("\(status.rawValue) "))
            #expect(status.line.utf8.count > 4)
        }
    }

    @Test("the status of every refusal that is not 400 (H-18, H-23, H-26)")
    func faults() {
        let others: [HTTPFault: HTTPStatus] = [
            .unsupportedVersion: .versionNotSupported, .unknownExpectation: .expectationFailed,
            .requestLineTooLong: .uriTooLong, .headTooLarge: .headTooLarge, .tooManyFields: .headTooLarge,
            .trailerTooLarge: .headTooLarge, .bodyTooLarge: .contentTooLarge, .timeout: .requestTimeout,
            .overloaded: .serviceUnavailable,
        ]
        for fault in HTTPFault.allCases { #expect(fault.status == others[fault] ?? .badRequest) }
    }

    @Test("a large body leaves in one piece with its head")
    func largeBody() {
        let body = [UInt8](repeating: UInt8(ascii: "x"), count: 300_000)
        let text = encode(HTTPResponse(status: .ok, body: body))
        #expect(text.contains("\r\nContent-Length: 300000\r\n"))
        #expect(text.utf8.suffix(300_000).elementsEqual(body))
    }

    @Test("the answer to a refusal carries the date given to the reader")
    func dateOfRefusal() {
        var connection = HTTPConnection(limits: HTTPLimits())
        let input = Array("\n".utf8)
        var offset = 0
        let date = HTTPDate(secondsSince1970: 0)
        #expect(connection.next(input.span, offset: &offset, date: date) == .refused(.badLineEnd))
        #expect(connection.takeText().contains("\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"))
        var late = HTTPConnection(limits: HTTPLimits())
        _ = late.feed("G")
        late.encodeTimeout(date: date)
        #expect(late.takeText().contains("\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"))
    }
}
