import Glibc
import TestSupport
import Testing

/// Servers that send more than is handled in one turn of the loop.
@Suite struct UpstreamTurnsTests {
    /// How the stream goes over the wire.
    enum Way: String, CaseIterable, CustomTestStringConvertible {
        case plain, secured, compressed

        var testDescription: String { rawValue }
    }

    private static let count = 12_000
    /// As many bytes as one read takes, of the most expensive kind, and a stanza that marks the end.
    private static let flood = String(repeating: "<a/>", count: count) + "<message id='last'/>"
    private static let expected =
        String(repeating: "<a xmlns='jabber:client'/>", count: count) + "<message xmlns='jabber:client' id='last'/>"

    @Test(
        "R-16: stanzas of another server come before the rest of a flood, and all of the flood comes",
        arguments: Way.allCases)
    func flood(way: Way) throws {
        let scene = try TurnScene(way)
        let before = try scene.deliveredStanzas()
        let poll = try scene.client.send()
        let other = try scene.bystander.send()
        let statistics = try scene.daemon.connectToAdmin()
        let delivered = try scene.inOneTurn(statistics) {
            try scene.stream.send(Self.flood)
            try scene.bystanderStream.send("<message id='m1'/>")
        }
        // The share of the first turn and of the next one.
        #expect(delivered - before <= 1_500)
        #expect(try other.answer().payload == "<message xmlns='jabber:client' id='m1'/>")
        #expect(try scene.fetch(until: "id='last'/>", from: poll) == Self.expected)
    }

    @Test("R-16: a long stanza is read over many turns, in which others have theirs", arguments: Way.allCases)
    func longStanza(way: Way) throws {
        let scene = try TurnScene(way)
        let content = String(repeating: "<a/>", count: 60_000)
        try scene.stream.send("<message id='last'>" + content + "</message")
        for _ in 0..<10 { try scene.daemon.settle() }
        let before = try scene.deliveredStanzas()
        let poll = try scene.client.send()
        let other = try scene.bystander.send()
        let statistics = try scene.daemon.connectToAdmin()
        let delivered = try scene.inOneTurn(statistics) {
            try scene.stream.send("><message id='behind'/>")
            try scene.bystanderStream.send("<message id='m1'/>")
        }
        #expect(delivered - before <= 1)
        #expect(try other.answer().payload == "<message xmlns='jabber:client' id='m1'/>")
        let isWhole =
            try scene.fetch(until: "id='behind'/>", from: poll)
            == "<message xmlns='jabber:client' id='last'>\(content)</message><message xmlns='jabber:client' id='behind'/>"
        #expect(isWhole)
    }

    @Test("R-16: long stanzas of two servers at the same time both come, and a session that leaves holds up neither")
    func longStanzas() throws {
        let scene = try TurnScene(.plain)
        let third = try scene.scene.join()
        let stanza = "<message>" + String(repeating: "<a/>", count: 60_000) + "</message>"
        let polls = try [scene.client.send(), scene.bystander.send()]
        let statistics = try scene.daemon.connectToAdmin()
        _ = try third.client.send()
        _ = try scene.inOneTurn(statistics) { try third.stream.send(stanza) }
        _ = try third.client.send("type='terminate'")
        try scene.stream.send(stanza)
        try scene.bystanderStream.send(stanza)
        for poll in polls {
            let isWhole =
                try poll.answer().payload == stanza.replacing("<message>", with: "<message xmlns='jabber:client'>")
            #expect(isWhole)
        }
    }

    @Test("R-16: what was read waits for a client that fetches nothing, and is given in order", arguments: Way.allCases)
    func slowClient(way: Way) throws {
        let scene = try TurnScene(way, environment: ["HOLDFAST_SESSION_BUFFER": "16384"])
        let before = try scene.deliveredStanzas()
        try scene.stream.send(Self.flood)
        for _ in 0..<20 { try scene.daemon.settle() }
        let stopped = try scene.deliveredStanzas()
        #expect(stopped - before < Self.count / 4)
        #expect(stopped > before)
        for _ in 0..<20 { try scene.daemon.settle() }
        #expect(try scene.deliveredStanzas() == stopped)
        let isWhole = try scene.fetch(until: "id='last'/>", from: try scene.client.send()) == Self.expected
        #expect(isWhole)
    }

