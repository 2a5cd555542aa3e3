import Addresses
import BOSHCore
import Bridge
import LogLines
import Primitives
import Reactor
import Settings
import XMLCodec

/// The BOSH sessions of a worker. It knows which there are, when each needs attention, and what they hold.
///
/// Each session gets the requests of its client and the events of its servers, and its decisions are executed. This
/// class touches no connection and no stream; it names both by numbers.
final class Sessions {
    let loop: Loop
    let policy: SessionPolicy
    let bodyParser: BodyParser
    private unowned var sides: ClientSides!
    private(set) unowned var clients: Clients!
    private(set) unowned var upstreams: Upstreams!

    private var drivers: [SessionDriver?] = []
    private var vacant: [UInt32] = []
    private var table = SessionTable()
    private var deadlines = DeadlineQueue()
    /// The sessions that have not logged in.
    private var logins = LoginQueue()
    private var loginTimes = SlotTimes()
    /// Since when stanzas wait for the next request of their client.
    private var waitingTimes = SlotTimes()
    /// How many bytes of responses each session keeps beyond those that it must keep, by slot.
    private var spareResponses = SizeOrder()
    /// How many bytes of unfetched stanzas each session holds, by slot. Sessions that are being drained are left out.
    private var stanzaHolders = SizeOrder()
    /// When the operator was last told of requests for another machine.
    private var otherNodeToldAt: MonotonicInstant?
    /// A buffer for the effects of one input, used again each time.
    private var effects: [SessionEffect] = []
    /// A buffer for the bytes of one response body, used again each time.
    private var bodyScratch: [UInt8] = []

    init(_ loop: Loop) {
        self.loop = loop
        policy = SessionPolicy(loop.settings)
        bodyParser = BodyParser(limits: .ofClients(loop.settings))
    }

    /// Connects this object with the parts that it uses.
    func connect(sides: ClientSides, clients: Clients, upstreams: Upstreams) {
        self.sides = sides
        self.clients = clients
        self.upstreams = upstreams
    }

    // MARK: Which there are

    /// All sessions, in the order of their slots.
    var all: [SessionDriver] { drivers.compactMap { $0 } }

    /// How many sessions there are.
    var count: Int { table.count }

    /// How many sessions have not logged in.
    var loginCount: Int { logins.count }

    /// How many bytes of responses are kept beyond those that must be kept.
    var spareResponseBytes: Int { spareResponses.total }

    /// The session that a request names; nil when there is none.
    func driver(of sid: SessionID) -> SessionDriver? {
        guard let slot = table.slot(of: sid), let driver = drivers[Int(slot)], driver.session.id == sid else {
            return nil
        }
        return driver
    }

    /// Counts a request for a session of another machine. The operator is told once a minute, because the balancer in
    /// front should have sent it there.
    func noteOtherNode(of sid: SessionID) {
        guard sid.node != loop.fellows.node else { return }
        loop.counters.otherNodeSessions &+= 1
        if let told = otherNodeToldAt, loop.now < told.advanced(by: .seconds(60)) { return }
        otherNodeToldAt = loop.now
        loop.logs.sessions.warning(
            "a request was for a session of another node, so its session is not found",
            metadata: [
                "node": "\(sid.node)", "own": "\(loop.fellows.node)",
                "times": .number(loop.counters.otherNodeSessions),
            ])
    }

    /// The session at a slot, whichever it is.
    func driver(at slot: UInt32) -> SessionDriver? { slot < drivers.count ? drivers[Int(slot)] : nil }

    private func isGone(_ driver: SessionDriver) -> Bool { drivers[Int(driver.slot)] !== driver }

