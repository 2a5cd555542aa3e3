import Bridge
import Primitives

/// One BOSH session: the rid window, the held requests, what waits for the client and the server, and the session's
/// end.
///
/// A value that inputs drive; it answers with effects, to be executed in order. It knows no socket, no clock and no
/// XML. Specification: XEP-0124 §7-§17, XEP-0206.
///
/// Invariants, checked in debug builds after every input:
/// - `processed` is the highest rid up to which all were processed. Every `held` rid is at most `processed`, every
///   `early` rid is above it and inside the window; both lists ascend.
/// - A held request always has an HTTP exchange. When its connection dies, its response goes into the replay cache
///   (`P-13`).
/// - While a request is held, nothing waits in any stream's `outbound`, and at most `hold` rids are open (one for the
///   creation). While an upstream is congested, all rids that a client may have are open.
/// - An `early` request has a gap below it, or its payload cannot be taken yet. Then only its turn, a repeat or the
///   session's end answers it.
/// - A rid is held or in the replay cache, never both.
package struct Session: Sendable {
    /// The state of the session's upstream.
    package enum Phase: Sendable, Equatable {
        /// The upstream stream is not open yet.
        case opening
        /// The upstream stream is open.
        case open
        /// The upstream stream was restarted and has not sent its features yet.
        case restarting
        /// The upstream stream is gone; the client still has to be told.
        case doomed(EndReason)
        /// The session is over; nothing reaches it.
        case over
    }

    /// A request that waits for its response.
    struct Held: Sendable, Equatable {
        let rid: RequestID
        var exchange: ExchangeID
        var deadline: MonotonicInstant
        /// Whether the request may be one above `requests` (`P-07`). Last, where it adds nothing to the size of a list
        /// of one.
        let isExtra: Bool
    }

    /// A request as it came. The session processes it at once, or keeps it because its predecessors have not come
    /// (`R-04`) or its server cannot take its payload.
    struct ArrivedRequest: Sendable, Equatable {
        let rid: RequestID
        var exchange: ExchangeID?
        var deadline: MonotonicInstant
        let isTerminate: Bool
        let isRestart: Bool
        let pause: NumberAttribute
        let payload: [UInt8]
        let arrival: MonotonicInstant
        /// The attributes that few requests carry.
        let extras: Boxed<Extras>?

        /// Whether the request may be one above `requests`: a pause, granted or not, or any terminate (`P-07`).
        var isExtra: Bool { isTerminate || pause != .absent }

        /// Whether the request asks for nothing but an answer.
        var isPoll: Bool {
            if extras?.value.adding != nil { return false }
            return payload.isEmpty && !isTerminate && !isRestart && pause == .absent
        }

        /// The value of its `key`.
        var key: PeerText? { extras?.value.keys?.key }
    }

    /// Attributes that few requests carry.
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
    /// The state of the stream with which the session began, or, when that is gone, of the next one.
    package var phase: Phase {
        guard !isOver, !streams.isEmpty else { return .over }
        switch streams[0].phase {
        case .opening: return .opening
        case .open: return .open
        case .restarting: return .restarting
        case .ended(let reason): return streams.count == 1 ? .doomed(reason) : .open
        }
    }

    /// The longest time that a request is held.
    package var wait: Duration { waitTime.duration }
    /// The most requests that are held; zero for a polling session.
    package var hold: Int { Int(holdCount) }
    /// The number of requests that may be open.
    package var requests: Int { Int(requestCount) }
    /// The Content-Type of all responses; nil for the default (`H-07`).
    package var contentType: String? { responseType?.value }

    // The order of what follows leaves few gaps: small values stand after optional ones. The result is the size of an
    // idle session.
    private let holdCount: UInt16
    private let requestCount: UInt16
    /// The media type of responses, if it is not the default.
    private let responseType: Boxed<String>?
    /// The values for the answer to the creation request, until that is sent.
    var creation: Boxed<SessionGrant>?
    var processed: RequestID
    var early: [ArrivedRequest] = []
    var replay = ReplayCache()
    var streams: [Substream]
    /// The client's key sequence, if it uses one.
    var chain: Boxed<KeyChain>?
    /// Streams that have ended; payload for them may still be on its way (`M-06`).
    var closedStreams: [StreamName] = []
    var held: ShortList<Held>
    var isOver = false
    /// Whether the client writes `to` into requests with payload, as libpurple does; then `to` does not ask for a
    /// stream.
    var alwaysNamesDomain = false
    /// Whether the client was told the features of a stream.
    var hasToldFeatures = false
    /// The stream that was served last. The next response is for the one after it, so that none starves.
    var served = StreamNumber.first
    var nextStream: UInt16 = 1
    /// The request whose response the client seems to miss, until it is told (`A-04`).
    var missing: RequestID?
    /// Whether the client speaks a version older than terminal conditions, and gets HTTP errors instead (`T-10`).
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

    /// Starts a session from an accepted creation request, which is answered when the upstream's features have come,
    /// and at `wait` at the latest (`S-22`).
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

    /// Takes in an input and appends the effects.
    ///
    /// There are any number of effects, to be executed in order. After `ended` the session is to be forgotten.
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
        case .endedByOperator:
            end(.endedByOperator, culprit: nil, into: &effects)
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

    /// How long the client may be silent unless it asked for a pause.
    var normalInactivity: Duration { normalInactivityTime.duration }

    /// How long the client may be silent now.
    var inactivity: Duration {
        get { inactivityTime.duration }
        set { inactivityTime = CompactDuration(newValue) }
    }

    /// When `deadlineReached` is due; nil when no deadline is set.
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

    /// The highest rid that has come.
    var highest: RequestID { early.isEmpty ? processed : early[early.count - 1].rid }

    /// Whether a server of the session has accepted the client's login.
    package var hasLoggedIn: Bool { login.isMet }

    /// The number of held requests.
    package var heldCount: Int { held.count }

    /// Whether the creation request has not been answered yet.
    package var isCreating: Bool { creation != nil }

    /// The number of the session's streams.
    package var streamCount: Int { streams.count }

    /// The bytes of responses that are kept beyond what the rules demand; they come out of the worker's budget.
    package var spareResponseBytes: Int { replay.spareByteCount(least: requests) }

    /// Whether reading from a server is paused until the client has fetched all that waits.
    package var isDraining: Bool { streams.contains { $0.isDraining } }

    /// Drops the oldest response that is kept beyond what the rules demand; returns whether there was one.
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
        case .stanzas(let bytes, _):
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
        // Answers go out in rid order (`R-03`): a request whose time is up is answered after all before it.
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