    @Test(
        "R-16 T-07: what ends a stream comes behind all that came before it", arguments: TurnEnd.all, Listening.allCases
    )
    func ends(end: TurnEnd, listening: Listening) throws {
        let scene = try TurnScene(end.way, environment: ["HOLDFAST_SESSION_BUFFER": "16384"])
        let before = try scene.deliveredStanzas()
        let poll = listening == .held ? try scene.client.send() : nil
        try end.act(scene.stream, Self.flood)
        for _ in 0..<20 { try scene.daemon.settle() }
        if listening == .absent {
            // The end is only told after the client has fetched what came before it.
            #expect(try scene.deliveredStanzas() - before < Self.count)
            #expect(try scene.daemon.statistics().number("sessions.now") == 2)
        }
        let (payload, last) = try scene.scene.fetchToEnd(scene.client, from: try poll ?? scene.client.send())
        let isWhole = payload == Self.expected
        #expect(isWhole, "\(payload.utf8.count) of \(Self.expected.utf8.count) bytes")
        #expect(last.condition == "remote-connection-failed")
        try scene.scene.expectOneEnded(end.reason)
    }

    @Test("T-01: a client that ends its session in the middle of a flood is let go", arguments: Way.allCases)
    func terminates(way: Way) throws {
        let scene = try TurnScene(way, environment: ["HOLDFAST_SESSION_BUFFER": "16384"])
        try scene.stream.send(Self.flood)
        try scene.daemon.settle()
        #expect(try scene.client.exchange("type='terminate'").isTerminal)
        _ = try scene.stream.read(until: "</stream:stream>")
        scene.wire.close()
        try scene.daemon.wait(until: "upstream.streams_now", is: 1)
        try scene.scene.expectOthersUnharmed()
    }

    @Test("X-04: key updates without data between them end the stream as a failure of TLS, and take no memory")
    func keyUpdates() throws {
        let scene = try TurnScene(.secured)
        guard let stream = scene.stream as? SecuredStream else { throw TestFault("no TLS") }
        let poll = try scene.client.send()
        var piece: [UInt8] = []
        for _ in 0..<20_000 { piece += stream.keyUpdate() }
        try stream.wire.sendUntilCut(piece)
        #expect(try poll.answer().condition == "remote-connection-failed")
        try scene.scene.expectOneEnded("upstream-lost")
        #expect(try scene.daemon.errors.contains("tls-message-flood"))
    }

    @Test("a stanza more costs what the one before did, however many come at once")
    func cost() throws {
        let scene = try TurnScene(.plain)
        func time(_ count: Int) throws -> Duration {
            let text = String(repeating: "<a/>", count: count) + "<message id='last'/>"
            let poll = try scene.client.send()
            return try scene.daemon.processorTime {
                try scene.stream.send(text)
                _ = try scene.fetch(until: "id='last'/>", from: poll)
            }
        }
        _ = try time(1_000)
        let few = try time(2_000)
        // What else runs on the machine only adds to the time, by emptying the caches.
        #expect(try min(time(16_000), time(16_000), time(16_000)) < few * 24)
    }
}

/// Two sessions: the second one must not notice what a server does to the first.
final class TurnScene {
    let scene: HostileScene
    let client: BOSHClient
    let stream: any ServerStream
    let wire: ByteStream
    let bystander: BOSHClient
    let bystanderStream: any ServerStream
    private let keptAlive: CompressedScene?
    var daemon: Daemon { scene.daemon }

