import CZlib
import TestSupport
import Testing

/// Streams that are compressed towards the server (XEP-0138); the client does not notice.
@Suite struct UpstreamCompressionTests {
    private static let environment = ["HOLDFAST_UPSTREAM_COMPRESSION": "zlib"]
    private let message = "<message xmlns='jabber:client' id='m1'/>"

    /// A session whose client has logged in, so that its server is asked for compression.
    private func asked(
        _ environment: [String: String] = [:], on existing: OpenSession? = nil
    ) throws -> (session: OpenSession, restart: BOSHRequest) {
        let environment = Self.environment.merging(environment) { $1 }
        let session = try OpenSession(on: existing, environment: environment)
        let restart = try session.client.restart()
        try session.stream.open(id: "s2", features: ScriptedStream.compressionFeatures)
        let asked = try session.stream.read(until: "</compress>")
        #expect(asked == ScriptedStream.compress)
        return (session, restart)
    }

    /// A session with a compressed stream.
    private func compressed(
        _ environment: [String: String] = [:], on existing: OpenSession? = nil
    ) throws -> (session: OpenSession, stream: ZlibStream) {
        let (session, restart) = try asked(environment, on: existing)
        try session.stream.send(ScriptedStream.compressed)
        let stream = try ZlibStream(session.stream.wire)
        #expect(try stream.read(until: "<stream:stream") == "<?xml version='1.0'?><stream:stream")
        #expect(try stream.read(until: ">").contains(" to='example.org'"))
        try stream.send(ScriptedStream.header(id: "s3") + ScriptedStream.bindFeatures)
        #expect(try restart.answer().payload == ScriptedStream.bindFeatures)
        return (session, stream)
    }

