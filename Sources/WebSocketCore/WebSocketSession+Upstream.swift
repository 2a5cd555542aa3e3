import Bridge
import Primitives

/// What the server's stream tells the session, and the flow of bytes to the client.
extension WebSocketSession {
    mutating func handle(
        _ event: consuming UpstreamEvent, now: MonotonicInstant, policy: borrowing WebSocketPolicy,
        into effects: inout [WebSocketEffect]
    ) {
        guard phase != .awaitingOpen else { return }
        switch consume event {
        case .opened(let identity, let features):
            guard phase == .opening else { return }
            begin(id: identity.id, features, now: now, into: &effects)
        case .restarted(let features):
            guard phase == .restarting else { return }
            begin(id: nil, features, now: now, into: &effects)
        case .loggedIn: login.meet()
        case .registrationOffered: login.extend(now: now, by: policy.registrationTimeout)
        case .managed(let isResumable):
            isManaged = true
            if isResumable { self.isResumable = true }
            proof.forget()
        case .stanzas(let bytes, let borders):
            deliver(bytes, borders, now: now, policy: policy, into: &effects)
        case .congested(let congestion):
            let wasRead = mayRead
            self.congestion = congestion
            // What the client has said meanwhile has not been read yet, so its silence begins now (`W-37`).
            if !wasRead, mayRead { lastRead = CoarseInstant(now) }
        case .ended(let reason, let streamError):
            streamEnded(reason, streamError, now: now, into: &effects)
        }
    }

    /// The stream is open: greets the client, gives it the features, and the server what has waited.
    private mutating func begin(
        id: String?, _ features: [UInt8], now: MonotonicInstant, into effects: inout [WebSocketEffect]
    ) {
        phase = .open
        greet(id: id, now: now, into: &effects)
        // A server older than RFC 3920 has no features.
        if !features.isEmpty { send(FramedText.standingAlone(features), now: now, into: &effects) }
        forwardWaiting(into: &effects)
    }

    private mutating func deliver(
        _ bytes: [UInt8], _ borders: [Int], now: MonotonicInstant, policy: borrowing WebSocketPolicy,
        into effects: inout [WebSocketEffect]
    ) {
        lastSent = CoarseInstant(now)
        effects.append(.deliver(bytes, borders: borders))
        // Before login there is nothing that anybody sent to this user.
        guard login.isMet, !isManaged else { return }
        proof.noteSent(bytes)
        if isProofDue(now: now, policy: policy) { ping(now: now, into: &effects) }
        regulate(unsent: 0, policy: policy, into: &effects)
    }

    private func isProofDue(now: MonotonicInstant, policy: borrowing WebSocketPolicy) -> Bool {
        guard proof.wantsPing, let due = proofDue(policy) else { return proof.wantsPing }
        if isMuchUnproven(policy) { return true }
        return due <= now
    }

    /// Whether so much waits for its proof that the next ping is not put off: the server is not read while too much
    /// does. One such ping is on its way at a time, as in any window.
    private func isMuchUnproven(_ policy: borrowing WebSocketPolicy) -> Bool {
        if proof.isAwaited { return false }
        return proof.unproven.count > policy.outboundBound / 4
    }

    /// The earliest time for the next ping that asks for the receipt of stanzas; nil for any time.
    private func proofDue(_ policy: borrowing WebSocketPolicy) -> MonotonicInstant? {
        lastPing.instant?.advanced(by: policy.proofInterval)
    }

    mutating func handlePong(
        _ number: UInt32, now: MonotonicInstant, policy: borrowing WebSocketPolicy,
        into effects: inout [WebSocketEffect]
    ) {
        guard awaits(pong: number) else { return }
        answered = number
        proof.noteAnswer(to: number)
        if isProofDue(now: now, policy: policy) { ping(now: now, into: &effects) }
        regulate(unsent: 0, policy: policy, into: &effects)
    }

