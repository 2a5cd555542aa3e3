import Addresses
import HTTPWire
import Primitives
import Reactor
import WebSocketCore
import WebSocketWire

/// A client's WebSocket: the connection, the frames on it, and the session, which ends with it.
final class WebSocketClient {
    /// How far the closing handshake is (RFC 6455 §7.1).
    enum Ending {
        case none
        /// The session is over and this side has sent its Close frame. The client's is awaited.
        case closing
        /// Both have sent Close frames. This side is closed once everything has left.
        case closed
        /// This side is closed. What still comes is read and dropped for a moment, because closing with unread bytes
        /// would reset the connection and lose the Close frame.
        case lingering
        /// The connection is gone.
        case gone
    }

    /// What is counted for the line in the log.
    struct Traffic {
        var messagesIn: UInt32 = 0
        var messagesOut: UInt32 = 0
        var bytesIn: UInt64 = 0
        var bytesOut: UInt64 = 0
    }

    let token: Token
    /// The session's name in the log, short enough to be stored inside the string itself.
    let name: String
    /// The client that began it: the one that a trusted proxy names, or the other end.
    let requester: Requester
    var record: SessionRecord
    var session: WebSocketSession
    var frames: FrameReader
    var channel: Channel
    var pace: Pace
    /// The stream to the server; nil when there is none.
    var link: Token?
    /// The part of a message that has come.
    var message: [UInt8] = []
    /// Bytes that were read and not handled, because a long message before them is being worked on.
    var backlog: [UInt8] = []
    /// The payload of the last ping that was not answered, because bytes wait for the client.
    var pong: [UInt8] = []
    /// When the message began that has come in part, or when the client was read again. No time passes while this program
    /// does not read it.
    var messageSince = CoarseInstant.none
    /// When the client last answered a ping.
    var lastPong = CoarseInstant.none
    /// The accounts, among the client addresses, of the connection's other end and of the client.
    let connectionAccount: AddressLedger.Account
    let sessionAccount: AddressLedger.Account
    /// How many bytes the worker's memory account has for this client, by purpose.
    var chargedBodies: UInt32 = 0
    var chargedAnswers: UInt32 = 0
    var chargedStanzas: UInt32 = 0
    var traffic = Traffic()
    var controls = ControlRate()
    /// The code with which the client closed; nil when it gave none, or did not close.
    var closeCode: CloseCode?
    var ending = Ending.none
    var isDirty = false
    /// Whether the session is over, and counted and logged.
    var isOver = false
    /// Whether a long message of this client is being worked on. Meanwhile the client is not read.
    var isBusy = false
    var hasPong = false

    init(
        token: Token, name: String, requester: Requester, session: WebSocketSession, socket: consuming StreamSocket,
        limits: FrameLimits, connection: AddressLedger.Account, account: AddressLedger.Account, now: MonotonicInstant
    ) {
        self.token = token
        self.name = name
        self.requester = requester
        record = SessionRecord(now: now)
        self.session = session
        frames = FrameReader(limits: limits)
        channel = Channel(socket)
        pace = Pace(now: now)
        connectionAccount = connection
        sessionAccount = account
    }

    /// Asks the session something in place: a getter called on `session` itself would first copy it.
    func ask<Answer>(_ question: (inout WebSocketSession) -> Answer) -> Answer { question(&session) }

    /// Whether what the client sends is read now.
    var isRead: Bool { !isBusy && ask { $0.mayRead } }

    /// How many bytes the memory account has for this client in total.
    var charged: Int { Int(chargedBodies) + Int(chargedAnswers) + Int(chargedStanzas) }

    /// Whether part of a message or frame has come.
    var isInsideMessage: Bool { frames.isInsideMessage || frames.isInsideFrame }

    /// The bytes that the client holds: of its own messages, of what waits for it, and of stanzas that may go back.
    var heldBytes: (bodies: Int, answers: Int, stanzas: Int) {
        let held = ask { $0.heldBytes }
        return (
            message.heldBytes + backlog.heldBytes + held.elements, channel.heldBytes + pong.heldBytes, held.stanzas
        )
    }
}

/// How many control frames a client has sent lately: strangers must not make this program answer pings all the time
/// (`W-32`).
struct ControlRate {
    private var since = CoarseInstant.none
    private var count: UInt8 = 0

    /// Counts a frame. Returns whether there are too many.
    mutating func isExceeded(now: MonotonicInstant) -> Bool {
        if let begun = since.instant, now.elapsed(since: begun) < Self.window {
            count += 1
        } else {
            since = CoarseInstant(now)
            count = 1
        }
        return count > Self.most
    }

    private static let window = Duration.seconds(10)
    private static let most: UInt8 = 100
}
