import Addresses
import BOSHCore
import HTTPWire
import Primitives
import Reactor

/// One HTTP connection. It belongs to no session: behind a proxy every request on it may be for another one.
final class ClientConnection {
    /// Which set of resources is served on it.
    enum Role {
        /// `<body/>` requests and what browsers ask around them.
        case bosh
        /// Health and statistics.
        case admin
    }

    /// A request of this connection that waits for a session's response.
    struct Waiting {
        let exchange: UInt64
        /// Half of the session's random bits: its slot may have gone to another one.
        let mark: UInt64
        let session: UInt32

        init(exchange: UInt64, session: UInt32, sid: SessionID) {
            self.exchange = exchange
            self.session = session
            mark = sid.low
        }
    }

    /// How far the end of the connection has come.
    enum Ending {
        case none
        /// The answers are out and our side is closed; what the client still sends is read and dropped for a while, so
        /// that it can read the last answer before a reset would destroy it.
        case lingering
        case closed
    }

    /// How far the client has ended its side.
    enum ClientEnd: Comparable {
        case none
        /// Its end stands behind bytes that the kernel has and that are still to be read.
        case announced
        /// It was read: the client sends no more, and may still hear.
        case read
        /// No answer reaches the client: the connection is broken, or the client has not read for too long.
        case deaf
    }

    // In an order that leaves few gaps: there is one for every session at least.
    let token: Token
    /// Since when it does what it does, and how fast that goes.
    var pace: Pace
    /// The other end, or whom it speaks for as its PROXY header said.
    var peer: SocketAddress
    /// Whether its PROXY header named nobody: then neither the peer nor any field says who the client is.
    var isClientUnknown = false
    let role: Role
    var ending = Ending.none
    /// What reads the header of the PROXY protocol; nil when none is expected, or it has come.
    var prelude: Boxed<ProxyHeaderReader>?
    var channel: Channel
    var http: HTTPConnection
    /// Bytes that were read but not looked at, because too many requests are open (pipelining).
    var backlog: [UInt8] = []
    /// The requests that wait: one poll, as a rule.
    var waiting = ShortList<Waiting>()
    /// Whether a large body of it waits to be read, or is: no other request of it is taken meanwhile.
    var isBodyWaiting = false
    /// How far the client has ended its side.
    var clientEnd = ClientEnd.none
    /// Where its other end stands among the client addresses; unlimited for a trusted proxy, whose requests count for whom
    /// they are forwarded.
    var account = AddressLedger.Account.unlimited
    /// Where the client stands whose body is half read, where a trusted proxy passes it on and names the client.
    var bodyAccount = AddressLedger.Account.unlimited
    /// Whether it is in the list of connections to be written at the end of the batch.
    var isDirty = false
    /// Whether it is in the list of connections that go on with input that has come already.
    var isInTurn = false
    /// Whether it is in the list of connections with more of a body to be read.
    var isReadInTurn = false
    /// Whether it is among those whose body is half read.
    var isUnfinished = false
    /// What the worker's account has of it.
    var chargedBody: UInt32 = 0
    var chargedAnswers: UInt32 = 0

    init(
        token: Token, role: Role, peer: SocketAddress, socket: consuming StreamSocket, rules: HTTPRules,
        expectsProxyHeader: Bool, now: MonotonicInstant
    ) {
        self.token = token
        self.role = role
        self.peer = peer
        channel = Channel(socket)
        http = HTTPConnection(rules: rules)
        prelude = expectsProxyHeader ? Boxed(ProxyHeaderReader()) : nil
        pace = Pace(now: now)
    }

    var hasUnwritten: Bool { channel.hasUnwritten }

    /// What it waits for.
    var awaited: Awaited {
        if case .lingering = ending { return .lingering }
        if hasUnwritten { return .room }
        return prelude == nil ? .request(http.phase, owed: http.owed) : .prelude
    }

    /// Whether what comes next belongs to a body, or is to be dropped: much of it may come, and nobody waits for an answer to
    /// the first of it.
    var isTakingBulk: Bool {
        if case .lingering = ending { return true }
        return http.phase == .readingBody
    }
}
