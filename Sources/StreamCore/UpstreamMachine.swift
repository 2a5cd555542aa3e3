import Primitives

/// One upstream: the way from a domain to a server, and the stream there, from the look-up of the name to the farewell.
///
/// It knows neither sockets nor a clock nor bytes of TLS. Inputs come with their instant, the wiring executes the
/// effects, and `nextDeadline` says when the machine has to look again. Every upstream ends with exactly one `close`,
/// preceded by one `ended` unless the session has left it.
///
/// While the stream is being opened, the machine keeps a search: the targets that are left, the target that is being
/// tried, and how the last one failed. Verdicts on servers go to the `Breakers` that all streams of a worker share.
/// Each server to which the upstream was admitted gets one verdict, however the upstream ends.
package struct UpstreamMachine: Sendable {
    /// What the upstream has at present.
    enum Stage: UInt8, Sendable {
        /// It has not begun.
        case fresh
        /// It has a plan.
        case searching
        /// It has a connection.
        case connected
        /// It has a connection that is being dropped, to try the next target.
        case movingOn
        /// It has nothing any more.
        case closed
    }

    /// The stream over the present connection, or over the future one.
    var stream: StreamMachine
    /// The search for a connection; nil once the stream is open. Boxed, because an opening takes a moment and an open
    /// stream lasts hours.
    var search: Boxed<UpstreamSearch>?
    var stage = Stage.fresh
    /// Whether the session's client fetches what is there (back-pressure).
    package internal(set) var isRead = true
    /// Whether bytes wait in front of the kernel.
    var hasUnwritten = false
    /// Whether something was read that is not handled yet.
    var hasBacklog = false
    /// Whether something came from the server since the last look.
    var hasHeard = false
    /// Whether `nextDeadline` may be earlier now than when it was last returned.
    var isDueEarlier = false
    /// After how many seconds without a byte to the server this side sends a space.
    var keepaliveSeconds: UInt16
    /// When bytes last went to the server.
    var lastSent: CoarseInstant
    /// How much of what was sent the server has accepted.
    var acceptance = Acceptance()
    /// Since when a begun element waits for its end; none while no element does.
    var partialSince = CoarseInstant.none
    /// Since when the present step lasts, if it has a time limit of its own: a restart until its features have come, or
    /// the silence of a server whose session is over. None while there is no such step.
    var stepSince = CoarseInstant.none
    /// When the farewell began; none before that.
    var leavingSince = CoarseInstant.none

    /// Creates an upstream that has not begun.
    package init(by rules: UpstreamRules, now: MonotonicInstant) {
        stream = rules.stream(rules.tls)
        keepaliveSeconds = Self.keepalive(rules)
        lastSent = CoarseInstant(now)
    }

    /// The state of the stream.
    package var phase: StreamPhase { stream.phase }

    /// Whether the session has left.
    package var isLeft: Bool { leavingSince != .none }

    /// Whether everything is over, so that no input changes anything any more.
    package var isClosed: Bool { stage == .closed }

    /// Whether the stream is not open yet.
    package var isOpening: Bool { search != nil }

    /// Whether stanzas of the client may be sent. Nothing may be sent after a request to compress until it is answered.
    package var takesStanzas: Bool { stream.phase != .compressing }

    /// Whether client and server manage the stream (XEP-0198). They do so only after the client's login.
    package var isManaged: Bool { stream.isManaged }

    /// Whether the caller has to find out, when a deadline is reached, how much the server has acknowledged.
    package var awaitsAcceptance: Bool { acceptance.isWaiting }

    /// The server that is being tried; nil while there is none, and once the verdict on it is known.
    package var server: UpstreamKey? {
        guard let search = search?.value else { return nil }
        return search.target.map { UpstreamKey($0, of: search.domain) }
    }

    /// The time by which the server has to accept some of the waiting bytes if it may take `timeout`; nil while nothing
    /// waits.
    package func acceptanceDeadline(_ timeout: Duration) -> MonotonicInstant? { acceptance.deadline(timeout) }

    /// Notes that something came from the server.
    package mutating func noteRead() { hasHeard = true }

    /// Handles an input and appends the effects.
    ///
    /// - Returns: `nextDeadline`, if it may be earlier than when it was last returned; nil when a look at the earlier
    ///   time is enough.
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
            // The time starts again for each element: on a busy stream every read may end inside the next one.
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
            // The time in which the server was not read does not count against it.
            if isRead, partialSince != .none { beginPartial(now: now) }
        case .leave(let drops, let hasUnread):
            leave(drops: drops, hasUnread: hasUnread, by: rules, breakers: &breakers, now: now, into: &effects)
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

    /// After how long without a byte a space is sent if the server has announced no limit.
    static func keepalive(_ rules: UpstreamRules) -> UInt16 {
        UInt16(clamping: rules.keepalive.components.seconds)
    }
}
