import CLinux
import TestSupport
import Testing

/// Servers that keep everybody waiting. No test measures a limit. Each is short, and long enough for the other server of the
/// scene to open its stream on a busy machine.
@Suite struct HostileUpstreamDeadlineTests {
    @Test("S-17: a server that does not get on with the beginning of a stream", arguments: HostileDelay.openings)
    func opens(delay: HostileDelay) throws {
        let scene = try HostileScene(environment: ["HOLDFAST_UPSTREAM_CONNECT_TIMEOUT": "4"])
        let request = try BOSHClient(scene.daemon).create()
        let stream = try scene.server.accept()
        try delay.act(stream)
        try delay.expectRefusal(request, on: stream, scene)
    }

    @Test("X-19: a server that does not get on with STARTTLS", arguments: HostileDelay.handshakes)
    func handshakes(delay: HostileDelay) throws {
        let authority = try TLSIdentity.authority()
        let scene = try HostileScene(
            "starttls", trusting: authority, environment: ["HOLDFAST_UPSTREAM_CONNECT_TIMEOUT": "4"])
        let request = try BOSHClient(scene.daemon).create()
        let stream = try scene.server.accept()
        try delay.act(stream)
        try delay.expectRefusal(request, on: stream, scene)
    }

    @Test("X-18: a server that does not get on with TLS from the first byte on", arguments: HostileDelay.direct)
    func direct(delay: HostileDelay) throws {
        let authority = try TLSIdentity.authority()
        let scene = try HostileScene(
            "direct", trusting: authority, environment: ["HOLDFAST_UPSTREAM_CONNECT_TIMEOUT": "4"])
        let request = try BOSHClient(scene.daemon).create()
        let stream = try scene.server.accept()
        try delay.act(stream)
        try delay.expectRefusal(request, on: stream, scene)
    }

    @Test("S-17: a server whose queue of connections is full")
    func neverConnects() throws {
        let server = try ScriptedUpstream(backlog: 0)
        // It takes the only place in the queue.
        let other = try ByteStream(port: server.port)
        let daemon = try Daemon(
            upstream: server.port, environment: ["HOLDFAST_UPSTREAM_CONNECT_TIMEOUT": "4"])
        #expect(try BOSHClient(daemon).create().isTurnedAway())
        #expect(try daemon.statistics().number("sessions.now") == 0)
        #expect(daemon.isRunning)
        withExtendedLifetime(other) {}
    }

    @Test(
        "S-17: a server that begins a stanza and does not end it",
        arguments: zip(HostileDelay.stanzas, HostileDelay.stanzas.indices.map { Listening.allCases[$0 % 2] }))
    func stanzas(delay: HostileDelay, listening: Listening) throws {
        let scene = try HostileScene(environment: ["HOLDFAST_UPSTREAM_STANZA_TIMEOUT": "2"])
        let (client, stream) = try scene.join()
        try stream.send("<message id='m1'/>")
        let first = try client.exchange()
        #expect(first.payload == "<message xmlns='jabber:client' id='m1'/>")
        let held = listening == .held ? try client.send() : nil
        try delay.act(stream)
        try delay.drip(on: stream) { try scene.daemon.statistics().number("upstream.streams_now") == 2 }
        if listening == .absent { try scene.daemon.wait(until: "upstream.streams_now", is: 1) }
        let (payload, end) = try scene.fetchToEnd(client, from: try held ?? client.send())
        // The client gets nothing of it, although all of it might have come.
        #expect(payload == delay.pending)
        #expect(end.condition == "remote-connection-failed")
        #expect(try client.exchange().condition == "item-not-found")
        try scene.daemon.wait(until: "upstream.streams_now", is: 1)
        try scene.expectOthersUnharmed()
        withExtendedLifetime(stream) {}
    }

    @Test("S-17: a server that begins a stanza again and again, and ends each, is waited for")
    func endsEachStanza() throws {
        let scene = try HostileScene(environment: ["HOLDFAST_UPSTREAM_STANZA_TIMEOUT": "2"])
        let (client, stream) = try scene.join()
        // For longer than the limit there is always some unfinished stanza.
        try stream.send("<message id='0'>")
        for index in 1..<250 {
            Patience.pause()
            try stream.send("</message><message id='\(index)'>")
        }
        try stream.send("</message>")
        var payload = ""
        while !payload.hasSuffix("<message xmlns='jabber:client' id='249'></message>") {
            let answer = try client.exchange()
            #expect(!answer.isTerminal)
            payload += answer.payload
        }
        #expect(payload == (0..<250).map { "<message xmlns='jabber:client' id='\($0)'></message>" }.joined())
        #expect(try client.exchange("type='terminate'").isTerminal)
        stream.wire.close()
        try scene.daemon.wait(until: "upstream.streams_now", is: 1)
        try scene.expectOthersUnharmed()
    }

