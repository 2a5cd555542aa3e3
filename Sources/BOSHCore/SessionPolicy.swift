import Bridge

/// What the operator allows a session; everything a client may ask for is clamped to it.
package struct SessionPolicy: Sendable, Equatable {
    /// The longest time a request is held, and what a client gets that names no `wait` (`S-04`).
    package var maxWait: Duration
    /// The most requests held at the same time (`S-06`).
    package var maxHold: Int
    /// How long a client may be silent before its session ends (`P-01`).
    package var inactivity: Duration
    /// The shortest interval of empty requests from a polling client (`S-08`, `P-11`).
    package var polling: Duration
    /// The longest pause that is granted (`S-11`).
    package var maxpause: Duration
    /// How many bytes of stanzas may wait for a client before its upstream is no longer read.
    package var outboundBound: Int
    /// With more bytes than these waiting for upstreams that are not open yet, a further request ends the session; with more
    /// waiting for them and for missing predecessors, an early one is not taken.
    package var inboundBound: Int
    /// The domains that clients may log in to.
    package var domains: ServedDomains
    /// The most streams one session may have (XEP-0124 §16).
    package var maxStreams = 8
    /// How many responses are kept for a repeat beyond `requests`, as long as the worker's budget allows; with a client
    /// that acknowledges responses, how many that it has not.
    package var extraResponses = 4
    /// How many bytes of responses one session keeps at most for a client that acknowledges them.
    package var responseBytes = 262_144
    /// How many bytes the responses beyond the last `requests` take at most for a client that does not: the empty ones, so
    /// that a session that has just logged in and falls idle does not keep the whole exchange.
    package var spareBytes = 128
    /// How long a client may take from the creation until the server lets it in; nil for any time.
    package var loginTimeout: Duration?
    /// How long it may take from when the server lets it register an account.
    package var registrationTimeout = Duration.seconds(300)
    /// How many requests a second a session may send, with two seconds' worth at once; nil for any.
    package var requestsPerSecond: Int?
    /// How many repeats a second, with five seconds' worth at once; nil for any. A client that lost its connection repeats
    /// all that it has open; a page that is loaded again does too.
    package var repeatsPerSecond: Int?
    /// The media types that a client gets that asks for them with `content` (`H-07`): none that a browser would run scripts of.
    package var contentTypes = ["text/xml", "application/xml", "text/plain"]

    /// A policy of all its parts.
    package init(
        maxWait: Duration, maxHold: Int, inactivity: Duration, polling: Duration, maxpause: Duration,
        outboundBound: Int, inboundBound: Int, domains: ServedDomains
    ) {
        self.maxWait = maxWait
        self.maxHold = maxHold
        self.inactivity = inactivity
        self.polling = polling
        self.maxpause = maxpause
        self.outboundBound = outboundBound
        self.inboundBound = inboundBound
        self.domains = domains
    }

    /// The highest BOSH version spoken here: XEP-0124 1.11.
    package static let version = ProtocolVersion(major: 1, minor: 11)

    var requestRate: RequestRates.Rate? { requestsPerSecond.map { RequestRates.Rate(perSecond: $0, burst: 2) } }
    var repeatRate: RequestRates.Rate? { repeatsPerSecond.map { RequestRates.Rate(perSecond: $0, burst: 5) } }

    /// How long the client of a session that was granted `polling` may be silent: a polling client announces itself only
    /// every `polling`, so it gets that much more (`P-10`).
    package func inactivity(isPolling: Bool) -> Duration {
        isPolling ? inactivity + polling + polling : inactivity
    }
}

