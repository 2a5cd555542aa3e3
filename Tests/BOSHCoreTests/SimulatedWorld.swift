import BOSHCore
import Bridge
import Primitives

/// A client, a network and an upstream around one session, with what they know must hold.
///
/// The client keeps to the rules: rids in order, at most `requests` of them without an answer (a pause may be one
/// more), and it repeats only unanswered requests. The network may do anything to what is on its way. `failure` is the
/// first fault.
struct SimulatedWorld {
    enum Content: UInt8 {
        case creation, plain, pause, restart, terminate
        /// Asks for another stream.
        case add
        /// Closes one stream.
        case close

        /// Whether the request may be one above `requests` (`P-07`).
        var isExtra: Bool { self == .pause || self == .terminate || self == .close }
    }

    /// One rid, as client and model know it.
    struct Request {
        var content: Content
        /// The client's stanzas in it: numbers `from..<to`.
        var from: Int
        var to: Int
        /// The stream for which it is; nil for all.
        var target: Int?
        /// What it acknowledges; nil for nothing.
        var ack: Int?
        var hasArrived = false
        /// Whether the client has its answer.
        var isAnswered = false
        /// Whether the page that sent it is gone.
        var isGivenUp = false
        /// The answer that was decided first; every later one must equal it.
        var answer: BodyResponse?
        var sentAt: MonotonicInstant?
    }

    enum Place: UInt8 {
        case underway, waiting, answered, gone
    }

    /// One HTTP request that carries a rid.
    struct Exchange {
        let request: Int
        var place = Place.underway
        var hasArrived = false
        var isDead = false
        var isKnownDead = false
        var isError = false
        var arrival: MonotonicInstant
    }

    static let inactivity = 30
    static let pauseLength = 50
    static let polling = 2
    static let features: UInt8 = 0xFF

    let setting: HistorySetting
    let policy: SessionPolicy
    var session: Session
    var now = MonotonicInstant(nanoseconds: 1_000_000_000_000)
    var effects: [SessionEffect] = []
    var failure: String?
    /// The history as a dialogue; nil when nobody reads it.
    var script: [String]?

    var requests: [Request] = []
    var exchanges: [Exchange] = []
    /// Exchanges by their places.
    var underway: [Int] = []
    var waiting: [Int] = []
    var answersUnderway: [Int] = []

    /// The first rid without an answer at the client.
    var lowestOpen = 0
    var stanzasIssued = 0
    var lastAnswerReceived: MonotonicInstant

    /// All rids up to this one have arrived.
    var processed = 0
    /// The rids whose answers are kept for a repeat, now and before the present input.
    var kept: [Int] = []
    var keptBefore: [Int] = []
    var streams: [Stream] = []
    /// The number of streams before the present input.
    var streamsBefore = 1
    var deliveries: [Delivery] = []
    /// The number of streams for which the client has asked, the first one included.
    var streamsWanted = 1
    /// Whether the client has had features; before that it asks for no further stream.
    var hasFeatures = false
    /// Whether the request that closed the last open stream was processed.
    var hasClosedLast = false
    var idleSince: MonotonicInstant?
    var patience = inactivity
    var lastRidAnswered = 0
    var hasTerminated = false
    var wasTold = false
    var end: EndReason?

