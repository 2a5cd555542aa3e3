import Addresses
import BOSHCore
import HTTPWire
import Primitives
import Reactor

/// One HTTP connection. It belongs to no session: behind a proxy, each request on it may be for another session.
final class ClientConnection {
    /// The set of resources that the connection serves.
    enum Role {
        /// `<body/>` requests, and the other requests that browsers make for them.
        case bosh
        /// Health and statistics.
        case admin
    }

    /// A request of this connection that waits for a session's response.
    struct Waiting {
        let exchange: UInt64
        let session: SessionPlace
        /// A quarter of the session's random bits, because another session may have taken the slot.
        private let mark: UInt32
        /// Since when it waits.
        let since: ShortInstant

        init(exchange: UInt64, session: SessionPlace, sid: SessionID, since: ShortInstant) {
            self.since = since
            self.exchange = exchange
            self.session = session
            mark = UInt32(truncatingIfNeeded: sid.low)
        }

        /// Whether it waits for the session with this identifier.
        func isFor(_ sid: SessionID) -> Bool { mark == UInt32(truncatingIfNeeded: sid.low) }
    }

    /// Where a connection came in.
    struct Origin {
        let role: Role
        /// The number of the listener.
        let door: UInt8
        /// Whether the listener's peer is trusted when it names the client for whom it forwards.
        let isFromProxy: Bool
        /// Whether the connection begins with a header of the PROXY protocol that has not been read.
        let expectsProxyHeader: Bool
    }

    /// How far the end of the connection has come.
    enum Ending {
        case none
        /// All answers are sent and this side is closed. What the client still sends is read and dropped for a while,
        /// so that the client can read the last answer before a reset would destroy it.
        case lingering
        case closed
    }

    /// How far the client has ended its side.
    enum ClientEnd: Comparable {
        case none
        /// The client's end stands after bytes in the kernel that are still to be read.
        case announced
        /// The client's end was read: it sends no more, but may still read.
        case read
        /// No answer reaches the client: the connection is broken, or the client has not read for too long.
        case deaf
    }

    private struct Marks: OptionSet {
        let rawValue: UInt8
        static let dirty = Marks(rawValue: 1)
        static let inTurn = Marks(rawValue: 2)
        static let readInTurn = Marks(rawValue: 4)
        static let unfinished = Marks(rawValue: 8)
        static let plain = Marks(rawValue: 16)
        static let encrypted = Marks(rawValue: 32)

        mutating func set(_ mark: Marks, _ isSet: Bool) {
            if isSet { insert(mark) } else { remove(mark) }
        }
    }

    /// How far the connection is on its way to another worker.
    enum Move {
        case none
        /// Another worker sent it here, or did not take it, so its next request is served here in any case.
        case placed
        /// Its last request belongs to another worker. The answers before it are given first.
        case due
        /// Its descriptor and its last request were sent. Until the other worker has taken them, nothing is read or
        /// written here.
        case underway
        /// Its last request becomes a WebSocket. The answers before it are given first.
        case upgrading
        /// It has come from another worker, which has not been told yet that it was taken.
        case arriving
    }

