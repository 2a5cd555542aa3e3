import Testing

@testable import HTTPWire

/// Answers leave in the order of the requests, in whatever order they were given (H-12, RFC 9112 §9.3.2).
struct AnswerOrderTests {
    private static let request = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"

    private func connection(_ requests: Int) -> HTTPConnection {
        var connection = HTTPConnection(limits: HTTPLimits())
        for _ in 0..<requests { _ = connection.feed(Self.request) }
        return connection
    }

    @Test("every order of four answers")
    func everyPermutation() {
        for order in permutations([1, 2, 3, 4]) {
            var connection = connection(4)
            var answered: Set<UInt64> = []
            var output = ""
            for exchange in order {
                connection.answer(exchange, "\(exchange)")
                answered.insert(exchange)
                output += connection.takeText()
                let inOrder = (1...4).prefix { answered.contains($0) }
                #expect(output.answerBodies == inOrder.map(String.init))
                #expect(connection.openExchanges == (1...4).filter { !answered.contains($0) })
                #expect(connection.owed == 4 - answered.count)
            }
            #expect(connection.closesWhenDrained == false)
            #expect(connection.mayRead == true)
        }
    }

    private func permutations(_ numbers: [UInt64]) -> [[UInt64]] {
        guard numbers.count > 1 else { return [numbers] }
        return numbers.flatMap { first in
            permutations(numbers.filter { $0 != first }).map { [first] + $0 }
        }
    }

    @Test("exchange numbers go on, also when the queue ran empty or holds more")
    func numbers() {
        var connection = connection(1)
        connection.answer(1)
        #expect(connection.feed(Self.request + Self.request).count == 2)
        #expect(connection.openExchanges == [2, 3])
        connection.answer(3)
        connection.answer(2)
        #expect(connection.openExchanges == [])
        guard case .request(let request) = connection.feed(Self.request).first else {
            Issue.record("no request")
            return
        }
        #expect(request.exchange == 4)
    }

    @Test("an unknown or answered exchange is ignored")
    func strangers() {
        var connection = connection(3)
        for stranger: UInt64 in [0, 4, .max] { #expect(connection.answer(stranger) == false) }
        #expect(connection.answer(2, "2") == true)
        #expect(connection.answer(2, "again") == false)
        #expect(connection.answer(1, "1") == true)
        #expect(connection.answer(1, "again") == false)
        #expect(connection.answer(2, "again") == false)
        #expect(connection.takeText().answerBodies == ["1", "2"])
        var fresh = HTTPConnection(limits: HTTPLimits())
        #expect(fresh.answer(1) == false)
        #expect(fresh.hasOutput == false)
    }

    @Test("a request behind a held poll is delivered at once, and one half read does not hold the poll's answer up")
    func readingWhileHeld() {
        var connection = connection(1)
        #expect(connection.feed("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nab") == [])
        connection.answer(1, "poll")
        #expect(connection.takeText().answerBodies == ["poll"])
        #expect(connection.phase == .readingBody)
        #expect(connection.feed("cd").count == 1)
        #expect(connection.openExchanges == [2])
    }

    @Test("an answer that ends the connection drops the requests behind it")
    func closingAnswer() {
        var connection = connection(3)
        connection.answer(3, "3")
        connection.respond(to: 2, with: HTTPResponse(status: .serviceUnavailable, closesConnection: true))
        #expect(connection.openExchanges == [1])
        #expect(connection.phase == .closing)
        #expect(connection.closesWhenDrained == false)
        connection.answer(1, "1")
        let text = connection.takeText()
        #expect(text.answerBodies == ["1", ""])
        #expect(text.contains("HTTP/1.1 503 Service Unavailable\r\n"))
        #expect(text.occurrences(of: "Connection: close\r\n") == 1)
        #expect(connection.closesWhenDrained == true)
        #expect(connection.answer(3) == false)
    }

    @Test("an answer that ends the connection drops what is half read, and a refusal behind it")
    func closingAnswerAndInput() {
        var reading = connection(1)
        _ = reading.feed("POST / HTTP/1.1\r\nHost")
        reading.respond(to: 1, with: HTTPResponse(status: .ok, closesConnection: true))
        #expect(reading.closesWhenDrained == true)
        #expect(reading.feed(": h\r\n\r\n") == [])

        var refused = connection(1)
        #expect(refused.feed("\n") == [.refused(.badLineEnd)])
        refused.respond(to: 1, with: HTTPResponse(status: .ok, closesConnection: true))
        #expect(refused.takeText().occurrences(of: "HTTP/1.1 ") == 1)
        #expect(refused.phase == .refusing)
        #expect(refused.closesWhenDrained == true)
    }

    @Test("output is taken once; a target with contents is appended to")
    func output() {
        var connection = connection(2)
        connection.answer(1, "1")
        #expect(connection.hasOutput == true)
        var target = Array("before ".utf8)
        connection.takeOutput(into: &target)
        #expect(connection.hasOutput == false)
        #expect(String(decoding: target, as: UTF8.self).hasPrefix("before HTTP/1.1 200 OK\r\n"))
        let size = target.count
        connection.takeOutput(into: &target)
        #expect(target.count == size)
        connection.answer(2, "2")
        var empty: [UInt8] = []
        connection.takeOutput(into: &empty)
        #expect(empty.last == UInt8(ascii: "2"))
    }

    @Test("an answer is written to the room that is lent for it, and leaves with it")
    func room() {
        var connection = connection(2)
        #expect(connection.lacksRoom(for: 1) == true)
        // An answer that has to wait is kept separately.
        #expect(connection.lacksRoom(for: 2) == false)
        var room: [UInt8] = []
        room.reserveCapacity(10_000)
        connection.takeRoom(room)
        room = []
        #expect(connection.lacksRoom(for: 1) == false)
        connection.answer(1, "1")
        var target: [UInt8] = []
        connection.takeOutput(into: &target)
        #expect(target.capacity >= 10_000)
        #expect(connection.lacksRoom(for: 2) == true)
        #expect(connection.reservedBytes == 0)
    }
}

extension String {
    /// How often `text` occurs.
    func occurrences(of text: String) -> Int {
        var count = 0
        var rest = Substring(self)
        while let found = rest.range(of: text) {
            count += 1
            rest = rest[found.upperBound...]
        }
        return count
    }
}
