/// One BOSH session as a browser's library keeps it (XEP-0124, at most two requests), without sockets. It says which
/// bytes go out on which of its two connections, and takes the responses.
struct BOSHClient: LoadClient {
    /// The failure of a client whose session the connection manager does not know any more.
    static let sessionUnknown = LoadPhase.failed("terminated: item-not-found")

    /// What all sessions have in common.
    struct Profile {
        let path: String
        let host: String
        let domain: String
        let hold: Int
        let wait: Int
    }

    /// One request without a response.
    private struct Request {
        let rid: UInt64
        let isPoll: Bool
        let bytes: [UInt8]
        var connection: Int
        // A response that came before that of an earlier request; it is read in its turn (XEP-0124 §6).
        var early: [UInt8]?
    }

    private var dialogue: LoginDialogue
    var phase: LoadPhase { dialogue.phase }
    var jid: [UInt8] { dialogue.jid }
    var reader: LinkReader { .http(ReplyParser()) }
    /// The number of requests made, without repeats.
    private(set) var requestCount = 0

    private let profile: Profile
    private var rid: UInt64
    private var sid: [UInt8] = []
    private var requests: [Request] = []
    private var unsent: [UInt8] = []
    // The number of requests that the connection manager allows at once: 1 until it has said more.
    private var allowed = 1

    init(profile: Profile, login: LoginDialogue.Login, firstRID: UInt64) {
        self.profile = profile
        dialogue = LoginDialogue(login)
        rid = firstRID
    }

    /// Whether the only open request is an empty poll: at that moment a lost connection hurts most.
    var isIdlyPolling: Bool { phase == .ready && requests.count == 1 && requests[0].isPoll && unsent.isEmpty }

    /// Whether a request waits for its response on `connection`.
    func isBusy(_ connection: Int) -> Bool { requests.contains { $0.connection == connection && $0.early == nil } }

    /// The connection of the oldest open request.
    var oldestConnection: Int? { requests.first?.connection }

    /// Begins the session.
    mutating func start() {
        dialogue.phase = .creating
    }

    /// Queues a stanza for the next request.
    mutating func send(_ stanza: [UInt8]) {
        unsent += stanza
    }

    /// Ends the session with the next request.
    mutating func terminate() {
        if phase == .ready { dialogue.phase = .terminating }
    }

    /// The next request for a connection; nil if nothing is to be sent now.
    mutating func nextRequest() -> (connection: Int, bytes: [UInt8])? {
        guard requests.count < allowed else { return nil }
        let connection = isBusy(0) ? 1 : 0
        switch phase {
        case .idle, .ended, .failed:
            return nil
        case .creating:
            guard sid.isEmpty, requests.isEmpty else { break }
            let attributes = """
                to='\(profile.domain)' wait='\(profile.wait)' hold='\(profile.hold)' ver='1.6' xml:lang='en' \
                content='text/xml; charset=utf-8' xmpp:version='1.0' xmlns:xmpp='urn:xmpp:xbosh'
                """
            return make(Array(attributes.utf8), [], connection)
        case .restarting where isRestartUnsent:
            isRestartUnsent = false
            let attributes = "to='\(profile.domain)' xmpp:restart='true' xmlns:xmpp='urn:xmpp:xbosh'"
            return make(sidAttribute + Array(attributes.utf8), [], connection)
        case .terminating where !isTerminateSent:
            isTerminateSent = true
            return make(sidAttribute + Array("type='terminate'".utf8), take(), connection)
        case .terminating:
            return nil
        default: break
        }
        // A message goes out at once on the second connection; a poll only when nothing is open.
        guard requests.isEmpty || !unsent.isEmpty else { return nil }
        return make(sidAttribute, take(), connection)
    }

    /// Takes the response to the request on `connection`. Returns the bodies that are now in order.
    mutating func receive(_ reply: LinkReply, on connection: Int) -> [[UInt8]] {
        guard let index = requests.firstIndex(where: { $0.connection == connection && $0.early == nil }) else {
            fail("a response that nobody asked for")
            return []
        }
        guard reply.kind == .response(status: 200) else {
            if case .response(let status) = reply.kind { fail("status \(status)") } else { fail("a frame") }
            return []
        }
        requests[index].early = reply.body
        var bodies: [[UInt8]] = []
        while let early = requests.first?.early {
            requests.removeFirst()
            read(early)
            bodies.append(early)
        }
        return bodies
    }

