extension Session {
    /// Judges a request by its rid: the next one, an early one, a repeat, or out of the window (XEP-0124 §14).
    mutating func handleRequest(
        _ exchange: ExchangeID, attributes: BodyAttributes, payload: [UInt8], now: MonotonicInstant,
        policy: borrowing SessionPolicy, into effects: inout [SessionEffect]
    ) {
        guard let rid = attributes.rid.number.flatMap({ RequestID($0) }) else {
            // Without a rid nobody can tell whether this is the session's own client (`T-13`): only the request fails.
            effects.append(.respond(exchange, BodyResponse(.terminate(.badRequest))))
            return
        }
        let ahead = rid.distance(from: processed)
        if ahead <= 0 {
            handleRepeat(rid, exchange: exchange, now: now, into: &effects)
            return
        }
        if attributes.pause == .malformed {
            end(.malformedRequest, culprit: exchange, into: &effects)
            return
        }
        let isTerminate = attributes.type == .terminate
        // One pause or terminate more than `requests` is allowed (`P-07`, `R-05`).
        let isExtra = isTerminate || attributes.pause != .absent
        guard ahead <= Int64(requests) + (isExtra ? 1 : 0) else {
            end(.ridAboveWindow, culprit: exchange, into: &effects)
            return
        }
        // Any new request ends a pause (`P-05`) and is a sign of life, also when it is answered at once (`P-01`).
        inactivity = normalInactivity
        idleSince = nil
        let request = Early(
            rid: rid, exchange: exchange, deadline: now.advanced(by: wait), isTerminate: isTerminate,
            isRestart: attributes.isRestart, pause: attributes.pause, payload: payload, arrival: now)
        if ahead > 1 {
            deferEarly(request, into: &effects)
            return
        }
        // `highest` moves one rid at a time: the hold rule counts every rid that is open between the ends.
        process(request, now: now, policy: policy, into: &effects)
        while phase != .over, let first = early.first, first.rid == processed.next {
            early.removeFirst()
            process(first, now: now, policy: policy, into: &effects)
        }
        if early.isEmpty { early = [] }
    }

    /// A request that could not be understood ends the session only when its rid is one the session was waiting for, so
    /// that nobody kills sessions with junk (`T-13`).
    mutating func handleMalformed(
        _ exchange: ExchangeID, attributes: BodyAttributes, into effects: inout [SessionEffect]
    ) {
        if let rid = attributes.rid.number.flatMap({ RequestID($0) }),
            (1...Int64(requests)).contains(rid.distance(from: processed))
        {
            end(.malformedRequest, culprit: exchange, into: &effects)
        } else {
            effects.append(.respond(exchange, BodyResponse(.terminate(.badRequest))))
        }
    }

    /// The client closed the connection of a request that waits (`P-13`): its response counts as sent but lost, so no
    /// payload is spent on it.
    mutating func handleAbort(_ exchange: ExchangeID, now: MonotonicInstant, into effects: inout [SessionEffect]) {
        if let index = held.firstIndex(where: { $0.exchange == exchange }) {
            if isCreating {
                end(.creationAborted, culprit: nil, into: &effects)
                return
            }
            let request = held.remove(at: index)
            replay.store(.empty, for: request.rid, limit: requests)
            // A client that only closed its sending half still reads this answer; to all others it makes no difference.
            effects.append(.respond(exchange, .empty))
        } else if let index = early.firstIndex(where: { $0.exchange == exchange }) {
            early[index].exchange = nil
            effects.append(.respond(exchange, BodyResponse(.error)))
        }
    }

    /// A rid that was processed before: the answer again, or the newest exchange takes the place of the older one. The
    /// payload of a repeat is never forwarded (`R-07`, `R-08`, `R-10`).
    private mutating func handleRepeat(
        _ rid: RequestID, exchange: ExchangeID, now: MonotonicInstant, into effects: inout [SessionEffect]
    ) {
        if let index = held.firstIndex(where: { $0.rid == rid }) {
            effects.append(.respond(held[index].exchange, BodyResponse(.error)))
            held[index].exchange = exchange
            held[index].deadline = now.advanced(by: wait)
        } else if let response = replay.response(to: rid) {
            effects.append(.respond(exchange, response))
            if idleSince != nil { idleSince = now }
        } else {
            end(.ridTooOld, culprit: exchange, into: &effects)
        }
    }

