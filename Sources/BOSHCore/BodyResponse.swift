/// What a new session was granted: the attributes that stand in the creation response only (XEP-0124 §7.2, `S-13`).
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

    /// A grant of all its parts.
    package init(
        sid: SessionID, wait: Duration, requests: Int, hold: Int, version: ProtocolVersion?, polling: Duration,
        inactivity: Duration, maxpause: Duration, from: String
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
    }
}

/// What became known with the upstream stream's header; told to the client with the first features (XEP-0206 §4, `X-03`, `X-05`).
package struct StreamIdentity: Sendable, Equatable {
    /// The upstream stream's `id`, given to the client as `authid`.
    package var id: String
    /// The upstream's stream version; nil for a server of before RFC 3920.
    package var version: ProtocolVersion?

    /// The identity of an upstream stream.
    package init(id: String, version: ProtocolVersion?) {
        self.id = id
        self.version = version
    }
}

/// One `<body/>` response as values; `XMLCodec` writes it, always to the same bytes, so a replay is exact (`R-07`).
package struct BodyResponse: Sendable, Equatable {
    /// What kind of answer this is.
    package enum Kind: Sendable, Equatable {
        /// Payload, or nothing.
        case plain
        /// The answer to the creation request.
        indirect case creation(SessionGrant)
        /// The end of the session, `type='terminate'`; the condition is nil after a `terminate` of the client's own.
        case terminate(TerminalCondition?)
        /// A recoverable error, `type='error'`: repeat the request (XEP-0124 §17.3).
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
    /// What became known of the upstream stream since the last response.
    package var opening: Opening

    /// A response of its parts.
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
}
