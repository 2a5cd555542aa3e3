/// What the load generator needs of a client, whatever protocol it speaks. A client has no sockets: it says which bytes
/// go out on which of its connections, and takes the replies.
protocol LoadClient {
    /// The state of the session.
    var phase: LoadPhase { get }
    /// The full JID, once bound.
    var jid: [UInt8] { get }
    /// The number of requests or messages made, without repeats.
    var requestCount: Int { get }
    /// Whether the only open request is an empty poll: at that moment a lost connection hurts most.
    var isIdlyPolling: Bool { get }
    /// The connection of the oldest open request.
    var oldestConnection: Int? { get }
    /// What cuts the bytes of a connection into replies.
    var reader: LinkReader { get }

    /// Begins the session.
    mutating func start()
    /// Queues a stanza.
    mutating func send(_ stanza: [UInt8])
    /// Ends the session.
    mutating func terminate()
    /// The next bytes for a connection; nil if nothing is to be sent now.
    mutating func nextRequest() -> (connection: Int, bytes: [UInt8])?
    /// Takes a reply on `connection`. Returns the bodies that are now in order.
    mutating func receive(_ reply: LinkReply, on connection: Int) -> [[UInt8]]
    /// The request to send again when its connection ended; nil if there is none.
    func repeatedRequest(on connection: Int) -> [UInt8]?
    /// Forgets an open poll whose connection ended.
    mutating func forgetRequest(on connection: Int)
    /// Notes that its connection ended. Returns whether the session has ended with it.
    mutating func loseConnection() -> Bool
    /// A client of the same user that begins a session of its own.
    func successor(firstRID: UInt64) -> any LoadClient
    /// Ends the session from this side.
    mutating func fail(_ reason: String)
}

/// The state of a client's session.
enum LoadPhase: Equatable {
    case idle, creating, authenticating, restarting, binding, startingSession, ready, terminating, ended
    /// The session ended too early, with the reason in words.
    case failed(String)
}

/// One reply: an HTTP response or a frame of a WebSocket.
struct LinkReply: Equatable {
    /// What came.
    enum Kind: Equatable {
        /// A response with this status, 100...599.
        case response(status: Int)
        /// A message, a ping with its payload, or the closing of the socket.
        case message, ping, close
    }

    let kind: Kind
    /// The content.
    let body: [UInt8]
    /// Whether the connection may carry another request.
    let isKeptAlive: Bool
}

/// Cuts the bytes of a connection into replies.
enum LinkReader {
    case http(ReplyParser)
    case webSocket(FrameParser)

    /// Whether a reply has begun but not ended.
    var isMidway: Bool {
        switch self {
        case .http(let parser): parser.isMidway
        case .webSocket(let parser): parser.isMidway
        }
    }

    /// Adds received bytes.
    mutating func append(_ new: Span<UInt8>) {
        switch self {
        case .http(var parser):
            self = .http(ReplyParser())
            parser.append(new)
            self = .http(parser)
        case .webSocket(var parser):
            self = .webSocket(FrameParser())
            parser.append(new)
            self = .webSocket(parser)
        }
    }

    /// The next complete reply.
    mutating func next() throws(ReplyParser.Malformed) -> LinkReply? {
        switch self {
        case .http(var parser):
            let reply = try parser.next()
            self = .http(parser)
            return reply.map {
                LinkReply(kind: .response(status: $0.status), body: $0.body, isKeptAlive: $0.isKeptAlive)
            }
        case .webSocket(var parser):
            let reply = try parser.next()
            self = .webSocket(parser)
            return reply
        }
    }
}
