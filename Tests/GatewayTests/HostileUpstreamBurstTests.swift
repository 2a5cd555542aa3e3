import TestSupport
import Testing

/// Servers, honest or not, whose few compressed bytes expand to many (XEP-0138).
@Suite struct HostileUpstreamBurstTests {
    @Test("X-07 R-16: a hundred thousand stanzas in a few bytes wait for a client that fetches slowly; none is lost")
    func slowClient() throws {
        let burst = Burst(count: 100_000)
        let scene = try BurstScene()
        let bytes = try scene.stream.compressed(burst.text)
        #expect(bytes.count * 200 < burst.text.utf8.count)
        try scene.stream.wire.send(bytes)
        for _ in 0..<4 { try scene.daemon.settle() }
        // The expansion has stopped, because the client has fetched nothing.
        let first = try scene.deliveredStanzas()
        #expect(first > 0 && first < burst.count / 2)
        try scene.expectStop()
        var fetched = ""
        var answers = 0
        while fetched.utf8.count < burst.expected.utf8.count {
            let answer = try scene.client.exchange()
            #expect(!answer.isTerminal)
            fetched += answer.payload
            answers += 1
            if answers % 4 == 0 { try scene.daemon.settle() }
        }
        let isWhole = fetched == burst.expected
        #expect(isWhole)
        #expect(answers > 4)
        try scene.compressed.expectService(on: scene.stream)
    }

    @Test("X-07 R-16: a client that waits for them gets them all too", arguments: [false, true])
    func heldRequest(isSecured: Bool) throws {
        let burst = Burst(count: 20_000)
        let scene = try BurstScene(isSecured: isSecured)
        var poll = try scene.client.send()
        try scene.stream.send(burst.text + "<message id='last'/>")
        var fetched = ""
        while true {
            fetched += try poll.answer().payload
            if fetched.hasSuffix("id='last'/>") { break }
            poll = try scene.client.send()
        }
        let isWhole = fetched == burst.expected + "<message xmlns='jabber:client' id='last'/>"
        #expect(isWhole)
        try scene.compressed.expectService(on: scene.stream)
    }

    @Test("X-07 R-16: what a server says in many segments while its client is away comes in order")
    func manySegments() throws {
        let scene = try BurstScene(isSecured: true)
        var expected = ""
        for _ in 0..<40 {
            let burst = Burst(count: 2_000)
            try scene.stream.send(burst.text)
            expected += burst.expected
            try scene.daemon.settle()
        }
        var fetched = ""
        while fetched.utf8.count < expected.utf8.count { fetched += try scene.client.exchange().payload }
        let isWhole = fetched == expected
        #expect(isWhole)
        try scene.compressed.expectService(on: scene.stream)
    }

    @Test(
        "X-07 R-16: whatever ends a stream right behind a burst, all of the burst comes first",
        arguments: BurstEnd.all, Listening.allCases)
    func ends(end: BurstEnd, listening: Listening) throws {
        let burst = Burst(count: 20_000)
        let scene = try BurstScene(isSecured: end.isSecured)
        let poll = listening == .held ? try scene.client.send() : nil
        try end.act(scene.stream, burst)
        try scene.daemon.settle()
        if listening == .absent {
            // The end is only told after the client has fetched what came before it.
            #expect(try scene.deliveredStanzas() < burst.count)
            #expect(try scene.daemon.statistics().number("sessions.now") == 2)
        }
        let (payload, last) = try scene.compressed.scene.fetchToEnd(
            scene.client, from: try poll ?? scene.client.send())
        let isWhole = payload == burst.expected + end.error
        #expect(isWhole, "\(payload.utf8.count) of \(burst.expected.utf8.count) bytes")
        #expect(last.condition == (end.error.isEmpty ? "remote-connection-failed" : "remote-stream-error"))
        try scene.compressed.scene.expectOneEnded(end.reason)
    }

