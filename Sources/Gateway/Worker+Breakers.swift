import BOSHCore
import Primitives
import Settings
import StreamCore

/// Which servers are left alone for a while, because they failed again and again.
extension Worker {
    /// Whether a server may be connected to now.
    func admits(_ target: UpstreamTarget, of domain: String) -> Bool {
        let key = UpstreamKey(target, of: domain)
        guard settings.breakerFailures > 0, breakers[key] != nil else { return true }
        return breakers[key]?.admits(now: planTime) ?? true
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
            if resolver.doubt(.addresses(host: host), now: now.nanoseconds) { attempt.isDoubted = true }
        }
        guard let target = attempt.target, settings.breakerFailures > 0 else { return }
        attempt.target = nil
        let key = UpstreamKey(target, of: attempt.domain)
        switch verdict {
        case .works:
            // No entry means: nothing against it.
            if let breaker = breakers.removeValue(forKey: key), breaker.phase != .closed {
                logger.notice("upstream works again", metadata: ["upstream": "\(key)", "domain": "\(key.domain)"])
            }
        case .unknown:
            breakers[key]?.abandoned(now: planTime)
        case .broken:
            // Whoever names ever new servers to an open proxy does not make the table grow.
            guard breakers[key] != nil || breakers.count < Self.maximumBreakers else { return }
            var breaker =
                breakers[key]
                ?? CircuitBreaker(failures: settings.breakerFailures, longestPause: settings.breakerPause)
            let wasClosed = breaker.phase == .closed
            breaker.failed(now: planTime)
            breakers[key] = breaker
            if wasClosed, breaker.phase == .open {
                logger.warning(
                    "upstream left alone for a while", metadata: ["upstream": "\(key)", "domain": "\(key.domain)"])
            }
        }
    }

    private static let maximumBreakers = 4_096
}

extension ConnectAttempt {
    /// What it says about the present target that no connection to it came to be. What we lacked ourselves says nothing, not
    /// even beside another of its addresses that refused.
    var verdict: Worker.Verdict { wasTried && !isShort && !isPostponed ? .broken : .unknown }
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
