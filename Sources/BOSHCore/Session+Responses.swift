extension Session {
    /// Brings responses and held requests together after an input: payload to the oldest held request, the end of a lost
    /// upstream, and no more held than agreed (`R-14`, `R-16`).
    mutating func settle(
        now: MonotonicInstant, policy: borrowing SessionPolicy, into effects: inout [SessionEffect]
    ) {
        while !held.isEmpty, !(isDoomed && holdsOnlyStanzas), let batch = outbound.take() {
            switch batch {
            case .features(let opening, let bytes):
                answerOldest(
                    with: BodyResponse(payload: bytes, usesStreamPrefix: true, opening: opening), into: &effects)
            case .stanzas(let bytes):
                answerOldest(with: BodyResponse(payload: bytes), into: &effects)
            }
        }
        if case .doomed(let reason) = phase, !held.isEmpty {
            end(reason, culprit: nil, into: &effects)
            return
        }
        // A rid that is missing below an early one is open too: the client has sent it. So a request that waits before a
        // gap is released at once, which is what closes the gap in clients that wait for the older answer.
        while let oldest = held.first, highest.distance(from: oldest.rid) + 1 > allowedHold {
            answerOldest(with: .empty, into: &effects)
        }
        applyBackPressure(policy: policy, into: &effects)
        noteIdleness(now: now)
    }

    /// Answers the oldest held request and keeps the response for a repeat.
    mutating func answerOldest(
        with response: consuming BodyResponse, isPause: Bool = false, into effects: inout [SessionEffect]
    ) {
        guard !held.isEmpty else { return }
        let request = held.removeFirst()
        if case .pending(let grant) = creation, response.kind == .plain { response.kind = .creation(grant) }
        creation = .answered
        replay.store(response, for: request.rid, limit: requests, isPause: isPause)
        effects.append(.respond(request.exchange, response))
    }

    /// Ends the session: every open request is answered, the upstream is left, and nothing reaches the session any more.
    ///
    /// `culprit` is the request that brought the end about; it is told the condition and the others `other-request`
    /// (`T-04`). Without one all are told the condition, except after the client's own `terminate` (`T-02`).
    mutating func end(_ reason: EndReason, culprit: ExchangeID?, into effects: inout [SessionEffect]) {
        var payload = outbound.takeStanzas() ?? []
        let usesStreamPrefix = !streamError.isEmpty
        payload.append(contentsOf: streamError)
        var open = held.map(\.exchange)
        for request in early { if let exchange = request.exchange { open.append(exchange) } }
        if let culprit, !open.contains(culprit) { open.append(culprit) }
        for (index, exchange) in open.enumerated() {
            var response: BodyResponse
            if let culprit {
                response = BodyResponse(.terminate(exchange == culprit ? reason.condition : .otherRequest))
            } else if reason == .terminated, index > 0 {
                response = .empty
            } else {
                response = BodyResponse(.terminate(reason.condition))
                if index == 0 {
                    response.payload = payload
                    response.usesStreamPrefix = usesStreamPrefix
                }
            }
            effects.append(.respond(exchange, response))
        }
        if !isDoomed {
            // A server that keeps a resumable stream must not see it closed in an orderly way (`T-12` c).
            effects.append(.leaveStream(reason == .inactive && isResumable ? .drop : .close))
        }
        phase = .over
        held = []
        early = []
        inbound = []
        effects.append(.ended(reason))
    }

    private var isDoomed: Bool {
        if case .doomed = phase { return true }
        return false
    }

    /// Whether the last words of a lost upstream can stand together with its end in one response (`T-06`).
    private var holdsOnlyStanzas: Bool { outbound.holdsOnlyStanzas }

    /// How many rids may be open before the oldest is answered. The creation request of a client that does not want to be
    /// held still waits for the features, as long as its `wait` allows (`S-22`).
    private var allowedHold: Int64 {
        if isPolling { return isCreating && wait > .zero ? 1 : 0 }
        // While the upstream takes no bytes all that the client may send is held, so that it sends no more. What is beyond
        // comes from a page that was loaded again, or from a client that breaks the rules (`P-07`): it is released.
        if isCongested { return Int64(requests) }
        return Int64(max(hold, isCreating ? 1 : 0))
    }

    private mutating func applyBackPressure(policy: borrowing SessionPolicy, into effects: inout [SessionEffect]) {
        if !isReadingPaused, outbound.byteCount > policy.outboundBound {
            isReadingPaused = true
            effects.append(.pauseReading)
        } else if isReadingPaused, outbound.byteCount <= policy.outboundBound / 2 {
            isReadingPaused = false
            effects.append(.resumeReading)
        }
    }

    /// The inactivity clock runs while no request is open (`P-01`); it starts with the last answer or disconnect.
    private mutating func noteIdleness(now: MonotonicInstant) {
        if held.isEmpty, !early.contains(where: { $0.exchange != nil }) {
            if idleSince == nil { idleSince = now }
        } else {
            idleSince = nil
        }
    }
}