    @Test("X-07 T-01: a client that ends its session in the middle of a burst is let go")
    func terminates() throws {
        let scene = try BurstScene()
        try scene.stream.send(Burst(count: 100_000).text)
        try scene.daemon.settle()
        #expect(try scene.client.exchange("type='terminate'").isTerminal)
        _ = try scene.stream.read(until: "</stream:stream>")
        scene.stream.wire.close()
        try scene.daemon.wait(until: "upstream.streams_now", is: 1)
        try scene.compressed.scene.expectOthersUnharmed()
    }

    @Test("X-07 N-11: a bomb of white space does no harm, and the stream goes on")
    func whiteSpace() throws {
        let scene = try BurstScene()
        try scene.explode(" ", times: 67_108_864)
        try scene.compressed.expectService(on: scene.stream)
        try scene.expectBounded()
    }

    @Test("X-07 N-11: a bomb of stanzas that nobody fetches stops where it is, and takes no memory")
    func stanzas() throws {
        let scene = try BurstScene()
        let bomb = try (0..<16).flatMap { _ in
            try scene.stream.compressed(String(repeating: "<message/>", count: 400_000))
        }
        try scene.stream.wire.send(bomb)
        for _ in 0..<4 { try scene.daemon.settle() }
        try scene.expectStop()
        try scene.expectBounded()
        #expect(try scene.client.exchange("type='terminate'").isTerminal)
        scene.stream.wire.close()
        try scene.daemon.wait(until: "upstream.streams_now", is: 1)
        try scene.compressed.scene.expectOthersUnharmed()
    }

    @Test("X-07 N-11: a bomb of one stanza ends at the limit on what is skipped", arguments: EndlessStanza.allCases)
    func endlessStanza(stanza: EndlessStanza) throws {
        let scene = try BurstScene()
        try scene.stream.send("<message id='m1'/>" + stanza.beginning)
        try scene.explode(stanza.piece, times: 67_108_864 / stanza.piece.utf8.count)
        let end = HostileEnd("", "", reason: "upstream-malformed", pending: "<message xmlns='jabber:client' id='m1'/>")
        try end.expectEnd(of: scene.client, from: try scene.client.send(), scene.compressed.scene)
        try scene.expectBounded()
    }
}

/// An established compressed stream of a session with the smallest buffer that can be set.
final class BurstScene {
    let compressed: CompressedScene
    let stream: CompressedStream
    var daemon: Daemon { compressed.scene.daemon }
    var client: BOSHClient { compressed.client }
    /// How many stanzas had gone to clients before.
    private let before: Int

    init(isSecured: Bool = false) throws {
        compressed = try CompressedScene(
            isSecured: isSecured,
            environment: [
                "HOLDFAST_SESSION_BUFFER": "16384", "HOLDFAST_MAX_STANZA": "1048576", "HOLDFAST_MAX_SKIPPED": "8388608",
            ])
        stream = try CompressedStream(compressed.carrier)
        try stream.send(ScriptedStream.header() + CompressedScene.offer)
        #expect(try compressed.restart.answer().payload == CompressedScene.features)
        before = try compressed.scene.daemon.statistics().number("upstream.stanzas_in")
    }

    /// How many stanzas the session has got.
    func deliveredStanzas() throws -> Int {
        try daemon.statistics().number("upstream.stanzas_in") - before
    }

    /// Expects that the expansion has stopped.
    func expectStop() throws {
        let count = try deliveredStanzas()
        for _ in 0..<4 { try daemon.settle() }
        #expect(try deliveredStanzas() == count)
    }

    /// Sends a piece of text again and again, one mebibyte at a time, as long as it is taken.
    func explode(_ piece: String, times: Int) throws {
        let most = 1_048_576 / piece.utf8.count
        for start in stride(from: 0, to: times, by: most) {
            let text = String(repeating: piece, count: min(most, times - start))
            guard try !stream.wire.sendUntilCut(try stream.compressed(text)) else { return }
        }
    }

    /// Expects that the process has never used much memory.
    func expectBounded() throws {
        #expect(try daemon.peakKilobytes() < 48_000)
    }
}

/// Stanzas that compress two hundred to one; every thousandth has a number.
struct Burst {
    let count: Int
    /// What the server sends.
    let text: String
    /// What the client gets.
    let expected: String