    /// Notes how many bytes wait for the client, and stops or goes on reading its server by that (`W-47`).
    package mutating func noteUnsent(
        _ unsent: Int, policy: borrowing WebSocketPolicy, into effects: inout [WebSocketEffect]
    ) {
        guard phase != .over, phase != .awaitingOpen else { return }
        regulate(unsent: unsent, policy: policy, into: &effects)
    }

    private mutating func regulate(
        unsent: Int, policy: borrowing WebSocketPolicy, into effects: inout [WebSocketEffect]
    ) {
        let most = max(unsent, proof.unproven.count)
        if !isReadingPaused, most > policy.outboundBound {
            isReadingPaused = true
            effects.append(.upstream(.pauseReading))
        } else if isReadingPaused, most <= policy.outboundBound / 2 {
            isReadingPaused = false
            effects.append(.upstream(.resumeReading))
        }
    }

    /// The server's stream has ended by itself (`W-50`, `W-52`, `W-53`).
    private mutating func streamEnded(
        _ reason: EndReason, _ streamError: [UInt8], now: MonotonicInstant, into effects: inout [WebSocketEffect]
    ) {
        let wasOpen = phase != .opening
        if !streamError.isEmpty {
            greet(now: now, into: &effects)
            send(FramedText.standingAlone(streamError), now: now, into: &effects)
            send(FramedText.close, now: now, into: &effects)
            end(reason, .normal, into: &effects)
        } else if reason == .upstreamForbidden {
            fail(.hostUnknown, reason, now: now, into: &effects)
        } else if wasOpen, reason == .upstreamClosed {
            send(FramedText.close, now: now, into: &effects)
            end(reason, .normal, into: &effects)
        } else if wasOpen {
            // Without a goodbye, so that the client comes back and may resume its stream.
            end(reason, .serviceRestart, into: &effects)
        } else {
            // Strophe waits for ever after a closed socket before any message, and Converse logs its user out when it is
            // told that the server is not reached.
            if !isGreeted { send(FramedText.close, now: now, into: &effects) }
            end(reason, .tryAgainLater, into: &effects)
        }
    }

    // MARK: Time

    /// When `deadlineReached` is due; nil when the session is over.
    package func nextDeadline(by policy: borrowing WebSocketPolicy) -> MonotonicInstant? {
        guard phase != .over else { return nil }
        var next = stepDue.instant
        func consider(_ candidate: MonotonicInstant?) {
            guard let candidate else { return }
            next = next.map { min($0, candidate) } ?? candidate
        }
        consider(login.next)
        if policy.pingInterval > .zero {
            consider(lastSent.instant?.advanced(by: policy.pingInterval))
            if mayRead { consider(silenceEnd(policy)) }
        }
        if proof.wantsPing { consider(proofDue(policy)) }
        return next
    }

    /// When a client counts as gone that has not answered a ping (`W-37`); nil while no answer is due.
    private func silenceEnd(_ policy: borrowing WebSocketPolicy) -> MonotonicInstant? {
        guard let probed = probedAt.instant, let read = lastRead.instant else { return nil }
        return max(
            read.advanced(by: policy.pingInterval + policy.silence), probed.advanced(by: policy.silence))
    }

    mutating func handleDeadline(
        now: MonotonicInstant, policy: borrowing WebSocketPolicy, into effects: inout [WebSocketEffect]
    ) {
        if let due = stepDue.instant, due <= now {
            guard phase != .awaitingOpen else {
                fail(.connectionTimeout, .openTimeout, .policyViolation, now: now, into: &effects)
                return
            }
            greet(now: now, into: &effects)
        }
        if let due = login.next, due <= now {
            fail(.connectionTimeout, .loginTimeout, .policyViolation, now: now, into: &effects)
            return
        }
        if isProofDue(now: now, policy: policy) { ping(now: now, into: &effects) }
        guard policy.pingInterval > .zero else { return }
        if mayRead, let end = silenceEnd(policy), end <= now {
            abandon(.clientSilent, into: &effects)
            return
        }
        if let sent = lastSent.instant, sent.advanced(by: policy.pingInterval) <= now { ping(now: now, into: &effects) }
    }
}
