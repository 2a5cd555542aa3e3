import Testing

@testable import HTTPWire

/// When a connection goes on and when it ends (H-13, H-14, H-26).
struct PersistenceTests {
    @Test(
        "version and Connection options (RFC 9112 §9.3)",
        arguments: [
            ("1.1", [], true, ""),
            ("1.1", ["keep-alive"], true, ""),
            ("1.1", ["close"], false, "close"),
            ("1.1", ["CLOSE"], false, "close"),
            ("1.1", ["Close , Keep-Alive"], false, "close"),
            ("1.1", ["keep-alive", "close"], false, "close"),
            ("1.1", ["upgrade, HTTP2-Settings"], true, ""),
            ("1.1", ["closed"], true, ""),
            ("1.1", ["x;close"], true, ""),
            ("1.1", [",,close,,"], false, "close"),
            ("1.1", [""], true, ""),
            ("1.0", [], false, "close"),
            ("1.0", ["close"], false, "close"),
            ("1.0", ["keep-alive"], true, "keep-alive"),
            ("1.0", ["TE, Keep-Alive"], true, "keep-alive"),
            ("1.0", ["keep-alive, close"], false, "close"),
        ] as [(String, [String], Bool, String)])
    func matrix(version: String, options: [String], persists: Bool, field: String) {
        let lines = options.map { "Connection: \($0)\r\n" }.joined()
        let request = "GET /1 HTTP/\(version)\r\nHost: h\r\n\(lines)\r\n"
        let reading = ChunkingVerifier().verify(request + "GET /2 HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(reading.requests.first?.head.keepAlive == persists)
        #expect(reading.requests.count == (persists ? 2 : 1))
        #expect(reading.closes == !persists)
        #expect(reading.phase == (persists ? .idle : .closing))
        let first = reading.text.prefix(before: "answer 1")
        let fields = first.split(separator: "\r\n").filter { $0.hasPrefix("Connection: ") }
        #expect(fields == (field.isEmpty ? [] : ["Connection: \(field)"]))
    }

    @Test("requests behind Connection: close are ignored, and its answer still leaves")
    func behindClose() {
        var connection = HTTPConnection(limits: HTTPLimits())
        let events = connection.feed(
            "GET /1 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(events.count == 1)
        #expect(connection.mayRead == false)
        #expect(connection.phase == .closing)
        #expect(connection.closesWhenDrained == false)
        connection.answer(1, "1")
        #expect(connection.closesWhenDrained == true)
        #expect(connection.takeText().answerBodies == ["1"])
    }

    @Test("winding up: an idle connection is to be closed at once")
    func windUpIdle() {
        var connection = HTTPConnection(limits: HTTPLimits())
        #expect(connection.closesWhenDrained == false)
        connection.closeAfterAnswers()
        #expect(connection.closesWhenDrained == true)
        #expect(connection.mayRead == false)
        #expect(connection.feed("GET / HTTP/1.1\r\nHost: h\r\n\r\n") == [])
    }

    @Test("winding up: the last answer owed says so")
    func windUpOwed() {
        var connection = HTTPConnection(limits: HTTPLimits())
        _ = connection.feed("GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n")
        connection.closeAfterAnswers()
        #expect(connection.mayRead == false)
        connection.answer(1, "1")
        #expect(connection.takeText().occurrences(of: "Connection: close") == 0)
        #expect(connection.closesWhenDrained == false)
        connection.answer(2, "2")
        #expect(connection.takeText().occurrences(of: "Connection: close") == 1)
        #expect(connection.closesWhenDrained == true)
    }

    @Test("winding up: a request that is half read is still taken, the next is not")
    func windUpReading() {
        var connection = HTTPConnection(limits: HTTPLimits())
        _ = connection.feed("GET /1 HTTP/1.1\r\nHost: h\r\n\r\nPOST /2 HTTP/1.1\r\nHost: h\r\nContent-Le")
        connection.closeAfterAnswers()
        #expect(connection.mayRead == true)
        connection.answer(1, "1")
        #expect(connection.takeText().occurrences(of: "Connection: close") == 0)
        let events = connection.feed("ngth: 2\r\n\r\nabGET /3 HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(events.count == 1)
        #expect(connection.closesWhenDrained == false)
        connection.answer(2, "2")
        #expect(connection.takeText().occurrences(of: "Connection: close") == 1)
        #expect(connection.closesWhenDrained == true)
    }

    @Test("winding up H-27: requests that begin within the input that has come are taken, one behind it is not")
    func windUpBehindInput() {
        let first = "GET /1 HTTP/1.1\r\nHost: h\r\n\r\n"
        let second = "POST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab"
        let third = "GET /3 HTTP/1.1\r\nHost: h\r\n\r\n"
        // The counted input ends with the second request or within it. In the second case that request is half read and
        // still taken. This holds for every split.
        for counted in [first.utf8.count + 1, first.utf8.count + second.utf8.count] {
            for chunk in [1, 7, 1_000] {
                var connection = HTTPConnection(limits: HTTPLimits())
                connection.closeAfterAnswers(behind: counted)
                #expect(connection.expectsInput && connection.mayRead && !connection.closesWhenDrained)
                var events: [HTTPEvent] = []
                var rest = Array((first + second + third).utf8)[...]
                while !rest.isEmpty {
                    events += connection.feed(String(decoding: rest.prefix(chunk), as: UTF8.self))
                    rest = rest.dropFirst(chunk)
                }
                #expect(events.count == 2, "\(counted) \(chunk)")
                #expect(!connection.expectsInput && connection.phase == .closing)
                connection.answer(1, "1")
                #expect(connection.takeText().occurrences(of: "Connection: close") == 0)
                connection.answer(2, "2")
                #expect(connection.takeText().occurrences(of: "Connection: close") == 1)
                #expect(connection.closesWhenDrained == true)
            }
        }
    }

    @Test("winding up: what is expected can be said anew")
    func windUpAnew() {
        var connection = HTTPConnection(limits: HTTPLimits())
        connection.closeAfterAnswers(behind: .max)
        #expect(connection.feed("GET /1 HTTP/1.1\r\nHost: h\r\n\r\n").count == 1)
        #expect(connection.expectsInput == true)
        connection.closeAfterAnswers(behind: -1)
        #expect(!connection.expectsInput && !connection.closesWhenDrained)
        connection.answer(1, "1")
        #expect(connection.closesWhenDrained == true)
        connection.closeAfterAnswers(behind: 100)
        #expect(!connection.expectsInput && connection.closesWhenDrained)
    }

    @Test("H-26: the deadline in a head or a body is 408 and the end")
    func timeout() {
        for partial in [
            "P", "POST / HTTP/1.1\r\nHost: h\r\n", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\na",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n",
        ] {
            var connection = HTTPConnection(limits: HTTPLimits(), crossOrigin: .any)
            _ = connection.feed("GET / HTTP/1.1\r\nHost: h\r\n\r\n" + partial)
            let refused = connection.encodeTimeout()
            #expect(refused)
            #expect(connection.hasOutput == false)
            connection.answer(1, "1")
            let text = connection.takeText()
            #expect(text.answerBodies == ["1", "408 Request Timeout\n"])
            #expect(text.occurrences(of: "Access-Control-Allow-Origin: *") == 2)
            #expect(text.occurrences(of: "Connection: close") == 1)
            #expect(connection.closesWhenDrained == true)
            let again = connection.encodeTimeout()
            #expect(!again)
            #expect(connection.feed("\r\n\r\n") == [])
        }
    }

    @Test("a 408 names the listed origin of the request that did not arrive")
    func timeoutOrigin() {
        for end in ["", "Content-Length: 2\r\n\r\na"] {
            var connection = HTTPConnection(
                limits: HTTPLimits(), crossOrigin: .list(["https://a.test"], credentials: false))
            _ = connection.feed("POST / HTTP/1.1\r\nHost: h\r\nOrigin: https://a.test\r\n" + end)
            connection.encodeTimeout()
            #expect(connection.takeText().contains("Access-Control-Allow-Origin: https://a.test\r\n"))
        }
    }

    @Test("an idle connection is not told of a deadline: the client would take it for its next answer")
    func timeoutIdle() {
        var connection = HTTPConnection(limits: HTTPLimits())
        let refused = connection.encodeTimeout()
        #expect(!refused)
        #expect(connection.hasOutput == false)
        #expect(connection.phase == .idle)
    }
}

extension String {
    /// The text before the first `text`.
    func prefix(before text: String) -> String {
        guard let found = Substring(self).range(of: text) else { return self }
        return String(self[..<found.lowerBound])
    }
}
