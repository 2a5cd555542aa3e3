import Primitives
import Reactor

/// Finds the answers of the resolver process. It blocks as long as name servers take.
struct ResolverLookup {
    /// Who is asked.
    enum Source {
        /// The system: `getaddrinfo` for hosts, so that `/etc/hosts` and `nsswitch.conf` apply, and the name servers of
        /// `resolv.conf` for services.
        case system
        /// One name server, for everything.
        case nameServer(SocketAddress, NameServer.Patience)
        /// A name server whose address cannot be read.
        case unreadable(String)
    }

    /// The lifetime of a host that the system knows from another source than DNS, such as `/etc/hosts`: 30 s.
    static let systemLifetime: UInt32 = 30

    private let source: Source
    /// Until when name servers are not asked for lifetimes, because they did not answer.
    private var lifetimesUnknownUntil = MonotonicInstant(nanoseconds: 0)

    init(_ source: Source) {
        self.source = source
    }

    /// Answers one question about a normalized name; numeric hosts do not come here.
    mutating func answer(_ query: ResolverQuery) -> ResolverFinding {
        switch source {
        case .unreadable(let text):
            return .temporary("no name server has the address \(text)")
        case .system:
            switch query {
            case .addresses(let host): return systemAddresses(host)
            case .services(let name): return Self.services(name, from: NameServer(patience: .system))
            }
        case .nameServer(let address, let patience):
            let server = NameServer(address: address, patience: patience)
            switch query {
            case .addresses(let host): return Self.addresses(host, from: server)
            case .services(let name): return Self.services(name, from: server)
            }
        }
    }

    // MARK: Name servers

    private static func services(_ name: String, from server: consuming NameServer?) -> ResolverFinding {
        guard let server = server.take() else { return .temporary("the resolver cannot be set up") }
        return finding(server.ask(name, .srv)) { message in
            .services(message.items.compactMap { if case .srv(let record) = $0 { record } else { nil } })
        }
    }

    /// Both families, IPv6 first, as RFC 6724 §2.1 orders global addresses. `ConnectPlan` races them.
    private static func addresses(_ host: String, from server: consuming NameServer?) -> ResolverFinding {
        guard let server = server.take() else { return .temporary("the resolver cannot be set up") }
        let four = finding(server.ask(host, .a), addresses)
        // A name that does not exist has no IPv6 address either, and a silent server would take the same time again.
        switch four.outcome {
        case .failure(silence, isTemporary: true), .failure(noSuchName, isTemporary: false): return four
        default: return merge(finding(server.ask(host, .aaaa), addresses), four)
        }
    }

    private static func addresses(_ message: DNSMessage) -> ResolverAnswer.Outcome {
        .addresses(
            message.items.compactMap { item in
                switch item {
                case .a(let address): .ipv4(address, port: 0)
                case .aaaa(let address): .ipv6(address, port: 0, scope: 0)
                case .srv: nil
                }
            })
    }

    private static func merge(_ six: ResolverFinding, _ four: ResolverFinding) -> ResolverFinding {
        switch (six.outcome, four.outcome) {
        case (.addresses(let six6), .addresses(let four4)):
            // If there are too many, each family keeps its share.
            let half = ResolverFrames.maximumItems / 2
            let sixes = six6.prefix(max(half, ResolverFrames.maximumItems - four4.count))
            let fours = four4.prefix(ResolverFrames.maximumItems - sixes.count)
            return ResolverFinding(.addresses(Array(sixes) + fours), lifetime: min(six.lifetime, four.lifetime))
        case (.addresses, .failure(_, let isTemporary)):
            return isTemporary ? six.shortened : six
        case (.failure(_, let isTemporary), .addresses):
            return isTemporary ? four.shortened : four
        case (.failure(_, isTemporary: true), _):
            return six
        case (_, .failure(_, isTemporary: true)):
            return four
        default:
            return ResolverFinding(four.outcome, lifetime: min(six.lifetime, four.lifetime))
        }
    }

    private static func finding(
        _ reply: NameServer.Reply, _ outcome: (DNSMessage) -> ResolverAnswer.Outcome
    ) -> ResolverFinding {
        switch reply {
        case .silent: return .temporary(silence)
        case .failed(let reason): return .temporary(reason)
        case .response(let message):
            if message.code == 3 {
                return ResolverFinding(
                    .failure(noSuchName, isTemporary: false), lifetime: message.absenceLifetime ?? 0)
            }
            if !message.items.isEmpty { return ResolverFinding(outcome(message), lifetime: message.lifetime) }
            if message.isUnusable { return .temporary("the records name no host") }
            if message.isReferral { return .temporary("the name server only names others") }
            return ResolverFinding(
                .failure("the name has no such records", isTemporary: false), lifetime: message.absenceLifetime ?? 0)
        }
    }

    private static let silence = "the name server does not answer"
    private static let noSuchName = "no such name"

    // MARK: The system

    private mutating func systemAddresses(_ host: String) -> ResolverFinding {
        switch Syscalls.addresses(of: host, limit: ResolverFrames.maximumItems) {
        case .found(let addresses):
            return ResolverFinding(.addresses(addresses), lifetime: lifetime(of: host, answered: addresses))
        case .noSuchName:
            return ResolverFinding(
                .failure(Self.noSuchName, isTemporary: false), lifetime: lifetime(of: host, answered: []))
        case .noAddress:
            return ResolverFinding(
                .failure("the name has no address", isTemporary: false), lifetime: lifetime(of: host, answered: []))
        case .unanswered:
            return .temporary("no name server of the system could answer")
        case .failed(let words):
            return .temporary(words)
        }
    }

    /// The DNS lifetime of an answer from `getaddrinfo`, which does not tell it. The name is asked for again, usually
    /// from the cache of a near name server. `systemLifetime` if DNS does not confirm the answer.
    private mutating func lifetime(of host: String, answered addresses: [SocketAddress]) -> UInt32 {
        // Loopback addresses are not from DNS (RFC 6761 §6.3), and no name server needs to see the name.
        if !addresses.isEmpty, addresses.allSatisfy(\.isLoopback) { return Self.systemLifetime }
        let now = MonotonicClock.now
        guard now >= lifetimesUnknownUntil, let server = NameServer(patience: .extra) else {
            return Self.systemLifetime
        }
        let kind: DNSMessage.Kind = if case .ipv6 = addresses.first { .aaaa } else { .a }
        switch server.ask(host, kind) {
        case .silent:
            // A name from /etc/hosts must not wait for a dead name server each time.
            lifetimesUnknownUntil = now.advanced(by: .seconds(60))
            return Self.systemLifetime
        case .failed:
            return Self.systemLifetime
        case .response(let message):
            let isConfirmed = message.items.contains { item in
                addresses.contains { address in
                    switch (item, address) {
                    case (.a(let number), .ipv4(let other, _)): number == other
                    case (.aaaa(let number), .ipv6(let other, _, _)): number == other
                    default: false
                    }
                }
            }
            if isConfirmed { return message.lifetime }
            guard addresses.isEmpty, message.items.isEmpty else { return Self.systemLifetime }
            return message.absenceLifetime ?? Self.systemLifetime
        }
    }
}

extension ResolverFinding {
    /// The finding with a short lifetime, because half of it could not be asked for.
    fileprivate var shortened: ResolverFinding {
        ResolverFinding(outcome, lifetime: min(lifetime, ResolverLookup.systemLifetime))
    }
}
