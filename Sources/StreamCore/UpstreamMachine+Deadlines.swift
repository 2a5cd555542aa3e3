import Primitives

/// Everything that an upstream does by the clock: it limits the search and the opening, a server that accepts nothing
/// or does not finish an element, and the farewell; and it sends white space.
extension UpstreamMachine {
    /// When `deadlineReached` is due; nil while only another input can advance the upstream.
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

    /// `unacknowledged`: how many of the bytes that the kernel was given the server has not acknowledged, if that is
    /// known.
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
                // The target was not asked if it waited for a resource on this side all the time.
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

    /// When the element that has begun must have ended. No time passes while the server is not read.
    private func partialEnd(by rules: UpstreamRules) -> MonotonicInstant? {
        isRead ? partialSince.instant?.advanced(by: rules.stanzaTimeout) : nil
    }

    /// When the next sign of life is due. None may come between a request to compress and its answer, and a server that
    /// is stalled needs none.
    private var lifeSignDue: MonotonicInstant? {
        guard stepSince == .none, !hasUnwritten else { return nil }
        return lastSent.instant?.advanced(by: .seconds(Int64(keepaliveSeconds)))
    }

    // MARK: The end

    /// By when a farewell has to be over. The stanzas taken from the client are written as long as the server accepts
    /// bytes of them; after that the server has some time to close its side.
    private func farewellEnd(since: MonotonicInstant, by rules: UpstreamRules) -> MonotonicInstant {
        let progress = max(lastSent.instant ?? since, acceptance.waitingSince.instant ?? since)
        let time = hasUnwritten ? max(Self.farewellTime, rules.writeTimeout) : Self.farewellTime
        return max(since, progress).advanced(by: time)
    }

    /// Arranges another look in a moment whether the server still sends something.
    mutating func listen(now: MonotonicInstant) {
        stepSince = CoarseInstant(now)
    }

    /// When the server has been silent for long enough.
    private var silenceEnd: MonotonicInstant? {
        // The instant is kept to an eighth of a second. The addition keeps that from shortening the server's time.
        stepSince.instant?.advanced(by: Self.silenceAtTheEnd + .milliseconds(125))
    }

    /// Ends the reading of what the server still had to say, once nothing has come for a moment. A limit ends it for a
    /// server that goes on and on.
    private mutating func endReturning(
        since: MonotonicInstant, by rules: UpstreamRules, breakers: inout Breakers, now: MonotonicInstant,
        into effects: inout UpstreamEffects
    ) {
        // The limit is longer while the server is slow to take what goes back.
        let isBlocked = hasUnwritten && farewellEnd(since: since, by: rules) > now
        let most = isBlocked ? Self.longestBlockedReturn : Self.longestReturn
        let isOver = since.advanced(by: most) <= now
        if hasHeard || hasBacklog || hasUnwritten, !isOver {
            hasHeard = false
            listen(now: now)
        } else {
            leave(drops: false, hasUnread: false, by: rules, breakers: &breakers, now: now, into: &effects)
        }
    }

    /// How long a server may take to close its side of the stream.
    private static let farewellTime = Duration.seconds(2)

    /// For a session that is over: after how long a silence the server counts as finished, how long it may go on
    /// sending, and how long it may go on while it is slow to take what goes back.
    private static let silenceAtTheEnd = Duration.milliseconds(500)
    private static let longestReturn = Duration.seconds(10)
    private static let longestBlockedReturn = Duration.seconds(600)
}
