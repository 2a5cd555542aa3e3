import Testing

@testable import HTTPWire

/// The requests of real clients, from recorded conversations.
struct RealRequestsTests {
    @Test("each is one request, however it arrives", arguments: RealRequests.all.map(\.name))
    func everyClient(name: String) throws {
        let bytes = try #require(RealRequests.all.first { $0.name == name }).bytes
        let reading = ChunkingVerifier(crossOrigin: .any).verify(bytes)
        let request = try #require(reading.requests.first)
        #expect(reading.events.count == 1)
        #expect(request.head.path == "/http-bind")
        #expect(request.body.isEmpty || request.body.starts(with: Array("<body".utf8)))
        #expect(request.body.isEmpty || request.body.last == UInt8(ascii: ">"))
        #expect(reading.text.contains("Access-Control-Allow-Origin: *"))
    }

    @Test("the session of one browser on one connection")
    func chromium() {
        let reading = ChunkingVerifier().verify(
            RealRequests.chromiumPreflight + RealRequests.chromiumCreation + RealRequests.chromiumPoll, stride: 3)
        #expect(reading.requests.map(\.head.method) == [.options, .post, .post])
        #expect(reading.requests.allSatisfy { $0.head.origin == "http://127.0.0.1:8000" })
        #expect(reading.requests.allSatisfy { $0.head.acceptedCoding == .gzip })
        #expect(reading.requests.map(\.body.count) == [0, 209, 111])
        #expect(!reading.closes)
    }

    @Test("L-13: libpurple names a media type as the content coding, which is none, and pipelines")
    func libpurple() {
        let reading = ChunkingVerifier(answersAtOnce: false).verify(
            RealRequests.libpurpleCreation + RealRequests.libpurpleTerminate)
        #expect(reading.requests.map(\.head.coding) == [.identity, .identity])
        #expect(reading.text.answerBodies == ["answer 1", "answer 2"])
    }

    @Test("H-02, H-14: gloox over HTTP/1.0 gets one answer and the close")
    func glooxLegacy() {
        let reading = ChunkingVerifier().verify(RealRequests.glooxLegacy)
        #expect(reading.requests.first?.head.version == .http10)
        #expect(reading.closes)
        #expect(reading.text.contains("Connection: close\r\n"))
    }

    @Test("H-12: gloox pipelines behind its poll")
    func glooxPipelining() {
        var connection = HTTPConnection(limits: HTTPLimits())
        var offset = 0
        let bytes = RealRequests.glooxPipelinedFirst + RealRequests.glooxPipelinedSecond
        for exchange: UInt64 in 1...2 {
            guard case .request(let request) = connection.next(bytes.span, offset: &offset) else {
                Issue.record("exchange \(exchange) is missing")
                return
            }
            #expect(request.exchange == exchange)
        }
        #expect(offset == bytes.count)
        #expect(connection.openExchanges == [1, 2])
        #expect(connection.mayRead == true)
    }
}
