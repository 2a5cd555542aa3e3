import Bridge
import Primitives

/// One of a session's streams: where it stands, and what waits on either side of it (XEP-0124 §16).
struct Substream: Sendable {
    enum Phase: Sendable, Equatable {
        /// The upstream stream is not open yet.
        case opening
        /// The upstream stream is open.
        case open
        /// It was restarted and has not sent its features yet.
        case restarting
        /// It is gone; the client still has to be told.
        case ended(EndReason)
    }

    /// What only a stream has that was added to the session.
    private struct Addition: Sendable {
        let domain: String?
        var untoldTo: RequestID?
    }

    let number: StreamNumber
    var phase = Phase.opening
    var isReadingPaused = false
    /// Reading is paused until nothing waits.
    var isDraining = false
    /// How far its server is behind.
    var congestion = Congestion.none
    /// The server knows what the client has not acknowledged, and sees to it (XEP-0198, `T-12` c).
    var isManaged = false
    /// The server keeps this stream for a resumption as well.
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

    /// The domain of a stream that was added, for `from`; nil for the first.
    var addedDomain: String? { addition?.value.domain }

    /// The request that asked for this stream, until the client was told the stream's name; nil for the first.
    var untoldTo: RequestID? { addition?.value.untoldTo }

    /// The client was told the stream's name.
    mutating func noteTold() {
        if untoldTo != nil { addition?.value.untoldTo = nil }
    }

    /// Whether a payload that names no stream is meant for it too (`M-05`): a client that does not know of it yet means
    /// those that it knows.
    var takesBroadcast: Bool { untoldTo == nil }

    /// Whether a response could be made for it.
    var hasSomethingToSay: Bool {
        if case .ended = phase { return true }
        return !outbound.isEmpty
    }

    var isEnded: Bool {
        if case .ended = phase { return true }
        return false
    }
}