/// A creation request that was accepted: what the session starts from (XEP-0124 §7.1, §7.2).
package struct SessionOpening: Sendable, Equatable {
    /// The creation request's `rid`.
    package var rid: RequestID
    /// The served domain, as the operator wrote it.
    package var domain: String
    /// Where the client wants to be connected to, if it may say so: `HOST:PORT` (`S-18`).
    package var route: String?
    /// The account that the client calls its own, where it has said so (`ServedDomains.account`).
    package var account: PeerText?
    /// `xml:lang` of the request, if any.
    package var language: String?
    /// The granted `wait`.
    package var wait: Duration
    /// The granted `hold`.
    package var hold: Int
    /// The common version; nil for a legacy client.
    package var version: ProtocolVersion?
    /// Whether the client will acknowledge responses (XEP-0124 §9.2).
    package var acknowledges: Bool
    /// The start of the client's key sequence, if it has one (XEP-0124 §15).
    package var newkey: PeerText?
    /// The Content-Type of all responses; nil for the default (`H-06`, `H-07`).
    package var contentType: String?

    /// Why a creation request was refused.
    package enum Refusal: Error, Equatable {
        /// The terminal condition to answer with.
        case condition(TerminalCondition)
        /// The client wants an end, not a beginning: it is told that there is one, without a condition.
        case nothingToEnd
    }

    /// Judges a creation request against `policy`.
    ///
    /// Not each request without a `sid` is one: a client whose session never came into being ends it all the same, and one
    /// that lost its `sid` pauses, restarts or names a stream. For those nothing is opened.
    ///
    /// - Throws: `nothingToEnd` for a `terminate`, `item-not-found` for what only a session can be asked; `bad-request` for a `rid`, `wait` or `hold` that is not a number in range (`S-19`, `S-20`),
    ///   `improper-addressing` without `to` (`S-15`), `host-unknown` for a domain or a route that is not served (`S-16`,
    ///   `S-18`).
    package init(judging attributes: borrowing BodyAttributes, by policy: borrowing SessionPolicy) throws(Refusal) {
        if attributes.type == .terminate { throw .nothingToEnd }
        guard let rid = attributes.rid.number.flatMap({ RequestID($0) }) else { throw .condition(.badRequest) }
        guard !attributes.isForSession else { throw .condition(.itemNotFound) }
        let rare = attributes.rare
        if rare.wait == .malformed || rare.hold == .malformed { throw .condition(.badRequest) }
        domain = try policy.domains.domain(meantBy: rare.to)
        route = try policy.domains.route(askedFor: rare.route)
        self.rid = rid
        account = policy.domains.account(rare.from, at: domain)
        language = rare.language.flatMap { $0.isTooLong ? nil : $0.text }
        if let asked = rare.wait.number {
            wait = min(.seconds(Int64(clamping: min(asked, 65_535))), policy.maxWait)
        } else {
            wait = policy.maxWait
        }
        hold = Int(clamping: min(rare.hold.number ?? 1, UInt64(clamping: policy.maxHold)))
        version = rare.version.map { min($0, SessionPolicy.version) }
        // Only '1' announces acknowledgements; gloox says '0' (`A-07`).
        acknowledges = attributes.ack == .value(1)
        // Forty digits; there is no other hash.
        if !KeyChain.isBounded(rare.newkey) { throw .condition(.badRequest) }
        newkey = rare.newkey
        contentType = Self.contentType(askedFor: rare.content, policy: policy)
    }

    /// What all responses are said to be; nil for the default, which is also what a client gets that asks for anything else
    /// than the policy has (`H-07`). It is never turned away for that: clients read what they get by what they know it to be.
    private static func contentType(askedFor content: PeerText?, policy: borrowing SessionPolicy) -> String? {
        guard let content, content != PeerText(MediaType.standard), let type = MediaType(content),
            policy.contentTypes.contains(type.essence), type.isUTF8
        else { return nil }
        return content.text
    }

    /// Whether the client asked never to be held (`P-09`).
    package var isPolling: Bool { hold == 0 || wait == .zero }

    /// How many requests may be open: one more than is held (`S-05`), and never one alone, which would force the client
    /// to poll (`P-15`).
    package var requests: Int { max(hold + 1, 2) }

    /// The attributes of the creation response.
    package func grant(sid: SessionID, stream: StreamName, policy: borrowing SessionPolicy) -> SessionGrant {
        SessionGrant(
            sid: sid, wait: wait, requests: requests, hold: hold, version: version, polling: policy.polling,
            inactivity: policy.inactivity(isPolling: isPolling), maxpause: policy.maxpause, from: domain,
            stream: stream,
            ack: rid)
    }
}
