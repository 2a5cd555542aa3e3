import Addresses
import BOSHCore
import HTTPWire
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
        let session: UInt32
        /// Half of the session's random bits: its slot may have gone to another one.
        let mark: UInt64

        init(exchange: UInt64, session: UInt32, sid: SessionID) {
            self.exchange = exchange
            self.session = session
            mark = sid.low
        }
    }

    /// The header of the PROXY protocol, while it comes. A class, because connections that stay do not need it.
    final class Prelude {
        var reader = ProxyHeaderReader()
    }

    /// How far the end of the connection has come.
    enum Ending {
        case none
        /// The answers are out and our side is closed; what the client still sends is read and dropped for a while, so
        /// that it can read the last answer before a reset would destroy it.
        case lingering
        case closed
    }

    let token: Token
    let role: Role
    /// The other end, or whom it speaks for as its PROXY header said.
    var peer: SocketAddress
    /// What reads the header of the PROXY protocol; nil when none is expected, or it has come.
    var prelude: Prelude?
    let socket: StreamSocket
    var http: HTTPConnection
    /// Bytes on their way out, from `written` on.
    var output: [UInt8] = []
    var written = 0
    /// Bytes that were read but not looked at, because too many requests are open (pipelining).
    var backlog: [UInt8] = []
    var waiting: [Waiting] = []
    var interest: Interest = .readable
    /// When bytes last went through; the deadlines on idleness and on a client that does not read count from it.
    var phaseSince: MonotonicInstant
    /// When the first byte of the request that is being read came.
    var requestSince: MonotonicInstant
    var ending = Ending.none
    /// Whether it is in the list of connections to be written at the end of the batch.
    var isDirty = false
    /// Whether the client closed its side: what is owed is written once, then the connection goes.
    var isPeerClosed = false

    init(
        token: Token, role: Role, peer: SocketAddress, socket: consuming StreamSocket, limits: HTTPLimits,
        captures: CapturedField, expectsProxyHeader: Bool, now: MonotonicInstant
    ) {
        self.token = token
        self.role = role
        self.peer = peer
        self.socket = socket
        http = HTTPConnection(
            limits: limits, crossOrigin: role == .bosh ? Worker.crossOrigin : .off, captures: captures)
        prelude = expectsProxyHeader ? Prelude() : nil
        phaseSince = now
        requestSince = now
    }

    var hasUnwritten: Bool { written < output.count }
}
