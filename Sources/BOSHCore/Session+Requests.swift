import Bridge
import Primitives

extension Session {
    /// Judges a request by its rid: the next one, an early one, a repeat, or outside the window (XEP-0124 §14).
    mutating func handleRequest(
        _ exchange: ExchangeID, attributes: BodyAttributes, payload: [UInt8], now: MonotonicInstant,
        policy: borrowing SessionPolicy, into effects: inout [SessionEffect]
    ) {
        guard let rid = attributes.rid.number.flatMap({ RequestID($0) }) else {
            // Without a rid nobody can tell whether the session's own client sent this (`T-13`), so only the request
            // fails.
            effects.append(.respond(exchange, BodyResponse(.terminate(.badRequest))))
            return
        }
        let ahead = rid.distance(from: processed)
        if ahead <= 0 {
            let key = attributes.hasRare ? attributes.rare.key : nil
            handleRepeat(rid, exchange: exchange, key: key, now: now, policy: policy, into: &effects)
            return
        }
        if attributes.pause == .malformed {
            handleMalformed(exchange, attributes: attributes, into: &effects)
            return
        }
        let isTerminate = attributes.type == .terminate
        // One pause or terminate more than `requests` is allowed (`P-07`, `R-05`).
        let isExtra = isTerminate || attributes.pause != .absent
        guard ahead <= Int64(requests) + (isExtra ? 1 : 0) else {
            end(.ridAboveWindow, culprit: exchange, into: &effects)
            return
        }
        // Any new request ends a pause (`P-05`) and is a sign of life, even when it is answered at once (`P-01`).
        inactivity = normalInactivity
        idleSince = nil
        // A repeat is an exact copy: it proves nothing about later responses, and its `ack` is old.
        if !early.contains(where: { $0.rid == rid }) {
            // What a client acknowledges says more than its rids (`T-12` a).
            if acknowledges {
                acknowledge(attributes.ack, in: rid, now: now)
            } else {
                noteReceipt(by: rid, isExtra: isExtra)
            }
        }
        let request = ArrivedRequest(
            rid: rid, exchange: exchange, deadline: now.advanced(by: wait), isTerminate: isTerminate,
            isRestart: attributes.isRestart, pause: attributes.pause, payload: payload, arrival: now,
            extras: extras(of: attributes, payloadIsEmpty: payload.isEmpty))
        if ahead == 1, early.first?.rid != rid, isAdmitted(request, policy: policy) {
            process(request, now: now, policy: policy, into: &effects)
        } else {
            putEarly(request, now: now, policy: policy, into: &effects)
        }
    }

    /// Notes what a new request proves about the responses given before (`T-12` a).
    private mutating func noteReceipt(by rid: RequestID, isExtra: Bool) {
        let between = Int(rid.distance(from: processed)) - 1
        var missing = between
        var mayIncludeExtra = isExtra || held.contains { $0.isExtra }
        for request in early where request.rid < rid {
            missing -= 1
            if request.isExtra { mayIncludeExtra = true }
        }
        // A request that has not come may be a pause or a terminate.
        if missing > 0 { mayIncludeExtra = true }
        let proof = ReceiptProof(
            requests: requests, unanswered: held.count + between, mayIncludeExtra: mayIncludeExtra)
        replay.noteRequest(rid, proof: proof)
    }

    /// Collects the attributes that few requests carry.
    ///
    /// An empty request with `to` asks for another stream (XEP-0124 §16.3), unless the client writes `to` into every
    /// request, as libpurple does: its next poll must not open one. libpurple polls before its first payload only while
    /// it waits for the features, so before the features were told, `to` asks for nothing.
    private mutating func extras(of attributes: BodyAttributes, payloadIsEmpty: Bool) -> Boxed<Extras>? {
        guard attributes.hasRare else { return nil }
        let rare = attributes.rare
        var adding: Addition?
        if let to = rare.to, !to.isEmpty, !attributes.isRestart, attributes.type == nil,
            attributes.pause == .absent
        {
            if !payloadIsEmpty {
                alwaysNamesDomain = true
            } else if rare.stream == nil, !alwaysNamesDomain, hasToldFeatures {
                adding = Addition(
                    domain: to, from: rare.from,
                    language: rare.language.flatMap { $0.isTooLong ? nil : $0.text },
                    name: rare.freshStreamName)
            }
        }
        var keys: Keys?
        if rare.key != nil || rare.newkey != nil {
            keys = Keys(key: rare.key, digest: rare.keyDigest, newkey: rare.newkey)
        }
        if rare.stream == nil, adding == nil, keys == nil { return nil }
        return Boxed(Extras(stream: rare.stream, adding: adding, keys: keys))
    }

