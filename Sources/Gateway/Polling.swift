import Addresses
import BOSHCore
import Bridge
import HTTPWire
import LogLines
import Logging
import PollingCore
import Primitives
import Reactor
import Settings
import XMLCodec

/// The sessions over HTTP polling (XEP-0025). It knows which there are, when each needs attention, and what they hold.
///
/// Each session gets the requests of its client, the items of the XML in them, and the events of its stream, and its
/// decisions are executed. This class touches no connection and no stream; it names both by numbers.
final class Polling {
    let loop: Loop
    let policy: PollingPolicy
    let domains: ServedDomains
    let reader: ClientStreamReader
    private(set) unowned var sides: ClientSides!
    private(set) unowned var clients: Clients!
    private unowned var upstreams: Upstreams!

    private var sessions = SlotArray<PollingClient>(.polling)
    private var slots: [SessionID: UInt32] = [:]
    private var deadlines = DeadlineQueue()
    private var logins = LoginQueue()
    private var loginTimes = SlotTimes()
    /// A buffer for the effects of one input, used again each time.
    private var effects: [PollingEffect] = []

    init(_ loop: Loop) {
        self.loop = loop
        let settings = loop.settings
        policy = PollingPolicy(settings)
        domains = ServedDomains(settings)
        reader = ClientStreamReader(limits: .ofClients(settings))
        if settings.pollingPath != nil, settings.trustedProxies.isEmpty || settings.clientSchemeFrom == .none {
            loop.logs.sessions.warning(
                "polling-path is set and no trusted proxy says https: over plain HTTP everybody reads logins and keys",
                metadata: ["setting": "client-scheme-from"])
        }
    }

    /// Connects this object with the parts that it uses.
    func connect(sides: ClientSides, clients: Clients, upstreams: Upstreams) {
        self.sides = sides
        self.clients = clients
        self.upstreams = upstreams
    }

    // MARK: Which there are

    /// All sessions, in the order of their slots.
    var all: [PollingClient] { sessions.all }

    /// How many sessions there are, with those whose clients may still fetch the last bytes.
    var count: Int { sessions.count }

    /// How many sessions wait for their streams to open.
    var openingCount: Int { all.count { $0.session.phase == .opening } }

    /// How many sessions have not logged in.
    var loginCount: Int { logins.count }

    /// The session at a slot, whichever it is.
    func client(at slot: UInt32) -> PollingClient? { sessions[slot: slot] }

    /// The session that a request names; nil when there is none.
    func client(of id: SessionID) -> PollingClient? { slots[id].flatMap { client(at: $0) } }

    /// Creates a session for a client whose first request has come.
    ///
    /// - Returns: nil when its identifier was given out before: then the random source is broken, and sessions could be
    ///   guessed.
    func begin(_ head: PollingHead, from requester: Requester, account: AddressLedger.Account) -> PollingClient? {
        let random = SystemRandom.value128()
        let id = SessionID(
            node: loop.fellows.node, worker: loop.fellows.tag, high: UInt64(truncatingIfNeeded: random >> 64),
            low: UInt64(truncatingIfNeeded: random))
        guard slots[id] == nil else { return nil }
        let token = sessions.nextToken()
        let session = PollingSession(key: head.key, bits: loop.freshBits(), now: loop.now, policy: policy)
        let client = PollingClient(
            token: token, id: id, requester: requester, account: account, session: session,
            now: loop.now)
        sessions.insert(client, at: token)
        slots[id] = token.slot
        logins.append(token.slot)
        loginTimes.begin(token.slot, now: loop.now)
        loop.counters.polling.opened &+= 1
        sides.showCount()
        loop.logs.sessions.debug(
            "HTTP polling begins", metadata: ["sid8": "\(id.short)", "client": "\(requester.name)"])
        return client
    }

    // MARK: What is said to a session, and what it says

    /// Gives a session an input and executes its decisions.
    func handle(_ input: consuming PollingInput, of client: PollingClient) {
        guard !client.isGone else { return }
        effects.removeAll(keepingCapacity: true)
        client.session.handle(input, now: loop.now, policy: policy, into: &effects)
        executeEffects(of: client)
    }

