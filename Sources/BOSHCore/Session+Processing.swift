import Bridge
import Primitives

/// What a request does once its turn has come: it is judged, counted as received, judged for what it asks, and carried out.
extension Session {
    /// Acts on the next request in rid order.
    mutating func process(
        _ request: ArrivedRequest, now: MonotonicInstant, policy: borrowing SessionPolicy,
        into effects: inout [SessionEffect]
    ) {
        if let reason = refusal(of: request, now: now, policy: policy) {
            end(reason, culprit: request.exchange, into: &effects)
            return
        }
        take(request, now: now, policy: policy)
        let target = target(of: request)
        if let reason = objection(to: request, for: target, policy: policy) {
            end(reason, culprit: request.exchange, into: &effects)
            return
        }
        forward(request, to: target, into: &effects)
        // A stream that has ended needs no closing. Without a name, or with that of the last stream, the session ends.
        if request.isTerminate, target != .closed, !close(target, into: &effects) {
            end(.terminated, culprit: nil, into: &effects)
            return
        }
        carryOut(request, on: target, now: now, policy: policy, into: &effects)
        settle(now: now, policy: policy, into: &effects)
    }

    /// Judges a request before it counts as received; nil when it may.
    private mutating func refusal(
        of request: ArrivedRequest, now: MonotonicInstant, policy: borrowing SessionPolicy
    ) -> EndReason? {
        if !acceptKeys(of: request, policy: policy) { return .keyMismatch }
        return rates.admitsRequest(now: now, policy: policy) ? nil : .tooManyRequests
    }

    /// Counts a request as received: it is held, and answered as any other, whatever comes of it.
    private mutating func take(_ request: ArrivedRequest, now: MonotonicInstant, policy: borrowing SessionPolicy) {
        processed = request.rid
        if let exchange = request.exchange {
            held.append(
                Held(
                    rid: request.rid, exchange: exchange, deadline: max(request.deadline, now),
                    isExtra: request.isExtra))
        } else {
            // The connection of the request closed before its turn came (`P-13`).
            keep(
                acknowledging(.empty, to: request.rid), for: request.rid, stream: .first,
                isExtra: request.isExtra, now: now, policy: policy)
        }
    }

    /// Judges what a received request asks for; nil when it may be done.
    private mutating func objection(
        to request: ArrivedRequest, for target: Target, policy: borrowing SessionPolicy
    ) -> EndReason? {
        if isOveractive(request, policy: policy) { return .overactive }
        // In a request that has nothing for any stream, the stream's name has no meaning (XEP-0124 §16.4).
        return target == .unknown && !request.isPoll ? .unknownStream : nil
    }

    /// Does what a request asks for beside its payload.
    private mutating func carryOut(
        _ request: ArrivedRequest, on target: Target, now: MonotonicInstant, policy: borrowing SessionPolicy,
        into effects: inout [SessionEffect]
    ) {
        if request.isRestart { restart(request, target, into: &effects) }
        if let adding = request.extras?.value.adding {
            add(adding, askedBy: request.rid, policy: policy, into: &effects)
        }
        let granted = inactivity
        inactivity = normalInactivity
        if case .value(let seconds) = request.pause, seconds > 0, .seconds(Int64(seconds)) <= policy.maxpause {
            pause(for: .seconds(Int64(seconds)), now: now, policy: policy, into: &effects)
        }
        // A pause that was granted before this request's turn came ends here. The silence so far was granted, so only what
        // follows counts.
        if inactivity < granted, idleSince != nil { idleSince = now }
    }

    /// Checks a request's key when a key sequence is in use; without one, `newkey` begins it (`K-07`).
    private mutating func acceptKeys(of request: ArrivedRequest, policy: borrowing SessionPolicy) -> Bool {
        let keys = request.extras?.value.keys
        // A rid may be repeated while it is held or its response is kept.
        let kept = 2 * requests + policy.extraResponses + 2
        let isRight = chain?.value.accept(
            request.rid, key: keys?.key, digest: keys?.digest, newkey: keys?.newkey, kept: kept)
        if let isRight { return isRight }
        guard KeyChain.isBounded(keys?.newkey) else { return false }
        chain = keys?.newkey.map { Boxed(KeyChain(newkey: $0)) }
        return true
    }

    /// The streams that a request is for.
    enum Target: Equatable {
        case all
        case one(Int)
        case closed
        case unknown
    }

    func target(of request: ArrivedRequest) -> Target {
        guard let stream = request.extras?.value.stream else { return .all }
        guard let name = StreamName(stream) else { return .unknown }
        if let index = streams.firstIndex(where: { $0.name == name }) { return .one(index) }
        return closedStreams.contains(name) ? .closed : .unknown
    }

