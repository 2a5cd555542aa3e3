/// One BOSH session as a browser's library keeps it (XEP-0124, at most two requests), without sockets. It says which
/// bytes go out on which of its two connections, and takes the responses.
struct BOSHClient {
    /// The state of the login.
    enum Phase: Equatable {
        case idle, creating, authenticating, restarting, binding, startingSession, ready, terminating, ended
        /// The session ended too early, with the reason in words.
        case failed(String)
    }

    /// The failure of a client whose session the connection manager does not know any more.
    static let sessionUnknown = Phase.failed("terminated: item-not-found")

    /// How to log in.
    enum Login {
        case anonymous
        case plain(user: String, password: String)
    }

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

    /// The state of the session.
    private(set) var phase = Phase.idle
    /// The full JID, once bound.
    private(set) var jid: [UInt8] = []
    /// The number of requests made, without repeats.
    private(set) var requestCount = 0

    private let profile: Profile
    private let login: Login
    private var rid: UInt64
    private var sid: [UInt8] = []
    private var requests: [Request] = []
    private var unsent: [UInt8] = []
    // The number of requests that the connection manager allows at once: 1 until it has said more.
    private var allowed = 1

    init(profile: Profile, login: Login, firstRID: UInt64) {
        self.profile = profile
        self.login = login
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
        phase = .creating
    }

    /// Queues a stanza for the next request.
    mutating func send(_ stanza: [UInt8]) {
        unsent += stanza
    }

    /// Ends the session with the next request.
    mutating func terminate() {
        if phase == .ready { phase = .terminating }
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
    mutating func receive(status: Int, body: [UInt8], on connection: Int) -> [[UInt8]] {
        guard let index = requests.firstIndex(where: { $0.connection == connection && $0.early == nil }) else {
            fail("a response that nobody asked for")
            return []
        }
        guard status == 200 else {
            fail("status \(status)")
            return []
        }
        requests[index].early = body
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
    func successor(firstRID: UInt64) -> BOSHClient {
        BOSHClient(profile: profile, login: login, firstRID: firstRID)
    }

    /// Ends the session from this side.
    mutating func fail(_ reason: String) {
        guard phase != .ended else { return }
        phase = .failed(reason)
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
            if phase == .terminating { phase = .ended } else { fail("terminated: \(condition ?? "no condition")") }
            return
        }
        switch phase {
        case .creating: readCreation(body)
        case .authenticating:
            if Markup.contains(Needle.success, in: body) {
                phase = .restarting
                isRestartUnsent = true
            } else if Markup.contains(Needle.failure, in: body) {
                fail("login refused")
            }
        case .restarting:
            guard Markup.contains(Needle.bind, in: body) else { break }
            needsSession =
                Markup.firstIndex(of: Needle.session, in: body).map {
                    !Markup.contains(Needle.optional, in: body[$0...])
                } ?? false
            phase = .binding
            send(Array("<iq xmlns='jabber:client' type='set' id='b'>".utf8) + Needle.bindRequest)
        case .binding:
            guard let jid = Markup.element(Needle.jid, in: body) else {
                if Markup.contains(Needle.error, in: body) { fail("no resource") }
                break
            }
            self.jid = Array(jid)
            guard needsSession else {
                phase = .ready
                break
            }
            phase = .startingSession
            send(Array("<iq xmlns='jabber:client' type='set' id='s'>".utf8) + Needle.sessionRequest)
        case .startingSession:
            if Markup.contains(Needle.iq, in: body) { phase = .ready }
        case .terminating:
            if isTerminateSent, requests.isEmpty { phase = .ended }
        case .idle, .ready, .ended, .failed: break
        }
    }

    private var needsSession = false

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
        phase = .authenticating
        switch login {
        case .anonymous:
            send(Array("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'/>".utf8))
        case .plain(let user, let password):
            let response = Base64.encode([0] + Array(user.utf8) + [0] + Array(password.utf8))
            send(
                Array("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>".utf8) + response
                    + Array("</auth>".utf8))
        }
    }
}

private enum Needle {
    static let type = Array("type".utf8)
    static let terminate = Array("terminate".utf8)
    static let condition = Array("condition".utf8)
    static let sid = Array("sid".utf8)
    static let requests = Array("requests".utf8)
    static let mechanisms = Array("<mechanism>".utf8)
    static let success = Array("<success".utf8)
    static let failure = Array("<failure".utf8)
    static let bind = Array("<bind".utf8)
    static let session = Array("<session".utf8)
    static let optional = Array("<optional".utf8)
    static let jid = Array("jid".utf8)
    static let iq = Array("<iq".utf8)
    static let error = Array("<error".utf8)
    static let bindRequest = Array("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>".utf8)
    static let sessionRequest = Array("<session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>".utf8)
}
