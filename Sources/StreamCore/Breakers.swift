import Primitives

/// A server of a domain, whatever is spoken with it. Each domain has its own experience: its certificate may be bad where that
/// of another one is good, and a stranger's domain, whose records may name any server, must not make that one be spared.
package struct UpstreamKey: Sendable, Hashable {
    /// The domain that the server was found for.
    package let domain: String
    /// The server's name or numeric address, as it stands in the target.
    package let host: String
    /// The TCP port.
    package let port: UInt16

    /// The server that a target of a domain leads to.
    package init(_ target: UpstreamTarget, of domain: String) {
        self.domain = domain
        host = target.host
        port = target.port
    }
}

extension UpstreamKey: CustomStringConvertible {
    /// Host and port for a log line; an IPv6 address stands in brackets.
    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// What a connection to a server says about it, and not about this program or one of its clients.
package enum ServerVerdict: Sendable, Equatable {
    /// The server does its part.
    case works
    /// It does not.
    case broken
    /// Nobody knows: it was not asked, or may have meant one client alone.
    case unknown
}

/// The servers that failed lately, for all streams of a worker: which of them are left alone for a while.
///
/// Holds an entry for each server that has failed since it last worked, and 4,096 at most: whoever names ever new servers to an
/// open proxy does not make the table grow.
package struct Breakers: Sendable {
    /// What a verdict has changed.
    package enum Change: Sendable, Equatable {
        /// Clients are refused at once from here on.
        case opened
        /// A server that was left alone is no longer.
        case worksAgain
    }

    /// The most servers that are remembered.
    package static let mostServers = 4_096

    private let failures: Int
    private let longestPause: Duration
    private var breakers: [UpstreamKey: CircuitBreaker] = [:]

    /// An empty table. `failures`: how many in a row open a breaker, 0 for never; `longestPause`: the most that a server is left
    /// alone for before it is tried again.
    package init(failures: Int, longestPause: Duration) {
        self.failures = failures
        self.longestPause = longestPause
    }

    /// How many servers are remembered.
    package var count: Int { breakers.count }

    /// How many breakers are not closed.
    package var openCount: Int { breakers.values.reduce(0) { $0 + ($1.phase == .closed ? 0 : 1) } }

    /// The servers that one stream each is trying, while all others are refused.
    package var probed: [UpstreamKey] { breakers.filter { $0.value.phase == .probing }.map(\.key) }

    /// Where the breaker of a server stands.
    package func phase(of server: UpstreamKey) -> CircuitBreaker.Phase { breakers[server]?.phase ?? .closed }

    /// Whether a server may be connected to now. Whoever is admitted tells by `note` what became of it.
    package mutating func admits(_ server: UpstreamKey, now: MonotonicInstant) -> Bool {
        guard failures > 0, breakers[server] != nil else { return true }
        return breakers[server]?.admits(now: now) ?? true
    }

    /// Takes in what became of a connection that was admitted.
    ///
    /// - Returns: what the operator has to know; nil when nothing has changed.
    package mutating func note(
        _ verdict: ServerVerdict, of server: UpstreamKey, now: MonotonicInstant
    ) -> Change? {
        guard failures > 0 else { return nil }
        switch verdict {
        case .works:
            // No entry means: nothing against it.
            guard let breaker = breakers.removeValue(forKey: server), breaker.phase != .closed else { return nil }
            return .worksAgain
        case .unknown:
            breakers[server]?.abandoned(now: now)
            return nil
        case .broken:
            guard breakers[server] != nil || breakers.count < Self.mostServers else { return nil }
            var breaker = breakers[server] ?? CircuitBreaker(failures: failures, longestPause: longestPause)
            let wasClosed = breaker.phase == .closed
            breaker.failed(now: now)
            breakers[server] = breaker
            return wasClosed && breaker.phase == .open ? .opened : nil
        }
    }
}
