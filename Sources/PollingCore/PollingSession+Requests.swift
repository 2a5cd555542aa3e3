import Bridge
import Primitives

/// The requests of a client and their answers (`Q-10`, `Q-13`, `Q-17`, `Q-21` to `Q-26`).
extension PollingSession {
    /// What becomes of the XML that a request brings.
    package enum Admission: Sendable, Equatable {
        /// It is the next part of the client's stream: its items are to be handed over, and then `bodyRead`.
        case read
        /// It is not read. The request is answered, or it is a repeat.
        case skip
        /// The same, and it repeats the last request.
        case skipRepeat
    }

    /// Takes in a request.
    package mutating func admit(
        _ request: PollingRequest, now: MonotonicInstant, policy: borrowing PollingPolicy,
        into effects: inout [PollingEffect]
    ) -> Admission {
        defer { checkWaiting() }
        guard phase != .over else {
            effects.append(.answer(request.exchange, .error(.unknown)))
            return .skip
        }
        countInSecond(now: now)
        if isRepeat(request) {
            handleRepeat(request.exchange, now: now, policy: policy, into: &effects)
            return .skipRepeat
        }
        // The first request brings the first key.
        guard last == nil || keys.accept(request.key, digest: request.keyDigest, newKey: request.newKey, now: now)
        else {
            effects.append(.answer(request.exchange, .error(.keySequence)))
            return .skip
        }
        heardAt = now
        // Once the last bytes are fetched, nothing is left of the session.
        if phase == .closing, outgoing.isEmpty {
            effects.append(.answer(request.exchange, .error(.unknown)))
            forget(into: &effects)
            return .skip
        }
        inSecond += 1
        // This request proves that the answer to the one before has arrived (`Q-25`).
        kept = nil
        keptStanzasFrom = nil
        reply(.stream([]), into: &effects)
        waiting = Waiting(exchanges: ShortList(request.exchange), hasContent: request.hasContent, due: nil)
        last = Last(key: request.key, mark: request.mark, hasContent: request.hasContent)
        regulate(policy: policy, into: &effects)
        if phase == .closing {
            answer(now: now, policy: policy, into: &effects)
            return .skip
        }
        if congestion == .overfull, request.hasContent {
            fail(.resourceConstraint, .tooManyRequests, now: now, policy: policy, into: &effects)
            answer(now: now, policy: policy, into: &effects)
            return .skip
        }
        return .read
    }

    private func checkWaiting() {
        assert(waiting == nil || kept == nil, "a request waits although its answer is kept")
    }

    private mutating func countInSecond(now: MonotonicInstant) {
        guard now.elapsed(since: secondBegan) >= .seconds(1) else { return }
        secondBegan = now
        inSecond = 0
        repeatsInSecond = 0
    }

    /// Whether a request repeats the last one. Without keys two equal requests are two requests, unless the first is
    /// known to have got no answer (`Q-22`).
    private func isRepeat(_ request: PollingRequest) -> Bool {
        guard let last, last.mark == request.mark else { return false }
        return keys.areUsed ? last.key == request.key : last.isBroken && last.hasContent
    }

    private mutating func handleRepeat(
        _ exchange: PollingExchange, now: MonotonicInstant, policy: borrowing PollingPolicy,
        into effects: inout [PollingEffect]
    ) {
        repeatsInSecond += 1
        guard repeatsInSecond <= Self.mostRepeatsInSecond else {
            effects.append(.answer(exchange, .error(.keySequence)))
            return
        }
        heardAt = now
        if let kept {
            effects.append(.answer(exchange, .again(kept)))
        } else if var request = waiting {
            if request.exchanges.count == Self.mostCopies {
                effects.append(.answer(request.exchanges.removeFirst(), .stream([])))
            }
            request.exchanges.append(exchange)
            waiting = request
        } else {
            // The first was lost before its answer; what it brought has been forwarded (`Q-23`).
            last?.isBroken = false
            waiting = Waiting(exchanges: ShortList(exchange), hasContent: true, due: nil)
            handleBodyRead(now: now, policy: policy, into: &effects)
            answerIfDue(now: now, policy: policy, into: &effects)
        }
    }

