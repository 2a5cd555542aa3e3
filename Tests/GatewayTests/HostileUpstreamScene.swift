import TestSupport
import Testing

/// The server's end of a stream, plain or protected.
protocol ServerStream {
    func send(_ text: String) throws
    func read(until pattern: String) throws -> String
}

/// The carrier of a compressed stream: it sends bytes as they are, or sealed in records.
protocol ServerCarrier: ServerStream {
    var wire: ByteStream { get }
    /// The bytes as they go over the wire.
    func sealed(_ bytes: [UInt8]) -> [UInt8]
    /// Waits for bytes and decrypts them.
    func receive() throws -> [UInt8]
}

extension ScriptedStream: ServerStream {}

extension ScriptedStream: ServerCarrier {
    func sealed(_ bytes: [UInt8]) -> [UInt8] { bytes }

    func receive() throws -> [UInt8] {
        guard case .bytes(let bytes) = try wire.receive() else { throw TestFault("closed") }
        return bytes
    }
}

/// A daemon with a session whose server works. Another server is hostile, and must harm only its own session.
final class HostileScene {
    let daemon: Daemon
    let server: ScriptedUpstream
    let bystander: BOSHClient
    let bystanderStream: any ServerStream

    /// A daemon that speaks to its server without TLS.
    init(receiveBuffer: Int32? = nil, environment: [String: String] = [:]) throws {
        let session = try OpenSession(receiveBuffer: receiveBuffer, environment: environment)
        daemon = session.daemon
        server = session.server
        bystander = session.client
        bystanderStream = session.stream
    }

    /// A daemon that trusts one authority, and uses TLS from the first byte on or after STARTTLS.
    init(_ mode: String, trusting authority: TLSIdentity, environment: [String: String] = [:]) throws {
        server = try ScriptedUpstream()
        let file = try TemporaryFile(authority.pem)
        let flags = [
            "--upstream", "127.0.0.1:\(server.port)", "--max-wait", "60", "--upstream-tls", mode, "--upstream-ca",
            file.path,
        ]
        daemon = try Daemon(flags, environment: environment)
        bystander = BOSHClient(daemon)
        let request = try bystander.create()
        let stream = try server.accept()
        if mode == "starttls" { try stream.proceed() }
        let secured = try stream.secure(as: try TLSIdentity(issuedBy: authority))
        try secured.send(ScriptedStream.header() + ScriptedStream.features)
        bystanderStream = secured
        try bystander.adopt(try request.answer())
    }

    /// Creates the session with the hostile server. The session is established before the server does its harm.
    func join() throws -> (client: BOSHClient, stream: ScriptedStream) {
        let client = BOSHClient(daemon)
        let request = try client.create()
        let stream = try server.accept()
        try stream.open()
        try client.adopt(try request.answer())
        return (client, stream)
    }

    /// What a client fetches, from the answer to `poll` on, until its session ends.
    func fetchToEnd(_ client: BOSHClient, from poll: BOSHRequest) throws -> (payload: String, end: BOSHBody) {
        var answer = try poll.answer()
        var payload = answer.payload
        while !answer.isTerminal {
            answer = try client.exchange()
            payload += answer.payload
        }
        return (payload, answer)
    }

    /// Expects that one session and its connection have ended for this reason, and that everything else is as before.
    func expectOneEnded(_ reason: String) throws {
        let admin = try daemon.connectToAdmin()
        try admin.wait(until: "sessions.ended.\(reason)", is: 1)
        try admin.wait(until: "upstream.streams_now", is: 1)
        try expectOthersUnharmed()
    }

    /// Expects that only the other session is left, that its stanzas go both ways, and that the process is sound.
    func expectOthersUnharmed() throws {
        let request = try bystander.send("", "<message xmlns='jabber:client' id='ping'/>")
        #expect(try bystanderStream.read(until: "id='ping'/>").hasSuffix("<message xmlns='jabber:client' id='ping'/>"))
        try bystanderStream.send("<message id='pong'/>")
        #expect(try request.answer().payload == "<message xmlns='jabber:client' id='pong'/>")
        #expect(try daemon.statistics().number("sessions.now") == 1)
        #expect(daemon.isRunning)
        #expect(try daemon.residentKilobytes() < 64_000)
    }
}

/// What a server does while a client waits for its stream.
struct HostileOpening: CustomTestStringConvertible, Sendable {
    let testDescription: String
    var reason = "upstream-malformed"
    /// The stream error that the client gets.
    var error = ""
    let act: @Sendable (ScriptedStream) throws -> Void