    func isMeant(_ index: Int, by target: Target) -> Bool {
        switch target {
        case .all: streams[index].takesBroadcast
        case .one(let one): index == one
        case .closed, .unknown: false
        }
    }

    /// Forwards a request's stanzas (`M-05`), or keeps them for a stream that is not open.
    mutating func forward(_ request: ArrivedRequest, to target: Target, into effects: inout [SessionEffect]) {
        guard !request.payload.isEmpty else { return }
        let keepers = streams.indices.reduce(0) { $0 + (isMeant($1, by: target) && keeps($1, request) ? 1 : 0) }
        for index in streams.indices where isMeant(index, by: target) {
            if keeps(index, request) {
                streams[index].inbound.append(request.payload, of: request.rid, isShared: keepers > 1)
            } else if streams[index].phase == .open {
                effects.append(.upstream(.forward(request.payload), on: streams[index].number))
            }
        }
    }

    /// Whether a request's stanzas have to wait in a stream. The payload of a restart comes after the new stream's
    /// features (`X-09`).
    func keeps(_ index: Int, _ request: ArrivedRequest) -> Bool {
        switch streams[index].phase {
        case .opening, .restarting: true
        case .open: request.isRestart
        case .ended: false
        }
    }

    private mutating func restart(_ request: ArrivedRequest, _ target: Target, into effects: inout [SessionEffect]) {
        for index in streams.indices where isMeant(index, by: target) && streams[index].phase == .open {
            streams[index].phase = .restarting
            effects.append(.upstream(.restart, on: streams[index].number))
        }
    }

    /// Closes one stream (`M-07`); false when the session has no other open one. The next response tells the client.
    mutating func close(_ target: Target, into effects: inout [SessionEffect]) -> Bool {
        guard case .one(let index) = target, streams.indices.contains(where: { $0 != index && !streams[$0].isEnded })
        else { return false }
        leave(index, reason: .terminated, into: &effects)
        if !streams[index].isEnded {
            streams[index].phase = .ended(.terminated)
            streams[index].outbound = OutboundQueue()
            streams[index].inbound = InboundQueue()
            streams[index].congestion = .none
        }
        return true
    }

    /// Opens another stream (XEP-0124 §16.3). A stream that cannot be opened still gets a name, and its own end
    /// (`M-08`).
    private mutating func add(
        _ addition: Addition, askedBy rid: RequestID, policy: borrowing SessionPolicy,
        into effects: inout [SessionEffect]
    ) {
        let (next, isExhausted) = nextStream.addingReportingOverflow(1)
        // A refused stream waits until the client is told. A client that asks for many without fetching gets no more.
        guard !isExhausted, streams.count < 2 * policy.maxStreams else { return }
        let domain: String?
        do throws(AddressRefusal) {
            domain = try policy.domains.domain(meantBy: addition.domain)
        } catch {
            domain = nil
        }
        var stream = Substream(
            number: StreamNumber(nextStream), name: addition.name, addedDomain: domain ?? addition.domain.text,
            askedBy: rid)
        nextStream = next
        guard let domain else {
            stream.phase = .ended(.streamHostUnknown)
            streams.append(stream)
            return
        }
        if streams.count >= policy.maxStreams {
            stream.phase = .ended(.tooManyStreams)
        } else {
            effects.append(
                .upstream(
                    .open(
                        StreamRequest(
                            domain: domain, account: policy.domains.account(addition.from, at: domain),
                            language: addition.language)), on: stream.number))
        }
        streams.append(stream)
    }

    /// Grants a pause: all held requests are answered without payload, and the client may be silent for `length`
    /// (`P-03`, `P-04`).
    private mutating func pause(
        for length: Duration, now: MonotonicInstant, policy: borrowing SessionPolicy,
        into effects: inout [SessionEffect]
    ) {
        while !held.isEmpty {
            answerOldest(
                with: .empty, isPause: held.first?.rid == processed, now: now, policy: policy, into: &effects)
        }
        inactivity = length
    }

    /// Whether a polling client breaks the interval that it was told: two empty requests in a row, the first answered
    /// without payload, closer together than `polling` (`P-11`). False while the stream is not open (`P-08`).
    private mutating func isOveractive(_ request: ArrivedRequest, policy: borrowing SessionPolicy) -> Bool {
        guard isPolling else { return false }
        let isEmptyPoll = request.isPoll && phase == .open
        defer {
            lastEmptyPoll = isEmptyPoll && !streams.contains { $0.hasSomethingToSay } ? request.arrival : nil
        }
        // Polls that arrive in the wrong order say nothing about how fast they were sent (`P-08`).
        guard isEmptyPoll, let lastEmptyPoll, request.arrival >= lastEmptyPoll else { return false }
        return request.arrival.elapsed(since: lastEmptyPoll) < policy.polling
    }
}
