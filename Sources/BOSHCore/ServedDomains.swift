/// Which domains clients may log in to, and over which routes (`S-15`, `S-16`, `S-18`).
package struct ServedDomains: Sendable, Equatable {
    /// The name of each domain as the operator wrote it, by every spelling of it that a client may use, in lower case.
    ///
    /// A session keeps the operator's string: one for all sessions of a domain.
    private let names: [CaselessName: String]
    /// The domain of a client that names none; nil when it has to name one.
    private let fallback: String?
    /// Whether any other domain is served too, as far as its name can be asked for in DNS.
    private let acceptsAny: Bool
    /// The routes that a client may ask for, as `HOST:PORT` in lower case; empty when what clients ask for is ignored.
    private let routes: Set<CaselessName>

    /// - Parameters:
    ///   - names: The domains, each with the other spellings of it that count as the same: its A-labels.
    ///   - fallback: One of `names`.
    ///   - routes: `HOST:PORT` in lower case, IPv6 addresses in brackets.
    package init(
        names: [String: [String]], fallback: String? = nil, acceptsAny: Bool = false, routes: Set<String> = []
    ) {
        var spellings: [CaselessName: String] = [:]
        for (name, others) in names {
            for other in others.compactMap(Self.spelling) where spellings[other] == nil { spellings[other] = name }
        }
        for name in names.keys {
            if let spelling = Self.spelling(name) { spellings[spelling] = name }
        }
        self.names = spellings
        self.fallback = fallback
        self.acceptsAny = acceptsAny
        self.routes = Set(routes.compactMap(Self.spelling))
    }

    /// What a client may write for a name of the operator's.
    private static func spelling(_ name: String) -> CaselessName? {
        CaselessName(PeerText(name, atMost: BodyAttributes.Longest.domain))
    }

    /// The domain that a client means with `to`.
    ///
    /// - Throws: `improper-addressing` when it names none and there is no default (`S-15`), `host-unknown` when it is not
    ///   served (`S-16`).
    func domain(meantBy to: PeerText?) throws(SessionOpening.Refusal) -> String {
        guard let to, !to.isEmpty else {
            guard let fallback else { throw .condition(.improperAddressing) }
            return fallback
        }
        guard let asked = CaselessName(to) else { throw .condition(.hostUnknown) }
        if let name = names[asked] { return name }
        guard acceptsAny, Self.isHostName(asked.text) else { throw .condition(.hostUnknown) }
        return asked.text
    }

    /// Where a client wants to be connected to: nil when it does not say, or when routes are ignored here.
    ///
    /// - Throws: `host-unknown` for a route that is not in the list (`S-18`).
    func route(askedFor route: PeerText?) throws(SessionOpening.Refusal) -> String? {
        guard !routes.isEmpty, let route, !route.isEmpty else { return nil }
        let scheme = "xmpp:".utf8
        guard let asked = CaselessName(route)?.text, asked.utf8.starts(with: scheme),
            let target = CaselessName(
                PeerText(asked.utf8.dropFirst(scheme.count), atMost: BodyAttributes.Longest.route)),
            routes.contains(target)
        else { throw .condition(.hostUnknown) }
        return target.text
    }

    /// Whether `name`, in lower case, is a name of ASCII letters, digits and hyphens with two labels at least, and no IPv4
    /// address: what may be asked for in DNS on a stranger's behalf (RFC 1123 §2.1).
    private static func isHostName(_ name: String) -> Bool {
        guard name.utf8.count <= 253 else { return false }
        let labels = name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard labels.count > 1, let last = labels.last else { return false }
        let areLabels = labels.allSatisfy { label in
            (1...63).contains(label.count) && label.first != hyphen && label.last != hyphen
                && label.allSatisfy { isLetter($0) || isDigit($0) || $0 == hyphen }
        }
        return areLabels && !last.allSatisfy(isDigit)
    }

    private static let hyphen = UInt8(ascii: "-")

    private static func isLetter(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}
