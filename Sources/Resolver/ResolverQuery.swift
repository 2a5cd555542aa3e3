import Reactor

/// A question about a name.
package enum ResolverQuery: Sendable, Hashable {
    /// The addresses of a host: a name, or an IPv4 or IPv6 address as text, which needs no look-up.
    case addresses(host: String)
    /// The SRV records of a whole owner name (`_xmpp-client._tcp.example.org`), in A-labels (RFC 2782).
    case services(name: String)

    /// The longest name without a final dot (RFC 1035 §2.3.4: 255 bytes on the wire).
    static let maximumNameLength = 253

    /// The name to look up.
    var name: String {
        switch self {
        case .addresses(let host): host
        case .services(let name): name
        }
    }

    /// The form in which equal questions are the same: lower case. Nil if no server can have such a name: an empty or
    /// long label, a byte other than letters, digits, `-` and `_`, or a host that `getaddrinfo` might read as a number.
    var normalized: ResolverQuery? {
        switch self {
        case .addresses(let host):
            // A final dot stays, because it keeps the system from trying its search domains.
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
    /// Records with the lowest priority are tried first.
    package let priority: UInt16
    /// The share among records of one priority.
    package let weight: UInt16
    /// The port of the service.
    package let port: UInt16
    /// A host in lower case without a final dot; `.` means that the service is not offered.
    package let target: String

    /// - Parameter target: in the form described at `target`.
    package init(priority: UInt16, weight: UInt16, port: UInt16, target: String) {
        self.priority = priority
        self.weight = weight
        self.port = port
        self.target = target
    }
}

/// The answer to one question.
package struct ResolverAnswer: Equatable, Sendable {
    /// How a question ended.
    package enum Outcome: Equatable, Sendable {
        /// 1...64 addresses with port 0, in the order in which they should be tried.
        case addresses([SocketAddress])
        /// 1...64 records, in no particular order.
        case services([ResolverRecord])
        /// No result, with the reason for a log line. Not temporary: the name does not exist, or has no such records.
        /// Temporary: no answer says either.
        case failure(String, isTemporary: Bool)
    }

    /// The asker's number.
    package let id: UInt64
    /// The question as it was asked.
    package let query: ResolverQuery
    /// The result.
    package let outcome: Outcome

    /// An answer to `query`, which was asked under `id`.
    package init(id: UInt64, query: ResolverQuery, outcome: Outcome) {
        self.id = id
        self.query = query
        self.outcome = outcome
    }
}

/// An outcome and its lifetime, as the resolver process sends it.
struct ResolverFinding: Equatable, Sendable {
    let outcome: ResolverAnswer.Outcome
    /// Seconds, from the name server; the cache applies its own bounds.
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
