import Primitives

/// What an upstream keeps until its stream is open: the plan, what is known of the target that is being tried, and why earlier
/// ones were of no use.
struct UpstreamSearch: Sendable {
    var plan: ConnectPlan
    /// The domain that a server is looked for.
    let domain: String
    /// The domain whose services name the servers; nil where they are configured.
    let zone: String?
    /// When the search began; connection, TLS and features have one deadline together.
    let since: MonotonicInstant
    /// Seeds for further plans.
    var chance: ChanceSource
    /// The host whose addresses the plan waits for.
    var awaitedHost: String?
    /// Where the addresses that may be connected to stand in the resolver's answer.
    var positions: [Int] = []
    /// The target that is being tried, until it is known whether it works.
    var target: UpstreamTarget?
    /// The port of the target that was looked up last.
    var port: UInt16 = 0
    /// Whether a connection to it was begun: what befalls us before that says nothing about it.
    var wasTried = false
    /// Whether a connection to it could not be begun for want of something of our own: then nothing speaks against the target.
    var isShort = false
    /// Whether an address of it waits for something of our own: it was not asked yet.
    var isPostponed = false
    /// How the target that was tried last failed.
    var failure: StreamFailure?
    /// Why nothing more will be tried, once the plan is at its end.
    var exhaustion: StreamFailure?
    /// How many names are doubted without an answer yet, and whether one of them is looked up again if somebody asks now.
    var openDoubts = 0
    var isDoubted = false
    /// Whether the search has begun anew over names that led to nothing of use; once is enough.
    var hasBegunAgain = false
    /// Whether a server has sent us elsewhere; once is enough.
    var isRedirected = false
    /// When the connection to the present target stood.
    var connectedAt: MonotonicInstant?

    init(domain: String, route: TargetRoute, seed: UInt64, by rules: UpstreamRules, now: MonotonicInstant) {
        self.domain = domain
        zone =
            if case .dns(let zone, _) = route { zone } else if rules.usesDNS { domain } else { nil }
        since = now
        plan = ConnectPlan(route: route, seed: seed, mostTargets: rules.mostTargets)
        chance = ChanceSource(seed: seed ^ 0x5EED)
    }

    /// What it says about the present target that no connection to it came to be. What we lacked ourselves says nothing, not
    /// even beside another of its addresses that refused.
    var verdict: ServerVerdict { wasTried && !isShort && !isPostponed ? .broken : .unknown }

    /// What it says about the present target that its stream failed before it was open.
    func verdict(after failure: StreamFailure, by rules: UpstreamRules) -> ServerVerdict {
        if failure.showsLife { return .works }
        // A server that was told who the browser is may have meant that one alone (a banned address).
        if connectedAt != nil, rules.tellsClientAddress { return .unknown }
        return verdict
    }

    /// What the whole search has failed for, once the plan is at its end: the last target's own failure says the most, and a
    /// want of our own more than that no server was reached.
    func conclusion(_ reason: StreamFailure) -> StreamFailure {
        failure ?? (isShort || isPostponed ? .shortage : reason)
    }

    /// Whether the search begins anew, once, when nothing accepted a connection and what was known of the names is looked up
    /// again.
    func mayBeginAgain(by rules: UpstreamRules, now: MonotonicInstant) -> Bool {
        isDoubted && !hasBegunAgain && failure == nil && !isShort && now < end(by: rules)
    }

    /// Whether a stream that failed before it was open may be tried with another target.
    func mayMoveOn(after failure: StreamFailure, by rules: UpstreamRules, now: MonotonicInstant) -> Bool {
        guard exhaustion == nil, now < end(by: rules) else { return false }
        return switch failure {
        // It was found to be allowed.
        case .redirected: true
        // The target's share of the time is up, not all of it.
        case .timeout: plan.hasOtherTargets
        default: failure.allowsAnotherTarget
        }
    }

    /// When the time of all targets together is up.
    func end(by rules: UpstreamRules) -> MonotonicInstant { since.advanced(by: rules.connectTimeout) }

    /// When the target that is connected must have opened the stream: at the deadline that all targets share, or, when there
    /// are others, after a share of it, so that a server that accepts connections and says nothing does not use up the time of
    /// those behind it.
    func deadline(by rules: UpstreamRules) -> MonotonicInstant {
        let last = end(by: rules)
        guard let connectedAt, plan.hasOtherTargets else { return last }
        return min(last, connectedAt.advanced(by: rules.connectTimeout / 3))
    }
}

extension StreamFailure {
    /// Whether a server that ended a stream like this works: it has spoken XMPP, and only does not want this stream.
    var showsLife: Bool {
        switch self {
        case .streamError, .redirected: true
        default: false
        }
    }
}
