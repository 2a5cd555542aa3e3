/// What one run of the load generator does.
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

    /// To whom a session sends.
    enum Receiver: String {
        /// To itself: with Holdfast and an idle server one request a message.
        case own = "self"
        /// To the session with the next number.
        case next
    }

    /// What a client does after its connection was cut under a poll.
    enum AfterKill: String {
        /// Sends the same request again, as a library does after a network error.
        case repeated = "repeat"
        /// Goes on with the next rid, as a restored page does.
        case next
        /// One after the other.
        case both
    }

    let sessions: Int
    let mode: Mode
    let receiver: Receiver
    /// Messages a second over all sessions, paced mode only.
    let rate: Int
    /// How long messages are sent, or idle sessions kept; nil is until standard input closes.
    let duration: Duration?
    /// Bytes of text in a message beside the mark.
    let padding: Int
    /// Connections to cut while messages flow.
    let kills: Int
    let afterKill: AfterKill
    /// Sessions that may log in at the same time.
    let loginsAtOnce: Int
    /// How long to wait, after the last message was sent, for those on their way.
    let patience: Duration
    /// How long nothing is sent between the last login and the first message.
    let settling: Duration
}