    /// The request to send again when its connection ended: a browser repeats the same bytes on a new one.
    func repeatedRequest(on connection: Int) -> [UInt8]? {
        requests.first { $0.connection == connection && $0.early == nil }?.bytes
    }

    /// Forgets an open poll whose connection ended, for a client, such as a restored page, that goes on with the next
    /// rid.
    mutating func forgetRequest(on connection: Int) {
        requests.removeAll { $0.connection == connection && $0.early == nil }
    }

    /// A client of the same user that begins a session of its own.
    func successor(firstRID: UInt64) -> any LoadClient {
        BOSHClient(profile: profile, login: dialogue.login, firstRID: firstRID)
    }

    mutating func loseConnection() -> Bool { false }

    /// Ends the session from this side.
    mutating func fail(_ reason: String) {
        guard phase != .ended else { return }
        dialogue.phase = .failed(reason)
        requests = []
    }

    private var isRestartUnsent = false
    private var isTerminateSent = false

    private var sidAttribute: [UInt8] { Array("sid='".utf8) + sid + Array("' ".utf8) }

    private mutating func take() -> [UInt8] {
        let payload = unsent
        unsent.removeAll(keepingCapacity: payload.capacity <= 1_024)
        return payload
    }

    private mutating func make(
        _ attributes: [UInt8], _ payload: [UInt8], _ connection: Int
    ) -> (connection: Int, bytes: [UInt8]) {
        var body = Array("<body xmlns='http://jabber.org/protocol/httpbind' rid='\(rid)' ".utf8)
        body += attributes
        body += payload.isEmpty ? Array("/>".utf8) : [UInt8(ascii: ">")] + payload + Array("</body>".utf8)
        var bytes = Array(
            """
            POST \(profile.path) HTTP/1.1\r
            Host: \(profile.host)\r
            Content-Type: text/xml; charset=utf-8\r
            Content-Length: \(body.count)\r
            \r

            """.utf8)
        bytes += body
        requests.append(
            Request(rid: rid, isPoll: payload.isEmpty && phase == .ready, bytes: bytes, connection: connection))
        rid += 1
        requestCount += 1
        return (connection, bytes)
    }

    private mutating func read(_ body: [UInt8]) {
        let body = body[...]
        if let type = Markup.attribute(Needle.type, of: body), type.elementsEqual(Needle.terminate) {
            let condition = Markup.attribute(Needle.condition, of: body).map { String(decoding: $0, as: UTF8.self) }
            if phase == .terminating {
                dialogue.phase = .ended
            } else {
                fail("terminated: \(condition ?? "no condition")")
            }
            return
        }
        switch phase {
        case .creating: readCreation(body)
        case .authenticating, .restarting, .binding, .startingSession:
            let wasRestarting = phase == .restarting
            let next = dialogue.read(body)
            if phase == .restarting, !wasRestarting { isRestartUnsent = true }
            if !next.isEmpty { send(next) }
            if case .failed(let reason) = phase { fail(reason) }
        case .terminating:
            if isTerminateSent, requests.isEmpty { dialogue.phase = .ended }
        case .idle, .ready, .ended, .failed: break
        }
    }

    private mutating func readCreation(_ body: ArraySlice<UInt8>) {
        if sid.isEmpty {
            guard let sid = Markup.attribute(Needle.sid, of: body) else {
                fail("no sid")
                return
            }
            self.sid = Array(sid)
            if let number = Markup.attribute(Needle.requests, of: body) {
                allowed = min(max(Int(String(decoding: number, as: UTF8.self)) ?? 2, 1), 2)
            } else {
                allowed = 2
            }
        }
        // The features come with the creation response or, with a slow server, later.
        guard Markup.contains(Needle.mechanisms, in: body) else { return }
        send(dialogue.authenticate())
    }
}

private enum Needle {
    static let type = Array("type".utf8)
    static let terminate = Array("terminate".utf8)
    static let condition = Array("condition".utf8)
    static let sid = Array("sid".utf8)
    static let requests = Array("requests".utf8)
    static let mechanisms = Array("<mechanism>".utf8)
}