    /// Creates a session for a new client.
    ///
    /// - Returns: false when its identifier was given out before: then the random source is broken, and sessions could
    ///   be guessed.
    func begin(
        _ sid: SessionID, _ opening: SessionOpening, payload: [UInt8], account: AddressLedger.Account,
        _ exchange: ExchangeID, from requester: Requester
    ) -> Bool {
        let slot = vacant.popLast() ?? UInt32(drivers.count)
        if slot == drivers.count { drivers.append(nil) }
        guard table.insert(sid, slot: slot) else {
            vacant.append(slot)
            return false
        }
        clients.hold(exchange, for: SessionPlace(.bosh, slot: slot), of: sid)
        effects.removeAll(keepingCapacity: true)
        let session = Session(
            id: sid, opening: opening, stream: StreamName(bits: loop.freshBits()), exchange: exchange, payload: payload,
            now: loop.now, policy: policy, into: &effects)
        let driver = SessionDriver(
            slot: slot, account: account, client: ClientAddress(requester.client?.address),
            isSecure: requester.scheme == .https, session: session, now: loop.now)
        drivers[Int(slot)] = driver
        logins.append(slot)
        loginTimes.begin(slot, now: loop.now)
        loop.counters.sessionsEver += 1
        sides.showCount()
        loop.logs.sessions.debug(
            "session created",
            metadata: [
                "sid8": "\(sid.short)", "domain": "\(opening.domain)",
                "client": "\(requester.client.map { "\($0.address)" } ?? "unknown")",
            ])
        executeEffects(of: driver, from: requester)
        return true
    }

    private func forget(_ driver: SessionDriver, reason: EndReason) {
        let end = SessionEnd(
            name: driver.session.id.short, reason: reason, side: .bosh, client: driver.client,
            user: sides.takeUser(of: SessionPlace(.bosh, slot: driver.slot), driver.record), record: driver.record,
            at: loop.now)
        sides.noteEnd(end) { ["requests": .number(driver.record.requests)] }
        release(driver)
        driver.takeLinks { upstreams.detach($0) }
        table.remove(driver.session.id)
        sides.showCount()
        logins.remove(driver.slot)
        _ = waitingTimes.end(driver.slot, now: loop.now)
        drivers[Int(driver.slot)] = nil
        loop.addresses.closeSession(
            of: driver.account, hasLoggedIn: driver.ask { $0.hasLoggedIn }, now: loop.now)
        if let bound = Bound(reason) { loop.reached(bound, "session \(driver.session.id.short)") }
        vacant.append(driver.slot)
    }

    // MARK: What is said to a session, and what it says

    /// Gives a session an input and executes its decisions.
    ///
    /// - Parameter requester: the sender of the request, if the input is a request; otherwise nil.
    func handle(_ input: consuming SessionInput, session slot: UInt32, from requester: Requester? = nil) {
        guard let driver = driver(at: slot) else { return }
        effects.removeAll(keepingCapacity: true)
        driver.session.handle(input, now: loop.now, policy: policy, into: &effects)
        executeEffects(of: driver, from: requester)
    }

    /// Gives a session an event of one of its streams.
    func receive(_ event: consuming UpstreamEvent, on stream: StreamNumber, session slot: UInt32) {
        switch event {
        case .loggedIn, .registrationOffered:
            noteLogin(event, on: stream, session: slot)
        case .ended(let reason, _):
            if let driver = driver(at: slot), driver.session.isCreating, mayLaterSucceed(driver, stream, reason) {
                driver.isTurnedAway = true
            }
            handle(.upstream(event, on: stream), session: slot)
        case .stanzas:
            handle(.upstream(event, on: stream), session: slot)
            noteDelivery(to: slot)
        default:
            handle(.upstream(event, on: stream), session: slot)
        }
    }

    /// Notes whether stanzas that have come were passed on, or wait for the client's next request.
    private func noteDelivery(to slot: UInt32) {
        guard !loop.latencies.endDelivery() else { return }
        waitingTimes.beginUnlessBegun(slot, now: loop.now)
    }

    /// Notes that a response is given to a request, with stanzas or without.
    func noteResponse(_ response: borrowing BodyResponse, isRepeat: Bool, of driver: SessionDriver) {
        guard !isRepeat else {
            loop.counters.repeats &+= 1
            return
        }
        guard !response.payload.isEmpty else { return }
        loop.latencies.notePassedOn(now: loop.now)
        if let time = waitingTimes.end(driver.slot, now: loop.now) { loop.latencies.noteFetched(after: time) }
    }

