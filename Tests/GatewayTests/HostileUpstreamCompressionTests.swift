import Deflate
import TestSupport
import Testing

/// Servers that do harm where a stream is compressed (XEP-0138).
@Suite struct HostileUpstreamCompressionTests {
    @Test("X-07 S-17: what a server does when it is asked to compress", arguments: HostileEnd.compressing)
    func compressing(end: HostileEnd) throws {
        let scene = try CompressedScene()
        try end.act(scene.stream)
        try end.expectEnd(of: scene.client, from: scene.restart, scene.scene)
        withExtendedLifetime(scene) {}
    }

    @Test("X-07 S-17: what a server does to a stream that is compressed", arguments: HostileCompression.all)
    func compressed(server: HostileCompression) throws {
        let scene = try CompressedScene()
        let stream = try CompressedStream(scene.stream)
        try stream.send(ScriptedStream.header() + CompressedScene.offer)
        #expect(try scene.restart.answer().payload == CompressedScene.features)
        try stream.send("<message id='m1'/>")
        #expect(try scene.client.exchange().payload == "<message xmlns='jabber:client' id='m1'/>")
        try server.act(stream)
        let end = HostileEnd("", "", reason: server.reason, error: server.error)
        try end.expectEnd(of: scene.client, from: try scene.client.send(), scene.scene)
        withExtendedLifetime(scene) {}
    }

    @Test("X-07 R-16: a stanza comes through although what follows in the same segment is damaged")
    func keepsWhatCameBefore() throws {
        let scene = try CompressedScene()
        let stream = try CompressedStream(scene.stream)
        try stream.send(ScriptedStream.header() + CompressedScene.offer)
        #expect(try scene.restart.answer().payload == CompressedScene.features)
        try stream.wire.send(try stream.compressed("<message id='m1'/>") + [0x07, 0xFF, 0xFF, 0xFF])
        let end = HostileEnd(
            "", "", reason: "upstream-malformed", pending: "<message xmlns='jabber:client' id='m1'/>")
        try end.expectEnd(of: scene.client, from: try scene.client.send(), scene.scene)
        withExtendedLifetime(scene) {}
    }

    @Test("X-07: a server that offers compression and then refuses it goes on without")
    func refuses() throws {
        let scene = try CompressedScene()
        try scene.stream.send("<failure xmlns='http://jabber.org/protocol/compress'><setup-failed/></failure>")
        #expect(try scene.restart.answer().payload == CompressedScene.features)
        try scene.expectService(on: scene.stream)
    }

    @Test("X-07: a compressed stream whose bytes come one at a time")
    func bytewise() throws {
        let scene = try CompressedScene()
        let stream = try CompressedStream(scene.stream)
        for byte in try stream.compressed(ScriptedStream.header() + CompressedScene.offer) {
            try scene.stream.wire.send([byte])
        }
        #expect(try scene.restart.answer().payload == CompressedScene.features)
        try scene.expectService(on: stream)
    }

    @Test("X-07: all that a server has to say, in the segment in which it agrees")
    func inOneSegment() throws {
        let scene = try CompressedScene()
        let stream = try CompressedStream(scene.stream, agrees: false)
        let first = try stream.compressed(ScriptedStream.header())
        let second = try stream.compressed(CompressedScene.offer + "<message id='m1'/>")
        try scene.stream.wire.send(Array(CompressedStream.agreement.utf8) + first + second)
        #expect(try scene.restart.answer().payload == CompressedScene.features)
        #expect(try scene.client.exchange().payload == "<message xmlns='jabber:client' id='m1'/>")
        try scene.expectService(on: stream)
    }
}

/// A session whose client has logged in and restarted its stream, and whose server was asked to compress.
final class CompressedScene {
    let scene: HostileScene
    let client: BOSHClient
    /// The server's end of the connection.
    let stream: ScriptedStream
    /// What carries the compressed stream: the connection, or TLS on it.
    let carrier: any ServerCarrier
    /// The client's request to restart the stream.
    let restart: BOSHRequest

    /// What the server offers after login.
    static let offer =
        "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"
        + "<compression xmlns='http://jabber.org/features/compress'><method>zlib</method></compression></stream:features>"
    /// What the client gets of that offer.
    static let features = "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features>"