    // The order of the fields leaves few gaps, because every session has at least one connection.
    let token: Token
    /// Since when the connection is in its present step, and how fast that step goes.
    var pace: Pace
    /// The other end, or the client that its PROXY header named.
    var peer: SocketAddress
    /// Whether its PROXY header named nobody: then neither the peer nor any field says who the client is.
    var isClientUnknown = false
    let role: Role
    /// The number of the listener that accepted the connection.
    let door: UInt8
    var ending = Ending.none
    var move = Move.none
    /// The lists of connections that this one is in, and its scheme. One byte, because there is no room for more.
    private var marks: Marks = []
    /// The reader of the PROXY header; nil when none is expected, or once it has come.
    var prelude: Boxed<ProxyHeaderReader>?
    var channel: Channel
    var http: HTTPConnection
    /// Bytes that were read but not handled, because too many requests are open (pipelining).
    var backlog: [UInt8] = []
    /// The waiting requests; usually a single poll.
    var waiting = ShortList<Waiting>()
    /// Whether a large body of this connection waits or is being worked on. Until it is done, no other request of it is
    /// taken.
    var isBodyWaiting = false
    /// How far the client has ended its side.
    var clientEnd = ClientEnd.none
    /// The account of the connection's other end among the client addresses. It is unlimited for a trusted proxy, whose
    /// requests count for the clients that it names.
    var account = AddressLedger.Account.unlimited
    /// The account of the client whose body is half read, if a trusted proxy forwards the body and names the client.
    var bodyAccount = AddressLedger.Account.unlimited
    /// How many bytes the worker's memory account has for this connection.
    var chargedBody: UInt32 = 0
    var chargedAnswers: UInt32 = 0

    init(
        token: Token, origin: Origin, peer: SocketAddress, socket: consuming StreamSocket, rules: HTTPRules,
        now: MonotonicInstant
    ) {
        self.token = token
        role = origin.role
        door = origin.door
        self.peer = peer
        channel = Channel(socket)
        http = HTTPConnection(rules: rules)
        prelude = origin.expectsProxyHeader ? Boxed(ProxyHeaderReader()) : nil
        pace = Pace(now: now)
    }

    /// Whether the connection is in the list of those that are written at the end of the batch.
    var isDirty: Bool {
        get { marks.contains(.dirty) }
        set { marks.set(.dirty, newValue) }
    }

    /// Whether the connection is in the list of those that go on with input that has come already.
    var isInTurn: Bool {
        get { marks.contains(.inTurn) }
        set { marks.set(.inTurn, newValue) }
    }

    /// Whether the connection is in the list of those with more of a body to be read.
    var isReadInTurn: Bool {
        get { marks.contains(.readInTurn) }
        set { marks.set(.readInTurn, newValue) }
    }

    /// Whether the connection is among those whose body is half read.
    var isUnfinished: Bool {
        get { marks.contains(.unfinished) }
        set { marks.set(.unfinished, newValue) }
    }

    /// What its PROXY header said of the client's own connection.
    var scheme: ClientScheme {
        get { marks.contains(.encrypted) ? .https : marks.contains(.plain) ? .http : .unknown }
        set {
            marks.set(.encrypted, newValue == .https)
            marks.set(.plain, newValue == .http)
        }
    }

    /// Whether a request of this connection is being worked on, or is on its way to another worker. Meanwhile no other
    /// request of the connection is taken.
    var isOccupied: Bool {
        switch move {
        case .none, .placed: isBodyWaiting
        case .due, .underway, .arriving, .upgrading: true
        }
    }

    /// Whether the other end of the accepted connection is trusted when it names the client for whom it forwards.
    var isFromProxy: Bool { http.capturesForwarded }

    /// Whether no request has begun and nothing is owed or unwritten.
    var isIdle: Bool {
        ending == .none && clientEnd == .none && prelude == nil && http.phase == .idle && http.owed == 0
            && !http.hasOutput && !http.closesWhenDrained && !hasUnwritten && backlog.isEmpty && !isOccupied
    }

    /// Whether nothing is owed or unwritten but the answer to the last request.
    var mayLeave: Bool { http.owed == 1 && !http.hasOutput && !hasUnwritten }

    var hasUnwritten: Bool { channel.hasUnwritten }

    /// What the connection waits for.
    var awaited: Awaited {
        if case .lingering = ending { return .lingering }
        if hasUnwritten { return .room }
        return prelude == nil ? .request(http.phase, owed: http.owed) : .prelude
    }

    /// Whether the next input belongs to a body or is to be dropped. Such input can be large, and its first bytes need
    /// no quick answer.
    var isTakingBulk: Bool {
        if case .lingering = ending { return true }
        return http.phase == .readingBody
    }
}
