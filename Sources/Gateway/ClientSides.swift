import Addresses
import Bridge
import LogLines
import Logging
import Primitives
import StreamCore

/// The place of a session: the protocol that its client speaks, and its slot among the sessions of that protocol.
struct SessionPlace: Hashable {
    /// The protocols that clients speak. Another one is another case here, which the compiler asks for below.
    enum Side: UInt32, CaseIterable {
        case bosh
        case webSocket
        case polling
    }

    /// Two bits for the side: as an optional it takes no more room than a slot.
    private let raw: UInt32

    init(_ side: Side, slot: UInt32) {
        raw = side.rawValue << 30 | slot & Self.slots
    }

    var side: Side { Side(rawValue: raw >> 30) ?? .bosh }

    var slot: UInt32 { raw & Self.slots }

    private static let slots: UInt32 = 1 << 30 - 1
}

/// The sessions of all protocols, as the streams to servers and the worker see them.
///
/// A stream names its session by its place. What belongs to one protocol is asked of its own part.
final class ClientSides {
    let bosh: Sessions
    let webSockets: WebSockets
    let polling: Polling
    let loop: Loop
    private unowned var upstreams: Upstreams!
    /// The sessions that have ended last.
    private(set) var recent = RecentEnds()
    /// Who uses the sessions.
    private var users = SessionUsers()
    /// Why a stream has just ended, until the line about its session's end has said so.
    private var streamEnd: String?

    init(_ loop: Loop) {
        self.loop = loop
        bosh = Sessions(loop)
        webSockets = WebSockets(loop)
        polling = Polling(loop)
    }

    /// Connects the parts with those that they use.
    func connect(clients: Clients, upstreams: Upstreams) {
        self.upstreams = upstreams
        bosh.connect(sides: self, clients: clients, upstreams: upstreams)
        webSockets.connect(sides: self, clients: clients, upstreams: upstreams)
        polling.connect(sides: self, clients: clients, upstreams: upstreams)
    }

    // MARK: For the streams

    /// Gives a session an event of one of its streams.
    func receive(_ event: consuming UpstreamEvent, on stream: StreamNumber, session: SessionPlace) {
        switch session.side {
        case .bosh: bosh.receive(event, on: stream, session: session.slot)
        case .webSocket: webSockets.receive(event, session: session.slot)
        case .polling: polling.receive(event, session: session.slot)
        }
    }

    /// Notes that a stream of a session has ended.
    func forget(_ link: Token, session: SessionPlace) {
        switch session.side {
        case .bosh: bosh.forget(link, session: session.slot)
        case .webSocket: webSockets.forget(link, session: session.slot)
        case .polling: polling.forget(link, session: session.slot)
        }
    }

    /// The stream that a session has under this number; nil when it has none.
    func link(of session: SessionPlace, _ stream: StreamNumber) -> Token? {
        switch session.side {
        case .bosh: bosh.driver(at: session.slot)?.link(stream)
        case .webSocket: webSockets.client(at: session.slot)?.link
        case .polling: polling.client(at: session.slot)?.link
        }
    }

    // MARK: What is noted of sessions

    /// Changes what is noted of a session; nothing is done when it has ended.
    func note(_ session: SessionPlace, _ change: (inout SessionRecord) -> Void) {
        switch session.side {
        case .bosh: if let driver = bosh.driver(at: session.slot) { change(&driver.record) }
        case .webSocket: if let client = webSockets.client(at: session.slot) { change(&client.record) }
        case .polling: if let client = polling.client(at: session.slot) { change(&client.record) }
        }
    }

    /// Whether the user of a session is wanted and not known.
    func lacksUser(_ session: SessionPlace) -> Bool { loop.settings.logsUsers && users.lacks(session) }

    /// Notes who uses a session, as the server has said it. The first word counts: other users can have a server pass on
    /// elements that look like another one.
    func noteUser(_ jid: String, of session: SessionPlace, at site: UpstreamSite) {
        guard loop.settings.logsUsers else { return }
        users.set(jid, of: session, at: site.isOpenProxy ? nil : site.name)
    }

    /// Who uses a session: the bare JID; nil before the server has said it.
    func user(of session: SessionPlace, _ record: SessionRecord) -> String? {
        users.user(of: session, at: domain(of: record))
    }

    /// Who has used a session that is ending. Its place may be another one's from now on.
    func takeUser(of session: SessionPlace, _ record: SessionRecord) -> String? {
        defer { users.remove(session) }
        return user(of: session, record)
    }

    /// Tells a session that a stream of it has ended, and why.
    ///
    /// - Returns: whether the session has ended by it, so that the line about its end has said why.
    func telling(why reason: String, _ tell: () -> Void) -> Bool {
        streamEnd = reason
        defer { streamEnd = nil }
        tell()
        return streamEnd == nil
    }

    /// Counts and logs the end of a session, and keeps it for operators who ask.
    ///
    /// - Parameter details: what only sessions of its protocol have.
    func noteEnd(_ end: SessionEnd, _ details: () -> Logger.Metadata) {
        loop.counters.sessionEnds.count(end.reason)
        recent.add(end)
        var why: String?
        if end.reason.isOfUpstream { swap(&why, &streamEnd) }
        // While a server is left alone, every client is turned away at once. That was said when it began.
        loop.logPeer(
            .sessions, end.reason == .upstreamSpared ? .debug : .info, "session ended",
            line(of: end, why).merging(details()) { own, _ in own })
    }