    /// Keeps a request whose predecessors are missing, in rid order. A repeat takes over the exchange; what it carries was
    /// already kept.
    private mutating func deferEarly(_ request: Early, into effects: inout [SessionEffect]) {
        highest = max(highest, request.rid)
        if let index = early.firstIndex(where: { $0.rid == request.rid }) {
            if let older = early[index].exchange { effects.append(.respond(older, BodyResponse(.error))) }
            early[index].exchange = request.exchange
            early[index].deadline = request.deadline
            return
        }
        let index = early.firstIndex { $0.rid > request.rid } ?? early.endIndex
        early.insert(request, at: index)
    }

    /// Acts on the next request in rid order.
    private mutating func process(
        _ request: Early, now: MonotonicInstant, policy: borrowing SessionPolicy, into effects: inout [SessionEffect]
    ) {
        processed = request.rid
        highest = max(highest, request.rid)
        if let exchange = request.exchange {
            held.append(Held(rid: request.rid, exchange: exchange, deadline: request.deadline))
        } else {
            // Its connection died before its turn came (`P-13`).
            replay.store(.empty, for: request.rid, limit: requests, isPause: request.pause != .absent)
        }
        if isOveractive(request, policy: policy) {
            end(.overactive, culprit: request.exchange, into: &effects)
            return
        }
        guard forward(request, policy: policy, into: &effects) else {
            end(.inboundOverflow, culprit: request.exchange, into: &effects)
            return
        }
        if request.isTerminate {
            end(.terminated, culprit: nil, into: &effects)
            return
        }
        if request.isRestart, phase == .open {
            phase = .restarting
            effects.append(.restartStream)
            // What came with the restart belongs behind the new stream's features (`X-09`).
            inbound = request.payload
        }
        // A pause that was granted before this request's turn came is over with it.
        inactivity = normalInactivity
        if case .value(let seconds) = request.pause, seconds > 0, .seconds(Int64(seconds)) <= policy.maxpause {
            pause(for: .seconds(Int64(seconds)), into: &effects)
        }
        settle(now: now, policy: policy, into: &effects)
    }

    /// Sends a request's stanzas on, or keeps them for an upstream that is not open; false when they are too many.
    private mutating func forward(
        _ request: Early, policy: borrowing SessionPolicy, into effects: inout [SessionEffect]
    ) -> Bool {
        guard !request.payload.isEmpty else { return true }
        switch phase {
        case .open:
            if !request.isRestart { effects.append(.forward(request.payload)) }
        case .opening, .restarting:
            // One body may stand above the bound, whatever its size: the largest body has a limit of its own.
            guard inbound.count <= policy.inboundBound else { return false }
            inbound.append(contentsOf: request.payload)
        case .doomed, .over:
            break
        }
        return true
    }

    /// Grants a pause: everything held is answered, without payload, and the client may be silent for `length` (`P-03`,
    /// `P-04`).
    private mutating func pause(for length: Duration, into effects: inout [SessionEffect]) {
        while !held.isEmpty { answerOldest(with: .empty, isPause: held.first?.rid == processed, into: &effects) }
        inactivity = length
    }

    /// Whether a polling client breaks the interval it was told: two empty requests in a row, the first one answered
    /// without payload, closer than `polling` (`P-11`). Never while the stream is not open (`P-08`).
    private mutating func isOveractive(_ request: Early, policy: borrowing SessionPolicy) -> Bool {
        guard isPolling else { return false }
        let isEmptyPoll =
            request.payload.isEmpty && !request.isTerminate && !request.isRestart && request.pause == .absent
            && phase == .open
        defer { lastEmptyPoll = isEmptyPoll && outbound.isEmpty ? request.arrival : nil }
        // Polls that the network brought in the wrong order say nothing about how fast they were sent (`P-08`).
        guard isEmptyPoll, let lastEmptyPoll, request.arrival >= lastEmptyPoll else { return false }
        return request.arrival.elapsed(since: lastEmptyPoll) < policy.polling
    }
}