    init(isSecured: Bool = false, environment: [String: String] = [:]) throws {
        let environment = environment.merging(["HOLDFAST_UPSTREAM_COMPRESSION": "zlib"]) { given, _ in given }
        if isSecured {
            let authority = try TLSIdentity.authority()
            scene = try HostileScene("direct", trusting: authority, environment: environment)
            client = BOSHClient(scene.daemon)
            let request = try client.create()
            stream = try scene.server.accept()
            carrier = try stream.secure(as: try TLSIdentity(issuedBy: authority))
            try carrier.send(ScriptedStream.header() + ScriptedStream.features)
            try client.adopt(try request.answer())
        } else {
            scene = try HostileScene(environment: environment)
            (client, stream) = try scene.join()
            carrier = stream
        }
        try carrier.send("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
        #expect(try client.exchange().payload == "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
        restart = try client.send("xmpp:restart='true' to='example.org' xmlns:xmpp='urn:xmpp:xbosh'")
        _ = try carrier.read(until: "version='1.0'>")
        try carrier.send(ScriptedStream.header() + Self.offer)
        _ = try carrier.read(until: "</compress>")
    }

    /// Expects that stanzas go both ways and that the stream ends in order.
    func expectService(on stream: any ServerStream) throws {
        let poll = try client.send("", "<message xmlns='jabber:client' id='up'/>")
        _ = try stream.read(until: "<message xmlns='jabber:client' id='up'/>")
        try stream.send("<message id='down'/>")
        #expect(try poll.answer().payload == "<message xmlns='jabber:client' id='down'/>")
        #expect(try client.exchange("type='terminate'").isTerminal)
        _ = try stream.read(until: "</stream:stream>")
        self.stream.wire.close()
        try scene.daemon.wait(until: "upstream.streams_now", is: 1)
        try scene.expectOthersUnharmed()
    }
}

/// The server's end of a compressed stream.
final class CompressedStream: ServerStream {
    let carrier: any ServerCarrier
    private var deflater: StreamDeflater
    private var inflater: StreamInflater
    private var plain = ""

    static let agreement = "<compressed xmlns='http://jabber.org/protocol/compress'/>"

    /// Agrees to compress and reads the header that follows, or leaves both to the caller.
    init(_ carrier: any ServerCarrier, agrees: Bool = true) throws {
        guard let deflater = StreamDeflater(), let inflater = StreamInflater() else { throw TestFault("no zlib") }
        self.carrier = carrier
        self.deflater = deflater
        self.inflater = inflater
        guard agrees else { return }
        try carrier.send(Self.agreement)
        _ = try read(until: "version='1.0'>")
    }

    var wire: ByteStream { carrier.wire }

    /// The text as the next bytes of the stream, before they are sealed.
    func compressed(_ text: String) throws -> [UInt8] {
        var bytes: [UInt8] = []
        guard deflater.deflate(Array(text.utf8).span, into: &bytes) else { throw TestFault("zlib failed") }
        return bytes
    }

    func send(_ text: String) throws {
        try wire.send(carrier.sealed(compressed(text)))
    }

    func read(until pattern: String) throws -> String {
        while true {
            if let end = plain.firstRange(of: pattern) {
                defer { plain.removeSubrange(..<end.upperBound) }
                return String(plain[..<end.upperBound])
            }
            let bytes = try carrier.receive()
            var more: [UInt8] = []
            var offset = 0
            while try inflater.inflate(bytes.span, offset: &offset, room: 65_536, into: &more) {}
            plain += more.text
        }
    }
}

/// What a server does to an open compressed stream.
struct HostileCompression: CustomTestStringConvertible, Sendable {
    let testDescription: String
    var reason = "upstream-malformed"
    /// The stream error that the client gets.
    var error = ""
    let act: @Sendable (CompressedStream) throws -> Void

    private static let reset = "<stream:error><reset xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"

