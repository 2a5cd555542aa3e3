import Primitives

/// Why a client's address leads nowhere.
package enum AddressRefusal: Error, Equatable {
    /// The client named no domain, and there is no default (`S-15`).
    case unnamed
    /// The domain or the route is not served (`S-16`, `S-18`).
    case unknown
}

/// Which domains clients may log in to, and over which routes (`S-15`, `S-16`, `S-18`).
package struct ServedDomains: Sendable, Equatable {
    /// The name of each domain as the operator wrote it, by every spelling that a client may use, in lower case.
    ///
    /// Sessions keep the operator's string, so all sessions of a domain share one.
    private let names: [PeerText: String]
    /// Whether a spelling has letters outside ASCII.
    private let hasWideNames: Bool
    /// The domain of a client that names none; nil when clients have to name one.
    private let fallback: String?
    /// Whether any other domain is served too, if its name can be looked up in DNS.
    private let acceptsAny: Bool
    /// The routes that a client may ask for, as `HOST:PORT` in lower case; when it is empty, routes are ignored.
    private let routes: [PeerText: String]

    /// - Parameters:
    ///   - names: The domains, each with other spellings that count as the same: its A-labels.
    ///   - fallback: One of `names`.
    ///   - routes: `HOST:PORT` in lower case, IPv6 addresses in brackets.
    package init(
        names: [String: [String]], fallback: String? = nil, acceptsAny: Bool = false, routes: Set<String> = []
    ) {
        var spellings: [PeerText: String] = [:]
        for (name, others) in names {
            for other in others where spellings[PeerText(other)] == nil { spellings[PeerText(other)] = name }
        }
        for name in names.keys { spellings[PeerText(name)] = name }
        self.names = spellings
        hasWideNames = spellings.keys.contains { !$0.isASCII }
        self.fallback = fallback
        self.acceptsAny = acceptsAny
        self.routes = Dictionary(routes.map { (PeerText($0), $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The domain that a client means with `to`.
    ///
    /// - Throws: `unnamed` when it names none and there is no default (`S-15`), `unknown` when the domain is not served
    ///   (`S-16`).
    package func domain(meantBy to: PeerText?) throws(AddressRefusal) -> String {
        guard let to, !to.isEmpty else {
            guard let fallback else { throw .unnamed }
            return fallback
        }
        let asked = PeerText(Self.withoutFinalStop(lowercased(to)), most: AttributeBound.domain)
        if let name = names[asked] { return name }
        guard acceptsAny, Self.isHostName(asked.bytes) else { throw .unknown }
        return asked.text
    }

    /// A domain without the final full stop of a complete DNS name: it is the same domain (RFC 7622 §3.2).
    private static func withoutFinalStop(_ name: [UInt8]) -> [UInt8] {
        name.count > 1 && name.last == stop ? name.dropLast() : name
    }

    /// A name in lower case. Letters outside ASCII are only considered where a domain has some: a client writes them in
    /// normalisation form C (RFC 7622 §3.2.1), as the operator did.
    private func lowercased(_ name: PeerText) -> [UInt8] {
        guard hasWideNames, !name.isASCII else { return name.lowercasedBytes }
        return Array(name.text.lowercased().utf8)
    }

    /// The route that a client asks for; nil when it names none or routes are ignored.
    ///
    /// - Throws: `unknown` for a route that is not in the list (`S-18`).
    package func route(askedFor route: PeerText?) throws(AddressRefusal) -> String? {
        guard !routes.isEmpty, let route, !route.isEmpty else { return nil }
        let asked = route.lowercasedBytes
        guard asked.starts(with: Self.scheme) else { throw .unknown }
        var bytes = Array(asked.dropFirst(Self.scheme.count))
        if let colon = bytes.lastIndex(of: UInt8(ascii: ":")), colon > 1, bytes[colon - 1] == Self.stop {
            bytes.remove(at: colon - 1)
        }
        let place = PeerText(bytes, most: AttributeBound.route)
        guard let allowed = routes[place] else { throw .unknown }
        return allowed
    }

    /// The beginning of a route (XEP-0124 §7.1).
    private static let scheme = Array("xmpp:".utf8)

    /// Whether `name`, in lower case, may be looked up in DNS for a stranger: ASCII letters, digits and hyphens, at
    /// least two labels, and no IPv4 address (RFC 1123 §2.1).
    private static func isHostName(_ name: [UInt8]) -> Bool {
        guard let last = name.lastIndex(of: stop), HostName.isValid(name) else { return false }
        return !name[(last + 1)...].allSatisfy(\.isASCIIDigit)
    }

    private static let stop = UInt8(ascii: ".")
}
