import Testing

@testable import HTTPWire

/// Every limit at its exact byte (H-23).
struct LimitsTests {
    private func verify(_ text: String, _ limits: HTTPLimits, stride: Int = 1) -> Reading {
        ChunkingVerifier(limits: limits).verify(Array(text.utf8), stride: stride)
    }

    @Test("request line: 8,192 bytes pass by default, one more is 414 (RFC 9112 §3)")
    func requestLine() {
        let frame = "GET / HTTP/1.1".utf8.count
        for (excess, faults) in [(0, []), (1, [HTTPFault.requestLineTooLong]), (2, [.requestLineTooLong])] {
            let path = "/" + String(repeating: "a", count: 8_192 - frame + excess)
            let reading = verify("GET \(path) HTTP/1.1\r\nHost: h\r\n\r\n", HTTPLimits(), stride: 331)
            #expect(reading.faults == faults)
            #expect(reading.requests.count == (excess == 0 ? 1 : 0))
        }
    }

    @Test("a line that goes on for ever is 414 before its end, and malformed too long lines are 414 as well")
    func endlessRequestLine() {
        let limits = HTTPLimits(requestLine: 100)
        #expect(verify("GET /" + String(repeating: "a", count: 97), limits).faults == [.requestLineTooLong])
        #expect(verify("GET /" + String(repeating: "a", count: 96), limits).faults == [])
        #expect(verify("GET [" + String(repeating: "a", count: 97), limits).faults == [.requestLineTooLong])
        #expect(verify(String(repeating: "a", count: 102), limits).faults == [.requestLineTooLong])
    }

    @Test("head: 32 KiB pass by default, one byte more is 431")
    func head() {
        let frame = "GET / HTTP/1.1\r\nHost: h\r\nX: \r\n\r\n".utf8.count
        for (excess, faults) in [(0, []), (1, [HTTPFault.headTooLarge])] {
            let value = String(repeating: "a", count: 32_768 - frame + excess)
            let reading = verify("GET / HTTP/1.1\r\nHost: h\r\nX: \(value)\r\n\r\n", HTTPLimits(), stride: 4_099)
            #expect(reading.faults == faults)
            #expect(reading.requests.count == (excess == 0 ? 1 : 0))
        }
    }

