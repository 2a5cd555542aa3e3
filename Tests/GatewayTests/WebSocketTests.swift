import Glibc
import TestSupport
import Testing

/// Sessions over WebSocket, from `<open/>` to the end.
@Suite struct WebSocketTests {
    private let server: ScriptedUpstream
    private let daemon: Daemon
    private let peer: WebSocketPeer

    init() throws {
        server = try ScriptedUpstream()
        daemon = try Daemon(upstream: server.port)
        peer = try WebSocketPeer(daemon)
    }

    @Test("W-04 W-40 W-41: the first messages, in the spelling that Strophe reads")
    func opens() throws {
        try peer.send(
            "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='example.org' version='1.0' xml:lang='de' from='u@example.org'/>"
        )
        let stream = try server.accept()
        let header = try stream.open(id: "s&quot;1")
        #expect(header.contains(" to='example.org'") && header.contains(" xml:lang='de'"))
        #expect(
            try peer.text()
                == "<open xmlns=\"urn:ietf:params:xml:ns:xmpp-framing\" from=\"example.org\" id=\"s&quot;1\" "
                + "to=\"u@example.org\" version=\"1.0\" xml:lang=\"de\"/>")
        let features = try peer.text()
        #expect(
            features.hasPrefix("<stream:features xmlns:stream=\"http://etherx.jabber.org/streams\"><mechanisms "))
        #expect(try daemon.statistics().number("websockets.now") == 1)
        #expect(try daemon.statistics().number("sessions.now") == 1)
    }

    @Test("W-03 W-12 R-16: each element is a message; what is not a stanza passes unchanged")
    func passes() throws {
        let stream = try peer.open(on: server)
        let elements = [
            "<message xmlns='jabber:client' to='b@example.org'><body>ü</body></message>", "<iq type='get' id='1'/>",
            "<enable xmlns='urn:xmpp:sm:3' resume='true'/>", "<r xmlns='urn:xmpp:sm:3'/>",
            "<active xmlns='urn:xmpp:csi:0'/>", "<a:x xmlns:a='urn:x' a:b='c'/>",
        ]
        for element in elements {
            try peer.send(element)
            #expect(try stream.read(until: ">").contains(element.split(separator: ">")[0].dropFirst()))
            if element.contains("body") { _ = try stream.read(until: "</message>") }
        }
        try stream.send("<message><body>a</body></message> <r xmlns='urn:xmpp:sm:3'/><presence from='b@example.org'/>")
        #expect(try peer.text() == "<message xmlns='jabber:client'><body>a</body></message>")
        #expect(try peer.text() == "<r xmlns='urn:xmpp:sm:3'/>")
        #expect(try peer.text() == "<presence xmlns='jabber:client' from='b@example.org'/>")
    }

    @Test("W-25 W-32: fragments, as Chromium sends long messages, and frames between them")
    func takesFragments() throws {
        let stream = try peer.open(on: server)
        try peer.logIn(on: stream)
        let message = "<message><body>" + String(repeating: "x", count: 300_000) + "</body></message>"
        let bytes = Array(message.utf8)
        for start in stride(from: 0, to: bytes.count, by: 131_000) {
            let end = min(start + 131_000, bytes.count)
            try peer.send(
                WebSocketPeer.frame(Array(bytes[start..<end]), opcode: start == 0 ? 1 : 0, isFinal: end == bytes.count))
            if start == 0 { try peer.send(WebSocketPeer.frame([7], opcode: 9)) }
        }
        try peer.send("<presence/>")
        #expect(try peer.next() == .pong([7]))
        #expect(try stream.read(until: "<presence/>").hasSuffix(message + "<presence/>"))
    }

    @Test("W-42: white space, an XML declaration, stanzas without a namespace")
    func isLenient() throws {
        let stream = try peer.open(on: server)
        for text in [" ", "\n\t", "<?xml version='1.0'?><presence/>", "  <iq id='1'/>"] { try peer.send(text) }
        #expect(try stream.read(until: "<iq id='1'/>") == "<presence/><iq id='1'/>")
    }

    @Test(
        "W-42 W-43 W-44 W-45: what is refused, each with its condition, and a clean end at the server",
        arguments: [
            ("<a/><b/>", "not-well-formed"), ("<a>", "not-well-formed"), ("text", "not-well-formed"),
            ("<a/> ", "not-well-formed"), ("<a/>\u{FFFE}", "not-well-formed"), ("<a><b></a>", "not-well-formed"),
            ("<a:b/>", "not-well-formed"), ("</stream:stream>", "not-well-formed"),
            ("<!DOCTYPE a><a/>", "restricted-xml"), ("<iq><!-- c --></iq>", "restricted-xml"),
            ("<iq>&lol;</iq>", "restricted-xml"), ("<?a b?><iq/>", "restricted-xml"),
            ("<foreign/>", "invalid-namespace"), ("<message xmlns=''/>", "invalid-namespace"),
            ("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", "policy-violation"),
            ("<t:starttls xmlns:t='urn:ietf:params:xml:ns:xmpp-tls'/>", "policy-violation"),
            ("<compress xmlns='http://jabber.org/protocol/compress'/>", "policy-violation"),
            ("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>", "policy-violation"),
            ("<stream:stream xmlns:stream='http://etherx.jabber.org/streams'/>", "policy-violation"),
            ("<other xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>", "policy-violation"),
        ])
    func refuses(text: String, condition: String) throws {
        let stream = try peer.open(on: server)
        try peer.send(text)
        let error = try peer.text()
        #expect(error.contains("><\(condition) xmlns=\"urn:ietf:params:xml:ns:xmpp-streams\"/><"), "\(text)")
        #expect(try peer.rest() == [.text(WebSocketPeer.goodbye), .close(1000)])
        #expect(try stream.wire.readToEnd() == "</stream:stream>")
    }

    @Test("W-05 W-43: domains that are not served, and streams that begin with something else")
    func refusesOpenings() throws {
        try peer.send("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='evil&apos;/>&lt;message'/>")
        #expect(try peer.text().hasPrefix("<open xmlns=\"urn:ietf:params:xml:ns:xmpp-framing\" id="))
        #expect(try peer.text().contains("<host-unknown "))
        #expect(try peer.rest() == [.text(WebSocketPeer.goodbye), .close(1000)])
        let other = try WebSocketPeer(daemon)
        try other.send("<iq xmlns='jabber:client'/>")
        #expect(try other.rest() == [.text(WebSocketPeer.goodbye), .close(1002)])
        #expect(try server.isUntouched)
    }

    @Test("W-07 W-51: presence, <close/> and the end of the socket in one read, all in order")
    func closes() throws {
        let stream = try peer.open(on: server)
        try peer.send(
            WebSocketPeer.frame(Array("<presence type='unavailable'/>".utf8))
                + WebSocketPeer.frame(Array(WebSocketPeer.goodbye.utf8)) + WebSocketPeer.close(nil))
        #expect(try stream.wire.readToEnd() == "<presence type='unavailable'/></stream:stream>")
        #expect(try peer.rest() == [.text(WebSocketPeer.goodbye), .close(1000)])
        #expect(try peer.wire.readToEnd().isEmpty)
        #expect(try daemon.statistics().number("sessions.ended.terminated") == 1)
    }

    @Test("W-29 W-50: a Close frame without <close/> is answered with its code, and ends the stream")
    func isClosed() throws {
        let stream = try peer.open(on: server)
        try peer.send(WebSocketPeer.close(1001))
        #expect(try peer.rest() == [.close(1001)])
        #expect(try stream.wire.readToEnd() == "</stream:stream>")
        try daemon.wait(until: "sessions.ended.client-lost", is: 1)
        #expect(try daemon.errors.contains("client_code=1001"))
    }

    @Test(
        "W-12 W-50: a lost client with XEP-0198 leaves its stream to the server, one without does not",
        arguments: [true, false])
    func losesClient(isResumable: Bool) throws {
        let stream = try peer.open(on: server)
        try peer.logIn(on: stream)
        try stream.send("<enabled xmlns='urn:xmpp:sm:3' id='x'\(isResumable ? " resume='true'" : "")/>")
        #expect(try peer.text().hasPrefix("<enabled"))
        peer.wire.close()
        #expect(try stream.wire.readToEnd() == (isResumable ? "" : "</stream:stream>"))
        try daemon.wait(until: "sessions.ended.client-lost", is: 1)
        #expect(try daemon.statistics().number("websockets.dropped_for_resumption") == (isResumable ? 1 : 0))
    }

    @Test("hostile case 20: <enabled/> from the client does not make the stream resumable")
    func ignoresClientsClaim() throws {
        let stream = try peer.open(on: server)
        try peer.send("<enabled xmlns='urn:xmpp:sm:3' resume='true'/>")
        _ = try stream.read(until: "/>")
        peer.wire.close()
        #expect(try stream.wire.readToEnd() == "</stream:stream>")
    }

    @Test("W-38 T-12: what no pong proves goes back to its senders")
    func returnsUnproven() throws {
        let stream = try peer.open(on: server)
        try peer.logIn(on: stream)
        try stream.send("<message from='a@example.org/x' type='chat' id='1'><body>one</body></message>")
        #expect(try peer.text().contains("one"))
        guard case .ping(let payload) = try peer.next() else { throw TestFault("no ping") }
        try peer.send(WebSocketPeer.frame(payload, opcode: 10))
        try daemon.settle()
        try stream.send("<message from='a@example.org/x' type='chat' id='2'><body>two</body></message>")
        #expect(try peer.text().contains("two"))
        peer.wire.close()
        let returned = try stream.wire.readToEnd()
        #expect(returned.contains("id='2'") && returned.contains("type='error'") && !returned.contains("id='1'"))
        #expect(returned.hasSuffix("</stream:stream>"))
    }

    @Test("W-56: pings, their answers and messages in pieces are counted")
    func countsFramesAndPongs() throws {
        let stream = try peer.open(on: server)
        try peer.logIn(on: stream)
        let before = try daemon.statistics()
        let (pings, pongs) = try (before.number("websockets.pings"), before.number("websockets.pongs"))
        try peer.send(WebSocketPeer.frame(Array("<message id='".utf8), isFinal: false))
        try peer.send(WebSocketPeer.frame([], opcode: 9))
        try peer.send(WebSocketPeer.frame(Array("one'/>".utf8), opcode: 0))
        try peer.send("<message id='two'/>")
        _ = try stream.read(until: "'two'/>")
        guard case .pong = try peer.next() else { throw TestFault("no pong") }
        try stream.send("<message from='a@example.org/x' type='chat' id='1'><body>one</body></message>")
        _ = try peer.text()
        guard case .ping(let payload) = try peer.next() else { throw TestFault("no ping") }
        try daemon.wait(until: "websockets.pings", is: pings + 1)
        #expect(try daemon.statistics().number("websockets.pongs") == pongs)
        // An answer that belongs to no ping is none.
        try peer.send(WebSocketPeer.frame([1, 2, 3], opcode: 10) + WebSocketPeer.frame(payload, opcode: 10))
        try daemon.wait(until: "websockets.pongs", is: pongs + 1)
        #expect(try daemon.statistics().number("websockets.in_pieces") == 1)
    }

    @Test("W-06 W-50: the server's own error and its goodbye")
    func serverEnds() throws {
        let stream = try peer.open(on: server)
        try stream.send(
            "<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>")
        #expect(
            try peer.text()
                == "<stream:error xmlns:stream=\"http://etherx.jabber.org/streams\">"
                + "<conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>")
        #expect(try peer.rest() == [.text(WebSocketPeer.goodbye), .close(1000)])
        let other = try WebSocketPeer(daemon)
        try other.open(on: server).send("</stream:stream>")
        #expect(try other.rest() == [.text(WebSocketPeer.goodbye), .close(1000)])
    }

    @Test("W-52 W-53 hostile case 24: a server that is lost, in the middle of a stanza, or not there")
    func losesServer() throws {
        let stream = try peer.open(on: server)
        try stream.send("<message><body>half")
        stream.wire.close()
        #expect(try peer.rest() == [.close(1012)])
        server.stopListening()
        let other = try WebSocketPeer(daemon)
        try other.send(WebSocketPeer.opening)
        #expect(try other.rest() == [.text(WebSocketPeer.goodbye), .close(1013)])
    }

    @Test("W-55: the program ends")
    func shutsDown() throws {
        let stream = try peer.open(on: server)
        let resumable = try WebSocketPeer(daemon)
        let kept = try resumable.open(on: server)
        try resumable.logIn(on: kept)
        try kept.send("<enabled xmlns='urn:xmpp:sm:3' id='x' resume='true'/>")
        _ = try resumable.text()
        daemon.send(SIGTERM)
        #expect(try peer.text().contains("<system-shutdown "))
        #expect(try peer.rest() == [.text(WebSocketPeer.goodbye), .close(1001)])
        #expect(try stream.wire.readToEnd() == "</stream:stream>")
        #expect(try resumable.rest() == [.close(1012)])
        #expect(try kept.wire.readToEnd().isEmpty)
        for client in [peer, resumable] { try client.send(WebSocketPeer.close(1000)) }
        #expect(try daemon.waitUntilEnded() == .code(0))
    }

    @Test("W-36: a ping goes out when nothing was sent for a while")
    func pings() throws {
        let quick = try Daemon(upstream: server.port, environment: ["HOLDFAST_WEBSOCKET_PING": "1"])
        let client = try WebSocketPeer(quick)
        let stream = try client.open(on: server)
        defer { stream.wire.close() }
        let first = try client.next()
        guard case .ping(let payload) = first else { throw TestFault("\(first) instead of a ping") }
        #expect(payload.count == 4)
        try client.send(WebSocketPeer.frame(payload, opcode: 10))
        #expect(try client.next() != .ping(payload))
    }

    @Test("W-47: a server that reads nothing stops its client, and gets everything once it reads")
    func slowsClient() throws {
        let small = try Daemon(
            upstream: server.port,
            environment: ["HOLDFAST_SESSION_BUFFER": "262144", "HOLDFAST_WEBSOCKET_PING": "0"])
        let client = try WebSocketPeer(small)
        let stream = try client.open(on: server)
        try client.logIn(on: stream)
        let filling = String(repeating: "x", count: 10_000)
        let flood = try client.wire.flood(small) { number in
            WebSocketPeer.frame(Array("<message><body>\(number) \(filling)</body></message>".utf8))
        }
        for number in 0..<flood.whole {
            #expect(try stream.read(until: "</message>").contains("<body>\(number) x"))
        }
    }

    /// Has the server send numbered messages until the client, who reads nothing, has more to read than the program can
    /// write.
    @discardableResult
    private func flood(_ stream: ScriptedStream, _ daemon: Daemon) throws -> ByteStream.Flood {
        let filling = String(repeating: "x", count: 10_000)
        return try stream.wire.flood(daemon) { Array("<message><body>\($0) \(filling)</body></message>".utf8) }
    }

    @Test("W-47: who reads nothing for the whole of send-timeout is cut off, and the others are served")
    func stalled() throws {
        let quick = try Daemon(upstream: server.port, environment: ["HOLDFAST_SEND_TIMEOUT": "1"])
        let client = try WebSocketPeer(quick)
        let stream = try client.open(on: server)
        try client.logIn(on: stream)
        try flood(stream, quick)
        try quick.wait(until: "sessions.ended.client-stalled", is: 1)
        let other = try WebSocketPeer(quick)
        try other.open(on: server).wire.close()
    }

    @Test("W-27 W-30: the answer to a ping that waits is not sent behind a Close frame")
    func pongBeforeClose() throws {
        let small = try Daemon(upstream: server.port, environment: ["HOLDFAST_SESSION_BUFFER": "262144"])
        let client = try WebSocketPeer(small)
        let stream = try client.open(on: server)
        try client.logIn(on: stream)
        try flood(stream, small)
        try client.send(WebSocketPeer.frame([1, 2, 3], opcode: 9))
        try small.settle()
        try client.send(WebSocketPeer.close(1001))
        #expect(try client.rest().last == .close(1001))
        #expect(try client.wire.readToEnd().isEmpty)
    }

    @Test("W-47: a client that reads nothing stops its server, and gets everything once it reads")
    func slowsServer() throws {
        let small = try Daemon(upstream: server.port, environment: ["HOLDFAST_SESSION_BUFFER": "262144"])
        let client = try WebSocketPeer(small)
        let stream = try client.open(on: server)
        try client.logIn(on: stream)
        let flood = try flood(stream, small)
        try small.settle()
        #expect(try small.statistics().number("memory.held") < 2_000_000)
        for number in 0..<flood.whole {
            #expect(try client.text().hasPrefix("<message xmlns='jabber:client'><body>\(number) x"))
        }
    }
}
