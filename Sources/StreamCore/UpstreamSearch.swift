import Primitives

/// What an upstream keeps until its stream is open: the plan, what is known about the target that is being tried, and
/// why the last one was of no use.
struct UpstreamSearch: Sendable {
    var plan: ConnectPlan
    /// The domain for which a server is looked for.
    let domain: String
    /// The domain whose service records name the servers; nil when the servers are configured.
    let zone: String?
    /// When the search began. Connection, TLS and features share one deadline.
    let since: MonotonicInstant
    /// The source of seeds for further plans.
    var chance: ChanceSource
    /// The host whose addresses the plan waits for.
    var awaitedHost: String?
    /// The positions, in the resolver's answer, of the addresses that may be connected to.
    var positions: [Int] = []
    /// The target that is being tried; nil once the verdict on it is known.
    var target: UpstreamTarget?
    /// Whether the operator was told that the services of the zone could not be looked up.
    var hasToldOfServices = false
    /// The port of the target that was looked up last.
    var port: UInt16 = 0
    /// Whether a connection to the target was begun. What happens before that says nothing about the target.
    var wasTried = false
    /// Whether a connection to the target could not be begun for lack of a resource on this side. Then nothing speaks
    /// against the target.
    var isShort = false
    /// Whether an address of the target waits for a resource on this side and was not asked yet.
    var isPostponed = false
    /// How the target that was tried last failed.
    var failure: StreamFailure?
    /// Why nothing more is tried, once the plan is at its end.
    var exhaustion: StreamFailure?
    /// How many doubts about names are not answered yet, and whether one of these names is looked up again when
    /// somebody asks.
    var openDoubts = 0
    var isDoubted = false
    /// Whether the search has begun again because the names led to nothing of use. It does so only once.
    var hasBegunAgain = false
    /// Whether a server has redirected the stream. Only one redirect is followed.
    var isRedirected = false
    /// When the connection to the present target was made.
    var connectedAt: MonotonicInstant?

    init(domain: String, route: TargetRoute, seed: UInt64, by rules: UpstreamRules, now: MonotonicInstant) {
        self.domain = domain
        zone =
            if case .dns(let zone, _) = route { zone } else if rules.usesDNS { domain } else { nil }
        since = now
        plan = ConnectPlan(route: route, seed: seed, mostTargets: rules.mostTargets)
        chance = ChanceSource(seed: seed ^ 0x5EED)
    }

    /// The verdict on the present target when no connection to it was made. A shortage on this side leaves it unknown,
    /// even if another address of the target refused.
    var verdict: ServerVerdict { wasTried && !isShort && !isPostponed ? .broken : .unknown }

    /// The verdict on the present target when its stream failed before it was open.
    func verdict(after failure: StreamFailure, by rules: UpstreamRules) -> ServerVerdict {
        if failure.showsLife { return .works }
        // A server that knows the browser's address may have refused that browser alone (a banned address).
        if connectedAt != nil, rules.tellsClientAddress { return .unknown }
        return verdict
    }

    /// The failure of the whole search, once the plan is at its end. The last target's own failure says the most. A
    /// shortage on this side says more than that no server was reached.
    func conclusion(_ reason: StreamFailure) -> StreamFailure {
        failure ?? (isShort || isPostponed ? .shortage : reason)
    }

    /// Whether the search begins again. It does so once, if nothing accepted a connection and a name will be looked up
    /// again.
    func mayBeginAgain(by rules: UpstreamRules, now: MonotonicInstant) -> Bool {
        isDoubted && !hasBegunAgain && failure == nil && !isShort && now < end(by: rules)
    }

    /// Whether another target may be tried for a stream that failed before it was open.
    func mayMoveOn(after failure: StreamFailure, by rules: UpstreamRules, now: MonotonicInstant) -> Bool {
        guard exhaustion == nil, now < end(by: rules) else { return false }
        return switch failure {
        // The redirect was already checked against the rules.
        case .redirected: true
        // Only the target's share of the time is up.
        case .timeout: plan.hasOtherTargets
        default: failure.allowsAnotherTarget
        }
    }

    /// When the time of all targets together is up.
    func end(by rules: UpstreamRules) -> MonotonicInstant { since.advanced(by: rules.connectTimeout) }

    /// When the connected target must have opened the stream: at the deadline that all targets share. If there are
    /// other targets, it gets only a share of the time, so that a server that accepts connections and then stays silent
    /// leaves time for the others.
    func deadline(by rules: UpstreamRules) -> MonotonicInstant {
        let last = end(by: rules)
        guard let connectedAt, plan.hasOtherTargets else { return last }
        return min(last, connectedAt.advanced(by: rules.connectTimeout / 3))
    }
}

extension StreamFailure {
    /// Whether a server that ended a stream in this way works: it has spoken XMPP and only refuses this stream.
    package var showsLife: Bool {
        switch self {
        case .streamError, .redirected: true
        default: false
        }
    }
}
