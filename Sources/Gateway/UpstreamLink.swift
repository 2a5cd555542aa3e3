import BOSHCore
import Reactor
import StreamCore
import TLSCodec
import XMLCodec

/// A session's way to its XMPP server: one TCP connection with one stream on it. It can outlive its session by the time
/// that a farewell takes.
final class UpstreamLink {
    let token: Token
    /// The session's name in the log: short enough to stay inside the string.
    let sessionName: String
    /// Which of the session's streams it carries.
    let stream: StreamNumber
    let address: StreamRequest
    /// The session's slot; nil once the session has ended.
    var session: UInt32?
    var machine: StreamMachine
    var socket: StreamSocket?
    /// Whether `connect` has not finished.
    var isConnecting = false
    /// When the next address gets its turn; nil when there is none.
    var attemptUntil: MonotonicInstant?
    /// Addresses that were not tried yet, the next one last.
    var candidates: [SocketAddress] = []
    var tls: TLSClient?
    var isTLSEstablished = false
    /// Why TLS failed, for the log.
    var xml: UpstreamXML
    /// Bytes on their way out, from `written` on; ciphertext when there is TLS.
    var output: [UInt8] = []
    var written = 0
    /// Stanzas for the client that came with the read being handled.
    var collected: [UInt8] = []
    var collectedCount: UInt64 = 0
    var collectedEnablesResumption = false
    var interest: Interest = []
    /// Whether the poller watches the socket.
    var isWatched = false
    /// Whether the session's client fetches what is there (back-pressure).
    var mayRead = true
    /// Whether the session was told that the server takes no bytes.
    var isCongested = false
    var isDirty = false
    var isClosed = false
    /// Whether writing failed: the server reads no more, what it wrote may still be there.
    var isDeaf = false
    /// When this link was made; connection, TLS and features have one deadline together.
    let since: MonotonicInstant
    /// When bytes last went to the server; white space keeps the stream alive after a while.
    var lastSent: MonotonicInstant
    /// Since when the server has accepted no byte of those that wait; nil while nothing waits.
    var stalledSince: MonotonicInstant?
    /// When the farewell began; nil before.
    var leavingSince: MonotonicInstant?

    init(
        token: Token, session: UInt32, sid: SessionID, stream: StreamNumber, address: StreamRequest,
        machine: consuming StreamMachine, xml: UpstreamXML, now: MonotonicInstant
    ) {
        self.token = token
        self.session = session
        sessionName = sid.short
        self.stream = stream
        self.address = address
        self.machine = machine
        self.xml = xml
        since = now
        lastSent = now
    }

    var hasUnwritten: Bool { written < output.count }
    var unwrittenCount: Int { output.count - written }
}

/// The upstream's addresses, kept for a while so that a thousand sessions ask once.
struct Resolution {
    var addresses: [SocketAddress] = []
    var validUntil: MonotonicInstant?

    /// How long an answer is used; `getaddrinfo` does not tell the record's own time to live.
    static let lifetime = Duration.seconds(30)
}

// An optional that cannot be copied cannot be bound by `if let` while it stands in a class; a call through `?.` can be made.
extension StreamSocket {
    /// Changes what a registered socket is watched for.
    func watch(for interest: Interest, as token: Token, in poller: borrowing Poller) {
        try? poller.modify(descriptor, token: token.raw, interest: interest)
    }

    /// Begins to watch a socket that was unwatched.
    func watchAgain(for interest: Interest, as token: Token, in poller: borrowing Poller) {
        try? poller.register(descriptor, token: token.raw, interest: interest)
    }

    /// Stops watching a registered socket.
    func unwatch(in poller: borrowing Poller) {
        try? poller.deregister(descriptor)
    }
}
