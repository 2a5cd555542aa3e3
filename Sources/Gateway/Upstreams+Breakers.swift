import BOSHCore
import Settings
import StreamCore

/// Which servers are left alone for a while, because they failed again and again.
extension Upstreams {
    /// Whether a server may be connected to now.
    func admits(_ target: UpstreamTarget, of domain: String) -> Bool {
        let key = UpstreamKey(target, of: domain)
        guard loop.settings.breakerFailures > 0 else { return true }
        return withBreaker(of: key) { breaker, _ in breaker?.admits(now: loop.planTime) ?? true }
    }

    /// What a failure says about a server, and not about us or one of its clients.
    enum Verdict {
        case works, broken, unknown
    }

    /// What it says about the present target of a link that its stream failed before it was open.
    func verdict(on link: UpstreamLink, after failure: StreamFailure) -> Verdict {
        guard let attempt = link.attempt else { return .unknown }
        if failure.showsLife { return .works }
        // A server that was told who the browser is may have meant that one alone (a banned address).
        if attempt.connectedAt != nil, link.site.settings.proxyProtocol != .off { return .unknown }
        return attempt.verdict
    }

    /// Notes for the target's breaker what is known of it, once, and that its addresses may be another's by now.
    func settle(_ attempt: ConnectAttempt, _ verdict: Verdict) {
        if verdict == .broken, let host = attempt.target?.host {
            if doubt(.addresses(host: host)) { attempt.isDoubted = true }
        }
        guard let target = attempt.target, loop.settings.breakerFailures > 0 else { return }
        attempt.target = nil
        let key = UpstreamKey(target, of: attempt.domain)
        let now = loop.planTime
        let settings = loop.settings
        enum Change {
            case none, opened, closed
        }
        let change: Change = withBreaker(of: key) { breaker, count in
            let wasClosed = breaker.map { $0.phase == .closed } ?? true
            switch verdict {
            case .works:
                // No entry means: nothing against it.
                breaker = nil
                return wasClosed ? .none : .closed
            case .unknown:
                breaker?.abandoned(now: now)
                return .none
            case .broken:
                // Whoever names ever new servers to an open proxy does not make the table grow.
                guard breaker != nil || count < Self.maximumBreakers else { return .none }
                breaker =
                    breaker ?? CircuitBreaker(failures: settings.breakerFailures, longestPause: settings.breakerPause)
                breaker?.failed(now: now)
                return wasClosed && breaker?.phase == .open ? .opened : .none
            }
        }
        switch change {
        case .none: break
        case .opened:
            loop.logger.warning(
                "upstream left alone for a while", metadata: ["upstream": "\(key)", "domain": "\(key.domain)"])
        case .closed:
            loop.logger.notice("upstream works again", metadata: ["upstream": "\(key)", "domain": "\(key.domain)"])
        }
    }

    private static let maximumBreakers = 4_096
}

extension ConnectAttempt {
    /// What it says about the present target that no connection to it came to be. What we lacked ourselves says nothing, not
    /// even beside another of its addresses that refused.
    var verdict: Upstreams.Verdict { wasTried && !isShort && !isPostponed ? .broken : .unknown }
}

/// A server of a domain, whatever is spoken with it. Each domain has its own experience: its certificate may be bad where that
/// of another one is good, and a stranger's domain, whose records may name any server, must not make that one be spared.
struct UpstreamKey: Hashable, CustomStringConvertible {
    let domain: String
    let host: String
    let port: UInt16

    init(_ target: UpstreamTarget, of domain: String) {
        self.domain = domain
        host = target.host
        port = target.port
    }

    var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
