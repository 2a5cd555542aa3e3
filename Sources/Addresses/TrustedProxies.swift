/// The peers that are believed when they say for whom they forward: by a request field or by a PROXY header.
package struct TrustedProxies: Sendable, Equatable {
    private let networks: [IPNetwork]
    private let trustsUnix: Bool

    /// `trustsUnix` is about peers on a Unix socket, which have no address.
    package init(networks: [IPNetwork], trustsUnix: Bool) {
        self.networks = networks
        self.trustsUnix = trustsUnix
    }

    /// Whether the peer is a trusted proxy; nil is a peer on a Unix socket.
    package func trusts(_ peer: IPAddress?) -> Bool {
        guard let peer else { return trustsUnix }
        return networks.contains { $0.contains(peer) }
    }

    /// The address that limits by address count for; nil, which none of them limits, for an unknown client and for a trusted
    /// proxy, behind which are many.
    package func limited(_ client: IPAddress?) -> IPAddress? {
        guard let client, !trusts(client) else { return nil }
        return client.unmapped
    }

    /// The address of the client behind `peer`, mapped IPv4 as IPv4; nil when all that is known of it is a Unix socket.
    ///
    /// `value` is the content of the chosen field, its lines joined in order by commas (RFC 9110 §5.3); empty when there
    /// is none. From its end, the addresses of trusted proxies are passed over and the first other one is the client's:
    /// it is what the last trusted proxy saw. What stands before it is hearsay. When everything is trusted, or the next
    /// element is not an address, the client is the last hop that was believed.
    package func client(peer: IPAddress?, _ header: ForwardedHeader, _ value: Span<UInt8>) -> IPAddress? {
        var client = peer?.unmapped
        var hops = ForwardedHops(header, count: value.count)
        while trusts(client), let hop = hops.next(in: value) { client = hop }
        return client
    }
}
