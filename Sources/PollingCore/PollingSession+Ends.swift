import Bridge
import Primitives

/// What the server's stream tells the session, its deadlines, and its end.
extension PollingSession {
    mutating func handle(
        _ event: consuming UpstreamEvent, now: MonotonicInstant, policy: borrowing PollingPolicy,
        into effects: inout [PollingEffect]
    ) {
        switch phase {
        case .opening, .open, .restarting: break
        case .awaitingHeader, .closing, .over: return
        }
        switch consume event {
        case .opened(let identity, let features):
            guard phase == .opening else { return }
            begin(id: identity.id, features, into: &effects)
        case .restarted(let features):
            guard phase == .restarting else { return }
            begin(id: nil, features, into: &effects)
        case .loggedIn:
            login.meet()
            mayRestart = !hasRestarted
        case .registrationOffered: login.extend(now: now, by: policy.registrationTimeout)
        case .managed(let isResumable):
            isManaged = true
            if isResumable { self.isResumable = true }
            stanzasFrom = nil
            keptStanzasFrom = nil
        case .stanzas(let bytes, _):
            // Before login there is nothing that anybody sent to this user.
            if login.isMet, !isManaged, stanzasFrom == nil { stanzasFrom = outgoing.count }
            outgoing.append(contentsOf: bytes)
            regulate(policy: policy, into: &effects)
        case .congested(let congestion):
            let wasFull = self.congestion >= .full
            self.congestion = congestion
            if wasFull, congestion < .full, waiting?.due != nil {
                waiting?.due = nil
                handleBodyRead(now: now, policy: policy, into: &effects)
            }
        case .ended(let reason, let streamError):
            streamEnded(reason, streamError, now: now, policy: policy, into: &effects)
        }
        answerSoon(now: now, policy: policy)
        if phase == .closing, waiting?.due != nil { answer(now: now, policy: policy, into: &effects) }
    }

    /// The stream is open: greets the client, gives it the features, and the server what has waited.
    private mutating func begin(id: String?, _ features: [UInt8], into effects: inout [PollingEffect]) {
        phase = .open
        greet(id: id, into: &effects)
        if hasVersion { outgoing.append(contentsOf: features) }
        forwardInbound(into: &effects)
    }

    /// The server's stream has ended by itself (`Q-33`).
    private mutating func streamEnded(
        _ reason: EndReason, _ streamError: [UInt8], now: MonotonicInstant, policy: borrowing PollingPolicy,
        into effects: inout [PollingEffect]
    ) {
        if !streamError.isEmpty {
            greet(into: &effects)
            outgoing.append(contentsOf: streamError)
            outgoing.append(contentsOf: PollingText.end)
            close(reason, now: now, policy: policy, into: &effects)
        } else if reason == .upstreamClosed, phase != .opening {
            greet(into: &effects)
            outgoing.append(contentsOf: PollingText.end)
            close(reason, now: now, policy: policy, into: &effects)
        } else {
            switch reason {
            case .upstreamForbidden: fail(.hostUnknown, reason, now: now, policy: policy, into: &effects)
            case .upstreamShortage: fail(.resourceConstraint, reason, now: now, policy: policy, into: &effects)
            default: fail(.remoteConnectionFailed, reason, now: now, policy: policy, into: &effects)
            }
        }
    }

    // MARK: Time

    /// When `deadlineReached` is due; nil when the session is over.
    package func nextDeadline(by policy: borrowing PollingPolicy) -> MonotonicInstant? {
        switch phase {
        case .over: return nil
        case .closing: return forgetAt
        case .awaitingHeader, .opening, .open, .restarting: break
        }
        var next = heardAt.advanced(by: policy.inactivity)
        if phase == .awaitingHeader { next = min(next, begunAt.advanced(by: policy.openTimeout)) }
        if let due = waiting?.due { next = min(next, due) }
        if let due = login.next { next = min(next, due) }
        return next
    }

    mutating func handleDeadline(
        now: MonotonicInstant, policy: borrowing PollingPolicy, into effects: inout [PollingEffect]
    ) {
        answerIfDue(now: now, policy: policy, into: &effects)
        if phase == .closing {
            if let due = forgetAt, due <= now { forget(into: &effects) }
            return
        }
        if phase == .awaitingHeader, begunAt.advanced(by: policy.openTimeout) <= now {
            fail(.connectionTimeout, .openTimeout, now: now, policy: policy, into: &effects)
        } else if let due = login.next, due <= now {
            fail(.connectionTimeout, .loginTimeout, now: now, policy: policy, into: &effects)
        } else if heardAt.advanced(by: policy.inactivity) <= now {
            // Nobody asks for an answer any more.
            leave(.inactive, into: &effects)
            forget(into: &effects)
        }
    }

