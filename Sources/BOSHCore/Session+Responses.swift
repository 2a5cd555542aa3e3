import Bridge
import Primitives

extension Session {
    /// Matches responses with held requests after an input: gives payload to the oldest held request, tells the end of
    /// a lost upstream, and releases what is held beyond the agreed number (`R-14`, `R-16`).
    mutating func settle(
        now: MonotonicInstant, policy: borrowing SessionPolicy, into effects: inout [SessionEffect]
    ) {
        while !held.isEmpty, let index = nextToServe() {
            serve(index, now: now, policy: policy, into: &effects)
            if isOver { return }
        }
        // The next response reports the missing one, so it is sent at once (`A-04`).
        if missing != nil, !held.isEmpty { answerOldest(with: .empty, now: now, policy: policy, into: &effects) }
        // A rid that is missing below an early one is open too, because the client has sent it. So a request that waits
        // below a gap is released at once. A client that waits for this answer before it repeats then closes the gap.
        while let oldest = held.first, highest.distance(from: oldest.rid) + 1 > allowedHold {
            answerOldest(with: .empty, now: now, policy: policy, into: &effects)
        }
        for index in streams.indices { applyBackPressure(to: index, policy: policy, into: &effects) }
        noteIdleness(now: now)
    }

    /// The next stream with something to say, in turn: the first one after the stream that was served last.
    private func nextToServe() -> Int? {
        var first: Int?
        for index in streams.indices where streams[index].hasSomethingToSay {
            if streams[index].number.value > served.value { return index }
            if first == nil { first = index }
        }
        return first
    }

    /// Gives the oldest held request what one stream has to say; a response holds one stream's payload only (`M-04`).
    private mutating func serve(
        _ index: Int, now: MonotonicInstant, policy: borrowing SessionPolicy, into effects: inout [SessionEffect]
    ) {
        let number = streams[index].number
        served = number
        // The end of the last stream ends the session and has no stream name. So payload that needs a name goes out
        // before it (`M-04`).
        let isApart = streams.count == 1 && nextStream > 1 && !streams[index].outbound.isEmpty
        if !isApart, case .ended(let reason) = streams[index].phase, streams[index].outbound.holdsOnlyStanzas {
            // The last stanzas of a lost stream and its end stand in one response (`T-06`).
            guard streams.count > 1 else {
                end(reason, culprit: nil, into: &effects)
                return
            }
            var response = lastWords(of: index, reason)
            response.mark(stream: streams[index].name)
            forgetStream(at: index)
            answerOldest(with: response, stream: number, now: now, policy: policy, into: &effects)
            return
        }
        guard let batch = streams[index].outbound.take() else { return }
        var response: BodyResponse
        switch batch {
        case .features(let opening, let bytes):
            response = BodyResponse(payload: bytes, usesStreamPrefix: true, opening: opening)
            hasToldFeatures = true
        case .stanzas(let bytes):
            response = BodyResponse(payload: bytes)
        }
        // Once there was a second stream, payload without a name would count as the first one's (`M-04`).
        if nextStream > 1 { response.mark(stream: streams[index].name) }
        streams[index].noteTold()
        answerOldest(with: response, stream: number, now: now, policy: policy, into: &effects)
    }

    /// The terminal response of one stream: its last stanzas, then its error.
    private mutating func lastWords(of index: Int, _ reason: EndReason) -> BodyResponse {
        let error = streams[index].streamError
        var payload = streams[index].outbound.takeAllStanzas()
        payload.append(contentsOf: error)
        return BodyResponse(.terminate(reason.condition), payload: payload, usesStreamPrefix: !error.isEmpty)
    }

