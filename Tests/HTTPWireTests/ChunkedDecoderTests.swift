import Testing

@testable import HTTPWire

/// The chunked coding, valid and invalid (RFC 9112 §7.1).
struct ChunkedDecoderTests {
    private static let head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"

    private func body(_ coded: String, limit: Int = 1_000, sourceLocation: SourceLocation = #_sourceLocation) throws
        -> String
    {
        let verifier = ChunkingVerifier(limits: HTTPLimits(body: limit))
        // a request after it shows that exactly the right number of bytes was taken
        let reading = verifier.verify(
            Self.head + coded + "GET /next HTTP/1.1\r\nHost: h\r\n\r\n", sourceLocation: sourceLocation)
        #expect(reading.requests.last?.head.path == "/next", sourceLocation: sourceLocation)
        #expect(reading.events.count == 2, sourceLocation: sourceLocation)
        return String(decoding: try #require(reading.requests.first).body, as: UTF8.self)
    }

    private func refusal(
        _ coded: String, limit: Int = 1_000, sourceLocation: SourceLocation = #_sourceLocation
    ) -> HTTPFault? {
        let reading = ChunkingVerifier(limits: HTTPLimits(body: limit)).verify(
            Self.head + coded + "GET /next HTTP/1.1\r\nHost: h\r\n\r\n", sourceLocation: sourceLocation)
        #expect(reading.requests.isEmpty, sourceLocation: sourceLocation)
        return reading.faults.first
    }

    @Test func wellFormed() throws {
        #expect(try body("0\r\n\r\n") == "")
        #expect(try body("000\r\n\r\n") == "")
        #expect(try body("3\r\nabc\r\n0\r\n\r\n") == "abc")
        #expect(try body("1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n") == "abc")
        #expect(try body("00000000000000A\r\n0123456789\r\n0\r\n\r\n") == "0123456789")
        #expect(try body("1a\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\n") == "abcdefghijklmnopqrstuvwxyz")
        #expect(try body("4\r\n\r\n\r\n\r\n0\r\n\r\n") == "\r\n\r\n")
    }

    @Test("extensions and trailers are passed over")
    func extensionsAndTrailers() throws {
        #expect(try body("1;\r\na\r\n0;last\r\n\r\n") == "a")
        #expect(try body("1;a=b;c=\"d;\te\"; f = g\r\na\r\n0\r\n\r\n") == "a")
        #expect(
            try body("1\r\na\r\n0\r\nA: b\r\nContent-Length: 99\r\nTransfer-Encoding:chunked\r\nEmpty:\r\n\r\n") == "a")
    }

    @Test("sizes that other parsers read in other ways")
    func badSizes() {
        let sizes = [
            "", " ", "+5", "-5", "0x5", "0X5", "5 ", " 5", "5\t", "_5", "5_0", "5,", "g", "5h", "\u{0}5", "5\u{0}",
            ";a",
            "5\r5", "5.0", "٥", "\"5\"", "5 ;a", "00000000000000005", "FFFFFFFFFFFFFFFFF", "10000000000000000",
        ]
        for size in sizes {
            let fault = refusal("\(size)\r\nhello\r\n0\r\n\r\n")
            #expect(fault == .badChunk, "\(size.debugDescription)")
        }
    }

    @Test("lines that end with anything but CRLF")
    func badLineEnds() {
        let bodies = [
            "5\nhello\r\n0\r\n\r\n", "5\r\nhello\n0\r\n\r\n", "5\r\nhello0\r\n\r\n", "5\r\nhello\r0\r\n\r\n",
            "5\r\nhelloo\r\n0\r\n\r\n", "5\r\nhell\r\n0\r\n\r\n", "5\r\r\nhello\r\n0\r\n\r\n",
            "5\r\nhello\r\r\n0\r\n\r\n",
            "5;a\nb\r\nhello\r\n0\r\n\r\n", "5;a\rb\r\nhello\r\n0\r\n\r\n", "5;a\u{0}\r\nhello\r\n0\r\n\r\n",
            "5;\u{7F}\r\nhello\r\n0\r\n\r\n", "0\n\r\n", "0\r\r\n\r\n",
        ]
        for body in bodies { #expect(refusal(body) == .badChunk, "\(body.debugDescription)") }
    }

    @Test("trailers that are no field lines")
    func badTrailers() {
        let trailers = [
            "\n", "X\r\n\r\n", "X : a\r\n\r\n", " X: a\r\n\r\n", ": a\r\n\r\n", "X: a\n\r\n", "X: a\r\rb\r\n\r\n",
            "X: a\u{0}\r\n\r\n", "X: a\r\n b\r\n\r\n", "\r\r\n", "X\u{0}: a\r\n\r\n",
        ]
        for trailer in trailers { #expect(refusal("0\r\n" + trailer) == .badTrailer, "\(trailer.debugDescription)") }
    }

    @Test("H-23: the body limit holds for the sum, and at once for a size announced")
    func bodyLimit() throws {
        #expect(try body("5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n", limit: 10) == "helloworld")
        #expect(refusal("5\r\nhello\r\n6\r\nworld!\r\n0\r\n\r\n", limit: 10) == .bodyTooLarge)
        #expect(refusal("7FFFFFFFFFFFFFFF\r\n", limit: 10) == .bodyTooLarge)
        #expect(refusal("FFFFFFFFFFFFFFFF\r\n", limit: 10) == .bodyTooLarge)
        #expect(refusal("1\r\na\r\nFFFFFFFFFFFFFFFF\r\n", limit: .max) == .bodyTooLarge)
        #expect(try body("0\r\n\r\n", limit: 0) == "")
        #expect(refusal("1\r\na\r\n0\r\n\r\n", limit: 0) == .bodyTooLarge)
    }

    @Test("the line of a chunk is bounded")
    func lineLimit() {
        let longest = String(repeating: "x", count: HTTPLimits.chunkLine - 2)
        let coded = "1;\(longest)\r\na\r\n0\r\n\r\n"
        let verifier = ChunkingVerifier()
        #expect(verifier.verify(Self.head + coded).requests.first?.body == [UInt8(ascii: "a")])
        #expect(refusal("1;x\(longest)\r\na\r\n0\r\n\r\n") == .badChunk)
    }

    @Test("extensions are bounded over the whole body, where each line is within its bound")
    func extensionLimit() {
        let chunk = "1;\(String(repeating: "x", count: 127))\r\na\r\n"
        let within = HTTPLimits.chunkExtensions / 128
        let verifier = ChunkingVerifier()
        let fair = Array((Self.head + String(repeating: chunk, count: within) + "0\r\n\r\n").utf8)
        #expect(verifier.verify(fair, stride: 997).requests.first?.body.count == within)
        let foul = Array((Self.head + String(repeating: chunk, count: within + 1) + "0\r\n\r\n").utf8)
        #expect(verifier.verify(foul, stride: 997).faults == [.badChunk])
    }

    @Test("the trailer section is bounded at the exact byte")
    func trailerLimit() {
        let verifier = ChunkingVerifier()
        for (excess, faults) in [(0, []), (1, [HTTPFault.trailerTooLarge])] {
            let value = String(repeating: "x", count: HTTPLimits.trailer - "X:\r\n\r\n".utf8.count + excess)
            let reading = verifier.verify(Array((Self.head + "0\r\nX:\(value)\r\n\r\n").utf8), stride: 997)
            #expect(reading.faults == faults)
        }
    }

    @Test("memory follows what arrives, not what is announced")
    func announcedSize() {
        var decoder = ChunkedDecoder()
        var body: [UInt8] = []
        var offset = 0
        let input = Array("3FFFFFFFFFFFFFFF\r\nabc".utf8)
        #expect(decoder.decode(input.span, offset: &offset, into: &body, limit: .max) == .needsMore)
        #expect(body == Array("abc".utf8))
        #expect(body.capacity < 4_096)
    }
}