    static let all = [
        Self(testDescription: "a stanza that is not compressed") { try $0.wire.send("<message id='m2'/>") },
        Self(testDescription: "a bit changed") {
            var bytes = try $0.compressed("<message id='m2'>nothing that was there before</message>")
            bytes[2] ^= 0x55
            try $0.wire.send(bytes + (try $0.compressed("<message id='m3'/>")))
        },
        Self(testDescription: "a block of no type that there is") { try $0.wire.send([0x07, 0xFF, 0xFF, 0xFF]) },
        Self(testDescription: "the end of the zlib stream and more") {
            // An empty last block, a wrong checksum over the data before, and further bytes.
            try $0.wire.send([0x03, 0x00, 0x00, 0x00, 0x00, 0x01, 0x78, 0x9C])
        },
        Self(testDescription: "a bomb of text") {
            try $0.wire.sendUntilCut(try $0.compressed("<message>" + String(repeating: "a", count: 80_000_000)))
        },
        Self(testDescription: "a bomb of depth") {
            try $0.wire.sendUntilCut(try $0.compressed(String(repeating: "<a>", count: 4_000_000)))
        },
        Self(testDescription: "what is not well-formed") { try $0.send("<message></presence><message id='m2'/>") },
        Self(testDescription: "<compressed/> again") { try $0.send(CompressedStream.agreement) },
        Self(testDescription: "<failure/> of compression") {
            try $0.send("<failure xmlns='http://jabber.org/protocol/compress'/>")
        },
        Self(testDescription: "the end of the stream", reason: "upstream-closed") { try $0.send("</stream:stream>") },
        Self(testDescription: "a stream error", reason: "upstream-stream-error", error: reset) { try $0.send(reset) },
        Self(testDescription: "a stream error and a reset", reason: "upstream-stream-error", error: reset) {
            try $0.send(reset)
            try $0.wire.reset()
        },
        Self(testDescription: "a stanza without its last bytes, and the end", reason: "upstream-lost") {
            try $0.wire.send((try $0.compressed("<message id='m2'/>")).dropLast(8).map { $0 })
            $0.wire.close()
        },
        Self(testDescription: "nothing, and the end", reason: "upstream-lost") { $0.wire.close() },
    ]
}

extension HostileEnd {
    private static let agreement = CompressedStream.agreement
    private static let failure = "<failure xmlns='http://jabber.org/protocol/compress'/>"
    private static let error = "<stream:error><reset xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"

    private static func says(_ name: String, _ text: String, reason: String = "upstream-malformed") -> Self {
        Self(name, text, reason: reason)
    }

    /// The server agrees, and sends these bytes where its compressed header should be.
    private static func agrees(_ name: String, _ bytes: [UInt8]) -> Self {
        Self(name) { try $0.wire.sendUntilCut(Array(agreement.utf8) + bytes) }
    }

    fileprivate static let compressing = [
        says("a stanza", "<message/>"),
        says("features", CompressedScene.offer),
        says("a header", ScriptedStream.header()),
        says("what it was asked", "<compress xmlns='http://jabber.org/protocol/compress'/>"),
        says("<proceed/>", ScriptedStream.proceed),
        says("<compressed/> of another namespace", "<compressed xmlns='urn:example'/>"),
        says("text", "hello"),
        says("the end of the stream", "</stream:stream>", reason: "upstream-closed"),
        Self("a stream error", error, reason: "upstream-stream-error", error: error),
        Self("nothing, and the end", reason: "upstream-lost") { $0.wire.close() },
        Self("<failure/> twice", failure + failure, reason: "upstream-malformed", pending: CompressedScene.features),
        Self(
            "<failure/> and <compressed/>", failure + agreement, reason: "upstream-malformed",
            pending: CompressedScene.features),
        agrees("<compressed/> and a header in the clear", Array(ScriptedStream.header().utf8)),
        agrees("<compressed/> twice", Array(agreement.utf8)),
        agrees("<compressed/> and a line end", [0x0A, 0x0A]),
        agrees("<compressed/> and gzip", [0x1F, 0x8B, 0x08, 0, 0, 0, 0, 0, 0, 3]),
        agrees("<compressed/> and deflate without a header", [0x2B, 0x29, 0x4A, 0x2D, 0x4E]),
        agrees("<compressed/> and a dictionary that nobody has", [0x78, 0xBB, 0, 0, 0, 1, 0, 0]),
        agrees("<compressed/> and zero bytes", [UInt8](repeating: 0, count: 100_000)),
        agrees("<compressed/> and zlib with nothing in it, and more", [0x78, 0x9C, 0x03, 0, 0, 0, 0, 1, 0x78, 0x9C]),
        Self("<compressed/>, and the end", reason: "upstream-lost") {
            try $0.send(agreement)
            $0.wire.close()
        },
        Self("<compressed/>, and a reset", reason: "upstream-lost") {
            try $0.send(agreement)
            try $0.wire.reset()
        },
        Self("<compressed/>, and half a header", reason: "upstream-lost") {
            try $0.wire.send(Array(agreement.utf8) + [0x78])
            $0.wire.close()
        },
        Self("<compressed/>, and a header of another namespace", reason: "upstream-malformed") {
            try CompressedStream($0).send("<stream:stream xmlns='jabber:server' xmlns:stream='urn:example'>")
        },
        Self("<compressed/>, and a bomb", reason: "upstream-malformed") {
            let stream = try CompressedStream($0)
            let header = "<stream:stream id='" + String(repeating: "a", count: 16_777_216)
            try stream.wire.sendUntilCut(try stream.compressed(header))
        },
        Self("<compressed/>, and no features", reason: "upstream-closed") {
            try CompressedStream($0).send(ScriptedStream.header() + "</stream:stream>")
        },
    ]
}
