import Bridge
import Primitives

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
    package var opening: Boxed<StreamIdentity>?

    private struct Marks: Sendable, Equatable {
        let stream: StreamName?
        let report: ResponseReport?
    }
    /// The stream that the payload belongs to, and the response that seems to be lost. Few responses have either.
    private var marks: Boxed<Marks>?

    /// The highest rid up to which all requests were received, when it is not the answered one (`A-01`, `A-02`).
    package var ack: RequestID?

    /// The stream to which the payload or the end belongs; nil while the session has only one.
    package var stream: StreamName? { marks?.value.stream }

    /// The response that the client seems not to have received.
    package var report: ResponseReport? { marks?.value.report }

    /// Whether `mark` was called, even with neither a stream nor a report.
    var isMarked: Bool { marks != nil }

    /// Sets the stream that the response belongs to, and the response that seems to be lost.
    package mutating func mark(stream: StreamName?, report: ResponseReport? = nil) {
        marks = Boxed(Marks(stream: stream, report: report))
    }

    /// Whether this response has nothing but perhaps `ack`.
    package var isTrivial: Bool {
        kind == .plain && payload.isEmpty && opening == nil && marks == nil && !usesStreamPrefix
    }

    /// A response made of its parts.
    package init(
        _ kind: Kind = .plain, payload: [UInt8] = [], usesStreamPrefix: Bool = false,
        opening: Boxed<StreamIdentity>? = nil
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
        guard let bits = UInt64(sixteenDigits: written.bytes.span) else { return nil }
        self.bits = bits
    }

    /// The value of the `stream` attribute: sixteen hexadecimal digits.
    package var text: String { bits.sixteenDigits }
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
