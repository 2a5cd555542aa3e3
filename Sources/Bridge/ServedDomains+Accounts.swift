extension ServedDomains {
    /// The account that a client's `from` names, as `localpart@domainpart`; nil when it names none at `domain`.
    ///
    /// The account goes to the server. A server may refuse the whole stream for an invalid address, but accepts a
    /// client without one. So anything that is not clearly an address at this domain is dropped (RFC 6120 §4.7.1, RFC
    /// 7622 §3.3).
    package func account(_ from: PeerText?, at domain: String) -> PeerText? {
        guard let from, let at = from.bytes.firstIndex(of: UInt8(ascii: "@")) else { return nil }
        let localpart = from.bytes[..<at]
        let rest = from.bytes[(at + 1)...]
        let domainpart = Array(rest.prefix { $0 != UInt8(ascii: "/") })
        guard (1...Self.longestLocalpart).contains(localpart.count), localpart.allSatisfy(Self.isOfLocalpart) else {
            return nil
        }
        guard serves(PeerText(domainpart, most: AttributeBound.domain), as: domain) else { return nil }
        return PeerText(localpart + [UInt8(ascii: "@")] + Array(domain.utf8), most: AttributeBound.address)
    }

    private func serves(_ name: PeerText, as domain: String) -> Bool {
        guard !name.isEmpty else { return false }
        do throws(AddressRefusal) {
            let meant = try self.domain(meantBy: name)
            return meant == domain
        } catch {
            return false
        }
    }

    /// In bytes (RFC 7622 §3.3).
    private static let longestLocalpart = 1_023

    /// Whether a byte may stand in a localpart, as far as a byte alone can tell (RFC 7622 §3.3.1).
    private static func isOfLocalpart(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte != 0x7F && !"\"&'/:<>@".utf8.contains(byte)
    }
}
