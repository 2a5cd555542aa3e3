import Bridge
import Primitives

/// One BOSH session: the rid window, the held requests, what waits for either side, and when it is over.
///
/// A value driven by inputs; what is to be done comes out as effects, executed in order. It knows no socket, no clock and
/// no XML. Specification: XEP-0124 §7-§17, XEP-0206.
///
/// Invariants, checked in debug builds after every input:
/// - `processed` is the highest rid that was processed together with all below it; every `held` rid is at most that,
///   every `early` rid is above it and inside the window; both lists ascend.
/// - A held request always has an HTTP exchange; one whose connection died is answered into the replay cache (`P-13`).
/// - While a request is held nothing waits in any stream's `outbound`, and at most `hold` rids are open (one for the
///   creation), unless an upstream is congested: then all that a client may send are.
/// - An `early` request has a gap below it, or its payload cannot be taken yet: then nothing answers it but its turn, a
///   repeat, or the session's end.
/// - A rid is held or in the replay cache, never both.
package struct Session: Sendable {
    /// Where the session stands towards its upstream.
    package enum Phase: Sendable, Equatable {
        /// The upstream stream is not open yet.
        case opening
        /// The upstream stream is open.
        case open
        /// The upstream stream was restarted and has not sent its features yet.
        case restarting
        /// The upstream stream is gone; the client still has to be told.
        case doomed(EndReason)
        /// Nothing reaches this session any more.
        case over
    }

    /// A request that waits for its response.
    struct Held: Sendable, Equatable {
        let rid: RequestID
        var exchange: ExchangeID
        var deadline: MonotonicInstant
        /// Whether it may be one above `requests` (`P-07`). Last, where it costs a list of one nothing.
        let isExtra: Bool
    }

    /// A request as it came: acted on at once, or kept because its predecessors have not come (`R-04`) or its server cannot take
    /// what it carries.
    struct ArrivedRequest: Sendable, Equatable {
        let rid: RequestID
        var exchange: ExchangeID?
        var deadline: MonotonicInstant
        let isTerminate: Bool
        let isRestart: Bool
        let pause: NumberAttribute
        let payload: [UInt8]
        let arrival: MonotonicInstant
        /// What only few requests carry.
        let extras: Boxed<Extras>?

        /// Whether it may be one above `requests`: a pause, granted or not, or a terminate of whatever (`P-07`).
        var isExtra: Bool { isTerminate || pause != .absent }

        /// Whether it asks for nothing but an answer.
        var isPoll: Bool {
            if extras?.value.adding != nil { return false }
            return payload.isEmpty && !isTerminate && !isRestart && pause == .absent
        }

        /// What it carries as `key`.
        var key: PeerText? { extras?.value.keys?.key }
    }

    /// What only few requests carry.
    struct Extras: Sendable, Equatable {
        let stream: PeerText?
        let adding: Addition?
        let keys: Keys?
    }

    /// A stream that a request asks for (XEP-0124 §16.3).
    struct Addition: Sendable, Equatable {
        let domain: PeerText
        let from: PeerText?
        let language: String?
        let name: StreamName
    }

    /// A request's part in the key sequence.
    struct Keys: Sendable, Equatable {
        let key: PeerText?
        let digest: PeerText?
        let newkey: PeerText?
    }

    /// The session's identifier.
    package let id: SessionID
    /// Where the session stands towards the stream it began with, or, when that is gone, the next one.
    package var phase: Phase {
        guard !isOver, !streams.isEmpty else { return .over }
        switch streams[0].phase {
        case .opening: return .opening
        case .open: return .open
        case .restarting: return .restarting
        case .ended(let reason): return streams.count == 1 ? .doomed(reason) : .open
        }
    }

    /// The longest time a request is held.
    package var wait: Duration { waitTime.duration }
    /// How many requests are held at most; zero for a polling session.
    package var hold: Int { Int(holdCount) }
    /// How many requests may be open.
    package var requests: Int { Int(requestCount) }
    /// The Content-Type of all responses; nil for the default (`H-07`).
    package var contentType: String? { responseType?.value }

    // What follows is in an order that leaves few gaps: small values stand behind optional ones. An idle session's size
    // is the product.
    private let holdCount: UInt16
    private let requestCount: UInt16
    /// What responses say of their type, where it is not the default.
    private let responseType: Boxed<String>?
    /// What the answer to the creation request tells, until it is given.
    var creation: Boxed<SessionGrant>?
    var processed: RequestID
    var early: [ArrivedRequest] = []
    var replay = ReplayCache()
    var streams: [Substream]
    /// The client's key sequence, where it has one.
    var chain: Boxed<KeyChain>?
    /// Streams that ended; payload for them may still be on its way (`M-06`).
    var closedStreams: [StreamName] = []
    var held: ShortList<Held>
    var isOver = false
    /// Whether the client writes `to` into requests with payload, as libpurple does: then `to` asks for no stream.
    var alwaysNamesDomain = false
    /// Whether the client was given what it needs to begin with.
    var hasToldFeatures = false
    /// The stream that was served last; the next response is for the one behind it, so that none starves.
    var served = StreamNumber.first
    var nextStream: UInt16 = 1
    /// The request whose response the client seems to miss, until it is told (`A-04`).
    var missing: RequestID?
    /// Whether the client speaks a version from before terminal conditions, and gets HTTP errors instead (`T-10`).
    package let isLegacy: Bool
    let isPolling: Bool
    let acknowledges: Bool
    private let waitTime: CompactDuration
    private var login: LoginDeadline
    var rates = RequestRates()
    var idleSince: MonotonicInstant?
    private let normalInactivityTime: CompactDuration
    var lastEmptyPoll: MonotonicInstant?
    private var inactivityTime: CompactDuration

    /// Starts a session from an accepted creation request; it is answered when the upstream's features are there, at
    /// `wait` at the latest (`S-22`).
    package init(
        id: SessionID, opening: SessionOpening, stream: StreamName, exchange: ExchangeID, payload: [UInt8],
        now: MonotonicInstant, policy: borrowing SessionPolicy, into effects: inout [SessionEffect]
    ) {
        self.id = id
        waitTime = CompactDuration(opening.wait)
        login = LoginDeadline(now: now, timeout: policy.loginTimeout)
        holdCount = UInt16(clamping: opening.hold)
        requestCount = UInt16(clamping: opening.requests)
        isLegacy = opening.version == nil
        responseType = opening.contentType.map { Boxed($0) }
        isPolling = opening.isPolling
        acknowledges = opening.acknowledges
        normalInactivityTime = CompactDuration(policy.inactivity(isPolling: opening.isPolling))
        inactivityTime = normalInactivityTime
        creation = Boxed(opening.grant(sid: id, stream: stream, policy: policy))
        processed = opening.rid
        var first = Substream(number: .first, name: stream)
        if !payload.isEmpty { first.inbound.append(payload, of: opening.rid, isShared: false) }
        streams = [first]
        held = ShortList(
            Held(
                rid: opening.rid, exchange: exchange, deadline: now.advanced(by: opening.wait), isExtra: false))
        if let newkey = opening.newkey { chain = Boxed(KeyChain(newkey: newkey)) }
        effects.append(
            .upstream(
                .open(
                    StreamRequest(
                        domain: opening.domain, route: opening.route, account: opening.account,
                        language: opening.language))))
        settle(now: now, policy: policy, into: &effects)
        checkInvariants()
    }

    /// Takes in what happened and says what is to be done.
    ///
    /// Effects: any number, in the order they are to be executed; after `ended` the session is to be forgotten.
    package mutating func handle(
        _ input: consuming SessionInput, now: MonotonicInstant, policy: borrowing SessionPolicy,
        into effects: inout [SessionEffect]
    ) {
        guard !isOver else { return }
        switch consume input {
        case .request(let exchange, let attributes, let payload):
            handleRequest(
                exchange, attributes: attributes, payload: payload, now: now, policy: policy, into: &effects)
        case .malformedRequest(let exchange, let attributes):
            handleMalformed(exchange, attributes: attributes, into: &effects)
        case .oversizedRequest(let exchange, let attributes):
            handleMalformed(exchange, attributes: attributes, reason: .loginBody, into: &effects)
        case .displaced:
            end(.loginDisplaced, culprit: nil, into: &effects)
        case .requestAborted(let exchange):
            handleAbort(exchange, now: now, policy: policy, into: &effects)
        case .answerAwaited(let exchange):
            handleAwaited(exchange, now: now, policy: policy, into: &effects)
        case .upstream(let event, let number):
            handle(event, on: number, now: now, policy: policy, into: &effects)
        case .memoryShort:
            for index in streams.indices { drain(index, into: &effects) }
        case .deadlineReached:
            handleDeadline(now: now, policy: policy, into: &effects)
        case .shutdownRequested:
            end(.shutdown, culprit: nil, into: &effects)
        }
        if !isOver { processWaiting(now: now, policy: policy, into: &effects) }
        if !isOver { settle(now: now, policy: policy, into: &effects) }
        checkInvariants()
    }

    /// How long the client may be silent when it has not asked for a pause.
    var normalInactivity: Duration { normalInactivityTime.duration }

    /// How long the client may be silent.
    var inactivity: Duration {
        get { inactivityTime.duration }
        set { inactivityTime = CompactDuration(newValue) }
    }

    /// When `deadlineReached` is due; nil when nothing is.
    package var nextDeadline: MonotonicInstant? {
        guard !isOver else { return nil }
        var next = idleSince?.advanced(by: inactivity)
        if let login = login.next { next = min(next ?? login, login) }
        for request in held { next = min(next ?? request.deadline, request.deadline) }
        for request in early.dropFirst(gaplessCount) where request.exchange != nil {
            next = min(next ?? request.deadline, request.deadline)
        }
        return next
    }

    /// The highest rid that has come: that of the last early request, or the processed one.
    var highest: RequestID { early.isEmpty ? processed : early[early.count - 1].rid }

    /// Whether the server of one of the session's streams has let the client in.
    package var hasLoggedIn: Bool { login.isMet }

    /// How many requests are held.
    package var heldCount: Int { held.count }

    /// Whether the creation request has not been answered yet.
    package var isCreating: Bool { creation != nil }

    /// How many streams the session has.
    package var streamCount: Int { streams.count }

    /// How many bytes of responses are kept beyond what the rules demand; they come out of the worker's budget.
    package var spareResponseBytes: Int { replay.spareByteCount(least: requests) }

    /// Whether some server is not read until the client has fetched all that waits.
    package var isDraining: Bool { streams.contains { $0.isDraining } }

    /// Lets go of the oldest response that is kept beyond what the rules demand; says whether there was one.
    package mutating func evictSpareResponse() -> Bool { replay.evict(least: requests) }

    func index(of number: StreamNumber) -> Int? {
        streams.firstIndex { $0.number == number }
    }

    private mutating func handle(
        _ event: consuming UpstreamEvent, on number: StreamNumber, now: MonotonicInstant,
        policy: borrowing SessionPolicy, into effects: inout [SessionEffect]
    ) {
        guard let index = index(of: number), !streams[index].isEnded else { return }
        switch consume event {
        case .opened(let identity, let features):
            handleOpened(index, while: .opening, features: features, identity: identity, into: &effects)
        case .restarted(let features):
            handleOpened(index, while: .restarting, features: features, identity: nil, into: &effects)
        case .loggedIn:
            login.meet()
        case .registrationOffered:
            login.extend(now: now, by: policy.registrationTimeout)
        case .managed(let isResumable):
            streams[index].isManaged = true
            if isResumable { streams[index].isResumable = true }
        case .stanzas(let bytes):
            streams[index].outbound.append(stanzas: bytes)
        case .congested(let congestion):
            streams[index].congestion = congestion
        case .ended(let reason, let bytes):
            streams[index].phase = .ended(reason)
            streams[index].streamError = bytes
            streams[index].inbound = InboundQueue()
            streams[index].congestion = .none
        }
    }

    private mutating func handleOpened(
        _ index: Int, while phase: Substream.Phase, features: [UInt8], identity: StreamIdentity?,
        into effects: inout [SessionEffect]
    ) {
        guard streams[index].phase == phase else { return }
        streams[index].phase = .open
        var opening = identity.map { Boxed($0) }
        opening?.value.from = streams[index].addedDomain
        streams[index].outbound.append(features: features, opening: opening)
        guard !streams[index].inbound.isEmpty else { return }
        effects.append(.upstream(.forward(streams[index].inbound.takeAll()), on: streams[index].number))
    }

    private mutating func handleDeadline(
        now: MonotonicInstant, policy: borrowing SessionPolicy, into effects: inout [SessionEffect]
    ) {
        // Answers go out in rid order (`R-03`): whoever's time is up takes the ones before it along.
        while held.contains(where: { $0.deadline <= now }) {
            answerOldest(with: .empty, now: now, policy: policy, into: &effects)
        }
        for index in early.indices.dropFirst(gaplessCount) where early[index].deadline <= now {
            answerEarly(index, into: &effects)
        }
        if let login = login.next, login <= now {
            end(.loginTimeout, culprit: nil, into: &effects)
        } else if let idleSince, idleSince.advanced(by: inactivity) <= now {
            if case .doomed(let reason) = phase {
                end(reason, culprit: nil, into: &effects)
            } else {
                end(.inactive, culprit: nil, into: &effects)
            }
        }
    }

    func checkInvariants() {
        assert(held.allSatisfy { $0.rid <= processed }, "a held rid was processed")
        assert(early.allSatisfy { $0.rid > processed }, "an early rid was not")
        assert(zip(held, held.dropFirst()).allSatisfy { $0.rid < $1.rid }, "held rids ascend")
        assert(zip(early, early.dropFirst()).allSatisfy { $0.rid < $1.rid }, "early rids ascend")
        assert(isOver || held.isEmpty || !streams.contains { $0.hasSomethingToSay }, "nothing waits while one is held")
        assert(held.count <= (isCongested ? requests : max(hold, 1)), "no more than hold requests are held")
        assert(isOver || !streams.isEmpty, "a session has a stream")
        assert(held.allSatisfy { !replay.contains($0.rid) }, "a held rid has no response yet")
    }
}