    @Test("X-07: after the login the stream is compressed both ways")
    func bothWays() throws {
        let (session, stream) = try compressed()
        for index in 0..<20 {
            let up =
                "<message xmlns='jabber:client' id='up\(index)'><body>\(String(repeating: "é", count: 500))</body></message>"
            let poll = try session.client.send("", up)
            #expect(try stream.read(until: "</message>") == up)
            try stream.send("<message id='down\(index)'><body>x</body></message>")
            #expect(
                try poll.answer().payload
                    == "<message xmlns='jabber:client' id='down\(index)'><body>x</body></message>")
        }
        // Fewer bytes were sent than the stanzas have.
        #expect(try session.daemon.statistics().number("upstream.bytes_out") < 15_000)
        let last = try session.client.exchange("type='terminate'", "<presence xmlns='jabber:client'/>")
        #expect(last.isTerminal)
        let farewell = try stream.read(until: "</stream:stream>")
        #expect(farewell == "<presence xmlns='jabber:client'/></stream:stream>")
        try stream.send("</stream:stream>")
        stream.wire.close()
        try session.daemon.wait(until: "upstream.streams_now", is: 0)
    }

    @Test("X-07: the first compressed bytes may stand right behind the word", arguments: [true, false])
    func sameSegment(isWhole: Bool) throws {
        let (session, restart) = try asked()
        let stream = try ZlibStream(session.stream.wire)
        // A server may send its header before it has read the daemon's.
        let features = ScriptedStream.header(id: "s3") + ScriptedStream.bindFeatures
        let bytes = stream.compressed(features)
        try session.stream.wire.send(Array(ScriptedStream.compressed.utf8) + (isWhole ? bytes[...] : bytes[..<1]))
        _ = try stream.read(until: " to='example.org'")
        if !isWhole { try session.stream.wire.send(Array(bytes[1...])) }
        #expect(try restart.answer().payload == ScriptedStream.bindFeatures)
        try stream.send("<message id='m1'/>")
        #expect(try session.client.exchange().payload == message)
    }

    @Test("X-07: compressed bytes may come one by one")
    func bytewise() throws {
        let (session, stream) = try compressed()
        let poll = try session.client.send()
        for byte in stream.compressed("<message id='m1'/>") { try stream.wire.send([byte]) }
        #expect(try poll.answer().payload == message)
    }

    @Test("X-07: much that compresses well comes whole and in order")
    func much() throws {
        let (session, stream) = try compressed()
        var sent = ""
        for index in 0..<400 {
            sent += "<message id='\(index)'><body>\(String(repeating: "x", count: 1_000))</body></message>"
        }
        try stream.send(sent)
        let expected = sent.replacing("<message ", with: "<message xmlns='jabber:client' ")
        var received = ""
        while received.utf8.count < expected.utf8.count {
            let answer = try session.client.exchange()
            try #require(answer.isTerminal == false)
            received += answer.payload
        }
        #expect(received == expected)
    }

    /// This many stanzas of a kilobyte, which compress to few bytes; and the same as the client gets them.
    private func flood(_ count: Int) -> (sent: String, expected: String) {
        let text = String(repeating: "x", count: 1_000)
        let stanzas = (0..<count).map { "id='\($0)'><body>\(text)</body></message>" }
        return (
            stanzas.map { "<message " + $0 }.joined(),
            stanzas.map { "<message xmlns='jabber:client' " + $0 }.joined()
        )
    }

    /// How a server goes on after it has sent much text in few bytes.
    enum Ending: String, CaseIterable {
        case none, closes, errs, resets
    }

    @Test("X-07 R-16: what few bytes become waits for the client like all else", arguments: Ending.allCases)
    func floods(ending: Ending) throws {
        let (session, stream) = try compressed(["HOLDFAST_SESSION_BUFFER": "16384"])
        let (sent, expected) = flood(8_000)
        let before = try session.daemon.residentKilobytes()
        try stream.send(sent + (ending == .errs ? ScriptedStream.error("reset") : ""))
        try session.daemon.settle()
        // Most of the 8 MB is still compressed.
        #expect(try session.daemon.statistics().number("upstream.stanzas_in") < 1_000)
        #expect(try session.daemon.residentKilobytes() - before < 4_000)
        switch ending {
        case .none, .errs: break
        case .closes: stream.wire.close()
        case .resets: try stream.wire.reset()
        }
        var received = ""
        var answer = try session.client.exchange()
        while !answer.isTerminal {
            received += answer.payload
            guard ending != .none || received.utf8.count < expected.utf8.count else { break }
            answer = try session.client.exchange()
        }
        if answer.isTerminal { received += answer.payload }
        let isWhole = received == expected + (ending == .errs ? ScriptedStream.error("reset") : "")
        switch ending {
        case .none:
            #expect(isWhole)
            try stream.send("<message id='m1'/>")
            #expect(try session.client.exchange().payload == message)
        case .closes:
            #expect(isWhole)
            #expect(answer.condition == "remote-connection-failed")
        case .errs:
            #expect(isWhole)
            #expect(answer.condition == "remote-stream-error")
        case .resets:
            // The bytes that the kernel still had are lost with the connection.
            #expect(expected.hasPrefix(received))
            #expect(answer.condition == "remote-connection-failed")
        }
        try session.daemon.wait(until: "sessions.now", is: ending == .none ? 1 : 0)
    }

    @Test("X-07 T-01: a client that leaves what few bytes would become", arguments: [true, false])
    func leavesFlood(closes: Bool) throws {
        let (session, stream) = try compressed(["HOLDFAST_SESSION_BUFFER": "16384"])
        let before = try session.daemon.residentKilobytes()
        try stream.send(flood(8_000).sent)
        if closes { stream.wire.close() }
        try session.daemon.settle()
        #expect(try session.client.exchange("type='terminate'").isTerminal)
        if !closes { stream.wire.close() }
        try session.daemon.wait(until: "sessions.now", is: 0)
        try session.daemon.wait(until: "upstream.streams_now", is: 0)
        #expect(try session.daemon.residentKilobytes() - before < 8_000)
    }

    @Test("X-07: a bomb of spaces does no more than take time, of which others get their share")
    func spaces() throws {
        let (session, stream) = try compressed()
        let (other, otherStream) = try compressed(on: session)
        let before = try session.daemon.residentKilobytes()
        try stream.wire.send(stream.compressed([UInt8](repeating: 0x20, count: 20_000_000)))
        let poll = try other.client.send("", message)
        #expect(try otherStream.read(until: "/>") == message)
        try otherStream.send("<message id='m1'/>")
        #expect(try poll.answer().payload == message)
        try stream.send("<message id='m1'/>")
        #expect(try session.client.exchange().payload == message)
        #expect(try session.daemon.residentKilobytes() - before < 4_000)
    }

    @Test("X-07: a compressed stream that rests gets its spaces compressed")
    func keepsAlive() throws {
        let (session, restart) = try asked()
        try session.stream.send(ScriptedStream.compressed)
        let stream = try ZlibStream(session.stream.wire)
        _ = try stream.read(until: " version='1.0'>")
        let limits = "<limits xmlns='urn:xmpp:stream-limits:0'><idle-seconds>1</idle-seconds></limits>"
        try stream.send(ScriptedStream.header(id: "s3") + "<stream:features>\(limits)</stream:features>")
        #expect(try !restart.answer().isTerminal)
        #expect(try stream.read(until: " ") == " ")
        withExtendedLifetime(session) {}
    }

    // MARK: When it is not asked for

    @Test("X-06 X-07: it is off by default, and the client is not offered it")
    func offByDefault() throws {
        let session = try OpenSession()
        let restart = try session.client.restart()
        try session.stream.open(id: "s2", features: ScriptedStream.compressionFeatures)
        #expect(try restart.answer().payload == ScriptedStream.bindFeatures)
        try session.daemon.settle()
        #expect(try session.stream.wire.isSilent)
    }

    @Test("X-07: never before the login")
    func notBeforeLogin() throws {
        let server = try ScriptedUpstream()
        let daemon = try Daemon(upstream: server.port, environment: Self.environment)
        let client = BOSHClient(daemon)
        let request = try client.create()
        let stream = try server.accept()
        try stream.open(features: ScriptedStream.compressionFeatures)
        #expect(try client.adopt(try request.answer()).payload == ScriptedStream.bindFeatures)
        try daemon.settle()
        #expect(try stream.wire.isSilent)
    }

    @Test(
        "X-07: never while a login is still offered",
        arguments: [
            "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms>",
            "<authentication xmlns='urn:xmpp:sasl:2'><mechanism>PLAIN</mechanism></authentication>",
        ])
    func notWithMechanisms(mechanisms: String) throws {
        let session = try OpenSession(environment: Self.environment)
        let restart = try session.client.restart()
        let features = "<stream:features>\(ScriptedStream.compression)\(mechanisms)</stream:features>"
        try session.stream.open(id: "s2", features: features)
        #expect(try restart.answer().payload == "<stream:features>\(mechanisms)</stream:features>")
        try session.daemon.settle()
        #expect(try session.stream.wire.isSilent)
    }

    @Test("X-07: a server that offers other methods only is not asked")
    func otherMethods() throws {
        let session = try OpenSession(environment: Self.environment)
        let restart = try session.client.restart()
        let offer = "<compression xmlns='http://jabber.org/features/compress'><method>lzw</method></compression>"
        try session.stream.open(id: "s2", features: "<stream:features>\(offer)\(ScriptedStream.bind)</stream:features>")
        #expect(try restart.answer().payload == ScriptedStream.bindFeatures)
        try session.daemon.settle()
        #expect(try session.stream.wire.isSilent)
    }

    @Test("X-07: a server that takes its offer back is spoken to in the clear, and not asked again")
    func refused() throws {
        let (session, restart) = try asked()
        #expect(try restart.isHeld)
        try session.stream.send("<failure xmlns='http://jabber.org/protocol/compress'><setup-failed/></failure>")
        #expect(try restart.answer().payload == ScriptedStream.bindFeatures)
        let poll = try session.client.send("", message)
        #expect(try session.stream.read(until: "/>") == message)
        try session.stream.send("<message id='m1'/>")
        #expect(try poll.answer().payload == message)
        let again = try session.client.restart()
        try session.stream.open(id: "s3", features: ScriptedStream.compressionFeatures)
        #expect(try again.answer().payload == ScriptedStream.bindFeatures)
        try session.daemon.settle()
        #expect(try session.stream.wire.isSilent)
    }

    // MARK: Servers that mean harm

    /// What a server does with a compressed stream to end it, and what the client gets before the end.
    struct Harm: CustomTestStringConvertible, Sendable {
        let testDescription: String
        var pending = ""
        let bytes: @Sendable (ZlibStream) -> [UInt8]

        private static let stanza = Array("<message id='m1'/>".utf8)
        private static let delivered = "<message xmlns='jabber:client' id='m1'/>"

        static let all = [
            Self(testDescription: "a bomb in a stanza") { stream in
                let text = [UInt8](repeating: 0x78, count: 80_000_000)
                return stream.compressed(Array("<message><body>".utf8) + text)
            },
            Self(testDescription: "bytes that are no zlib") { _ in [UInt8](repeating: 0xFF, count: 100) },
            Self(testDescription: "a damaged block", pending: delivered) { stream in
                stream.compressed(stanza) + [0x06] + [UInt8](repeating: 0xFF, count: 20)
            },
            Self(testDescription: "an end, and bytes behind it", pending: delivered) { stream in
                stream.compressed(stanza, flush: Z_FINISH) + stanza
            },
            Self(testDescription: "malformed XML") { stream in stream.compressed("<message></presence>") },
        ]
    }

    @Test("X-07: compressed data that does harm ends its session, and no other", arguments: Harm.all)
    func harm(harm: Harm) throws {
        let (other, otherStream) = try compressed()
        let (session, stream) = try compressed(on: other)
        let before = try session.daemon.residentKilobytes()
        let poll = try session.client.send()
        try session.daemon.settle()
        try stream.wire.sendUntilCut(harm.bytes(stream))
        var answer = try poll.answer()
        var payload = answer.payload
        while !answer.isTerminal {
            answer = try session.client.exchange()
            payload += answer.payload
        }
        #expect(answer.condition == "remote-connection-failed")
        #expect(payload == harm.pending)
        try session.daemon.wait(until: "sessions.ended.upstream-malformed", is: 1)
        try session.daemon.wait(until: "upstream.streams_now", is: 1)
        // A bomb of 60 MB is never in memory as a whole.
        #expect(try session.daemon.residentKilobytes() - before < 16_000)
        let held = try other.client.send("", message)
        #expect(try otherStream.read(until: "/>") == message)
        try otherStream.send("<message id='m1'/>")
        #expect(try held.answer().payload == message)
    }

    @Test("X-07: a stream that ends while it waits for compression", arguments: [true, false])
    func endsWhileAsked(isError: Bool) throws {
        let (session, restart) = try asked()
        try session.stream.send(isError ? ScriptedStream.error("reset") : "<message/>")
        let answer = try restart.answer()
        #expect(answer.condition == (isError ? "remote-stream-error" : "remote-connection-failed"))
        try session.daemon.wait(until: "upstream.streams_now", is: 0)
    }

    @Test("X-07: the word that nobody asked for")
    func unasked() throws {
        let session = try OpenSession(environment: Self.environment)
        let poll = try session.client.send()
        try session.stream.send(ScriptedStream.compressed)
        #expect(try poll.answer().condition == "remote-connection-failed")
    }
}