    /// Answers the oldest held request and keeps the response for a repeat.
    mutating func answerOldest(
        with response: consuming BodyResponse, stream: StreamNumber = .first, isPause: Bool = false,
        now: MonotonicInstant, policy: borrowing SessionPolicy, into effects: inout [SessionEffect]
    ) {
        guard !held.isEmpty else { return }
        let request = held.removeFirst()
        if let grant = creation?.value, response.kind == .plain {
            response.kind = .creation(grant)
        } else {
            if !isPause, response.isTrivial { nameStream(in: &response, to: request.rid) }
            response = acknowledging(response, to: request.rid)
        }
        if let rid = missing {
            let report = replay.report(rid, now: now).map { ResponseReport(rid: rid, age: $0) }
            response.mark(stream: response.stream, report: report)
            missing = nil
        }
        creation = nil
        keep(response, for: request.rid, stream: stream, isExtra: request.isExtra, now: now, policy: policy)
        effects.append(.respond(request.exchange, response))
    }

    /// Tells the name of a stream that is not open yet when the request that asked for it has to be answered (XEP-0124
    /// §16.3, `M-02`). Its features come with a later response.
    private mutating func nameStream(in response: inout BodyResponse, to rid: RequestID) {
        guard nextStream > 1, let index = streams.firstIndex(where: { $0.untoldTo.map { $0 <= rid } ?? false }) else {
            return
        }
        response.mark(stream: streams[index].name)
        response.opening = Boxed(StreamIdentity(id: "", version: nil, from: streams[index].addedDomain))
        streams[index].noteTold()
    }

    /// Adds `ack` to a response when the received requests do not follow from its rid (`A-01`, `A-02`).
    func acknowledging(_ response: consuming BodyResponse, to rid: RequestID) -> BodyResponse {
        let received = received
        if received != rid { response.ack = received }
        return response
    }

    /// The highest rid up to which all requests have come (`A-01`), early ones included.
    private var received: RequestID {
        var last = processed
        for request in early {
            guard request.rid == last.next else { break }
            last = request.rid
        }
        return last
    }

    /// Keeps a response for a repeat: the last `requests` always, more if the bounds allow.
    mutating func keep(
        _ response: borrowing BodyResponse, for rid: RequestID, stream: StreamNumber, isExtra: Bool,
        now: MonotonicInstant, policy: borrowing SessionPolicy
    ) {
        replay.store(copy response, for: rid, stream: stream, isExtra: isExtra, now: now)
        let limit = requests + policy.extraResponses
        if acknowledges {
            replay.trim(to: limit, bytes: policy.responseBytes, least: requests)
        } else {
            replay.trim(to: limit, spareBytes: policy.spareBytes, least: requests)
        }
    }

    /// Ends the session: answers every open request and leaves every upstream. Nothing reaches the session afterwards.
    ///
    /// `culprit` is the request that caused the end: it is told the condition, and the others `other-request` (`T-04`).
    /// Without a culprit all are told the condition, except after the client's own `terminate` (`T-02`).
    mutating func end(_ reason: EndReason, culprit: ExchangeID?, into effects: inout [SessionEffect]) {
        // Only a lost upstream's last stanzas go to the client; those of a live upstream are returned to it (`T-12`).
        var last: BodyResponse?
        if streams.count == 1, case .ended(let reason) = streams[0].phase {
            var words = lastWords(of: 0, reason)
            if nextStream > 1, words.payload.count > streams[0].streamError.count {
                words.mark(stream: streams[0].name)
            }
            last = words
        }
        var open = held.map(\.exchange)
        for request in early { if let exchange = request.exchange { open.append(exchange) } }
        if let culprit, !open.contains(culprit) { open.append(culprit) }
        for (index, exchange) in open.enumerated() {
            if let culprit {
                let condition = exchange == culprit ? reason.condition : .otherRequest
                effects.append(.respond(exchange, BodyResponse(.terminate(condition))))
            } else if reason == .terminated, index > 0 {
                effects.append(.respond(exchange, .empty))
            } else if index == 0, var last {
                last.kind = .terminate(reason.condition)
                effects.append(.respond(exchange, last))
            } else {
                effects.append(.respond(exchange, BodyResponse(.terminate(reason.condition))))
            }
        }
        // After a client's own terminate nothing is forwarded.
        if reason != .terminated { forwardWaiting(into: &effects) }
        for index in streams.indices { leave(index, reason: reason, into: &effects) }
        isOver = true
        held.removeAll()
        early = []
        streams = []
        effects.append(.ended(reason))
    }

