import Addresses
import BOSHCore
import Bridge
import Primitives
import Reactor
import Settings
import XMLCodec

/// The BOSH sessions of a worker: which there are, when something has to happen to one, and what they hold.
///
/// Each session is given what its client says over HTTP and what its servers tell, and what it decides is executed. No
/// connection and no stream is touched here: both are named by their numbers.
final class Sessions {
    let loop: Loop
    let policy: SessionPolicy
    let bodyParser: BodyParser
    private(set) unowned var clients: Clients!
    private(set) unowned var upstreams: Upstreams!

    private var drivers: [SessionDriver?] = []
    private var vacant: [UInt32] = []
    private var table = SessionTable()
    private var deadlines = DeadlineQueue()
    /// The sessions that have not logged in.
    private var logins = LoginQueue()
    /// What sessions keep of responses beyond those that must be, by slot.
    private var spareResponses = SizeOrder()
    /// What sessions hold of stanzas that their clients have not fetched, by slot; not those that are being drained.
    private var stanzaHolders = SizeOrder()
    /// Reused for the effects of one input.
    private var effects: [SessionEffect] = []
    /// Reused for the bytes of one response body.
    private var bodyScratch: [UInt8] = []

    init(_ loop: Loop) {
        self.loop = loop
        policy = SessionPolicy(loop.settings)
        bodyParser = BodyParser(limits: .ofClients(loop.settings))
    }

    /// Whom it speaks to, from here on.
    func connect(clients: Clients, upstreams: Upstreams) {
        self.clients = clients
        self.upstreams = upstreams
    }

    // MARK: Which there are

    /// All of them, in slot order.
    var all: [SessionDriver] { drivers.compactMap { $0 } }

    /// How many there are.
    var count: Int { table.count }

    /// How many have not logged in.
    var loginCount: Int { logins.count }

    /// How many bytes of responses are kept beyond those that must be.
    var spareResponseBytes: Int { spareResponses.total }

    /// The session that a request names; nil when there is none.
    func driver(of sid: SessionID) -> SessionDriver? {
        guard let slot = table.slot(of: sid), let driver = drivers[Int(slot)], driver.session.id == sid else {
            return nil
        }
        return driver
    }

    /// Whatever stands at a slot.
    func driver(at slot: UInt32) -> SessionDriver? { slot < drivers.count ? drivers[Int(slot)] : nil }

    private func isGone(_ driver: SessionDriver) -> Bool { drivers[Int(driver.slot)] !== driver }

