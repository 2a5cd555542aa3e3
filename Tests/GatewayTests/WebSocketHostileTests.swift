import TestSupport
import Testing

/// Clients that break the rules of frames, or take more than their share. Frames by themselves are tested in
/// `WebSocketWireTests`; here is what the client and the server are told.
@Suite struct WebSocketHostileTests {
    private let server: ScriptedUpstream
    private let daemon: Daemon

    init() throws {
        server = try ScriptedUpstream()
        daemon = try Daemon(upstream: server.port)
    }

    @Test(
        "W-23 W-24 W-25 W-26 W-29 W-31: each fault closes with its code, and nothing of the message reaches the server",
        arguments: [
            ([0x81, 2, 0x3C, 0x3E], 1002), ([0xC1, 0x80], 1002), ([0x83], 1002), ([0x8B], 1002), ([0x80], 1002),
            ([0x81, 0xFE, 0, 5], 1002), ([0x81, 0xFF, 0x80], 1002), ([0x09], 1002), ([0x89, 0xFE], 1002),
            ([0x82], 1003), ([0x02], 1003), (WebSocketPeer.frame([0x3C, 0xFF]), 1007),
            (WebSocketPeer.frame([0x3C, 0xED, 0xA0], isFinal: false), 1007),
            (WebSocketPeer.frame([1], opcode: 8), 1002), (WebSocketPeer.close(999), 1002),
            (WebSocketPeer.close(1005), 1002),
            (WebSocketPeer.close(2999), 1002), (WebSocketPeer.frame([3, 0xE8, 0xFF], opcode: 8), 1002),
            (WebSocketPeer.frame([0x3C], isFinal: false) + WebSocketPeer.frame([0x3C]), 1002),
            (
                WebSocketPeer.frame([], isFinal: false)
                    + (0..<65).flatMap { _ in WebSocketPeer.frame([], opcode: 0, isFinal: false) }, 1008
            ),
        ] as [([UInt8], UInt16)])
    func closes(bytes: [UInt8], code: UInt16) throws {
        let peer = try WebSocketPeer(daemon)
        let stream = try peer.open(on: server)
        try peer.send(bytes)
        #expect(try peer.rest() == [.close(code)])
        #expect(try stream.wire.readToEnd() == "</stream:stream>")
        try daemon.wait(until: "sessions.ended.malformed-frame", is: 1)
    }

    @Test("W-23: a key of zeros is a key")
    func takesZeroKey() throws {
        let peer = try WebSocketPeer(daemon)
        let stream = try peer.open(on: server)
        try peer.send(WebSocketPeer.frame(Array("<presence/>".utf8), key: [0, 0, 0, 0]))
        #expect(try stream.read(until: "/>") == "<presence/>")
    }

    @Test("W-32 W-45 hostile cases 7, 21: a message that is too large is refused at its header, with a clean end")
    func refusesLargeMessage() throws {
        let strict = try Daemon(
            upstream: server.port, "--max-body", "20000", environment: ["HOLDFAST_LOGIN_BODY": "5000"])
        let early = try WebSocketPeer(strict)
        let stream = try early.open(on: server)
        try early.send([0x81, 0xFE, 0x13, 0x89])
        #expect(try early.text().contains("<policy-violation "))
        #expect(try early.rest() == [.text(WebSocketPeer.goodbye), .close(1009)])
        #expect(try stream.wire.readToEnd() == "</stream:stream>")

        let late = try WebSocketPeer(strict)
        let kept = try late.open(on: server)
        try late.logIn(on: kept)
        try kept.send("<enabled xmlns='urn:xmpp:sm:3' id='x' resume='true'/>")
        _ = try late.text()
        try late.send(WebSocketPeer.frame([UInt8](repeating: 0x20, count: 15_000), isFinal: false))
        try late.send([0x80, 0xFE, 0x13, 0x89])
        #expect(try late.text().contains("<policy-violation "))
        #expect(try late.rest() == [.text(WebSocketPeer.goodbye), .close(1009)])
        #expect(try kept.wire.readToEnd() == "</stream:stream>")
        try strict.wait(until: "sessions.ended.large-message", is: 2)
    }