    init(count: Int) {
        self.count = count
        text = Self.text(of: count, "<message")
        expected = Self.text(of: count, "<message xmlns='jabber:client'")
    }

    private static func text(of count: Int, _ start: String) -> String {
        let others = String(repeating: start + "/>", count: 999)
        return (0..<count / 1_000).map { "\(start) id='\($0)'/>" + others }.joined()
    }
}

/// What comes right after a burst, in the same segment or the next.
struct BurstEnd: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let isSecured: Bool
    let reason: String
    /// The stream error that the client gets.
    var error = ""
    let act: @Sendable (CompressedStream, Burst) throws -> Void

    private static let streamError =
        "<stream:error><reset xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"

    static let all = [false, true].flatMap { both(isSecured: $0) } + secured

    /// The ends that are possible with TLS and without it.
    private static func both(isSecured: Bool) -> [Self] {
        let place = isSecured ? ", protected" : ""
        return [
            Self(
                testDescription: "the end of the stream" + place, isSecured: isSecured, reason: "upstream-closed"
            ) { try $0.send($1.text + "</stream:stream>") },
            Self(
                testDescription: "a stream error" + place, isSecured: isSecured, reason: "upstream-stream-error",
                error: streamError
            ) { try $0.send($1.text + streamError) },
            Self(testDescription: "the end of the connection" + place, isSecured: isSecured, reason: "upstream-lost") {
                try $0.send($1.text)
                $0.wire.close()
            },
            Self(testDescription: "half a stanza, and the end" + place, isSecured: isSecured, reason: "upstream-lost") {
                try $0.send($1.text + "<message><body>")
                $0.wire.close()
            },
            Self(testDescription: "damaged data" + place, isSecured: isSecured, reason: "upstream-malformed") {
                let bytes = try $0.compressed($1.text) + [0x07, 0xFF, 0xFF, 0xFF]
                try $0.wire.send($0.carrier.sealed(bytes))
            },
            Self(testDescription: "an end tag too many" + place, isSecured: isSecured, reason: "upstream-malformed") {
                try $0.send($1.text + "</message>")
            },
        ]
    }

    private static let secured = [
        Self(testDescription: "the end of TLS", isSecured: true, reason: "upstream-lost") {
            let bytes = $0.carrier.sealed(try $0.compressed($1.text))
            let goodbye = ($0.carrier as? SecuredStream)?.goodbye() ?? []
            try $0.wire.send(bytes + goodbye)
        },
        Self(testDescription: "the end of TLS and of the connection", isSecured: true, reason: "upstream-lost") {
            let bytes = $0.carrier.sealed(try $0.compressed($1.text))
            let goodbye = ($0.carrier as? SecuredStream)?.goodbye() ?? []
            try $0.wire.send(bytes + goodbye)
            $0.wire.close()
        },
        Self(testDescription: "a damaged record", isSecured: true, reason: "upstream-lost") {
            var bytes = $0.carrier.sealed(try $0.compressed($1.text))
            var damaged = $0.carrier.sealed(try $0.compressed("<message/>"))
            damaged[damaged.count - 1] ^= 1
            bytes += damaged
            try $0.wire.send(bytes)
        },
        Self(testDescription: "no record at all", isSecured: true, reason: "upstream-lost") {
            let bytes = $0.carrier.sealed(try $0.compressed($1.text))
            try $0.wire.send(bytes + Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8))
        },
    ]
}

/// Stanzas that never end.
enum EndlessStanza: String, CaseIterable, CustomTestStringConvertible, Sendable {
    case text, elements, attribute, space, section

    var testDescription: String { rawValue }

    var beginning: String {
        switch self {
        case .text, .elements: "<message><body>"
        case .attribute: "<message id='"
        case .space: "<message "
        case .section: "<message><![CDATA["
        }
    }

    var piece: String {
        switch self {
        case .text, .attribute, .section: "a"
        case .elements: "<a/>"
        case .space: " "
        }
    }
}