    /// Makes a session for a new client.
    ///
    /// - Returns: false when its identifier is one that was given out already: the random source is broken, and no session may
    ///   be guessable.
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
        clients.hold(exchange, for: slot, of: sid)
        effects.removeAll(keepingCapacity: true)
        let session = Session(
            id: sid, opening: opening, stream: StreamName(bits: loop.freshBits()), exchange: exchange, payload: payload,
            now: loop.now, policy: policy, into: &effects)
        let driver = SessionDriver(slot: slot, account: account, session: session)
        drivers[Int(slot)] = driver
        logins.append(slot)
        loop.counters.sessionsEver += 1
        loop.logger.debug(
            "session created",
            metadata: [
                "sid8": "\(sid.short)", "domain": "\(opening.domain)",
                "client": "\(requester.client.map { "\($0.address)" } ?? "unknown")",
            ])
        executeEffects(of: driver, from: requester)
        return true
    }

    private func forget(_ driver: SessionDriver, reason: EndReason) {
        loop.counters.sessionEnds.count(reason)
        loop.logPeer(.info, "session ended", ["sid8": "\(driver.session.id.short)", "reason": "\(reason.rawValue)"])
        release(driver)
        driver.takeLinks { upstreams.detach($0) }
        table.remove(driver.session.id)
        logins.remove(driver.slot)
        drivers[Int(driver.slot)] = nil
        loop.addresses.closeSession(
            of: driver.account, hasLoggedIn: driver.ask { $0.hasLoggedIn }, now: loop.now)
        if let bound = Bound(reason) { loop.reached(bound, "session \(driver.session.id.short)") }
        vacant.append(driver.slot)
    }

    // MARK: What is said to a session, and what it says

    /// Gives a session an input and does what it says.
    ///
    /// - Parameter requester: who sent the request that the input is; nil for all others.
    func handle(_ input: consuming SessionInput, session slot: UInt32, from requester: Requester? = nil) {
        guard let driver = driver(at: slot) else { return }
        effects.removeAll(keepingCapacity: true)
        driver.session.handle(input, now: loop.now, policy: policy, into: &effects)
        executeEffects(of: driver, from: requester)
    }

    /// Gives a session what one of its streams has to tell.
    func receive(_ event: consuming UpstreamEvent, on stream: StreamNumber, session slot: UInt32) {
        switch event {
        case .loggedIn, .registrationOffered:
            noteLogin(event, on: stream, session: slot)
        case .ended(.upstreamShortage, _):
            // A client that is told a condition gives up, and this one is to try again.
            if let driver = driver(at: slot), driver.session.isCreating { driver.isTurnedAway = true }
            handle(.upstream(event, on: stream), session: slot)
        default:
            handle(.upstream(event, on: stream), session: slot)
        }
    }

    /// A stream of a session's is over.
    func forget(_ link: Token, session slot: UInt32) { driver(at: slot)?.remove(link) }

    /// Tells a session that no answer will reach the client for a request that waits for one (`P-13`).
    func abort(_ waiting: ClientConnection.Waiting, on connection: Token) {
        guard isWaiting(waiting) else { return }
        let exchange = ExchangeID(connection: connection.raw, number: waiting.exchange)
        handle(.requestAborted(exchange), session: waiting.session)
    }

    /// Tells a session that its client sends nothing more before it has the answer to a request (`H-18`).
    func awaitAnswer(to waiting: ClientConnection.Waiting, on connection: Token) {
        guard isWaiting(waiting) else { return }
        let exchange = ExchangeID(connection: connection.raw, number: waiting.exchange)
        handle(.answerAwaited(exchange), session: waiting.session)
    }

    /// Whether some session still waits for a request to be answered.
    func isWaiting(_ waiting: ClientConnection.Waiting) -> Bool {
        driver(at: waiting.session)?.session.id.low == waiting.mark
    }

    /// Ends all sessions: the process is about to end.
    func shutDown() {
        for slot in drivers.indices where drivers[slot] != nil {
            handle(.shutdownRequested, session: UInt32(slot))
        }
    }

    /// Executes the effects of one input, in order.
    ///
    /// A server that fails at once can lead to another input of the same session in between. That is in order: the session
    /// has dealt with its input before the first effect is executed, and what is left names exchanges and streams by
    /// numbers that are never used again.
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
                // One that has ended by what an earlier effect led to would never leave this stream.
                guard !isGone(driver),
                    let link = upstreams.open(
                        request, stream: stream, session: driver.slot, sid: driver.session.id,
                        client: requester?.client)
                else { continue }
                driver.add(link, stream)
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

    /// Sees to the sessions whose deadline may have passed.
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

    /// Ends the session that has been without login for longest when there are as many as may be: a login takes a second, and
    /// those of a flood are all older by then.
    func makeRoomForLogin() {
        guard logins.count >= loop.loginLimit, let oldest = logins.oldest else { return }
        handle(.displaced, session: oldest)
    }

    /// Takes in what a server has said of a client's login, as long as that means something.
    private func noteLogin(_ event: UpstreamEvent, on stream: StreamNumber, session slot: UInt32) {
        guard logins.contains(slot), let driver = driver(at: slot) else { return }
        handle(.upstream(event, on: stream), session: slot)
        guard driver.ask({ $0.hasLoggedIn }), logins.contains(slot) else { return }
        logins.remove(slot)
        loop.addresses.loggedIn(driver.account)
    }

    // MARK: What sessions hold

    /// Takes in what a session holds now, and gives up responses where those that need not be kept are too many: a page that
    /// was loaded again or a laptop that slept may ask for an older one than the rules make us keep (`R-06`). Whoever keeps most
    /// gives up its oldest one.
    private func noteHoldings(of driver: SessionDriver) {
        guard !isGone(driver) else { return }
        spareResponses.set(driver.slot, to: driver.ask { $0.spareResponseBytes })
        settle(driver)
        while spareResponses.total > loop.settings.replayBudget, evictSpareResponse() {}
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

    /// Takes one response from one of those that keep most; false when none has one to spare.
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

    /// The servers of the sessions that hold most are read no more until their clients have fetched what is there, and
    /// responses that need not be kept are not.
    func drainLargest() {
        for _ in 0..<Self.drainedAtOnce {
            guard loop.memory.pressure >= .high, let slot = stanzaHolders.largest,
                stanzaHolders.size(of: slot) >= Self.worthDraining
            else { break }
            stanzaHolders.set(slot, to: 0)
            loop.reached(.memoryLimit, "a server is not read until its client has fetched what waits")
            handle(.memoryShort, session: slot)
        }
        for _ in 0..<Self.drainedAtOnce where loop.memory.pressure >= .high {
            guard evictSpareResponse() else { break }
        }
    }

    /// A session that holds less is not worth stopping.
    private static let worthDraining = 4_096

    /// How many sessions are stopped, and how many responses given up, in one turn of the loop.
    private static let drainedAtOnce = 32
}
