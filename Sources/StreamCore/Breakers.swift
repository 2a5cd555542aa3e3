import Primitives

/// A server of a domain, whatever protocol it speaks. Experience with a server is kept for each domain. The server's
/// certificate may be bad for one domain and good for another. And a stranger's domain, whose records may name any
/// server, must not cause that server to be left alone for other domains.
package struct UpstreamKey: Sendable, Hashable {
    /// The domain that the server was found for.
    package let domain: String
    /// The server's name or numeric address, as it stands in the target.
    package let host: String
    /// The TCP port.
    package let port: UInt16

    /// The server that a target of a domain names.
    package init(_ target: UpstreamTarget, of domain: String) {
        self.domain = domain
        host = target.host
        port = target.port
    }
}

extension UpstreamKey: CustomStringConvertible {
    /// Host and port for a log line; an IPv6 address is in brackets.
    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// What a connection says about the server itself, as opposed to this program or one of its clients.
package enum ServerVerdict: Sendable, Equatable {
    /// The server works.
    case works
    /// The server does not work.
    case broken
    /// Nothing is known: the server was not asked, or its refusal may have been meant for one client alone.
    case unknown
}

/// Remembers, for all streams of a worker, which servers have failed lately and which of them are left alone for a
/// while.
///
/// It holds one entry for each server that has failed since it last worked, and 4,096 entries at most. So clients of an
/// open proxy that name more and more servers cannot make the table grow.
package struct Breakers: Sendable {
    /// What a verdict has changed.
    package enum Change: Sendable, Equatable {
        /// From now on clients are refused at once. `pause`: until the first of them is let through again.
        case opened(pause: Duration)
        /// A server that was left alone is used again. `downtime`: since the first of its failures in a row.
        case worksAgain(downtime: Duration)
    }

    /// How many servers are remembered at most.
    package static let mostServers = 4_096

    private let failures: Int
    private let longestPause: Duration
    private var breakers: [UpstreamKey: CircuitBreaker] = [:]

    /// Creates an empty table. `failures`: how many failures in a row open a breaker, 0 for never; `longestPause`: how
    /// long a server is left alone at most before it is tried again.
    package init(failures: Int, longestPause: Duration) {
        self.failures = failures
        self.longestPause = longestPause
    }

    /// How many servers the table remembers.
    package var count: Int { breakers.count }

    /// How many breakers are not closed.
    package var openCount: Int { breakers.values.reduce(0) { $0 + ($1.phase == .closed ? 0 : 1) } }

    /// The servers that one stream each is probing while all others are refused.
    package var probed: [UpstreamKey] { breakers.filter { $0.value.phase == .probing }.map(\.key) }

    /// The phase of a server's breaker.
    package func phase(of server: UpstreamKey) -> CircuitBreaker.Phase { breakers[server]?.phase ?? .closed }

    /// Whether a stream may connect to a server now. A caller that is admitted reports the result by `note`.
    package mutating func admits(_ server: UpstreamKey, now: MonotonicInstant) -> Bool {
        guard failures > 0, breakers[server] != nil else { return true }
        return breakers[server]?.admits(now: now) ?? true
    }

    /// Whether `admits` would refuse a stream now.
    package func spares(_ server: UpstreamKey, now: MonotonicInstant) -> Bool {
        failures > 0 && breakers[server]?.refuses(now: now) ?? false
    }

    /// For how long streams to a server are refused from now on; zero when one is admitted.
    package func pause(of server: UpstreamKey, now: MonotonicInstant) -> Duration {
        breakers[server]?.pause(now: now) ?? .zero
    }

    /// Notes the result of a connection that was admitted.
    ///
    /// - Returns: what the operator has to know; nil when nothing has changed.
    package mutating func note(
        _ verdict: ServerVerdict, of server: UpstreamKey, now: MonotonicInstant
    ) -> Change? {
        guard failures > 0 else { return nil }
        switch verdict {
        case .works:
            // A server without an entry has no failures.
            guard let breaker = breakers.removeValue(forKey: server), breaker.phase != .closed else { return nil }
            return .worksAgain(downtime: breaker.failingSince.map { now.elapsed(since: $0) } ?? .zero)
        case .unknown:
            breakers[server]?.abandoned(now: now)
            return nil
        case .broken:
            guard breakers[server] != nil || breakers.count < Self.mostServers else { return nil }
            var breaker = breakers[server] ?? CircuitBreaker(failures: failures, longestPause: longestPause)
            let wasClosed = breaker.phase == .closed
            breaker.failed(now: now)
            breakers[server] = breaker
            return wasClosed && breaker.phase == .open ? .opened(pause: breaker.pause(now: now)) : nil
        }
    }
}