    /// A session that was created and has told its features.
    init(setting: HistorySetting, policy: SessionPolicy, isTold: Bool) {
        self.setting = setting
        self.policy = policy
        var attributes = BodyAttributes()
        attributes.rid = .value(setting.firstRid)
        attributes.rare.to = "example.org"
        attributes.rare.hold = .value(UInt64(setting.hold))
        attributes.rare.wait = .value(UInt64(setting.wait))
        if setting.acknowledges { attributes.ack = .value(1) }
        if setting.usesKeys { attributes.rare.newkey = "a6" }
        let exchange = ExchangeID(connection: 0, number: 0)
        do {
            let opening = try SessionOpening(judging: attributes, by: policy)
            session = Session(
                id: SessionHarness.id, opening: opening, stream: StreamName(bits: setting.firstRid),
                exchange: exchange, payload: [], now: now, policy: policy, into: &effects)
        } catch {
            preconditionFailure("the creation request is valid")
        }
        lastAnswerReceived = now
        streams.append(Stream(rid: setting.firstRid, wasOpened: true, isKnown: true, featuresOwed: 0))
        requests.reserveCapacity(64)
        exchanges.reserveCapacity(64)
        requests.append(Request(content: .creation, from: 0, to: 0, hasArrived: true))
        exchanges.append(Exchange(request: 0, place: .waiting, arrival: now))
        waiting.append(0)
        if isTold {
            script = [
                "P: max-wait=20 inactivity=\(Self.inactivity) polling=\(Self.polling) maxpause=\(Self.pauseLength) "
                    + "outbound=1000000 inbound=1000000 responses=\(policy.extraResponses) spare-bytes=0",
                "C: x0 rid=\(setting.firstRid) to=example.org hold=\(setting.hold) wait=\(setting.wait)"
                    + (setting.acknowledges ? " ack=1" : "") + (setting.usesKeys ? " newkey=a6" : ""),
            ]
        }
        settle(hadArrival: true)
        sendFeatures(0)
        while !answersUnderway.isEmpty { deliverAnswer(at: 0) }
    }

    /// The policy of a history: no response is kept that does not have to be.
    static func policy(for setting: HistorySetting) -> SessionPolicy {
        var policy = SessionPolicy(
            maxWait: .seconds(20), maxHold: 3, inactivity: .seconds(inactivity), polling: .seconds(polling),
            maxpause: .seconds(pauseLength), outboundBound: 1_000_000, inboundBound: 1_000_000,
            domains: ServedDomains(names: ["example.org": []]))
        policy.extraResponses = setting.acknowledges ? 8 : 0
        policy.spareBytes = 0
        return policy
    }

    /// Whether some upstream takes no bytes.
    var isCongested: Bool { streams.contains { $0.congestion != .none } }

    var isOver: Bool { end != nil || failure != nil }

    mutating func fail(_ text: String) {
        if failure == nil { failure = text }
    }

    /// Takes one step; does nothing if the step is not possible now.
    mutating func take(_ step: HistoryStep) {
        switch step.kind {
        case .send: send(step)
        case .arrive:
            guard !underway.isEmpty else { return }
            let index = step.first % underway.count
            if step.second % 16 == 0 { duplicate(underway[index]) }
            arrive(at: index)
        case .repeatRequest:
            let open = lowestOpen + step.first % max(requests.count - lowestOpen, 1)
            if open < requests.count, !requests[open].isAnswered {
                repeatRequest(open, givesUpOlder: step.second % 2 == 0)
            }
        case .loseRequest:
            guard !underway.isEmpty else { return }
            let exchange = underway.remove(at: step.first % underway.count)
            exchanges[exchange].place = .gone
        case .deliver:
            if !answersUnderway.isEmpty { deliverAnswer(at: step.first % answersUnderway.count) }
        case .loseAnswer:
            guard !answersUnderway.isEmpty else { return }
            let exchange = answersUnderway.remove(at: step.first % answersUnderway.count)
            exchanges[exchange].place = .gone
        case .die:
            guard !waiting.isEmpty else { return }
            let exchange = waiting[step.first % waiting.count]
            exchanges[exchange].isDead = true
            if step.second % 4 != 0 { notice(exchange) }
        case .notice:
            // Of any connection: that of an answered exchange has no effect.
            let exchange = exchanges.count - 1 - step.first % min(exchanges.count, 6)
            if exchanges[exchange].hasArrived, exchanges[exchange].isDead || exchanges[exchange].place == .gone {
                notice(exchange)
            }
        case .reload: reload(isNoticed: step.first % 4 != 0, dropsCopies: step.second % 2 == 0)
        case .stanzas: sendStanzas(1 + step.first % 3, on: step.second % streams.count)
        case .features: sendFeatures(step.first % streams.count)
        case .congestion:
            let stream = step.first % streams.count
            let levels: [Congestion] = [.none, .slow, .full, .overfull].filter { $0 != streams[stream].congestion }
            setCongestion(levels[step.second % levels.count], on: stream)
        case .lose: if step.first % 4 == 0 { loseUpstream(step.second % streams.count) }
        case .jump: jump(step)
        }
    }
}