    @Test("a small head limit at every length around it, complete and incomplete")
    func smallHead() {
        for length in 60...72 {
            let frame = "GET / HTTP/1.1\r\nHost: h\r\nX: \r\n\r\n".utf8.count
            let value = String(repeating: "a", count: length - frame)
            let text = "GET / HTTP/1.1\r\nHost: h\r\nX: \(value)\r\n\r\n"
            #expect(verify(text, HTTPLimits(head: 64)).faults == (length > 64 ? [.headTooLarge] : []))
            #expect(verify(String(text.dropLast()), HTTPLimits(head: 64)).requests == [])
        }
        #expect(
            verify("GET / HTTP/1.1\r\nHost: h\r\n" + String(repeating: "X", count: 39), HTTPLimits(head: 64)).faults
                == [.headTooLarge])
        #expect(
            verify("GET / HTTP/1.1\r\nHost: h\r\n" + String(repeating: "X", count: 38), HTTPLimits(head: 64)).faults
                == [])
    }

    @Test("fields: 100 pass by default, one more is 431 whatever it is")
    func fields() {
        let hundred = "GET / HTTP/1.1\r\nHost: h\r\n" + String(repeating: "A: b\r\n", count: 99)
        #expect(verify(hundred + "\r\n", HTTPLimits(), stride: 53).requests.count == 1)
        #expect(verify(hundred + "A: b\r\n\r\n", HTTPLimits(), stride: 53).faults == [.tooManyFields])
        #expect(verify(hundred + "A b\r\n\r\n", HTTPLimits(), stride: 53).faults == [.tooManyFields])
    }

    @Test("body: a declared length over the limit is 413 before a byte of it, even with an expectation")
    func declaredBody() {
        let limits = HTTPLimits(body: 10)
        let head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: "
        #expect(verify(head + "10\r\n\r\n0123456789", limits).requests.first?.body.count == 10)
        #expect(verify(head + "11\r\n\r\n", limits).faults == [.bodyTooLarge])
        #expect(verify(head + "11\r\nExpect: 100-continue\r\n\r\n", limits).faults == [.bodyTooLarge])
        #expect(verify(head + "9223372036854775807\r\n\r\n", limits).faults == [.bodyTooLarge])
        #expect(HTTPFault.bodyTooLarge.status == .contentTooLarge)
    }

    @Test("memory follows what arrives, not the declared length")
    func declaredLengthReservesNothing() {
        var connection = HTTPConnection(limits: HTTPLimits(body: .max))
        #expect(connection.feed("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: \(Int.max)\r\n\r\nabc") == [])
        #expect(connection.phase == .readingBody)
        #expect(connection.reservedBytes < 4_096)
    }

    @Test("memory is let go of when a message is complete, answered, refused or given up")
    func idleMemory() {
        var connection = HTTPConnection(limits: HTTPLimits())
        #expect(connection.reservedBytes == 0)
        let head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n"
        _ = connection.feed(head)
        #expect(connection.reservedBytes > 0)
        _ = connection.feed("\r\n")
        #expect(connection.reservedBytes == 0)
        _ = connection.feed("ab")
        #expect(connection.reservedBytes > 0)
        _ = connection.feed("cd")
        #expect(connection.reservedBytes == 0)
        connection.answer(1, "answer")
        #expect(connection.reservedBytes > 0)
        _ = connection.takeText()
        #expect(connection.reservedBytes == 0)

        for end in ["", "\r\nab"] {
            var timedOut = HTTPConnection(limits: HTTPLimits())
            _ = timedOut.feed(head + end)
            timedOut.encodeTimeout()
            _ = timedOut.takeText()
            #expect(timedOut.reservedBytes == 0)
        }
        var refused = HTTPConnection(limits: HTTPLimits())
        _ = refused.feed("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nx")
        _ = refused.takeText()
        #expect(refused.phase == .refusing)
        #expect(refused.reservedBytes == 0)
    }

    @Test("pipelining: at the bound reading pauses in front of the next request and goes on where it stopped")
    func pipelining() {
        var connection = HTTPConnection(limits: HTTPLimits(pipelining: 3))
        let request = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
        let input = Array(String(repeating: request, count: 5).utf8)
        var offset = 0
        var count = 0
        while connection.next(input.span, offset: &offset) != nil { count += 1 }
        #expect(count == 3)
        #expect(offset == 3 * request.utf8.count)
        #expect(connection.mayRead == false)
        #expect(connection.owed == 3)

        // an answer that waits for its turn still takes memory, so it does not make room
        connection.answer(2)
        #expect(connection.owed == 2)
        #expect(connection.mayRead == false)
        #expect(connection.next(input.span, offset: &offset) == nil)
        connection.answer(1)
        #expect(connection.mayRead == true)
        while connection.next(input.span, offset: &offset) != nil { count += 1 }
        #expect(count == 5)
        #expect(offset == input.count)
        #expect(connection.openExchanges == [3, 4, 5])
    }

    @Test("unusable settings are raised to what makes a request possible")
    func clamping() {
        let limits = HTTPLimits(requestLine: -1, head: 0, fields: 0, body: -5, pipelining: 0)
        #expect(limits == HTTPLimits(requestLine: 16, head: 64, fields: 1, body: 0, pipelining: 1))
        #expect(HTTPLimits(requestLine: 9_000, head: 1_000).requestLine == 998)
        #expect(verify("GET / HTTP/1.1\r\nHost: h\r\n\r\n", limits).requests.count == 1)
    }

    @Test("an offset outside the input consumes nothing")
    func strayOffset() {
        var connection = HTTPConnection(limits: HTTPLimits())
        let input = Array("GET".utf8)
        for stray in [-1, 3, 4, Int.max] {
            var offset = stray
            #expect(connection.next(input.span, offset: &offset) == nil)
            #expect(offset == stray)
        }
    }
}