    init(
        _ name: String, reason: String = "upstream-malformed", error: String = "",
        act: @escaping @Sendable (ScriptedStream) throws -> Void
    ) {
        testDescription = name
        self.reason = reason
        self.error = error
        self.act = act
    }

    /// The server sends this, as far as it can, and does not close.
    init(_ name: String, _ text: String, reason: String = "upstream-malformed", error: String = "") {
        self.init(name, reason: reason, error: error) { try $0.wire.sendUntilCut(Array(text.utf8)) }
    }

    /// The server sends these bytes, as far as it can, and does not close.
    init(_ name: String, _ bytes: [UInt8]) {
        self.init(name) { try $0.wire.sendUntilCut(bytes) }
    }

    /// Plays it: the creation response ends the session, which has no name yet, and gives the reason.
    func play() throws {
        let scene = try HostileScene()
        let request = try BOSHClient(scene.daemon).create()
        let stream = try scene.server.accept()
        _ = try stream.readHeader()
        try act(stream)
        try expectRefusal(request, scene)
        withExtendedLifetime(stream) {}
    }

    /// Expects the answer that the client gets.
    func expectRefusal(_ request: BOSHRequest, _ scene: HostileScene) throws {
        let answer = try request.endOrTurnedAway()
        // Where the server was lost, the client is to try again.
        #expect((answer == nil) == (reason == "upstream-lost" || reason == "upstream-timeout"))
        if let answer {
            #expect(answer.condition == (error.isEmpty ? "remote-connection-failed" : "remote-stream-error"))
            #expect(answer.payload == error)
            if !error.isEmpty { #expect(answer["xmlns:stream"] == "http://etherx.jabber.org/streams") }
            #expect(answer["sid"] == nil)
        }
        try scene.expectOneEnded(reason)
    }
}

/// Whether the client has a request open when a server does its harm.
enum Listening: String, CaseIterable, CustomTestStringConvertible, Sendable {
    /// The client has a request open.
    case held = "a request is held"
    /// The client sends its next request after everything is over.
    case absent = "no request is open"

    var testDescription: String { rawValue }
}

/// What a server does to end an open stream.
struct HostileEnd: CustomTestStringConvertible, Sendable {
    let testDescription: String
    var reason = "upstream-malformed"
    /// What the client gets before the end.
    var pending = ""
    /// The stream error that the client gets.
    var error = ""
    let act: @Sendable (ScriptedStream) throws -> Void

    init(
        _ name: String, reason: String = "upstream-malformed", pending: String = "", error: String = "",
        act: @escaping @Sendable (ScriptedStream) throws -> Void
    ) {
        testDescription = name
        self.reason = reason
        self.pending = pending
        self.error = error
        self.act = act
    }

    /// The server sends this in one write and does not close.
    init(_ name: String, _ text: String, reason: String, pending: String = "", error: String = "") {
        self.init(name, reason: reason, pending: pending, error: error) { try $0.send(text) }
    }

    /// Plays it: the client gets what came before, then the reason, and the session has ended.
    func play(_ listening: Listening, environment: [String: String] = [:]) throws {
        let scene = try HostileScene(environment: environment)
        let (client, stream) = try scene.join()
        let poll: BOSHRequest
        switch listening {
        case .held:
            poll = try client.send()
            try scene.daemon.settle()
            try act(stream)
        case .absent:
            try act(stream)
            try scene.daemon.wait(until: "upstream.streams_now", is: 1)
            poll = try client.send()
        }
        try expectEnd(of: client, from: poll, scene)
        withExtendedLifetime(stream) {}
    }

    /// Expects what the client gets, from `poll` on.
    func expectEnd(of client: BOSHClient, from poll: BOSHRequest, _ scene: HostileScene) throws {
        let (payload, end) = try scene.fetchToEnd(client, from: poll)
        #expect(payload == pending + error)
        #expect(end.condition == (error.isEmpty ? "remote-connection-failed" : "remote-stream-error"))
        // T-06: the whole error is in the body that ends the session.
        #expect(end.payload.hasSuffix(error))
        if !error.isEmpty { #expect(end["xmlns:stream"] == "http://etherx.jabber.org/streams") }
        #expect(try client.exchange().condition == "item-not-found")
        try scene.expectOneEnded(reason)
    }
}
