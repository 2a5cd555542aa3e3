import Bridge
import Primitives

/// Requests that wait in `early`, because a predecessor is missing or their payload cannot be taken yet.
extension Session {
    /// Processes the waiting requests whose turn has come.
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

    /// Whether the next request can be taken now.
    ///
    /// A request waits when its payload is for a server that is too far behind, or for a stream that is not open and
    /// has too much in front of it. It waits even past `wait`: an answer would make the client send more, and an answer
    /// that asks for a repetition makes real clients lose what they sent. Only a server that accepts nothing at all
    /// ends the session, at a deadline of its own.
    func isAdmitted(_ request: ArrivedRequest, policy: borrowing SessionPolicy) -> Bool {
        guard !request.payload.isEmpty, !isBehindFarewell(request) else { return true }
        let target = target(of: request)
        var congestion = Congestion.none
        for index in streams.indices where isMeant(index, by: target) {
            if keeps(index, request) {
                // One body may stand above the bound, whatever its size, because the largest body has a limit of its
                // own.
                congestion = max(congestion, Congestion(waiting: inboundByteCount, bound: policy.inboundBound))
            } else if !streams[index].isEnded {
                congestion = max(congestion, streams[index].congestion)
            }
        }
        switch congestion {
        case .none, .slow: return true
        // A server that waits for this program to read may itself read nothing meanwhile. So what it sent has to reach
        // the client, and that takes a request.
        case .full:
            guard held.isEmpty, request.exchange != nil, request.pause == .absent else { return false }
            return streams.contains { $0.hasSomethingToSay }
        case .overfull: return false
        }
    }

    /// Whether a request comes with the client's farewell. Nothing follows a farewell, so no bound needs to hold it up.
    private func isBehindFarewell(_ request: ArrivedRequest) -> Bool {
        if request.isTerminate { return true }
        var next = request.rid.next
        for other in early where other.rid == next {
            if other.isTerminate { return true }
            next = next.next
        }
        return false
    }

    /// The number of `early` requests whose predecessors have all come; they wait for a server.
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

    /// Keeps a request whose turn has not come, in rid order. A repeat takes over the exchange; its payload was already
    /// kept.
    ///
    /// Payload is taken while the waiting bytes stay within the bound, and one payload above it. A session that has
    /// logged in may have two, because a client that asked for the usual `hold` of 1 has two requests. A payload beyond
    /// that is not taken, and its rid is not used up. HTTP turns it away: real clients repeat a request that got a 503,
    /// but take `type='error'` for an answer.
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

    /// Whether another request's payload may wait.
    private func isWithinBound(policy: borrowing SessionPolicy) -> Bool {
        let waiting = earlyByteCount
        if waiting + inboundByteCount <= policy.inboundBound { return true }
        guard hasLoggedIn else { return false }
        return early.reduce(0) { $0 + ($1.payload.isEmpty ? 0 : 1) } <= 1
    }

    /// Forwards what waited for a server when the session ends. It came whole and in order, so it goes out before the
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
            // The restarted stream that this payload and the following were meant for never opens.
            if request.isRestart { awaitRestart(of: target) }
            // Nothing goes to a stream after the request that closes it.
            if request.isTerminate, target != .closed, !close(target, into: &effects) { return }
        }
    }

    private mutating func awaitRestart(of target: Target) {
        for index in streams.indices where isMeant(index, by: target) && streams[index].phase == .open {
            streams[index].phase = .restarting
        }
    }
}
