/// One run of the load generator.
struct LoadPlan {
    /// How messages are produced.
    enum Mode: String {
        /// At a fixed rate, whether or not earlier ones have arrived.
        case paced
        /// Each session sends its next message when its last has arrived.
        case closed
        /// No messages: sessions are opened and kept.
        case idle
    }

    /// The receiver of a session's messages.
    enum Receiver: String {
        /// Itself: with Holdfast and an idle server each message takes one request.
        case own = "self"
        /// The session with the next number.
        case next
    }

    /// What a client does after its connection was cut under a poll.
    enum AfterKill: String {
        /// It sends the same request again, as a library does after a network error.
        case repeated = "repeat"
        /// It goes on with the next rid, as a restored page does.
        case next
        /// It does both in turn.
        case both
    }

    /// The protocol of the clients.
    enum Door: String {
        case bosh, webSocket = "websocket"
    }

    let door: Door
    let sessions: Int
    let mode: Mode
    let receiver: Receiver
    /// Messages a second over all sessions; paced mode only.
    let rate: Int
    /// How long messages are sent or idle sessions kept; nil until standard input closes.
    let duration: Duration?
    /// Bytes of text in a message besides the mark.
    let padding: Int
    /// Connections to cut while messages flow.
    let kills: Int
    let afterKill: AfterKill
    /// Whether a session may end because its worker died; its client then logs in again, and requests that fail on
    /// their way are repeated.
    let sessionsMayEnd: Bool
    /// Sessions that may log in at the same time.
    let loginsAtOnce: Int
    /// How long to wait after the last message for those on their way.
    let patience: Duration
    /// The silence between the last login and the first message.
    let settling: Duration
    /// Whether each event is noted with its instant.
    var hasJournal = false
}
