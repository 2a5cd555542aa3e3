import Testing

@testable import holdfast_bench

@Suite struct ReplyParserTests {
    private static let replies = [
        ReplyParser.Reply(status: 200, body: Array("<body/>".utf8), isKeptAlive: true),
        ReplyParser.Reply(status: 404, body: [], isKeptAlive: true),
        ReplyParser.Reply(status: 200, body: Array("\r\n\r\nHTTP/1.1 ".utf8), isKeptAlive: false),
    ]
    private static let bytes = Array(
        ("HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 7\r\n\r\n<body/>"
            + "HTTP/1.1 404 Not Found\r\ncontent-length:0\r\n\r\n"
            + "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 13\r\n\r\n\r\n\r\nHTTP/1.1 ").utf8)

    private func parse(_ parts: [[UInt8]]) throws -> [ReplyParser.Reply] {
        var parser = ReplyParser()
        var found: [ReplyParser.Reply] = []
        for part in parts {
            parser.append(part.span)
            while let reply = try parser.next() { found.append(reply) }
        }
        #expect(!parser.isMidway)
        return found
    }

    @Test func `responses are cut whole, byte by byte and at every split`() throws {
        #expect(try parse([Self.bytes]) == Self.replies)
        #expect(try parse(Self.bytes.map { [$0] }) == Self.replies)
        for point in Self.bytes.indices {
            #expect(try parse([Array(Self.bytes[..<point]), Array(Self.bytes[point...])]) == Self.replies)
        }
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n", "SSH-2.0\r\n\r\n",
        "HTTP/1.1 abc OK\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", "HTTP/1.1 200 OK\r\nnonsense\r\n\r\n", "\r\n\r\n",
    ])
    func `what a connection manager does not send is refused`(_ text: String) {
        #expect(throws: ReplyParser.Malformed.self) { _ = try parse([Array(text.utf8)]) }
    }

    @Test func `an old server's connection is not used again`() throws {
        let reply = try parse([Array("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n".utf8)])
        #expect(reply.map(\.isKeptAlive) == [false])
    }
}