    @Test("W-27 W-32 hostile case 10: a flood of pings is answered by one pong at a time, then ended; nothing grows")
    func survivesPings() throws {
        let peer = try WebSocketPeer(daemon)
        let stream = try peer.open(on: server)
        let ping = WebSocketPeer.frame([UInt8](repeating: 1, count: 125), opcode: 9)
        _ = try peer.wire.sendUntilCut((0..<2_000).flatMap { _ in ping })
        let frames = try peer.rest()
        #expect(frames.last == .close(1008))
        #expect(frames.count <= 101)
        #expect(try stream.wire.readToEnd() == "</stream:stream>")
        try daemon.wait(until: "websockets.now", is: 0)
    }

    @Test("W-30 hostile cases 12, 13: data behind Close counts for nothing, and who answers no Close is cut off")
    func endsDeafClients() throws {
        let peer = try WebSocketPeer(daemon)
        let stream = try peer.open(on: server)
        try peer.send(
            WebSocketPeer.close(1000) + WebSocketPeer.frame(Array("<presence/>".utf8)) + WebSocketPeer.close(1000))
        #expect(try peer.rest() == [.close(1000)])
        #expect(try stream.wire.readToEnd() == "</stream:stream>")

        let silent = try WebSocketPeer(daemon)
        try silent.open(on: server).send("</stream:stream>")
        #expect(try silent.rest() == [.text(WebSocketPeer.goodbye), .close(1000)])
        #expect(try silent.wire.readToEnd().isEmpty)
    }

    @Test("W-48 hostile case 22: a socket that says nothing is told so after a while")
    func endsSilentClients() throws {
        let quick = try Daemon(upstream: server.port, environment: ["HOLDFAST_LOGIN_TIMEOUT": "1"])
        let peer = try WebSocketPeer(quick)
        #expect(try peer.text().hasPrefix("<open "))
        #expect(try peer.text().contains("<connection-timeout "))
        #expect(try peer.rest() == [.text(WebSocketPeer.goodbye), .close(1008)])
    }

    @Test("hostile case 5: a message that trickles has the time of a body as a whole")
    func endsTrickle() throws {
        let quick = try Daemon(upstream: server.port, environment: ["HOLDFAST_BODY_TIMEOUT": "1"])
        let peer = try WebSocketPeer(quick)
        let stream = try peer.open(on: server)
        try peer.send([0x81])
        #expect(try peer.rest() == [.close(1008)])
        #expect(try stream.wire.readToEnd() == "</stream:stream>")
    }

    @Test("hostile case 14: nothing of a half message reaches the server, whatever ends the connection")
    func dropsHalfMessages() throws {
        for end in [{ try $0.wire.shutdownWrite() }, { try $0.wire.reset() }] as [(WebSocketPeer) throws -> Void] {
            let peer = try WebSocketPeer(daemon)
            let stream = try peer.open(on: server)
            try peer.send(
                WebSocketPeer.frame(Array("<presence/>".utf8))
                    + WebSocketPeer.frame(Array("<mess".utf8), isFinal: false))
            #expect(try stream.read(until: "/>") == "<presence/>")
            try end(peer)
            #expect(try stream.wire.readToEnd() == "</stream:stream>")
        }
    }

    @Test("hostile case 1: bytes behind a refused handshake are never read as a request")
    func readsNothingBehindRefusal() throws {
        let client = try daemon.connect()
        try client.send(
            WebSocketPeer.request(replacing: ["Sec-WebSocket-Version": ["Sec-WebSocket-Version: 8"]])
                + "GET /stats HTTP/1.1\r\nHost: localhost\r\n\r\n")
        #expect(try client.answer().status == 426)
        #expect(try client.wire.readToEnd().isEmpty)
    }

    @Test("hostile case 25: after 101 the bytes of HTTP are bad frames; an upgrade behind a held poll waits")
    func isNoHTTPAnyMore() throws {
        let peer = try WebSocketPeer(daemon)
        try peer.send(Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
        #expect(try peer.rest() == [.close(1002)])
    }
}