    /// Gives a session a request and executes its decisions.
    ///
    /// - Returns: whether the XML of the request is to be read.
    func admit(_ request: PollingRequest, of client: PollingClient) -> Bool {
        effects.removeAll(keepingCapacity: true)
        let admission = client.session.admit(request, now: loop.now, policy: policy, into: &effects)
        if admission == .skipRepeat {
            loop.counters.polling.repeats &+= 1
            client.traffic.repeats &+= 1
        }
        executeEffects(of: client)
        return admission == .read && !client.isGone
    }

    /// Gives a session an event of its stream.
    func receive(_ event: consuming UpstreamEvent, session slot: UInt32) {
        guard let client = client(at: slot) else { return }
        handle(.upstream(event), of: client)
        guard logins.contains(slot), !client.isGone, client.ask({ $0.hasLoggedIn }) else { return }
        logins.remove(slot)
        loop.latencies.noteLogin(after: loginTimes.end(slot, now: loop.now))
        loop.addresses.loggedIn(client.account)
    }

    /// Notes that a session's stream has ended.
    func forget(_ link: Token, session slot: UInt32) {
        if let client = client(at: slot), client.link == link { client.link = nil }
    }

    /// Tells a session that the client will not get the answer to a waiting request (`Q-23`).
    func abort(_ waiting: ClientConnection.Waiting, on connection: Token) {
        guard let client = waitingClient(waiting) else { return }
        handle(.aborted(PollingExchange(connection: connection.raw, number: waiting.exchange)), of: client)
    }

    /// Tells a session that its client sends nothing more before it gets the answer to a request.
    func awaitAnswer(to waiting: ClientConnection.Waiting, on connection: Token) {
        guard let client = waitingClient(waiting) else { return }
        handle(.answerAwaited(PollingExchange(connection: connection.raw, number: waiting.exchange)), of: client)
    }

    /// The session that still has this request to answer; nil when none has.
    func waitingClient(_ waiting: ClientConnection.Waiting) -> PollingClient? {
        guard let client = client(at: waiting.session.slot), waiting.isFor(client.id) else { return nil }
        return client
    }

    /// Ends sessions, because the process is about to end.
    ///
    /// - Parameter most: how many of them; those with the lowest slots.
    func shutDown(atMost most: Int) {
        guard most > 0 else { return }
        for client in all.prefix(most) { handle(.shutdownRequested, of: client) }
    }

    /// Ends the session that has been without login for longest, because room is needed for another one.
    func displaceOldestLogin() {
        if let oldest = logins.oldest, let client = client(at: oldest) { handle(.displaced, of: client) }
    }

    /// Executes the effects of one input, in order. A server that fails at once can cause another input of the same
    /// session in between, which finds the session as this input left it.
    private func executeEffects(of client: PollingClient) {
        var pending = effects
        effects = []
        for effect in pending { execute(effect, of: client) }
        pending.removeAll(keepingCapacity: true)
        effects = pending
        settle(client)
        schedule(client)
    }

    private func execute(_ effect: PollingEffect, of client: PollingClient) {
        switch effect {
        case .answer(let exchange, let answer): self.answer(exchange, answer, of: client)
        case .upstream(.open(let request)):
            // If an earlier effect has ended the session, it would never release this stream.
            guard !client.isGone, !client.ask({ $0.isClosing }) else { return }
            client.link = upstreams.open(
                request, stream: .first, session: SessionPlace(.polling, slot: client.token.slot),
                name: client.id.short, client: client.requester.client)
            client.record.site = client.link.map(upstreams.siteNumber) ?? SessionRecord.none
            client.link.map(upstreams.begin)
        case .upstream(let command):
            if case .restart = command { loop.counters.polling.restarts &+= 1 }
            if case .leave(.drop) = command { loop.counters.polling.dropped &+= 1 }
            if let link = client.link { upstreams.execute(command, on: link) }
        case .ended(let reason): end(client, reason)
        case .forgotten: forget(client)
        }
    }

    private func answer(_ exchange: PollingExchange, _ answer: PollingAnswer, of client: PollingClient) {
        switch answer {
        case .stream(let bytes), .again(let bytes):
            client.traffic.bytesOut &+= UInt64(bytes.count)
            respond(
                to: ExchangeID(exchange), id: client.id.pollingText, bytes, over: client.requester.scheme)
        case .error(let error): refuse(ExchangeID(exchange), error, over: client.requester.scheme)
        }
    }

