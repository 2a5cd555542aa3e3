import Primitives

/// One upstream: the way from a domain to a server, and the stream there, from the name to the farewell.
///
/// It knows no socket, no clock and no bytes of TLS: inputs come with their instant, effects go to the wiring, and
/// `nextDeadline` says when to look again. Every upstream ends with exactly one `close`, and with one `ended` before it unless
/// the session has left it.
///
/// While it is being opened it keeps its search beside it: which targets are left, which one is tried, and what it says about a
/// server that it failed. Verdicts go to the `Breakers` that all streams of a worker share; whatever becomes of an upstream, each
/// server that it was admitted to hears of one.
package struct UpstreamMachine: Sendable {
    /// What is there to work with.
    enum Stage: UInt8, Sendable {
        /// Nothing yet.
        case fresh
        /// A plan.
        case searching
        /// A connection.
        case connected
        /// A connection that is being dropped for the next target's.
        case movingOn
        /// Nothing any more.
        case closed
    }

    /// The stream over the present connection, or over the one that is to come.
    var stream: StreamMachine
    /// How the stream comes to be; nil once it is open. Boxed: a stream is being opened for a moment, and open for hours.
    var search: Boxed<UpstreamSearch>?
    var stage = Stage.fresh
    /// Whether the session's client fetches what is there (back-pressure).
    package internal(set) var isRead = true
    /// Whether bytes wait in front of the kernel.
    var hasUnwritten = false
    /// Whether something was read and not handled.
    var hasBacklog = false
    /// Whether something came from the server since that was looked at last.
    var hasHeard = false
    /// Whether `nextDeadline` may have become earlier since that was said last.
    var isDueEarlier = false
    /// After how many seconds without a byte to the server a space is sent.
    var keepaliveSeconds: UInt16
    /// When bytes last went to the server.
    var lastSent: CoarseInstant
    /// What the server has accepted of what it was sent.
    var acceptance = Acceptance()
    /// Since when the beginning of an element waits for its end; none while nothing does.
    var partialSince = CoarseInstant.none
    /// Since when the present step goes on, where it has a time of its own: a restart, until its features have come, or a
    /// server's silence towards a session that is over. None while there is no such step.
    var stepSince = CoarseInstant.none
    /// When the farewell began; none before.
    var leavingSince = CoarseInstant.none

    /// An upstream that has not begun.
    package init(by rules: UpstreamRules, now: MonotonicInstant) {
        stream = rules.stream(rules.tls)
        keepaliveSeconds = Self.keepalive(rules)
        lastSent = CoarseInstant(now)
    }

    /// Where the stream stands.
    package var phase: StreamPhase { stream.phase }

    /// Whether the session has left.
    package var isLeft: Bool { leavingSince != .none }

    /// Whether everything is over: no input changes anything any more.
    package var isClosed: Bool { stage == .closed }

    /// Whether the stream is still to be opened.
    package var isOpening: Bool { search != nil }

    /// Whether a client's stanzas may be sent. Behind a request to compress nothing may stand.
    package var takesStanzas: Bool { stream.phase != .compressing }

    /// Whether it has to be known how much the server has acknowledged when a deadline is reached.
    package var awaitsAcceptance: Bool { acceptance.isWaiting }

    /// The server that is being tried; nil as long as none is, and once it is known whether it works.
    package var server: UpstreamKey? {
        guard let search = search?.value else { return nil }
        return search.target.map { UpstreamKey($0, of: search.domain) }
    }

    /// Until when the server has to accept something of what waits for it, if it may take so long; nil while nothing waits.
    package func acceptanceDeadline(_ timeout: Duration) -> MonotonicInstant? { acceptance.deadline(timeout) }

    /// Something came from the server.
    package mutating func noteRead() { hasHeard = true }

    /// Takes in what happened and appends what is to be done.
    ///
    /// - Returns: `nextDeadline`, if it may be earlier than when it was returned last; nil when a look at that time is early
    ///   enough.
    package mutating func handle(
        _ input: consuming UpstreamInput, by rules: UpstreamRules, breakers: inout Breakers, now: MonotonicInstant,
        into effects: inout UpstreamEffects
    ) -> MonotonicInstant? {
        guard stage != .closed else { return nil }
        take(input, by: rules, breakers: &breakers, now: now, into: &effects)
        guard isDueEarlier else { return nil }
        isDueEarlier = false
        return nextDeadline(by: rules)
    }

    private mutating func take(
        _ input: consuming UpstreamInput, by rules: UpstreamRules, breakers: inout Breakers, now: MonotonicInstant,
        into effects: inout UpstreamEffects
    ) {
        switch input {
        case .item(let item):
            guard stage == .connected else { return }
            // Time counts for each element anew: on a busy stream every read may end inside the next one.
            partialSince = .none
            give(.item(item), by: rules, breakers: &breakers, now: now, into: &effects)
        case .tlsEstablished, .tlsFailed, .bytesAfterProceed, .compressionBroken, .turnEnded,
            .connectionLost:
            handleServer(input, by: rules, breakers: &breakers, now: now, into: &effects)
        case .wrote, .blocked, .writingFailed, .unacknowledged:
            handleWriting(input, by: rules, breakers: &breakers, now: now, into: &effects)
        case .restart:
            restart(by: rules, breakers: &breakers, now: now, into: &effects)
        case .setReading(let isRead):
            self.isRead = isRead
            // The time that it was not read does not count against the server.
            if isRead, partialSince != .none { beginPartial(now: now) }
        case .leave(let drops):
            leave(drops: drops, by: rules, breakers: &breakers, now: now, into: &effects)
        case .deadlineReached(let unacknowledged, let hasUnwritten):
            self.hasUnwritten = hasUnwritten
            handleDeadline(
                unacknowledged: unacknowledged, by: rules, breakers: &breakers, now: now, into: &effects)
        case .begin(let domain, let route?, let seed):
            guard stage == .fresh else { return }
            stage = .searching
            isDueEarlier = true
            search = Boxed(UpstreamSearch(domain: domain, route: route, seed: seed, by: rules, now: now))
            advance(.begin, by: rules, breakers: &breakers, now: now, into: &effects)
        case .begin(_, nil, _):
            refuse(.unresolved, by: rules, breakers: &breakers, now: now, into: &effects)
        case .beginRefused:
            refuse(.shortage, by: rules, breakers: &breakers, now: now, into: &effects)
        default:
            handleSearch(input, by: rules, breakers: &breakers, now: now, into: &effects)
        }
    }

    private mutating func refuse(
        _ failure: StreamFailure, by rules: UpstreamRules, breakers: inout Breakers, now: MonotonicInstant,
        into effects: inout UpstreamEffects
    ) {
        guard stage == .fresh else { return }
        give(.connectFailed(failure), by: rules, breakers: &breakers, now: now, into: &effects)
    }

    /// After how long without a byte a space is sent when the server has not said anything about that.
    static func keepalive(_ rules: UpstreamRules) -> UInt16 {
        UInt16(clamping: rules.keepalive.components.seconds)
    }
}
