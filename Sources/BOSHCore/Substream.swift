import Bridge
import Primitives

/// One of a session's streams: its state, and what waits for the client and for the server (XEP-0124 §16).
struct Substream: Sendable {
    enum Phase: Sendable, Equatable {
        /// The upstream stream is not open yet.
        case opening
        /// The upstream stream is open.
        case open
        /// The stream was restarted and has not sent its features yet.
        case restarting
        /// The stream is gone; the client still has to be told.
        case ended(EndReason)
    }

    /// State that only streams added to the session have.
    private struct Addition: Sendable {
        let domain: String?
        var untoldTo: RequestID?
    }

    let number: StreamNumber
    var phase = Phase.opening
    var isReadingPaused = false
    /// Reading is paused until nothing waits.
    var isDraining = false
    /// How far the server is behind.
    var congestion = Congestion.none
    /// The server knows what the client has not acknowledged and resends or returns it (XEP-0198, `T-12` c).
    var isManaged = false
    /// The server also keeps this stream for a resumption.
    var isResumable = false
    let name: StreamName
    private var addition: Boxed<Addition>?
    /// What the client has not fetched.
    var outbound = OutboundQueue()
    /// What waits for the upstream to open.
    var inbound = InboundQueue()
    var streamError: [UInt8] = []

    init(number: StreamNumber, name: StreamName, addedDomain: String? = nil, askedBy rid: RequestID? = nil) {
        self.number = number
        self.name = name
        addition = addedDomain == nil && rid == nil ? nil : Boxed(Addition(domain: addedDomain, untoldTo: rid))
    }

    /// The domain of an added stream, for `from`; nil for the first stream.
    var addedDomain: String? { addition?.value.domain }

    /// The request that asked for this stream, until the client was told the stream's name; nil for the first stream.
    var untoldTo: RequestID? { addition?.value.untoldTo }

    /// Notes that the client was told the stream's name.
    mutating func noteTold() {
        if untoldTo != nil { addition?.value.untoldTo = nil }
    }

    /// Whether payload without a stream's name is for this stream too (`M-05`): a client that was not told of a stream
    /// means the others.
    var takesBroadcast: Bool { untoldTo == nil }

    /// Whether the stream has something for a response.
    var hasSomethingToSay: Bool {
        if case .ended = phase { return true }
        return !outbound.isEmpty
    }

    var isEnded: Bool {
        if case .ended = phase { return true }
        return false
    }
}
