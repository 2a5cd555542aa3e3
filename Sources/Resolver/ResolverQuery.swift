import Reactor

/// A question about a name.
package enum ResolverQuery: Sendable, Hashable {
    /// The addresses of a host: a name, or an IPv4 or IPv6 address as text, which needs no look-up.
    case addresses(host: String)
    /// The SRV records of a whole owner name (`_xmpp-client._tcp.example.org`), in A-labels (RFC 2782).
    case services(name: String)

    /// The longest name without a final dot that DNS knows (RFC 1035 §2.3.4: 255 bytes on the wire).
    static let maximumNameLength = 253

    /// What is looked up.
    var name: String {
        switch self {
        case .addresses(let host): host
        case .services(let name): name
        }
    }

    /// The form under which equal questions are known: lower case. Nil if no server could have such a name: an empty or
    /// long label, a byte outside letters, digits, `-` and `_`, or a host that `getaddrinfo` might read as a number.
    var normalized: ResolverQuery? {
        switch self {
        case .addresses(let host):
            // A final dot stays: it keeps the system from trying its search domains.
            guard let name = DNSName.lowercased(host), !DNSName.endsInNumber(name) else { return nil }
            return .addresses(host: name)
        case .services(let name):
            guard let name = DNSName.lowercased(name) else { return nil }
            return .services(name: name.hasSuffix(".") ? String(name.dropLast()) : name)
        }
    }
}

/// One SRV record.
package struct ResolverRecord: Sendable, Hashable {
    /// Lower is tried first.
    package let priority: UInt16
    /// The share among records of one priority.
    package let weight: UInt16
    /// Where the service listens.
    package let port: UInt16
    /// A host in lower case without a final dot, or `.`: the service is decidedly not offered.
    package let target: String

    /// - Parameter target: as `target` says.
    package init(priority: UInt16, weight: UInt16, port: UInt16, target: String) {
        self.priority = priority
        self.weight = weight
        self.port = port
        self.target = target
    }
}

/// What became of one question.
package struct ResolverAnswer: Equatable, Sendable {
    /// How a question ended.
    package enum Outcome: Equatable, Sendable {
        /// 1...64 addresses with port 0, in the order in which they should be tried.
        case addresses([SocketAddress])
        /// 1...64 records, in no particular order.
        case services([ResolverRecord])
        /// Nothing, and why in words for a log line. Not temporary: the name does not exist, or has nothing of the kind
        /// asked for. Temporary: there was no answer that says either.
        case failure(String, isTemporary: Bool)
    }

    /// The asker's number.
    package let id: UInt64
    /// The question as it was asked.
    package let query: ResolverQuery
    /// The result.
    package let outcome: Outcome

    /// An answer to `query`, asked under `id`.
    package init(id: UInt64, query: ResolverQuery, outcome: Outcome) {
        self.id = id
        self.query = query
        self.outcome = outcome
    }
}

/// An outcome and how long it holds, as the resolver process tells it.
struct ResolverFinding: Equatable, Sendable {
    let outcome: ResolverAnswer.Outcome
    /// Seconds, as the name server said; the cache has bounds of its own.
    let lifetime: UInt32

    init(_ outcome: ResolverAnswer.Outcome, lifetime: UInt32) {
        self.outcome = outcome
        self.lifetime = lifetime
    }

    /// A failure that says nothing about the name.
    static func temporary(_ reason: String) -> ResolverFinding {
        ResolverFinding(.failure(reason, isTemporary: true), lifetime: 0)
    }
}