    /// What the log says about the end of any session.
    private func line(of end: SessionEnd, _ why: String?) -> Logger.Metadata {
        var line: Logger.Metadata = [
            "sid8": "\(end.name)", "reason": "\(end.reason.rawValue)", "over": "\(end.side.word)",
            "seconds": .wholeSeconds(end.age), "stanzas_to_server": .number(end.record.stanzasUp),
            "stanzas_to_client": .number(end.record.stanzasDown),
        ]
        if let client = end.client.address { line["client"] = "\(client)" }
        if let domain = domain(of: end.record) { line["domain"] = "\(domain)" }
        if let server = server(of: end.record) { line["server"] = "\(server)" }
        if let user = end.user { line["user"] = "\(user)" }
        if let id = end.record.streamID.text { line["stream_id8"] = "\(id)" }
        if let why { line["detail"] = "\(why)" }
        return line
    }

    /// Counts and logs that a server has refused the login of a session, with what tools that ban addresses look for
    /// (`deploy/fail2ban`). After a login nothing is a failed login.
    func noteLoginFailure(_ failure: LoginFailure, of session: SessionPlace) {
        guard let (client, account, name, record) = loggingIn(session) else { return }
        loop.counters.loginFailures.count(failure)
        if failure.mayBeGuess { loop.addresses.loginFailed(account, now: loop.now) }
        var line: Logger.Metadata = [
            "condition": "\(failure.rawValue)", "sid8": "\(name)", "over": "\(session.side.word)",
        ]
        if let client { line["client"] = "\(client)" }
        if let domain = domain(of: record) { line["domain"] = "\(domain)" }
        loop.logPeer(.sessions, .notice, "login-failed", line)
    }

    /// What is known of the client of a session that has not logged in; nil for any other session.
    private func loggingIn(
        _ session: SessionPlace
    ) -> (client: IPAddress?, account: AddressLedger.Account, name: String, record: SessionRecord)? {
        switch session.side {
        case .bosh:
            guard let driver = bosh.driver(at: session.slot), !driver.ask({ $0.hasLoggedIn }) else { return nil }
            return (driver.client.address, driver.account, driver.session.id.short, driver.record)
        case .webSocket:
            guard let client = webSockets.client(at: session.slot), !client.ask({ $0.hasLoggedIn }) else { return nil }
            return (client.requester.client?.address, client.sessionAccount, client.name, client.record)
        case .polling:
            guard let client = polling.client(at: session.slot), !client.ask({ $0.hasLoggedIn }) else { return nil }
            return (client.requester.client?.address, client.account, client.id.short, client.record)
        }
    }

    /// The domain of a session's first stream, or `*` for one that a stranger named; nil before there is a stream.
    func domain(of record: SessionRecord) -> String? { upstreams.sites.name(record.site) }

    /// The server at which a session's first stream was opened, for a configured domain.
    func server(of record: SessionRecord) -> String? { upstreams.serverNumbers[record.server]?.description }

    // MARK: For the worker

    /// How many sessions there are.
    var count: Int { bosh.count + webSockets.count + polling.count }

    /// How many sessions have not logged in.
    var loginCount: Int { bosh.loginCount + webSockets.loginCount + polling.loginCount }

    /// Shows the other workers how many sessions there are, after that has changed.
    func showCount() { loop.fellows.show(sessions: count) }

    /// If the number of sessions without login has reached its limit, ends one that has waited long. A login takes about
    /// a second, so in a flood the oldest sessions are never those that are logging in.
    func makeRoomForLogin() {
        guard loginCount >= loop.loginLimit else { return }
        let most = max(bosh.loginCount, webSockets.loginCount, polling.loginCount)
        if bosh.loginCount == most {
            bosh.displaceOldestLogin()
        } else if webSockets.loginCount == most {
            webSockets.displaceOldestLogin()
        } else {
            polling.displaceOldestLogin()
        }
    }

    /// Ends sessions, because the process is about to end.
    ///
    /// - Parameter most: how many of them.
    func shutDown(atMost most: Int = .max) {
        var rest = most
        let ofBOSH = min(rest, bosh.count)
        bosh.shutDown(atMost: ofBOSH)
        rest -= ofBOSH
        let ofWebSockets = min(rest, webSockets.count)
        webSockets.shutDown(atMost: ofWebSockets)
        polling.shutDown(atMost: rest - ofWebSockets)
    }

    /// The earliest deadline of a session.
    var nextDeadline: MonotonicInstant? {
        // An array of them would be allocated in each turn.
        Self.earlier(bosh.nextDeadline, Self.earlier(webSockets.nextDeadline, polling.nextDeadline))
    }

    private static func earlier(_ one: MonotonicInstant?, _ other: MonotonicInstant?) -> MonotonicInstant? {
        guard let one, let other else { return one ?? other }
        return min(one, other)
    }

    /// Handles the sessions whose deadline may have passed.
    func handleDeadlines() {
        bosh.handleDeadlines()
        webSockets.handleDeadlines()
        polling.handleDeadlines()
    }
}
