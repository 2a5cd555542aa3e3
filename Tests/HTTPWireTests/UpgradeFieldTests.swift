import Testing

@testable import HTTPWire

/// The fields by which a GET request asks for another protocol.
@Suite struct UpgradeFieldTests {
    private static let request = """
        GET /ws HTTP/1.1\r
        Host: a\r
        Upgrade: websocket, \r
        connection:keep-alive, Upgrade\r
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r
        SEC-WEBSOCKET-VERSION: 13\r
        Sec-WebSocket-Protocol: chat\r
        Sec-WebSocket-Protocol: \r
        sec-websocket-protocol: xmpp\r
        Sec-WebSocket-Extensions: permessage-deflate\r
        \r

        """

    private func fields(of head: RequestHead) -> [String] {
        var fields: [String] = []
        head.eachUpgradeField { fields.append("\($0)=\(String(decoding: $1, as: UTF8.self))") }
        return fields
    }

    @Test("W-14: each line is kept, in order, however the request arrives")
    func keepsLines() throws {
        let head = try #require(ChunkingVerifier().verify(Self.request).requests.first?.head)
        #expect(
            fields(of: head) == [
                "upgrade=websocket,", "connection=keep-alive, Upgrade", "key=dGhlIHNhbXBsZSBub25jZQ==", "version=13",
                "protocols=chat", "protocols=", "protocols=xmpp",
            ])
        #expect(head.asksForUpgrade && head.keepAlive)
    }

    @Test("hostile case 25: those of other methods mean nothing")
    func ignoresOtherMethods() throws {
        for method in ["POST", "HEAD", "OPTIONS", "X"] {
            let text = Self.request.replacing("GET ", with: "\(method) ", maxReplacements: 1)
            let head = try #require(ChunkingVerifier().verify(text).requests.first?.head)
            #expect(fields(of: head).isEmpty && !head.asksForUpgrade)
        }
        let plain = try #require(
            ChunkingVerifier().verify("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").requests.first?.head)
        #expect(fields(of: plain) == ["connection=close"] && !plain.asksForUpgrade && !plain.keepAlive)
    }

    @Test("a request that is written again asks for the same")
    func isWrittenAgain() throws {
        let rules = HTTPRules(limits: HTTPLimits())
        for version in ["1.1", "1.0"] {
            let text = Self.request.replacing("HTTP/1.1", with: "HTTP/\(version)")
            var connection = HTTPConnection(rules: rules)
            var offset = 0
            let bytes = Array(text.utf8)
            guard case .request(let request)? = connection.next(bytes.span, offset: &offset) else {
                Issue.record("no request")
                return
            }
            var wire: [UInt8] = []
            connection.appendWire(request, to: &wire)
            #expect(wire.count <= bytes.count)
            var other = HTTPConnection(rules: rules)
            offset = 0
            guard case .request(let again)? = other.next(wire.span, offset: &offset) else {
                Issue.record("no request again")
                return
            }
            #expect(fields(of: again.head) == fields(of: request.head))
            #expect(again.head.keepAlive == request.head.keepAlive)
        }
    }
}
