/// The peers that are believed when they name the client they forward for, in a request field or a PROXY header.
package struct TrustedProxies: Sendable, Equatable {
    private let networks: [IPNetwork]
    private let trustsUnix: Bool

    /// `trustsUnix` decides about peers on a Unix socket, which have no address.
    package init(networks: [IPNetwork], trustsUnix: Bool) {
        self.networks = networks
        self.trustsUnix = trustsUnix
    }

    /// Whether the peer is a trusted proxy; nil stands for a peer on a Unix socket.
    package func trusts(_ peer: IPAddress?) -> Bool {
        guard let peer else { return trustsUnix }
        return networks.contains { $0.contains(peer) }
    }

    /// The address to which limits by address apply. Nil, which no such limit affects, for an unknown client and for a
    /// trusted proxy, because many clients are behind it.
    package func limited(_ client: IPAddress?) -> IPAddress? {
        guard let client, !trusts(client) else { return nil }
        return client.unmapped
    }

    /// The address of the client behind `peer`, mapped IPv4 as IPv4; nil when nothing is known but a Unix socket.
    ///
    /// `value` is the content of the chosen field, its lines joined in order by commas (RFC 9110 §5.3); empty when
    /// there is none. Read from its end, trusted proxies' addresses are skipped, and the first other address is the
    /// client's: the last trusted proxy saw it. Anything before it is hearsay. When every address is trusted, or the
    /// next element is not an address, the client is the last hop that was believed.
    package func client(peer: IPAddress?, _ header: ForwardedHeader, _ value: Span<UInt8>) -> IPAddress? {
        search(peer: peer, header, value).client
    }

    /// The scheme of the client's own connection, by the element of `Forwarded` that names the client. The element's other
    /// end may be hidden, because a trusted proxy wrote it.
    package func scheme(peer: IPAddress?, forwarded value: Span<UInt8>) -> ClientScheme {
        search(peer: peer, .forwarded, value).scheme
    }

    /// Whether the last element of a value, which a trusted proxy wrote, has no usable address.
    package func namesNobody(_ header: ForwardedHeader, _ value: Span<UInt8>) -> Bool {
        var hops = ForwardedHops(header, count: value.count)
        guard let hop = hops.next(in: value) else { return true }
        return hop.address == nil
    }

    private func search(
        peer: IPAddress?, _ header: ForwardedHeader, _ value: Span<UInt8>
    ) -> (client: IPAddress?, scheme: ClientScheme) {
        var client = peer?.unmapped
        var scheme = ClientScheme.unknown
        var hops = ForwardedHops(header, count: value.count)
        while trusts(client), let hop = hops.next(in: value) {
            scheme = hop.scheme
            guard let address = hop.address else { break }
            client = address
        }
        return (client, scheme)
    }
}
