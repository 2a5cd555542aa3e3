import Bridge
import Primitives

/// Requests that wait for their turn in `early`: their predecessors are missing, or what they carry cannot be taken yet.
extension Session {
    /// Acts on requests that waited, as far as their turn has come.
    mutating func processWaiting(
        now: MonotonicInstant, policy: borrowing SessionPolicy, into effects: inout [SessionEffect]
    ) {
        guard !early.isEmpty else { return }
        while !isOver, let first = early.first, first.rid == processed.next, isAdmitted(first, policy: policy) {
            early.removeFirst()
            process(first, now: now, policy: policy, into: &effects)
        }
        if early.isEmpty { early = [] }
    }

    /// Whether the request that is next can be taken now.
    ///
    /// One whose payload meets a server that is too far behind, or a stream that is not open with too much in front of it, waits,
    /// past `wait` where it must: an answer would have the client send more, and one that asks for a repetition has real clients
    /// lose what they sent. Only a server that accepts nothing at all ends a session, and that has a deadline of its own.
    func isAdmitted(_ request: ArrivedRequest, policy: borrowing SessionPolicy) -> Bool {
        guard !request.payload.isEmpty, !isBehindFarewell(request) else { return true }
        let target = target(of: request)
        var congestion = Congestion.none
        for index in streams.indices where isMeant(index, by: target) {
            if keeps(index, request) {
                // One body may stand above the bound, whatever its size: the largest body has a limit of its own.
                congestion = max(congestion, Congestion(waiting: inboundByteCount, bound: policy.inboundBound))
            } else if !streams[index].isEnded {
                congestion = max(congestion, streams[index].congestion)
            }
        }
        switch congestion {
        case .none, .slow: return true
        // A server that waits for us to read what it sent may read nothing itself meanwhile, so this has to be told; and it
        // takes a request to tell it.
        case .full:
            guard held.isEmpty, request.exchange != nil, request.pause == .absent else { return false }
            return streams.contains { $0.hasSomethingToSay }
        case .overfull: return false
        }
    }

    /// Whether a request comes with the client's farewell: nothing comes behind that, so no bound has to hold anything up.
    private func isBehindFarewell(_ request: ArrivedRequest) -> Bool {
        if request.isTerminate { return true }
        var next = request.rid.next
        for other in early where other.rid == next {
            if other.isTerminate { return true }
            next = next.next
        }
        return false
    }

    /// How many of `early` have all their predecessors, and wait for a server.
    var gaplessCount: Int {
        var next = processed.next
        var count = 0
        for request in early {
            guard request.rid == next else { break }
            next = next.next
            count += 1
        }
        return count
    }

    /// Keeps a request whose turn has not come, in rid order. A repeat takes over the exchange; what it carries was already
    /// kept.
    ///
    /// Payload is taken as long as what waits stays within the bound, and one above it; two of a session that has logged in,
    /// as many as a client has requests that asked for the usual `hold` of 1. What is beyond is not taken, so its rid is not
    /// used up. It is turned away by HTTP: real clients repeat a request that got a 503, and take `type='error'` for an answer.
    mutating func putEarly(
        _ request: ArrivedRequest, now: MonotonicInstant, policy: borrowing SessionPolicy,
        into effects: inout [SessionEffect]
    ) {
        if let index = early.firstIndex(where: { $0.rid == request.rid }) {
            if chain != nil, !KeyChain.isSame(early[index].key, request.key) {
                end(.keyMismatch, culprit: request.exchange, into: &effects)
                return
            }
            guard rates.admitsRepeat(now: now, policy: policy) else {
                end(.tooManyRepeats, culprit: request.exchange, into: &effects)
                return
            }
            if let older = early[index].exchange {
                effects.append(.respond(older, acknowledging(.error, to: request.rid)))
            }
            early[index].exchange = request.exchange
            early[index].deadline = request.deadline
            return
        }
        guard request.payload.isEmpty || isWithinBound(policy: policy) else {
            if let exchange = request.exchange { effects.append(.turnAway(exchange)) }
            return
        }
        let index = early.firstIndex { $0.rid > request.rid } ?? early.endIndex
        early.insert(request, at: index)
    }

    /// Whether the payload of another request may wait.
    private func isWithinBound(policy: borrowing SessionPolicy) -> Bool {
        let waiting = earlyByteCount
        if waiting + inboundByteCount <= policy.inboundBound { return true }
        guard hasLoggedIn else { return false }
        return early.reduce(0) { $0 + ($1.payload.isEmpty ? 0 : 1) } <= 1
    }

    /// Sends on what waited for a server at the end of the session: it came whole and in order, so it goes in front of the
    /// farewell.
    mutating func forwardWaiting(into effects: inout [SessionEffect]) {
        var chain = chain
        for request in early.prefix(gaplessCount) {
            if chain != nil {
                let keys = request.extras?.value.keys
                let isRight = chain?.value.accept(
                    request.rid, key: keys?.key, digest: keys?.digest, newkey: keys?.newkey, kept: 0)
                guard isRight == true else { return }
            }
            let target = target(of: request)
            forward(request, to: target, into: &effects)
            // The stream that this and what follows were meant for never comes to be.
            if request.isRestart { awaitRestart(of: target) }
            // Nothing goes to a stream behind the request that closes it.
            if request.isTerminate, target != .closed, !close(target, into: &effects) { return }
        }
    }

    private mutating func awaitRestart(of target: Target) {
        for index in streams.indices where isMeant(index, by: target) && streams[index].phase == .open {
            streams[index].phase = .restarting
        }
    }
}