    /// Counts and logs the end of a session (`Q-40`). Its client may still fetch the last bytes.
    private func end(_ client: PollingClient, _ reason: EndReason) {
        logins.remove(client.token.slot)
        let end = SessionEnd(
            name: client.id.short, reason: reason, side: .polling,
            client: ClientAddress(client.requester.client?.address),
            user: sides.takeUser(of: SessionPlace(.polling, slot: client.token.slot), client.record),
            record: client.record, at: loop.now)
        sides.noteEnd(end) {
            [
                "requests": .number(client.record.requests), "repeats": .number(client.traffic.repeats),
                "bytes_in": .number(client.traffic.bytesIn), "bytes_out": .number(client.traffic.bytesOut),
            ]
        }
        client.link.map(upstreams.detach)
        client.link = nil
        client.xml = ClientStreamXML()
        if let bound = Bound(reason) { loop.reached(bound, "session \(client.id.short)") }
    }

    private func forget(_ client: PollingClient) {
        guard !client.isGone else { return }
        client.isGone = true
        settle(client)
        loop.addresses.closeSession(of: client.account, hasLoggedIn: client.ask { $0.hasLoggedIn }, now: loop.now)
        slots[client.id] = nil
        sessions.remove(client.token)
        sides.showCount()
    }

    /// Updates the account with what a session holds now.
    func settle(_ client: PollingClient) {
        let before = client.charged
        let held = client.heldBytes
        loop.memory.settle(.requests, held.requests, charged: &client.chargedRequests)
        loop.memory.settle(.stanzas, held.stanzas, charged: &client.chargedStanzas)
        loop.memory.settle(.replays, held.replays, charged: &client.chargedReplays)
        // The account of a forgotten session may belong to another address by now.
        if client.charged != before { loop.addresses.note(client.charged - before, of: client.account) }
    }

    // MARK: When something has to happen

    /// The earliest deadline of a session.
    var nextDeadline: MonotonicInstant? { deadlines.next }

    private func schedule(_ client: PollingClient) {
        guard !client.isGone, let deadline = client.session.nextDeadline(by: policy) else { return }
        deadlines.schedule(slot: client.token.slot, at: deadline)
    }

    /// Handles the sessions whose deadline may have passed.
    func handleDeadlines() {
        while let slot = deadlines.popDue(now: loop.now) {
            guard let client = client(at: slot), let deadline = client.session.nextDeadline(by: policy) else {
                continue
            }
            if deadline <= loop.now { handle(.deadlineReached, of: client) } else { schedule(client) }
        }
    }

    // MARK: Invariants

    /// The invariant of the sessions that is broken, in words; nil when all hold.
    var brokenInvariant: String? {
        if slots.count != sessions.count { return "\(slots.count) identifiers name \(sessions.count) sessions" }
        for client in all {
            if let fault = broken(client) { return "session over polling \(client.id.short): \(fault)" }
        }
        return nil
    }

    private func broken(_ client: PollingClient) -> String? {
        if client.isGone { return "it is over and in the table" }
        guard let deadline = client.session.nextDeadline(by: policy), let due = deadlines.due(client.token.slot),
            due <= deadline
        else { return "its deadline does not stand" }
        let held = client.heldBytes
        let charged = (Int(client.chargedRequests), Int(client.chargedStanzas), Int(client.chargedReplays))
        return charged == (held.requests, held.stanzas, held.replays) ? nil : "holds \(held) and is charged \(charged)"
    }
}

extension PollingPolicy {
    init(_ settings: Settings) {
        self.init(
            hold: settings.pollingHold, inactivity: settings.pollingInactivity, loginTimeout: settings.loginTimeout,
            registrationTimeout: max(.seconds(300), settings.loginTimeout), outboundBound: settings.sessionBuffer,
            inboundBound: settings.sessionBuffer)
    }
}

extension ExchangeID {
    init(_ exchange: PollingExchange) { self.init(connection: exchange.connection, number: exchange.number) }
}