    /// Whether a client whose creation failed is to try again by itself: a client that is told a condition gives up. The
    /// domain of a stranger that has no address is rather misspelt.
    private func mayLaterSucceed(_ driver: SessionDriver, _ stream: StreamNumber, _ reason: EndReason) -> Bool {
        if reason == .upstreamUnresolved, let link = driver.link(stream), upstreams.isOfStranger(link) { return false }
        return reason.isOfAbsentServer
    }

    /// Notes that a stream of a session has ended.
    func forget(_ link: Token, session slot: UInt32) { driver(at: slot)?.remove(link) }

    /// Tells a session that the client will not get the answer to a waiting request (`P-13`).
    func abort(_ waiting: ClientConnection.Waiting, on connection: Token) {
        guard isWaiting(waiting) else { return }
        let exchange = ExchangeID(connection: connection.raw, number: waiting.exchange)
        loop.counters.abortedPolls &+= 1
        handle(.requestAborted(exchange), session: waiting.session.slot)
    }

    /// Tells a session that its client sends nothing more before it gets the answer to a request (`H-18`).
    func awaitAnswer(to waiting: ClientConnection.Waiting, on connection: Token) {
        guard isWaiting(waiting) else { return }
        let exchange = ExchangeID(connection: connection.raw, number: waiting.exchange)
        handle(.answerAwaited(exchange), session: waiting.session.slot)
    }

    /// Whether a session still has this request to answer.
    func isWaiting(_ waiting: ClientConnection.Waiting) -> Bool {
        driver(at: waiting.session.slot).map { waiting.isFor($0.session.id) } ?? false
    }

    /// Ends sessions, because the process is about to end.
    ///
    /// - Parameter most: how many of them; those with the lowest slots.
    func shutDown(atMost most: Int = .max) {
        var rest = most
        for slot in drivers.indices where drivers[slot] != nil {
            guard rest > 0 else { return }
            rest -= 1
            handle(.shutdownRequested, session: UInt32(slot))
        }
    }

    /// Executes the effects of one input, in order.
    ///
    /// A server that fails at once can cause another input of the same session in between. That is correct: the session
    /// has finished its input before the first effect is executed, and the remaining effects name exchanges and streams
    /// by numbers that are never used again.
    private func executeEffects(of driver: SessionDriver, from requester: Requester?) {
        var pending = effects
        effects = []
        for effect in pending {
            switch effect {
            case .respond(let exchange, let response):
                answer(exchange, response, of: driver)
            case .respondAgain(let exchange, let response):
                answer(exchange, response, isRepeat: true, of: driver)
            case .turnAway(let exchange):
                turnAwayForNow(exchange)
            case .upstream(.open(let request), let stream):
                // If an earlier effect has ended the session, it would never release this stream.
                guard !isGone(driver),
                    let link = upstreams.open(
                        request, stream: stream, session: SessionPlace(.bosh, slot: driver.slot),
                        name: driver.session.id.short, client: requester?.client)
                else { continue }
                driver.add(link, stream)
                if stream == .first { driver.record.site = upstreams.siteNumber(of: link) }
                upstreams.begin(link)
            case .upstream(let command, let stream):
                if let link = driver.link(stream) { upstreams.execute(command, on: link) }
            case .ended(let reason):
                forget(driver, reason: reason)
            }
        }
        pending.removeAll(keepingCapacity: true)
        effects = pending
        noteHoldings(of: driver)
        if let deadline = driver.ask({ $0.nextDeadline }) {
            deadlines.schedule(slot: driver.slot, at: deadline)
        }
    }

    /// Makes the bytes of a response body in a buffer that is used again.
    func withBody<Result>(_ make: (inout [UInt8]) -> Result) -> Result {
        bodyScratch.removeAll(keepingCapacity: true)
        return make(&bodyScratch)
    }

    // MARK: When something has to happen

    /// The earliest deadline of a session.
    var nextDeadline: MonotonicInstant? { deadlines.next }

    /// When a session is looked at next; nil when nothing is due.
    func due(_ driver: SessionDriver) -> MonotonicInstant? { deadlines.due(driver.slot) }

    /// Handles the sessions whose deadline may have passed.
    func handleDeadlines() {
        while let slot = deadlines.popDue(now: loop.now) {
            guard let driver = driver(at: slot), let deadline = driver.ask({ $0.nextDeadline }) else { continue }
            if deadline <= loop.now {
                handle(.deadlineReached, session: slot)
            } else {
                deadlines.schedule(slot: slot, at: deadline)
            }
        }
    }

