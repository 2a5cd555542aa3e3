import Addresses
import Bridge
import Primitives
import Reactor
import StreamCore

/// What a link needs until its stream is open: the objects that its machine refers to by numbers.
final class LinkSearch {
    /// Where to look for the server; nil for a domain without a route.
    let route: TargetRoute?
    /// The account that the client claims, for the headers until the stream is open.
    let account: PeerText?
    /// The browser's address, for servers that are told about it.
    let client: Endpoint?
    /// The host whose addresses are awaited.
    var awaitedHost: String?
    /// The addresses of the host that was looked up last, in the resolver's order.
    var addresses: [SocketAddress] = []
    /// The address of each attempt, the latest last.
    var attempts: [(number: Int, address: SocketAddress)] = []
    /// The connections that race.
    var races: [RaceSocket] = []
    /// The last trouble on the way, as the operator was told it.
    var trouble: String?
    /// When the TLS handshake began.
    var handshakeSince: MonotonicInstant?

    init(route: TargetRoute?, account: PeerText?, client: Endpoint?) {
        self.route = route
        self.account = account
        self.client = client
    }

    /// The address of an attempt.
    func address(of attempt: Int) -> SocketAddress? { attempts.last { $0.number == attempt }?.address }
}

/// One of the connections that race for a link (RFC 8305 §5).
final class RaceSocket {
    let token: Token
    let link: UpstreamLink
    /// The plan's number for this attempt.
    let attempt: Int
    let address: SocketAddress
    let since: MonotonicInstant
    /// The place among the server's connections; it passes to the link if this connection wins.
    let place: EndpointCounts.Place
    var socket: StreamSocket?

    init(
        token: Token, link: UpstreamLink, attempt: Int, address: SocketAddress, socket: consuming StreamSocket,
        place: EndpointCounts.Place, since: MonotonicInstant
    ) {
        self.place = place
        self.token = token
        self.link = link
        self.attempt = attempt
        self.address = address
        self.socket = consume socket
        self.since = since
    }
}
