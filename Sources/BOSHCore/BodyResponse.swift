import Bridge

/// What a new session was granted: the attributes that only the creation response has (XEP-0124 §7.2, `S-13`).
package struct SessionGrant: Sendable, Equatable {
    /// The session's identifier.
    package var sid: SessionID
    /// The longest time a request is held.
    package var wait: Duration
    /// How many requests may be open at the same time; always more than `hold`.
    package var requests: Int
    /// How many requests are held at most.
    package var hold: Int
    /// The version both sides speak; nil for a legacy client.
    package var version: ProtocolVersion?
    /// The shortest interval of empty requests from a polling client.
    package var polling: Duration
    /// How long the client may be silent.
    package var inactivity: Duration
    /// The longest pause a client may ask for.
    package var maxpause: Duration
    /// The domain the client asked for, as `from`.
    package var from: String
    /// The name of the first stream. Its presence tells the client that there can be more (XEP-0124 §16.2, `M-01`).
    package var stream: StreamName
    /// The creation request's `rid`, as `ack` (XEP-0124 §9.1, `A-01`).
    package var ack: RequestID

    /// A grant made of its parts.
    package init(
        sid: SessionID, wait: Duration, requests: Int, hold: Int, version: ProtocolVersion?, polling: Duration,
        inactivity: Duration, maxpause: Duration, from: String, stream: StreamName, ack: RequestID
    ) {
        self.sid = sid
        self.wait = wait
        self.requests = requests
        self.hold = hold
        self.version = version
        self.polling = polling
        self.inactivity = inactivity
        self.maxpause = maxpause
        self.from = from
        self.stream = stream
        self.ack = ack
    }
}

/// One `<body/>` response as values. `XMLCodec` always writes it as the same bytes, so a replay is exact (`R-07`).
package struct BodyResponse: Sendable, Equatable {
    /// What kind of answer this is.
    package enum Kind: Sendable, Equatable {
        /// Payload, or nothing.
        case plain
        /// The answer to the creation request.
        indirect case creation(SessionGrant)
        /// The end of the session, `type='terminate'`; the condition is nil after the client's own `terminate`.
        case terminate(TerminalCondition?)
        /// A recoverable error, `type='error'`: the client is to repeat the request (XEP-0124 §17.3).
        case error
    }

    /// What kind of answer this is.
    package var kind: Kind
    /// Complete first-level elements, each with the namespaces it needs, back to back.
    package var payload: [UInt8]
    /// Whether the payload uses the prefix `stream`, which is then declared on the body (`X-02`, `T-06`).
    package var usesStreamPrefix: Bool
    /// The upstream stream's identity, in the first response that can carry it.
    package indirect enum Opening: Sendable, Equatable {
        case none
        case stream(StreamIdentity)
    }
    /// What the upstream stream's header said, when this response tells it.
    package var opening: Opening
    /// Attributes that few responses have.
    package indirect enum Marks: Sendable, Equatable {
        case none
        case some(stream: StreamName?, report: ResponseReport?)
    }
    /// The stream to which the payload belongs, and a response that seems to have been lost.
    package var marks = Marks.none
    /// The highest rid up to which all requests were received, when it is not the answered one (`A-01`, `A-02`).
    package var ack: RequestID?

    /// The stream to which the payload or the end belongs; nil while the session has only one.
    package var stream: StreamName? {
        if case .some(let stream, _) = marks { return stream }
        return nil
    }

    /// The response that the client seems not to have received.
    package var report: ResponseReport? {
        if case .some(_, let report) = marks { return report }
        return nil
    }

    /// Whether this response has nothing but perhaps `ack`.
    package var isTrivial: Bool {
        kind == .plain && payload.isEmpty && opening == .none && marks == .none && !usesStreamPrefix
    }

    /// A response made of its parts.
    package init(
        _ kind: Kind = .plain, payload: [UInt8] = [], usesStreamPrefix: Bool = false, opening: Opening = .none
    ) {
        self.kind = kind
        self.payload = payload
        self.usesStreamPrefix = usesStreamPrefix
        self.opening = opening
    }

    /// An empty answer.
    package static let empty = BodyResponse()

    /// A recoverable error.
    package static let error = BodyResponse(.error)
}

/// The name of one of a session's streams: 64 random bits, opaque to the client (XEP-0124 §16.2).
package struct StreamName: Sendable, Hashable {
    /// The random bits.
    package let bits: UInt64

    /// A name made of random bits.
    package init(bits: UInt64) {
        self.bits = bits
    }

    /// Reads a name as a client sends it; nil for a text that this type never writes.
    package init?(_ written: PeerText) {
        guard written.count == 16,
            written.bytes.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }),
            let bits = UInt64(written.text, radix: 16)
        else { return nil }
        self.bits = bits
    }

    /// The value of the `stream` attribute: sixteen hexadecimal digits.
    package var text: String {
        let digits = String(bits, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

/// A response that the client's `ack` shows to be missing (XEP-0124 §9.2, `A-04`).
package struct ResponseReport: Sendable, Hashable {
    /// The rid whose response is missing.
    package let rid: RequestID
    /// How long ago it was sent.
    package let age: Duration

    /// A report made of its parts.
    package init(rid: RequestID, age: Duration) {
        self.rid = rid
        self.age = age
    }
}