    // MARK: Logins

    /// Ends the session that has been without login for longest, because room is needed for another one.
    func displaceOldestLogin() {
        if let oldest = logins.oldest { handle(.displaced, session: oldest) }
    }

    /// Makes room for the login of a new session.
    func makeRoomForLogin() { sides.makeRoomForLogin() }

    /// How many sessions of all protocols there are.
    var countOfAll: Int { sides.count }

    /// Gives a session an event that may complete its login, and notes the login.
    private func noteLogin(_ event: UpstreamEvent, on stream: StreamNumber, session slot: UInt32) {
        guard logins.contains(slot), let driver = driver(at: slot) else { return }
        handle(.upstream(event, on: stream), session: slot)
        guard driver.ask({ $0.hasLoggedIn }), logins.contains(slot) else { return }
        logins.remove(slot)
        loop.latencies.noteLogin(after: loginTimes.end(slot, now: loop.now))
        loop.addresses.loggedIn(driver.account)
    }

    // MARK: What sessions hold

    /// Updates what is known of a session's holdings, and gives up responses when too many are kept beyond the required
    /// ones. Such responses are kept (`R-06`) for a page that was loaded again, or a laptop that slept, which may ask
    /// for an older one. The session that keeps most gives up its oldest one.
    private func noteHoldings(of driver: SessionDriver) {
        guard !isGone(driver) else { return }
        spareResponses.set(driver.slot, to: driver.ask { $0.spareResponseBytes })
        settle(driver)
        while spareResponses.total > loop.share(loop.settings.replayBudget), evictSpareResponse() {}
    }

    private func settle(_ driver: SessionDriver) {
        let held = driver.ask { $0.heldBytes }
        charge(driver, for: held)
        stanzaHolders.set(driver.slot, to: driver.ask { $0.isDraining } ? 0 : held.stanzas)
    }

    private func release(_ driver: SessionDriver) {
        spareResponses.set(driver.slot, to: 0)
        stanzaHolders.set(driver.slot, to: 0)
        charge(driver, for: .nothing)
    }

    private func charge(_ driver: SessionDriver, for held: Session.HeldBytes) {
        let before = driver.charged
        loop.memory.settle(.requests, held.requests, charged: &driver.chargedRequests)
        loop.memory.settle(.stanzas, held.stanzas, charged: &driver.chargedStanzas)
        loop.memory.settle(.replays, held.replays, charged: &driver.chargedReplays)
        loop.addresses.note(driver.charged - before, of: driver.account)
    }

    /// Takes one response from a session that keeps most. Returns false when no session has one to spare.
    private func evictSpareResponse() -> Bool {
        guard let slot = spareResponses.largest else { return false }
        guard let driver = driver(at: slot), driver.session.evictSpareResponse() else {
            spareResponses.set(slot, to: 0)
            return true
        }
        loop.counters.responsesEvicted += 1
        spareResponses.set(slot, to: driver.ask { $0.spareResponseBytes })
        spareResponses.passTurn(of: slot)
        settle(driver)
        return true
    }

    /// When memory is short, stops reading the servers of the sessions that hold most, until their clients have fetched
    /// what waits. Then gives up responses that need not be kept.
    func drainLargest() {
        for _ in 0..<Self.drainedAtOnce {
            guard loop.memory.pressure >= .high, let slot = stanzaHolders.largest,
                stanzaHolders.size(of: slot) >= Self.worthDraining
            else { break }
            stanzaHolders.set(slot, to: 0)
            loop.reached(.memoryLimit, "a server is not read until its client has fetched the waiting stanzas")
            handle(.memoryShort, session: slot)
        }
        for _ in 0..<Self.drainedAtOnce where loop.memory.pressure >= .high {
            guard evictSpareResponse() else { break }
        }
    }

    /// A session that holds less than this is not worth stopping.
    private static let worthDraining = 4_096

    /// How many sessions are stopped, and how many responses given up, in one turn of the loop.
    private static let drainedAtOnce = 32
}