    init(_ way: UpstreamTurnsTests.Way, environment: [String: String] = [:]) throws {
        switch way {
        case .plain:
            scene = try HostileScene(environment: environment)
            let (client, stream) = try scene.join()
            self.client = client
            self.stream = stream
            wire = stream.wire
            keptAlive = nil
        case .secured:
            let authority = try TLSIdentity.authority()
            scene = try HostileScene("direct", trusting: authority, environment: environment)
            client = BOSHClient(scene.daemon)
            let request = try client.create()
            let accepted = try scene.server.accept()
            let secured = try accepted.secure(as: try TLSIdentity(issuedBy: authority))
            try secured.send(ScriptedStream.header() + ScriptedStream.features)
            try client.adopt(try request.answer())
            stream = secured
            wire = secured.wire
            keptAlive = nil
        case .compressed:
            let compressed = try CompressedScene(environment: environment)
            let stream = try CompressedStream(compressed.carrier)
            try stream.send(ScriptedStream.header() + CompressedScene.offer)
            guard try compressed.restart.answer().payload == CompressedScene.features else {
                throw TestFault("no features")
            }
            scene = compressed.scene
            client = compressed.client
            self.stream = stream
            wire = stream.wire
            keptAlive = compressed
        }
        bystander = scene.bystander
        bystanderStream = scene.bystanderStream
    }

    /// How many stanzas the sessions have got.
    func deliveredStanzas() throws -> Int {
        try daemon.statistics().number("upstream.stanzas_in")
    }

    /// Makes the daemon find, in one turn of its loop, all that `work` sends and then a request for its statistics.
    ///
    /// - Returns: how many stanzas the sessions had got by then.
    func inOneTurn(_ admin: RawClient, _ work: () throws -> Void) throws -> Int {
        try daemon.standingStill {
            try work()
            try admin.send("GET /stats HTTP/1.1\r\nHost: localhost\r\n\r\n")
        }
        return try Statistics(json: admin.answer().body).number("upstream.stanzas_in")
    }

    /// What the client fetches until `end` comes.
    func fetch(until end: String, from poll: BOSHRequest) throws -> String {
        var answer = try poll.answer()
        var payload = answer.payload
        while !payload.hasSuffix(end) {
            guard !answer.isTerminal else { throw TestFault("ended after \(payload.utf8.count) bytes") }
            answer = try client.exchange()
            payload += answer.payload
        }
        return payload
    }
}

/// What comes right after a flood.
struct TurnEnd: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let way: UpstreamTurnsTests.Way
    var reason = "upstream-lost"
    let act: @Sendable (any ServerStream, String) throws -> Void

    static let all =
        [UpstreamTurnsTests.Way.plain, .secured].flatMap { way in
            [
                Self(testDescription: "the end of the stream, \(way)", way: way, reason: "upstream-closed") {
                    try $0.send($1 + "</stream:stream>")
                },
                Self(testDescription: "what is not well-formed, \(way)", way: way, reason: "upstream-malformed") {
                    try $0.send($1 + "</a>")
                },
                Self(testDescription: "the end of the connection, \(way)", way: way) {
                    try $0.send($1)
                    wire(of: $0)?.close()
                },
            ]
        } + [
            Self(testDescription: "the end of TLS", way: .secured) {
                guard let stream = $0 as? SecuredStream else { throw TestFault("no TLS") }
                try stream.wire.send(stream.records($1) + stream.goodbye())
            },
            Self(testDescription: "a damaged record", way: .secured) {
                guard let stream = $0 as? SecuredStream else { throw TestFault("no TLS") }
                let flood = stream.records($1)
                var damaged = stream.records("<a/>")
                damaged[damaged.count - 1] ^= 1
                try stream.wire.send(flood + damaged)
            },
            Self(testDescription: "key updates without end", way: .secured) {
                guard let stream = $0 as? SecuredStream else { throw TestFault("no TLS") }
                var bytes = stream.records($1)
                for _ in 0..<1_000 { bytes += stream.keyUpdate() }
                try stream.wire.sendUntilCut(bytes)
            },
        ]

    private static func wire(of stream: any ServerStream) -> ByteStream? {
        (stream as? any ServerCarrier)?.wire
    }
}
