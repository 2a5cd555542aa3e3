/// Tells the streams of one session apart, inside this program; never reused within a session.
package struct StreamNumber: Sendable, Hashable {
    /// 0 for the stream that the session began with, then one more each.
    package let value: UInt16

    /// A number.
    package init(_ value: UInt16) {
        self.value = value
    }

    /// The stream that the session began with.
    package static let first = StreamNumber(0)
}

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

    /// What only a stream has that was added to the session; boxed, since most sessions have none.
    private indirect enum Addition: Sendable {
        case none
        case some(domain: String?, untoldTo: RequestID?)
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
    private var addition: Addition
    /// What the client has not fetched.
    var outbound = OutboundQueue()
    /// What waits for the upstream to open.
    var inbound = InboundQueue()
    var streamError: [UInt8] = []

    init(number: StreamNumber, name: StreamName, addedDomain: String? = nil, askedBy rid: RequestID? = nil) {
        self.number = number
        self.name = name
        addition = addedDomain == nil && rid == nil ? .none : .some(domain: addedDomain, untoldTo: rid)
    }

    /// The domain of a stream that was added, for `from`; nil for the first.
    var addedDomain: String? {
        if case .some(let domain, _) = addition { return domain }
        return nil
    }

    /// The request that asked for this stream, until the client was told the stream's name; nil for the first.
    var untoldTo: RequestID? {
        if case .some(_, let rid) = addition { return rid }
        return nil
    }

    /// The client was told the stream's name.
    mutating func noteTold() {
        if untoldTo != nil { addition = .some(domain: addedDomain, untoldTo: nil) }
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

/// What a stream that is to be opened is for.
package struct StreamRequest: Sendable, Equatable {
    /// The served domain, as the operator wrote it.
    package let domain: String
    /// Where the client asked to be connected to instead: `HOST:PORT`, one of those that are allowed (`S-18`).
    package let route: String?
    /// The account that the client calls its own, as `localpart@domainpart`; nil when it did not say.
    package let account: PeerText?
    /// `xml:lang` of the request, if any.
    package let language: String?
    /// The stream's name towards the client.
    package let name: StreamName

    /// A request of its parts.
    package init(
        domain: String, route: String? = nil, account: PeerText? = nil, language: String?, name: StreamName
    ) {
        self.domain = domain
        self.route = route
        self.account = account
        self.language = language
        self.name = name
    }
}
