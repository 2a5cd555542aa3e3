/// One BOSH session: the rid window, the held requests, what waits for either side, and when it is over.
///
/// A value driven by inputs; what is to be done comes out as effects, executed in order. It knows no socket, no clock and
/// no XML. Specification: XEP-0124 §7-§17, XEP-0206.
///
/// Invariants, checked in debug builds after every input:
/// - `processed` is the highest rid that was processed together with all below it; every `held` rid is at most that,
///   every `early` rid is above it and inside the window; both lists ascend.
/// - A held request always has an HTTP exchange; one whose connection died is answered into the replay cache (`P-13`).
/// - While a request is held nothing waits in `outbound`, and at most `hold` rids are open (one for the creation), unless
///   the upstream is congested: then all that a client may send are.
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
    }

    /// A request that came before its predecessors (`R-04`).
    struct Early: Sendable, Equatable {
        let rid: RequestID
        var exchange: ExchangeID?
        var deadline: MonotonicInstant
        let isTerminate: Bool
        let isRestart: Bool
        let pause: NumberAttribute
        let payload: [UInt8]
        let arrival: MonotonicInstant
    }

    /// The creation request, until it is answered.
    indirect enum Creation: Sendable, Equatable {
        case answered
        case pending(SessionGrant)
    }

    /// The session's identifier.
    package let id: SessionID
    /// Where the session stands towards its upstream.
    package internal(set) var phase = Phase.opening

    /// The longest time a request is held.
    package let wait: Duration
    /// How many requests are held at most; zero for a polling session.
    package let hold: Int
    /// How many requests may be open.
    package let requests: Int
    let isPolling: Bool
    let normalInactivity: Duration
    var inactivity: Duration

    var creation: Creation
    var processed: RequestID
    var highest: RequestID
    var held: [Held] = []
    var early: [Early] = []
    var replay = ReplayCache()
    var outbound = OutboundQueue()
    var streamError: [UInt8] = []
    /// Stanzas from the client that wait for the upstream to open.
    var inbound: [UInt8] = []
    var idleSince: MonotonicInstant?
    var lastEmptyPoll: MonotonicInstant?
    var isReadingPaused = false
    var isResumable = false
    var isCongested = false

    /// Starts a session from an accepted creation request; it is answered when the upstream's features are there, at
    /// `wait` at the latest (`S-22`).
    package init(
        id: SessionID, opening: SessionOpening, exchange: ExchangeID, payload: [UInt8], now: MonotonicInstant,
        policy: borrowing SessionPolicy, into effects: inout [SessionEffect]
    ) {
        self.id = id
        wait = opening.wait
        hold = opening.hold
        requests = opening.requests
        isPolling = opening.isPolling
        normalInactivity = policy.inactivity(isPolling: opening.isPolling)
        inactivity = normalInactivity
        creation = .pending(opening.grant(sid: id, policy: policy))
        processed = opening.rid
        highest = opening.rid
        inbound = payload
        held.append(Held(rid: opening.rid, exchange: exchange, deadline: now.advanced(by: opening.wait)))
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
        guard phase != .over else { return }
        switch consume input {
        case .request(let exchange, let attributes, let payload):
            handleRequest(
                exchange, attributes: attributes, payload: payload, now: now, policy: policy, into: &effects)
        case .malformedRequest(let exchange, let attributes):
            handleMalformed(exchange, attributes: attributes, into: &effects)
        case .requestAborted(let exchange):
            handleAbort(exchange, now: now, into: &effects)
        case .streamOpened(let identity, let features):
            guard phase == .opening else { return }
            phase = .open
            outbound.append(features: features, opening: .stream(identity))
            flushInbound(into: &effects)
        case .streamRestarted(let features):
            guard phase == .restarting else { return }
            phase = .open
            outbound.append(features: features, opening: .none)
            flushInbound(into: &effects)
        case .stanzas(let bytes, let enablesResumption):
            if enablesResumption { isResumable = true }
            outbound.append(stanzas: bytes)
        case .upstreamCongested(let isCongested):
            self.isCongested = isCongested
        case .streamEnded(let reason, let bytes):
            if case .doomed = phase { return }
            phase = .doomed(reason)
            streamError = bytes
            inbound = []
        case .deadlineReached:
            handleDeadline(now: now, policy: policy, into: &effects)
        case .shutdownRequested:
            end(.shutdown, culprit: nil, into: &effects)
        }
        if phase != .over { settle(now: now, policy: policy, into: &effects) }
        checkInvariants()
    }

    /// When `deadlineReached` is due; nil when nothing is.
    package var nextDeadline: MonotonicInstant? {
        guard phase != .over else { return nil }
        var next = idleSince?.advanced(by: inactivity)
        for request in held { next = min(next ?? request.deadline, request.deadline) }
        for request in early where request.exchange != nil { next = min(next ?? request.deadline, request.deadline) }
        return next
    }

    /// How many requests are held.
    package var heldCount: Int { held.count }

    /// Whether the creation request has not been answered yet.
    package var isCreating: Bool { creation != .answered }

    /// Whether the upstream is not to be read (back-pressure).
    package var pausesReading: Bool { isReadingPaused }

    private mutating func flushInbound(into effects: inout [SessionEffect]) {
        guard !inbound.isEmpty else { return }
        effects.append(.forward(inbound))
        inbound = []
    }

    private mutating func handleDeadline(
        now: MonotonicInstant, policy: borrowing SessionPolicy, into effects: inout [SessionEffect]
    ) {
        // Answers go out in rid order (`R-03`): whoever's time is up takes the ones before it along.
        while held.contains(where: { $0.deadline <= now }) { answerOldest(with: .empty, into: &effects) }
        for index in early.indices where early[index].deadline <= now {
            // Its turn has not come and its time is up: a recoverable error asks the client to repeat what is missing
            // (XEP-0124 §17.3). The payload is kept, so nothing is lost if only the predecessor is repeated.
            if let exchange = early[index].exchange { effects.append(.respond(exchange, BodyResponse(.error))) }
            early[index].exchange = nil
        }
        if let idleSince, idleSince.advanced(by: inactivity) <= now {
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
        assert(phase == .over || held.isEmpty || outbound.isEmpty, "nothing waits while a request is held")
        assert(held.count <= (isCongested ? requests : max(hold, 1)), "no more than hold requests are held")
        assert(held.allSatisfy { !replay.contains($0.rid) }, "a held rid has no response yet")
        assert(highest >= processed, "the highest rid is at least the processed one")
    }
}
