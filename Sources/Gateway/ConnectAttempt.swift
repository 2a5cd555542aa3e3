import Addresses
import BOSHCore
import Bridge
import Primitives
import Reactor
import StreamCore

/// What a link keeps until its stream is open: the plan, the connections that race, and why earlier targets failed.
final class ConnectAttempt {
    var plan: ConnectPlan
    /// The domain that a server is looked for.
    let domain: String
    /// The account that the client calls its own, for the headers until the stream is open.
    let account: PeerText?
    /// The browser's address, for a server that wants to know it.
    let client: Endpoint?
    /// When the link was made; connection, TLS and features have one deadline together.
    let since: MonotonicInstant
    /// The host whose addresses the plan waits for.
    var awaitedHost: String?
    /// The addresses of the target that is being tried, in the resolver's order.
    var addresses: [SocketAddress] = []
    var races: [RaceSocket] = []
    /// The target that is being tried, until it is known whether it works.
    var target: UpstreamTarget?
    /// Whether a connection to it was begun: what befalls us before that says nothing about it.
    var wasTried = false
    /// Whether a connection to it could not be begun for want of something of our own: then nothing speaks against the target.
    var isShort = false
    /// Whether an address of it waits for something of our own: it was not asked yet.
    var isPostponed = false
    /// How the target that was tried last failed.
    var failure: StreamFailure?
    /// Whether that target's connection is being closed to try the next one.
    var isMovingOn = false
    /// Whether nothing more will be tried.
    var isOver = false
    /// Whether names that led to nothing of use are looked up again if somebody asks now, and whether this was done; once is
    /// enough.
    var isDoubted = false
    var hasBegunAgain = false
    /// Whether a server has sent us elsewhere; once is enough.
    var isRedirected = false
    var connectedAt: MonotonicInstant?
    var handshakeSince: MonotonicInstant?

    init(plan: ConnectPlan, domain: String, account: PeerText?, client: Endpoint?, since: MonotonicInstant) {
        self.plan = plan
        self.domain = domain
        self.account = account
        self.client = client
        self.since = since
    }
}

/// One of the connections that race for a link (RFC 8305 §5).
final class RaceSocket {
    let token: Token
    let link: UpstreamLink
    /// The plan's number for it.
    let attempt: Int
    let address: SocketAddress
    let since: MonotonicInstant
    /// Where it is counted; the link's once it has won.
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