    /// Leaves one stream, and first returns to the senders what the client never fetched (`T-12`).
    ///
    /// A server that counts stanzas returns them itself, so a return would double them. A server that keeps the stream
    /// for a resumption must not see it closed in order either, where resuming makes sense (`T-12` c).
    mutating func leave(_ index: Int, reason: EndReason, into effects: inout [SessionEffect]) {
        guard !streams[index].isEnded else { return }
        let stream = streams[index].number
        if !streams[index].isManaged {
            var unfetched = replay.unfetchedPayload(of: stream)
            unfetched.append(contentsOf: streams[index].outbound.takeAllStanzas())
            if !unfetched.isEmpty { effects.append(.upstream(.returnUnfetched(unfetched), on: stream)) }
        }
        // A session that is displaced before login has nothing to lose at its server, and room is needed now.
        let isDropped = reason == .loginDisplaced || reason.allowsResumption && streams[index].isResumable
        effects.append(.upstream(.leave(isDropped ? .drop : .close), on: stream))
    }

    /// Forgets a stream except its name.
    mutating func forgetStream(at index: Int) {
        closedStreams.append(streams[index].name)
        if closedStreams.count > 8 { closedStreams.removeFirst() }
        streams.remove(at: index)
    }

    /// How many rids may be open before the oldest is answered. The creation request of a client that does not want to
    /// be held still waits for the features, at most its `wait` (`S-22`).
    private var allowedHold: Int64 {
        if isPolling { return isCreating && wait > .zero ? 1 : 0 }
        // While an upstream takes no bytes, all requests that the client may have are held, so that it sends no more.
        // Further ones come from a page that was loaded again or from a client that breaks the rules (`P-07`), and are
        // released.
        if isCongested { return Int64(requests) }
        return Int64(max(hold, isCreating ? 1 : 0))
    }

    /// Whether an upstream takes no bytes.
    var isCongested: Bool { streams.contains { $0.congestion != .none } }

    /// Pauses reading from a server whose stanzas wait, until the client has fetched all of them.
    mutating func drain(_ index: Int, into effects: inout [SessionEffect]) {
        guard !streams[index].isEnded, !streams[index].outbound.isEmpty else { return }
        streams[index].isDraining = true
        guard !streams[index].isReadingPaused else { return }
        streams[index].isReadingPaused = true
        effects.append(.upstream(.pauseReading, on: streams[index].number))
    }

    private mutating func applyBackPressure(
        to index: Int, policy: borrowing SessionPolicy, into effects: inout [SessionEffect]
    ) {
        guard !streams[index].isEnded else { return }
        let waiting = streams[index].outbound.byteCount
        if !streams[index].isReadingPaused, waiting > policy.outboundBound {
            streams[index].isReadingPaused = true
            effects.append(.upstream(.pauseReading, on: streams[index].number))
        } else if streams[index].isReadingPaused, waiting <= (streams[index].isDraining ? 0 : policy.outboundBound / 2)
        {
            streams[index].isReadingPaused = false
            streams[index].isDraining = false
            effects.append(.upstream(.resumeReading, on: streams[index].number))
        }
    }

    /// Starts the inactivity clock, which runs while no request is open (`P-01`), at the last answer or disconnect.
    private mutating func noteIdleness(now: MonotonicInstant) {
        if held.isEmpty, !early.contains(where: { $0.exchange != nil }) {
            if idleSince == nil { idleSince = now }
        } else {
            idleSince = nil
        }
    }
}
