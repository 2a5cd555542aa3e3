import Testing

@testable import HTTPWire

/// Large answers wait without being copied, and their bytes are limited (connection-buffer).
@Suite struct SharedAnswerTests {
    private static let request = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"

    private static func large(_ count: Int) -> HTTPResponse {
        var response = HTTPResponse(status: .ok, contentType: .xml, body: Array("<body>".utf8))
        response.shared = Array(repeating: UInt8(ascii: "x"), count: count)
        response.end = Array("</body>".utf8)
        return response
    }

    private static func text(_ count: Int) -> String { "<body>\(String(repeating: "x", count: count))</body>" }

    @Test(
        "connection-buffer: the parts leave as one answer, in order with others", arguments: [1, 7, 100, 5_000, .max])
    func joinsParts(limit: Int) {
        var connection = HTTPConnection(limits: HTTPLimits())
        _ = connection.feed(Self.request + Self.request + Self.request)
        _ = connection.respond(to: 2, with: Self.large(1_000))
        _ = connection.respond(to: 1, with: Self.large(3_000))
        connection.answer(3, "small")
        var bytes: [UInt8] = []
        while connection.hasOutput {
            var part: [UInt8] = []
            connection.takeOutput(into: &part, limit: limit)
            #expect(!part.isEmpty)
            bytes += part
        }
        #expect(String(decoding: bytes, as: UTF8.self).answerBodies == [Self.text(3_000), Self.text(1_000), "small"])
        #expect(connection.outputCount == 0 && connection.reservedBytes == 0)
    }

    @Test("connection-buffer: above the bound no request is read until the answers leave; nothing is lost")
    func stopsReading() {
        var connection = HTTPConnection(limits: HTTPLimits(answers: 2_000))
        let input = Array(String(repeating: Self.request, count: 5).utf8)
        var offset = 0
        var requests = 0
        for _ in 0..<2 { if connection.next(input.span, offset: &offset) != nil { requests += 1 } }
        _ = connection.respond(to: 2, with: Self.large(1_500))
        #expect(connection.mayRead && !connection.isFullOfAnswers)
        if connection.next(input.span, offset: &offset) != nil { requests += 1 }
        _ = connection.respond(to: 3, with: Self.large(1_500))
        #expect(!connection.mayRead && connection.isFullOfAnswers)
        let stopped = offset
        let event = connection.next(input.span, offset: &offset)
        #expect(event == nil && offset == stopped && requests == 3)
        connection.answer(1, "first")
        #expect(connection.mayRead == true)
        while connection.next(input.span, offset: &offset) != nil { requests += 1 }
        #expect(requests == 5 && offset == input.count)
    }

    @Test("memory-limit: a body takes no more than twice what has come of it, and no more than it will have")
    func reservesWhatCame() {
        var connection = HTTPConnection(limits: HTTPLimits())
        _ = connection.feed("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n")
        #expect(connection.unfinishedBytes == 0, "a promise costs nothing")
        let part = String(repeating: "x", count: 10_000)
        for arrived in stride(from: 10_000, to: 1_000_000, by: 10_000) {
            _ = connection.feed(part)
            #expect(connection.unfinishedBytes <= min(2 * arrived, 1_000_000) + 4_096)
        }
        let wasRefused = connection.encodeOverload()
        let answer = connection.takeText()
        let isRefusedAgain = connection.encodeOverload()
        #expect(wasRefused && !isRefusedAgain && answer.hasPrefix("HTTP/1.1 503 "))
        #expect(connection.unfinishedBytes == 0 && connection.closesWhenDrained)
    }
}