    /// Answers a request that could not be understood, or is larger than the session may send. It ends the session only
    /// when its rid is one that the session expects, so that a stranger's junk kills no session (`T-13`).
    mutating func handleMalformed(
        _ exchange: ExchangeID, attributes: BodyAttributes, reason: EndReason = .malformedRequest,
        into effects: inout [SessionEffect]
    ) {
        if let rid = attributes.rid.number.flatMap({ RequestID($0) }),
            (1...Int64(requests)).contains(rid.distance(from: processed)), hasRightKey(attributes, rid)
        {
            end(reason, culprit: exchange, into: &effects)
        } else {
            effects.append(.respond(exchange, BodyResponse(.terminate(reason.condition))))
        }
    }

    /// Whether the request comes from the session's own client, as far as keys can tell: only the next request's key is
    /// known.
    private func hasRightKey(_ attributes: BodyAttributes, _ rid: RequestID) -> Bool {
        guard let chain = chain?.value else { return true }
        return rid == processed.next && chain.isNext(attributes.rare.key, digest: attributes.rare.keyDigest)
    }

    /// Handles a closed connection of a waiting request (`P-13`): the response counts as sent but lost, so no payload
    /// is spent on it.
    mutating func handleAbort(
        _ exchange: ExchangeID, now: MonotonicInstant, policy: borrowing SessionPolicy,
        into effects: inout [SessionEffect]
    ) {
        if let index = held.firstIndex(where: { $0.exchange == exchange }) {
            if isCreating {
                end(.creationAborted, culprit: nil, into: &effects)
                return
            }
            let request = held.remove(at: index)
            let response = acknowledging(.empty, to: request.rid)
            keep(
                response, for: request.rid, stream: .first, isExtra: request.isExtra, now: now, policy: policy)
            // A client that closed only its sending half still reads this answer; for all others it makes no
            // difference.
            effects.append(.respond(exchange, response))
        } else if let index = early.firstIndex(where: { $0.exchange == exchange }) {
            answerEarly(index, into: &effects)
        }
    }

    /// Answers a rid that was processed before: with the kept response, or, while the rid is held, by putting the
    /// newest exchange in place of the older one. The payload of a repeat is never forwarded (`R-07`, `R-08`, `R-10`).
    private mutating func handleRepeat(
        _ rid: RequestID, exchange: ExchangeID, key: PeerText?, now: MonotonicInstant,
        policy: borrowing SessionPolicy, into effects: inout [SessionEffect]
    ) {
        if let chain = chain?.value, !chain.isRepeat(rid, key: key) {
            end(.keyMismatch, culprit: exchange, into: &effects)
            return
        }
        guard rates.admitsRepeat(now: now, policy: policy) else {
            end(.tooManyRepeats, culprit: exchange, into: &effects)
            return
        }
        if let index = held.firstIndex(where: { $0.rid == rid }) {
            effects.append(.respond(held[index].exchange, acknowledging(.error, to: rid)))
            held[index].exchange = exchange
            held[index].deadline = now.advanced(by: wait)
        } else if let response = replay.response(to: rid) {
            replay.noteReplay(of: rid, now: now)
            if missing == rid { missing = nil }
            effects.append(.respondAgain(exchange, response))
            if idleSince != nil { idleSince = now }
        } else {
            end(.ridTooOld, culprit: exchange, into: &effects)
        }
    }

    /// Takes in what the client says about the responses it has (XEP-0124 §9.2, `A-03` to `A-07`).
    private mutating func acknowledge(_ ack: NumberAttribute, in rid: RequestID, now: MonotonicInstant) {
        guard let newest = replay.newest else { return }
        switch ack {
        case .malformed:
            return
        case .absent:
            // A client that acknowledges omits `ack` when it has all responses to its earlier requests (`A-06`), so
            // this says nothing while one of those has no answer.
            if held.isEmpty, rid == processed.next { replay.acknowledge(upTo: newest, least: requests) }
        case .value(let value):
            guard let acked = RequestID(value), acked <= newest else { return }
            replay.acknowledge(upTo: acked, least: requests)
            // An `ack` may cross a response on its way; only a response sent some time ago counts as missing (`A-04`).
            missing = acked < newest && replay.mayReport(acked.next, now: now) ? acked.next : nil
        }
    }
}
