import Testing

@testable import holdfast_bench

@Suite struct SocketClientTests {
    private func client() -> SocketClient {
        let profile = BOSHClient.Profile(path: "/ws", host: "h:1", domain: "d.test", hold: 1, wait: 60)
        var client = SocketClient(profile: profile, login: .plain(user: "u", password: "p"))
        client.start()
        return client
    }

    /// The messages and other frames that the client sends next, without their masks.
    private func sent(_ client: inout SocketClient) -> [String] {
        guard var bytes = client.nextRequest()?.bytes[...] else { return [] }
        var texts: [String] = []
        while let first = bytes.first {
            let length = Int(bytes[bytes.startIndex + 1] & 0x7F)
            var start = bytes.startIndex + 2
            var count = length
            if length == 126 {
                count = Int(bytes[start]) << 8 | Int(bytes[start + 1])
                start += 2
            }
            let key = Array(bytes[start..<(start + 4)])
            let payload = bytes[(start + 4)..<(start + 4 + count)].enumerated().map { $1 ^ key[$0 & 3] }
            texts.append((first == 0x8A ? "pong " : "") + String(decoding: payload, as: UTF8.self))
            bytes = bytes[(start + 4 + count)...]
        }
        return texts
    }

    private func answer(_ client: inout SocketClient, _ text: String, _ kind: LinkReply.Kind = .message) {
        _ = client.receive(LinkReply(kind: kind, body: Array(text.utf8), isKeptAlive: true), on: 0)
    }

    private static let opening = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='d.test' version='1.0'/>"

    @Test func `the login goes step by step`() throws {
        var client = client()
        var texts: [String] = []
        let first = client.nextRequest()
        let handshake = try #require(first)
        #expect(String(decoding: handshake.bytes, as: UTF8.self).hasPrefix("GET /ws HTTP/1.1\r\nHost: h:1\r\n"))
        let nothing = client.nextRequest()
        #expect(nothing == nil)
        answer(&client, "", .response(status: 101))
        texts = sent(&client)
        #expect(texts == [Self.opening])
        answer(&client, "<open xmlns='f'/>")
        texts = sent(&client)
        #expect(texts.isEmpty)
        answer(&client, "<stream:features><mechanism>PLAIN</mechanism></stream:features>")
        texts = sent(&client)
        #expect(texts.first?.contains("mechanism='PLAIN'>AHUAcA==</auth>") == true)
        answer(&client, "<success xmlns='x'/>")
        texts = sent(&client)
        #expect(texts == [Self.opening])
        answer(&client, "<open xmlns='f'/>")
        answer(&client, "<stream:features><bind xmlns='b'/></stream:features>")
        texts = sent(&client)
        #expect(texts.first?.hasPrefix("<iq ") == true)
        answer(&client, "<iq type='result' id='b'><bind><jid>a@d.test/r</jid></bind></iq>")
        #expect(client.phase == .ready && client.jid == Array("a@d.test/r".utf8))
        answer(&client, "\u{1}", .ping)
        client.send(Array(("<message>" + String(repeating: "x", count: 200) + "</message>").utf8))
        texts = sent(&client)
        #expect(texts.map { $0.prefix(9) } == ["pong \u{1}", "<message>"])
        client.terminate()
        texts = sent(&client)
        #expect(texts.first?.hasPrefix("<close ") == true)
        answer(&client, "", .close)
        #expect(client.phase == .ended)
        let isLost = client.loseConnection()
        #expect(!isLost)
    }

    @Test func `what goes wrong ends the session with its reason`() {
        var refused = client()
        _ = refused.nextRequest()
        answer(&refused, "", .response(status: 503))
        #expect(refused.phase == .failed("status 503"))
        var closed = client()
        answer(&closed, "", .response(status: 101))
        answer(&closed, "\u{3}\u{20}", .close)
        #expect(closed.phase == .failed("closed: [3, 32]"))
        var lost = client()
        let isLost = lost.loseConnection()
        #expect(isLost)
        #expect(lost.phase == .failed("the socket was lost"))
    }

    @Test func `frames are cut wherever they are split`() throws {
        let long = [UInt8](repeating: 0x78, count: 70_000)
        var bytes = Array("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n".utf8)
        bytes += [0x81, 2, 0x3C, 0x3E, 0x89, 0, 0x81, 126, 1, 0]
        bytes += long.prefix(256)
        bytes += [0x81, 127, 0, 0, 0, 0, 0, 1, 0x11, 0x70]
        bytes += long
        bytes += [0x88, 2, 3, 0xE8]
        for step in [1, 7, 4_096, bytes.count] {
            var parser = FrameParser()
            var kinds: [LinkReply.Kind] = []
            var sizes: [Int] = []
            for start in stride(from: 0, to: bytes.count, by: step) {
                parser.append(bytes.span.extracting(start..<min(start + step, bytes.count)))
                while let reply = try parser.next() {
                    kinds.append(reply.kind)
                    sizes.append(reply.body.count)
                }
            }
            #expect(kinds == [.response(status: 101), .message, .ping, .message, .message, .close])
            #expect(sizes == [0, 2, 0, 256, 70_000, 2])
            #expect(!parser.isMidway)
        }
        var wrong = FrameParser()
        wrong.append(Array("HTTP/1.1 101 x\r\n\r\n".utf8).span)
        _ = try wrong.next()
        wrong.append([0x81, 0x82].span)
        #expect(throws: ReplyParser.Malformed.self) { try wrong.next() }
    }
}
