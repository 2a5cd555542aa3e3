/// A web client over HTTP polling (XEP-0025) that keeps to the rules, unless its plan names a fault. It has one request
/// on its way at a time, and its connections may fail.
///
/// Its requests are in `PollingClient+Requests.swift`, what it says and hears in `PollingClient+Dialogue.swift`, and how
/// it is away, breaks a rule or leaves in `PollingClient+Ends.swift`.
final class PollingClient: Client {
    enum Stage {
        /// It waits for the first answer, or to begin another session.
        case creating
        case running
        /// It will end its stream, or has done so.
        case leaving
        case over
    }

    let world: World
    let plan: Plan
    let number: Int
    let begins: Instant
    let carrier: any Carrier
    var kernel: Kernel { world.kernel }
    var chance: Chance
    var stage = Stage.creating
    let stream: ClientStream
    var managed: ManagedStream?
    /// The name of what its server keeps, once the client knows it.
    var managedID: String?
    var resumptions = 0
    var wantsToLeave = false
    /// Whether it asks for nothing, as a machine that sleeps.
    var isAway = false
    /// Whether it has broken a rule.
    var isOffending = false

    // What belongs to the present session.
    /// The identifier of the session; empty until it is told.
    var id = ""
    var keys: PollingKeyChain?
    /// The request that waits for its answer.
    var current: PollingAttempt?
    /// The client's stream, as far as it was not sent.
    var unsent: [UInt8] = []
    /// How often a part of it was held back.
    var splits = 0
    var markup = Markup()
    var isGreeted = false
    /// Whether the end of the client's stream was said, and whether the other side has ended its own.
    var hasSaidEnd = false
    var hasHeardEnd = false
    /// The condition of a stream error that came.
    var error: String?
    /// When the last request was sent that was answered.
    var lastHeardAt = Instant.zero
    /// The time between empty requests, and when the next one is due.
    var interval: Duration
    var nextPoll = Instant.zero

    init(_ plan: Plan, number: Int, world: World, carrier: any Carrier) {
        self.plan = plan
        self.number = number
        self.world = world
        self.carrier = carrier
        chance = Chance(seed: UInt64(plan["seed"]) ^ 0x9011)
        let ledger = Ledger("client \(number)", world.judge)
        stream = ClientStream(login: number, ledger: ledger, stage: .features)
        ledger.mayBeLate = carrier.isSlow
        ledger.endsAtOnce = true
        ledger.noticesWithin =
            .seconds(30 + 2 * plan["pollmax"] + 400 * plan["sleeps"]) + .milliseconds(20 * plan["thinks"])
        // Its server's link takes 5 ms at most; the rest is the pace of both programs.
        if plan["serverslow"] == 0, world.scenario.world["piece"] == 0 { ledger.margin = .milliseconds(50) }
        if world.isShortOfDescriptors, world.mayReachNobody { ledger.explain(["remote-connection-failed"]) }
        interval = .milliseconds(Self.shortestInterval)
        begins = world.kernel.now + .milliseconds(plan["at"])
        kernel.at(begins) { [self] in create() }
    }

    static let shortestInterval = 300

    var isOver: Bool { stage == .over }
    var name: String { "client \(number)" }
    var ledger: Ledger { stream.ledger }
    var ledgers: [Ledger] { [stream.ledger] }
    var isActive: Bool { stage == .running && stream.stage == .active && !isOffending && !isAway && !hasHeardEnd }

    /// Whether a request that was lost can be told from the next one.
    var usesKeys: Bool { plan["keys"] > 0 }

    func stream(at index: Int) -> ClientStream? { index == 0 ? stream : nil }

    func presence(at tag: UInt32, isAlive: Bool) -> Presence {
        // Nobody knows where a session is being begun.
        guard !id.isEmpty else { return .uncertain }
        return id.split(separator: "-").dropFirst().first.map { $0 == "\(tag)" } ?? false ? .there : .elsewhere
    }

    /// How long its session lives without a request.
    var inactivity: Duration { .seconds(world.pollingInactivity) }

    // MARK: The beginning

    /// Begins a session, the first one or another one that continues the stream.
    func create() {
        guard stage == .creating else { return }
        // Where nobody listens, it would soon give up.
        if world.isDeserted {
            kernel.after(.seconds(1)) { [self] in create() }
            return
        }
        id = ""
        markup = Markup()
        (isGreeted, hasSaidEnd, hasHeardEnd, error) = (false, false, false, nil)
        stream.stage = .features
        splits = 0
        unsent = Array(Self.header.utf8)
        // Some begin with an empty request.
        let content = plan["hello"] > 0 ? takeUnsent() : []
        var head = "0"
        if usesKeys {
            var chain = PollingKeyChain(length: plan["keys"] + 1, seed: chance.next())
            head += ";\(chain.begin())"
            keys = chain
        }
        send(PollingAttempt(Array("\(head),".utf8) + content, hasContent: !content.isEmpty))
    }

    /// Nobody knows of the session that it tried to begin, or it does not wait for the answer any more.
    func giveUp() {
        goneSilently()
        finish()
    }
}

/// A request until it is answered.
final class PollingAttempt {
    let body: [UInt8]
    let hasContent: Bool
    /// Whether it ends the client's stream.
    var isFarewell = false
    var tries = 0
    /// How many copies were sent, and how many of these are on their way.
    var sent = 0
    var copies = 0
    /// Whether all of it may have arrived once.
    var mayHaveArrived = false
    var isAnswered = false
    /// When it was sent first.
    var begunAt = Instant.zero

    init(_ body: [UInt8], hasContent: Bool) {
        self.body = body
        self.hasContent = hasContent
    }
}
