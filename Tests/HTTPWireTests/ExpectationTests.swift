import Testing

@testable import HTTPWire

/// `Expect: 100-continue` (H-18, RFC 9110 §10.1.1).
struct ExpectationTests {
    private static let interim = "HTTP/1.1 100 Continue\r\n\r\n"
    private static let head = "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    private static let plain = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"

    @Test("the interim answer goes out at once, the body follows, then the answer")
    func plainCase() {
        for head in [Self.head, Self.head.replacingFirst("100-continue", "100-Continue")] {
            var connection = HTTPConnection(limits: HTTPLimits())
            #expect(connection.feed(head) == [.continueExpected])
            #expect(connection.phase == .readingBody)
            #expect(connection.takeText() == Self.interim)
            #expect(connection.feed("ab").count == 1)
            connection.answer(1, "done")
            #expect(connection.takeText().answerBodies == ["done"])
        }
    }

    @Test("a chunked body is waited for as well")
    func chunked() {
        var connection = HTTPConnection(limits: HTTPLimits())
        let head = Self.head.replacingFirst("Content-Length: 2", "Transfer-Encoding: chunked")
        #expect(connection.feed(head) == [.continueExpected])
        #expect(connection.takeText() == Self.interim)
        #expect(connection.feed("1\r\na\r\n0\r\n\r\n").count == 1)
    }

    @Test("it stands behind the answers owed")
    func behindOwedAnswers() {
        var connection = HTTPConnection(limits: HTTPLimits())
        let events = connection.feed(Self.plain + Self.plain + Self.head)
        #expect(events.count == 3)
        #expect(events.last == .continueExpected)
        #expect(connection.hasOutput == false)
        connection.answer(2, "2")
        #expect(connection.hasOutput == false)
        connection.answer(1, "1")
        let text = connection.takeText()
        #expect(text.hasSuffix("2" + Self.interim))
        #expect(text.occurrences(of: Self.interim) == 1)
        #expect(connection.feed("ab").count == 1)
        connection.answer(3, "3")
        #expect(connection.takeText().occurrences(of: Self.interim) == 0)
    }

    @Test("H-26: while 100 Continue is owed the body is not late")
    func owesContinue() {
        var connection = HTTPConnection(limits: HTTPLimits())
        #expect(connection.feed(Self.head) == [.continueExpected])
        #expect(connection.phase == .readingBody)
        #expect(connection.feed("ab").count == 1)
        #expect(connection.feed(Self.head) == [.continueExpected])
        #expect(connection.phase == .owingContinue && connection.mayRead)
        connection.answer(1)
        #expect(connection.phase == .readingBody)

        // A client that no longer waits has begun to send.
        #expect(connection.feed("ab" + Self.head).last == .continueExpected)
        #expect(connection.phase == .owingContinue)
        #expect(connection.feed("a") == [])
        #expect(connection.phase == .readingBody)
    }

    @Test("a body that there is no room for is refused while 100 Continue is owed, too")
    func overloadWhileOwing() {
        var connection = HTTPConnection(limits: HTTPLimits())
        _ = connection.feed(Self.plain + Self.head)
        let refused = connection.encodeOverload()
        #expect(refused)
        connection.answer(1, "1")
        let text = connection.takeText()
        #expect(text.occurrences(of: "HTTP/1.1 503") == 1 && text.occurrences(of: Self.interim) == 0)
    }

    @Test("no interim answer when the client did not wait")
    func bodyIsThere() {
        var connection = HTTPConnection(limits: HTTPLimits())
        #expect(connection.feed(Self.head + "ab").count == 1)
        #expect(connection.hasOutput == false)
        connection.answer(1)
        _ = connection.takeText()

        // part of the body came along with the head
        #expect(connection.feed(Self.head + "a") == [])
        #expect(connection.hasOutput == false)
        #expect(connection.feed("b").count == 1)
        connection.answer(2)
        _ = connection.takeText()

        // the body came while the interim answer waited for its turn
        #expect(connection.feed(Self.plain + Self.head).last == .continueExpected)
        #expect(connection.feed("a") == [])
        connection.answer(3, "3")
        #expect(connection.takeText().occurrences(of: Self.interim) == 0)
    }

    @Test("no interim answer without a body to wait for, nor to HTTP/1.0")
    func notApplicable() {
        for head in [
            Self.head.replacingFirst("Content-Length: 2\r\n", ""),
            Self.head.replacingFirst("Content-Length: 2", "Content-Length: 0"),
            Self.head.replacingFirst("HTTP/1.1", "HTTP/1.0"),
            Self.head.replacingFirst("HTTP/1.1", "HTTP/1.0").replacingFirst("100-continue", "else"),
        ] {
            var connection = HTTPConnection(limits: HTTPLimits())
            let events = connection.feed(head)
            #expect(!events.contains(.continueExpected))
            #expect(connection.hasOutput == false)
        }
    }

    @Test("any other expectation is 417")
    func unknown() {
        for value in ["else", "100-continue, else", "100-continue=1", "\"100-continue\"", "100", ", else,"] {
            let reading = ChunkingVerifier().verify(Self.head.replacingFirst("100-continue", value))
            #expect(reading.faults == [.unknownExpectation])
            #expect(reading.text.hasPrefix("HTTP/1.1 417 Expectation Failed\r\n"))
        }
        let twice = Self.head.replacingFirst("Expect:", "Expect: 100-continue\r\nExpect:")
        #expect(ChunkingVerifier().verify(twice + "ab").requests.count == 1)
    }

    @Test("H-18: an empty list of expectations asks for nothing", arguments: ["", " ", "\t", ",", " , ,"])
    func empty(value: String) throws {
        let head = Self.head.replacingFirst(" 100-continue", value)
        let reading = ChunkingVerifier().verify(head + "ab")
        #expect(reading.faults == [])
        #expect(try #require(reading.requests.first).head.expectsContinue == false)
        let beside = Self.head.replacingFirst("Expect:", "Expect:\(value)\r\nExpect:")
        #expect(try #require(ChunkingVerifier().verify(beside + "ab").requests.first).head.expectsContinue)
    }

    @Test("fields that hold lists may hold an empty one", arguments: ["", " ", ",", ", ,"])
    func emptyLists(value: String) throws {
        for name in ["Connection", "Accept-Encoding", "Content-Encoding", "X-Forwarded-For", "Forwarded", "TE", "Via"] {
            let text = "POST / HTTP/1.1\r\nHost: h\r\n\(name):\(value)\r\nContent-Length: 2\r\n\r\nab"
            let head = try #require(ChunkingVerifier().verify(text).requests.first).head
            #expect(head.keepAlive && head.acceptedCoding == .identity && head.coding == .identity)
        }
    }

    @Test("a refusal or a deadline takes the place of the interim answer")
    func refusedMeanwhile() {
        var connection = HTTPConnection(limits: HTTPLimits())
        _ = connection.feed(Self.plain + Self.head)
        connection.encodeTimeout()
        connection.answer(1, "1")
        let text = connection.takeText()
        #expect(text.occurrences(of: Self.interim) == 0)
        #expect(text.answerBodies == ["1", "408 Request Timeout\n"])
    }
}

extension String {
    /// This text with the first `old` replaced.
    func replacingFirst(_ old: String, _ new: String) -> String {
        guard let found = Substring(self).range(of: old) else { return self }
        return String(self[..<found.lowerBound]) + new + String(self[found.upperBound...])
    }
}