    @Test("R-13: a server that reads nothing for too long", arguments: [false, true])
    func writes(keepsTalking: Bool) throws {
        let scene = try HostileScene(
            receiveBuffer: 4_096, environment: ["HOLDFAST_UPSTREAM_WRITE_TIMEOUT": "1"])
        let (client, stream) = try scene.join()
        let stanza = "<message xmlns='jabber:client'><body>\(String(repeating: "x", count: 50_000))</body></message>"
        // Repeats until the server takes no more: then a request is not answered when the next one comes.
        var held: [BOSHRequest] = []
        while held.count < 2 {
            held.append(try client.send("", stanza))
            try scene.daemon.settle()
            if held.count == 2, try !held[0].isHeld { #expect(try held.removeFirst().answer().isEmpty) }
        }
        // It does not help the server to send; it has to read.
        if keepsTalking { try stream.send("<message id='m1'/>") }
        var answers = try held.map { try $0.answer() }
        if !answers.contains(where: \.isTerminal) { answers.append(try client.exchange()) }
        let ends = answers.filter(\.isTerminal)
        #expect(!ends.isEmpty && ends.allSatisfy { $0.condition == "remote-connection-failed" })
        #expect(
            answers.map(\.payload).joined() == (keepsTalking ? "<message xmlns='jabber:client' id='m1'/>" : ""))
        #expect(try client.exchange().condition == "item-not-found")
        try scene.expectOneEnded("upstream-stalled")
        withExtendedLifetime(stream) {}
    }
}

/// What a server sends before it falls silent or drips.
struct HostileDelay: CustomTestStringConvertible, Sendable {
    let testDescription: String
    /// What the server sends from time to time; empty for a silent server.
    var piece: [UInt8] = []
    /// What the client gets before the end.
    var pending = ""
    let act: @Sendable (ScriptedStream) throws -> Void

    /// Sends the piece from time to time, until that fails or `goesOn` ends it.
    func drip(on stream: ScriptedStream, while goesOn: () throws -> Bool) throws {
        guard !piece.isEmpty else { return }
        try Patience.wait("it is stopped") { try !goesOn() || stream.wire.sendUntilCut(piece) }
    }

    /// Expects that the daemon does not wait for the server.
    fileprivate func expectRefusal(_ request: BOSHRequest, on stream: ScriptedStream, _ scene: HostileScene) throws {
        try drip(on: stream) { try request.isHeld }
        #expect(try request.isTurnedAway())
        try scene.expectOneEnded("upstream-timeout")
        withExtendedLifetime(stream) {}
    }

    /// The server sends this and falls silent, or goes on with a piece.
    private static func says(_ name: String, _ text: String, then piece: String = "", pending: String = "") -> Self {
        Self(testDescription: name, piece: Array(piece.utf8), pending: pending) { try $0.send(text) }
    }

    static let openings = [
        Self(testDescription: "accepts and is silent") { _ in },
        Self(testDescription: "reads the header and is silent") { _ = try $0.readHeader() },
        says("half an XML declaration", "<?xml "),
        says("half a header", String(ScriptedStream.header().dropLast(20))),
        says("a header that grows", "<stream:stream id='", then: "a"),
        says("white space before the header", " ", then: " "),
        says("a header alone", ScriptedStream.header()),
        says("a header and white space", ScriptedStream.header(), then: " "),
        says("half the features", ScriptedStream.header() + "<stream:features><mechanisms"),
        says("features that grow", ScriptedStream.header() + "<stream:features>", then: "<a/>"),
    ]

    static let handshakes = [
        Self(testDescription: "does not answer <starttls/>") { try $0.offerSTARTTLS() },
        Self(testDescription: "answers with half of <proceed/>") {
            try $0.offerSTARTTLS()
            try $0.send(String(ScriptedStream.proceed.dropLast()))
        },
        Self(testDescription: "answers with white space", piece: [0x20]) { try $0.offerSTARTTLS() },
        Self(testDescription: "proceeds and is silent") { try $0.proceed() },
        Self(testDescription: "proceeds and sends half a record") {
            try $0.proceed()
            _ = try $0.wire.receive()
            try $0.wire.send([0x16, 0x03, 0x03, 0x00])
        },
        Self(testDescription: "proceeds and sends a record that grows", piece: [0x02]) {
            try $0.proceed()
            _ = try $0.wire.receive()
            try $0.wire.send([0x16, 0x03, 0x03, 0x3F, 0xFF])
        },
    ]

    static let direct = [
        Self(testDescription: "is silent") { _ in },
        Self(testDescription: "reads and is silent") { _ = try $0.wire.receive() },
        Self(testDescription: "sends half a record") { try $0.wire.send([0x16, 0x03, 0x03, 0x00]) },
        Self(testDescription: "sends a record without content") { try $0.wire.send([0x16, 0x03, 0x03, 0x00, 0x00]) },
    ]

    static let stanzas = [
        says("a <", "<"),
        says("half a name", "<mess"),
        says("half a value", "<message id='m2"),
        says("half a stanza", "<message id='m2'><body>"),
        says("a stanza without its last byte", "<message id='m2'></message"),
        says("a stanza and a half", "<message id='m2'/><message>", pending: "<message xmlns='jabber:client' id='m2'/>"),
        says("a stanza that grows", "<message id='m2'><body>", then: "a"),
        says("a stanza of ever more elements", "<message id='m2'>", then: "<a/>"),
        says("a CDATA section that grows", "<message><![CDATA[", then: "]]"),
        says("white space in a tag", "<message ", then: " "),
        says("half a stream error", "<stream:error><reset"),
        says("half the stream's end", "</stream:"),
    ]
}
