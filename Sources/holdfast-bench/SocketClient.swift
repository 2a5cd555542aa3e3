/// One session over WebSocket as a browser's library keeps it (RFC 7395), without a socket.
struct SocketClient: LoadClient {
    private let profile: BOSHClient.Profile
    private var dialogue: LoginDialogue
    /// Frames that wait to be sent.
    private var outgoing: [UInt8] = []
    private var isOpen = false
    private var isHandshakeSent = false
    private(set) var requestCount = 0

    init(profile: BOSHClient.Profile, login: LoginDialogue.Login) {
        self.profile = profile
        dialogue = LoginDialogue(login)
    }

    var phase: LoadPhase { dialogue.phase }
    var jid: [UInt8] { dialogue.jid }
    var isIdlyPolling: Bool { false }
    var oldestConnection: Int? { nil }
    var reader: LinkReader { .webSocket(FrameParser()) }

    mutating func start() { dialogue.phase = .creating }

    mutating func send(_ stanza: [UInt8]) {
        requestCount += 1
        append(stanza, opcode: 1)
    }

    mutating func terminate() {
        guard phase == .ready else { return }
        dialogue.phase = .terminating
        append(Array("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>".utf8), opcode: 1)
    }

    mutating func nextRequest() -> (connection: Int, bytes: [UInt8])? {
        switch phase {
        case .idle, .ended, .failed: return nil
        default: break
        }
        guard isHandshakeSent else {
            isHandshakeSent = true
            let handshake = """
                GET \(profile.path) HTTP/1.1\r
                Host: \(profile.host)\r
                Upgrade: websocket\r
                Connection: Upgrade\r
                Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r
                Sec-WebSocket-Version: 13\r
                Sec-WebSocket-Protocol: xmpp\r
                \r

                """
            return (0, Array(handshake.utf8))
        }
        guard isOpen, !outgoing.isEmpty else { return nil }
        defer { outgoing = [] }
        return (0, outgoing)
    }

    mutating func receive(_ reply: LinkReply, on connection: Int) -> [[UInt8]] {
        switch reply.kind {
        case .response(status: 101):
            isOpen = true
            openStream()
            return []
        case .response(let status):
            fail("status \(status)")
            return []
        case .ping:
            append(reply.body, opcode: 10)
            return []
        case .close:
            if phase == .terminating { dialogue.phase = .ended } else { fail("closed: \(reply.body)") }
            return []
        case .message:
            read(reply.body[...])
            return [reply.body]
        }
    }

    private mutating func read(_ message: ArraySlice<UInt8>) {
        if phase == .creating {
            if Markup.contains(Array("<mechanism>".utf8), in: message) { send(dialogue.authenticate()) }
            return
        }
        let wasRestarting = phase == .restarting
        let next = dialogue.read(message)
        if phase == .restarting, !wasRestarting { openStream() }
        if !next.isEmpty { send(next) }
    }

    private mutating func openStream() {
        append(
            Array("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='\(profile.domain)' version='1.0'/>".utf8),
            opcode: 1)
    }

    /// Appends a masked frame. The key is always the same: this client has nothing to hide from a proxy.
    private mutating func append(_ payload: [UInt8], opcode: UInt8) {
        outgoing.append(0x80 | opcode)
        switch payload.count {
        case 0..<126: outgoing.append(0x80 | UInt8(payload.count))
        case 126..<65_536: outgoing += [0x80 | 126, UInt8(payload.count >> 8), UInt8(payload.count & 255)]
        default:
            outgoing.append(0x80 | 127)
            outgoing += (0..<8).map { UInt8(truncatingIfNeeded: payload.count >> (56 - 8 * $0)) }
        }
        outgoing += Self.key
        for index in payload.indices { outgoing.append(payload[index] ^ Self.key[index & 3]) }
    }

    private static let key: [UInt8] = [0x5A, 0xA5, 0x3C, 0xC3]

    func repeatedRequest(on connection: Int) -> [UInt8]? { nil }

    mutating func forgetRequest(on connection: Int) {}

    mutating func loseConnection() -> Bool {
        guard phase != .ended else { return false }
        fail("the socket was lost")
        return true
    }

    func successor(firstRID: UInt64) -> any LoadClient { SocketClient(profile: profile, login: dialogue.login) }

    mutating func fail(_ reason: String) {
        if phase != .ended { dialogue.phase = .failed(reason) }
    }
}