    // MARK: The end

    /// Ends the stream for a fault that the client is told (`Q-12`, `Q-14`, `Q-33`): in the stream, or before there is
    /// one by the identifier.
    mutating func fail(
        _ condition: StreamCondition, _ reason: EndReason, now: MonotonicInstant, policy: borrowing PollingPolicy,
        into effects: inout [PollingEffect]
    ) {
        guard phase != .closing, phase != .over else { return }
        guard hasHeader else {
            let isOwn = condition == .resourceConstraint || condition == .systemShutdown
            reply(.error(isOwn ? .server : .badRequest), into: &effects)
            leave(reason, into: &effects)
            forget(into: &effects)
            return
        }
        // Who is told a fault may never ask for it, and its server still takes back what it has not been sent. A server
        // that is gone takes nothing.
        if !reason.isOfUpstream, let start = stanzasFrom {
            effects.append(.upstream(.returnUnfetched(Array(outgoing[start...]))))
            outgoing.removeSubrange(start...)
        }
        greet(into: &effects)
        outgoing.append(contentsOf: PollingText.error(condition))
        outgoing.append(contentsOf: PollingText.end)
        close(reason, now: now, policy: policy, into: &effects)
    }

    /// Leaves the stream to the server. The session lives on until the client has fetched the last bytes.
    mutating func close(
        _ reason: EndReason, now: MonotonicInstant, policy: borrowing PollingPolicy,
        into effects: inout [PollingEffect]
    ) {
        // The client fetches the rest, so nothing goes back.
        stanzasFrom = nil
        keptStanzasFrom = nil
        leave(reason, into: &effects)
        phase = .closing
        forgetAt = heardAt.advanced(by: login.isMet ? policy.inactivity : min(Self.patience, policy.inactivity))
        if waiting?.due != nil { waiting?.due = now }
    }

    /// How long the last bytes wait for a client that has not logged in.
    private static let patience = Duration.seconds(30)

    /// Leaves the stream to the server, and first returns to the senders what the client has not provably fetched
    /// (`T-12`, `Q-28`). A server that counts stanzas returns them itself. A stream that can be resumed is dropped,
    /// where resuming makes sense.
    mutating func leave(_ reason: EndReason, into effects: inout [PollingEffect]) {
        inbound = []
        let hasStream =
            switch phase {
            case .opening, .open, .restarting: true
            case .awaitingHeader, .closing, .over: false
            }
        defer {
            if !hasEnded { effects.append(.ended(reason)) }
            hasEnded = true
        }
        guard hasStream, !reason.isOfUpstream else { return }
        var unfetched: [UInt8] = []
        if let kept, let start = keptStanzasFrom { unfetched.append(contentsOf: kept[start...]) }
        if let start = stanzasFrom { unfetched.append(contentsOf: outgoing[start...]) }
        if !unfetched.isEmpty { effects.append(.upstream(.returnUnfetched(unfetched))) }
        let isDropped = reason == .loginDisplaced || reason.allowsResumption && isResumable
        effects.append(.upstream(.leave(isDropped ? .drop : .close)))
    }

    /// Ends the session, whose stream has ended.
    mutating func forget(into effects: inout [PollingEffect]) {
        guard phase != .over else { return }
        reply(.error(.unknown), into: &effects)
        outgoing = []
        kept = nil
        stanzasFrom = nil
        keptStanzasFrom = nil
        phase = .over
        effects.append(.forgotten)
    }

    /// Ends the session at once, after an answer to the request that waits.
    mutating func finish(now: MonotonicInstant, policy: borrowing PollingPolicy, into effects: inout [PollingEffect]) {
        guard phase != .over else { return }
        answer(now: now, policy: policy, into: &effects)
        forget(into: &effects)
    }

    /// Says goodbye because the process ends. A client that can resume its stream finds it again through the next
    /// process, so it is not told that the stream is closed.
    mutating func handleShutdown(
        now: MonotonicInstant, policy: borrowing PollingPolicy, into effects: inout [PollingEffect]
    ) {
        if phase == .closing {
            finish(now: now, policy: policy, into: &effects)
        } else if isResumable || waiting == nil {
            reply(.error(.server), into: &effects)
            leave(.shutdown, into: &effects)
            forget(into: &effects)
        } else {
            fail(.systemShutdown, .shutdown, now: now, policy: policy, into: &effects)
            finish(now: now, policy: policy, into: &effects)
        }
    }
}