    private static let mostRepeatsInSecond = 20
    /// How many copies of a request wait for its answer.
    private static let mostCopies = 4

    /// Gives the request that waits and its copies the same answer.
    mutating func reply(_ answer: PollingAnswer, into effects: inout [PollingEffect]) {
        guard let request = waiting else { return }
        waiting = nil
        for exchange in request.exchanges { effects.append(.answer(exchange, answer)) }
    }

    /// Decides when the request is answered whose body has been read (`Q-26`).
    mutating func handleBodyRead(
        now: MonotonicInstant, policy: borrowing PollingPolicy, into effects: inout [PollingEffect]
    ) {
        guard let waiting, waiting.due == nil else { return }
        guard phase != .closing else {
            answer(now: now, policy: policy, into: &effects)
            return
        }
        var due = now
        if waiting.hasContent {
            due = now.advanced(by: outgoing.isEmpty ? policy.hold : min(policy.settling, policy.hold))
        }
        if inSecond > policy.mostInSecond { due = max(due, secondBegan.advanced(by: .seconds(1))) }
        if congestion >= .full { due = max(due, now.advanced(by: policy.congestionTime)) }
        self.waiting?.due = due
    }

    /// Something has come for the client, or its server reads again: the request that waits is answered soon.
    mutating func answerSoon(now: MonotonicInstant, policy: borrowing PollingPolicy) {
        guard let due = waiting?.due, !outgoing.isEmpty, congestion < .full, inSecond <= policy.mostInSecond else {
            return
        }
        waiting?.due = min(due, now.advanced(by: policy.settling))
    }

    mutating func answerIfDue(
        now: MonotonicInstant, policy: borrowing PollingPolicy, into effects: inout [PollingEffect]
    ) {
        if let due = waiting?.due, due <= now { answer(now: now, policy: policy, into: &effects) }
    }

    /// Answers the waiting request with all there is.
    mutating func answer(
        now: MonotonicInstant, policy: borrowing PollingPolicy, into effects: inout [PollingEffect]
    ) {
        guard waiting != nil else { return }
        let bytes = outgoing
        kept = bytes
        keptStanzasFrom = stanzasFrom
        outgoing = []
        stanzasFrom = nil
        isTold = true
        reply(.stream(bytes), into: &effects)
        if phase == .closing {
            // Only who has logged in is worth the room for a repeat: strangers could begin any number of streams.
            if !login.isMet { forget(into: &effects) }
            forgetAt = now.advanced(by: min(policy.lingering, policy.inactivity))
        }
        regulate(policy: policy, into: &effects)
    }

    /// The connection of a request is gone: what has come stays for the next one (`Q-23`). Should the client still read,
    /// it gets an empty answer. Copies of the request wait on.
    mutating func handleAbort(_ exchange: PollingExchange, into effects: inout [PollingEffect]) {
        guard var request = waiting, request.exchanges.removeFirst(where: { $0 == exchange }) != nil else { return }
        guard request.exchanges.isEmpty else {
            waiting = request
            effects.append(.answer(exchange, .stream([])))
            return
        }
        waiting = nil
        last?.isBroken = true
        effects.append(.answer(exchange, isTold ? .stream([]) : .error(.unknown)))
        guard !isTold else { return }
        // Nobody knows the identifier.
        leave(.creationAborted, into: &effects)
        forget(into: &effects)
    }

    /// Stops or goes on reading the server by what the client has not fetched (`Q-39`).
    mutating func regulate(policy: borrowing PollingPolicy, into effects: inout [PollingEffect]) {
        switch phase {
        case .opening, .open, .restarting: break
        case .awaitingHeader, .closing, .over: return
        }
        let most = outgoing.count + (kept?.count ?? 0)
        if !isReadingPaused, most > policy.outboundBound {
            isReadingPaused = true
            effects.append(.upstream(.pauseReading))
        } else if isReadingPaused, most <= policy.outboundBound / 2 {
            isReadingPaused = false
            effects.append(.upstream(.resumeReading))
        }
    }
}
