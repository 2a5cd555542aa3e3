import Primitives

/// All that an upstream does by the clock: the search and the opening, a server that accepts nothing or does not end what it has
/// begun, white space, the farewell.
extension UpstreamMachine {
    /// When `deadlineReached` is due; nil while only another input brings the upstream on.
    package func nextDeadline(by rules: UpstreamRules) -> MonotonicInstant? {
        if stage == .closed || stage == .fresh { return nil }
        if let since = leavingSince.instant {
            return stream.phase == .returning ? silenceEnd : farewellEnd(since: since, by: rules)
        }
        if let search = search?.value {
            let due = search.deadline(by: rules)
            guard stage == .searching, let wake = search.plan.nextWake else { return due }
            return min(due, wake)
        }
        var next = restartEnd(by: rules)
        for due in [acceptance.nextLook(rules.writeTimeout), partialEnd(by: rules), lifeSignDue] {
            guard let due else { continue }
            next = min(next ?? due, due)
        }
        return next
    }

    /// `unacknowledged`: how many of the bytes that the kernel was given the server has not acknowledged, where that is known.
    mutating func handleDeadline(
        unacknowledged: Int?, by rules: UpstreamRules, breakers: inout Breakers, now: MonotonicInstant,
        into effects: inout UpstreamEffects
    ) {
        isDueEarlier = true
        if let unacknowledged, search == nil || isLeft {
            acceptance.look(unacknowledged: unacknowledged, hasUnwritten: hasUnwritten, now: now)
        }
        if let since = leavingSince.instant {
            if stream.phase == .returning {
                endReturning(since: since, by: rules, breakers: &breakers, now: now, into: &effects)
            } else if farewellEnd(since: since, by: rules) <= now {
                close(breakers: &breakers, now: now, into: &effects)
            }
        } else if let search = search?.value {
            if search.deadline(by: rules) <= now {
                // What waited for something of our own all the time was not asked.
                let isShort = search.isPostponed && search.connectedAt == nil
                give(
                    isShort ? .connectFailed(.shortage) : .deadlineReached, by: rules, breakers: &breakers, now: now,
                    into: &effects)
            } else if stage == .searching {
                advance(.wake, by: rules, breakers: &breakers, now: now, into: &effects)
            }
        } else if stage == .connected {
            handleDeadlineWhenOpen(by: rules, breakers: &breakers, now: now, into: &effects)
        }
    }

    private mutating func handleDeadlineWhenOpen(
        by rules: UpstreamRules, breakers: inout Breakers, now: MonotonicInstant, into effects: inout UpstreamEffects
    ) {
        func isOver(_ due: MonotonicInstant?) -> Bool { due.map { $0 <= now } ?? false }
        if isOver(restartEnd(by: rules)) {
            give(.deadlineReached, by: rules, breakers: &breakers, now: now, into: &effects)
        } else if isOver(acceptance.deadline(rules.writeTimeout)) {
            give(.stalled, by: rules, breakers: &breakers, now: now, into: &effects)
        } else if isOver(partialEnd(by: rules)) {
            give(.unfinishedStanzaTimeout, by: rules, breakers: &breakers, now: now, into: &effects)
        } else if isOver(lifeSignDue) {
            lastSent = CoarseInstant(now)
            effects.list.append(.sendSpace)
        }
    }

    // MARK: While the stream is open

    private func restartEnd(by rules: UpstreamRules) -> MonotonicInstant? {
        stepSince.instant?.advanced(by: rules.connectTimeout)
    }

    /// When an element must have ended. While the server is not read, no time passes.
    private func partialEnd(by rules: UpstreamRules) -> MonotonicInstant? {
        isRead ? partialSince.instant?.advanced(by: rules.stanzaTimeout) : nil
    }

    /// When a sign of life is due. Nothing may stand between a request to compress and its answer, and what is stalled needs no
    /// sign of life.
    private var lifeSignDue: MonotonicInstant? {
        guard stepSince == .none, !hasUnwritten else { return nil }
        return lastSent.instant?.advanced(by: .seconds(Int64(keepaliveSeconds)))
    }

    // MARK: The end

    /// Until when a farewell may take: what was taken from the client is written as long as the server accepts bytes of it,
    /// and then the server may close its side.
    private func farewellEnd(since: MonotonicInstant, by rules: UpstreamRules) -> MonotonicInstant {
        let progress = max(lastSent.instant ?? since, acceptance.waitingSince.instant ?? since)
        let time = hasUnwritten ? max(Self.farewellTime, rules.writeTimeout) : Self.farewellTime
        return max(since, progress).advanced(by: time)
    }

    /// Looks again in a moment whether the server still says something.
    mutating func listen(now: MonotonicInstant) {
        stepSince = CoarseInstant(now)
    }

    /// When a server has said nothing for long enough.
    private var silenceEnd: MonotonicInstant? {
        // The instant is kept to an eighth of a second, and no time is taken from the server for that.
        stepSince.instant?.advanced(by: Self.silenceAtTheEnd + .milliseconds(125))
    }

    /// What the server had to say is read once nothing came for a moment. One that goes on talking is not listened to for ever.
    private mutating func endReturning(
        since: MonotonicInstant, by rules: UpstreamRules, breakers: inout Breakers, now: MonotonicInstant,
        into effects: inout UpstreamEffects
    ) {
        // The time in which the server is slow to take what goes back does not count.
        let isBlocked = hasUnwritten && farewellEnd(since: since, by: rules) > now
        let most = isBlocked ? Self.longestBlockedReturn : Self.longestReturn
        let isOver = since.advanced(by: most) <= now
        if hasHeard || hasBacklog || hasUnwritten, !isOver {
            hasHeard = false
            listen(now: now)
        } else {
            leave(drops: false, by: rules, breakers: &breakers, now: now, into: &effects)
        }
    }

    /// How long a server may take to close its side of the stream.
    private static let farewellTime = Duration.seconds(2)

    /// How long a server says nothing when it has said what it had to say to a session that is over; how long it may go on with
    /// that; and how long it may while it is slow to take what goes back.
    private static let silenceAtTheEnd = Duration.milliseconds(500)
    private static let longestReturn = Duration.seconds(10)
    private static let longestBlockedReturn = Duration.seconds(600)
}
