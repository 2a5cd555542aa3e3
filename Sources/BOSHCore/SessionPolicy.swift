import Bridge

/// What the operator allows a session; everything that a client asks for is clamped to it.
package struct SessionPolicy: Sendable, Equatable {
    /// The longest time a request is held; also the `wait` of a client that names none (`S-04`).
    package var maxWait: Duration
    /// The most requests held at the same time (`S-06`).
    package var maxHold: Int
    /// How long a client may be silent before its session ends (`P-01`).
    package var inactivity: Duration
    /// The shortest interval of empty requests from a polling client (`S-08`, `P-11`).
    package var polling: Duration
    /// The longest pause that is granted (`S-11`).
    package var maxpause: Duration
    /// The bytes of stanzas that may wait for a client before its upstream is no longer read.
    package var outboundBound: Int
    /// The bytes of payload that may wait for a session's streams to open and for missing predecessors. Above them the
    /// next request waits, and payload whose turn has not come is turned away.
    package var inboundBound: Int
    /// The domains that clients may log in to.
    package var domains: ServedDomains
    /// The most streams one session may have (XEP-0124 §16).
    package var maxStreams = 8
    /// How many responses are kept for a repeat beyond `requests`, while the worker's budget allows. For a client that
    /// acknowledges responses, how many that it has not acknowledged.
    package var extraResponses = 4
    /// The most bytes of responses that one session keeps for a client that acknowledges them.
    package var responseBytes = 262_144
    /// The most bytes that the responses beyond the last `requests` take for a client that does not acknowledge. Empty
    /// responses fit: a session that has just logged in and falls idle does not keep the whole exchange.
    package var spareBytes = 128
    /// The time a client has from the creation until the server accepts its login; nil for no limit.
    package var loginTimeout: Duration?
    /// The time it has from when the server offers to register an account.
    package var registrationTimeout = Duration.seconds(300)
    /// The requests a second that a session may send, with two seconds' worth at once; nil for no limit.
    package var requestsPerSecond: Int?
    /// The repeats a second, with five seconds' worth at once; nil for no limit. A client that lost its connection
    /// repeats all that it has open, and so does a page that is loaded again.
    package var repeatsPerSecond: Int?
    /// The media types that a client may ask for with `content` (`H-07`): none whose scripts a browser would run.
    package var contentTypes = ["text/xml", "application/xml", "text/plain"]

    /// A policy made of its parts.
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

    /// The highest BOSH version that is spoken here: XEP-0124 1.11.
    package static let version = ProtocolVersion(major: 1, minor: 11)

    var requestRate: RequestRates.Rate? { requestsPerSecond.map { RequestRates.Rate(perSecond: $0, burst: 2) } }
    var repeatRate: RequestRates.Rate? { repeatsPerSecond.map { RequestRates.Rate(perSecond: $0, burst: 5) } }

    /// How long a client may be silent. A polling client speaks only every `polling`, so it gets twice that in addition
    /// (`P-10`).
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
    /// `HOST:PORT` that the client wants to be connected to, where that is allowed (`S-18`).
    package var route: String?
    /// The account that the client gave as its own, if it did (`ServedDomains.account`).
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
        /// The client wants to end a session that does not exist: it is told the end, without a condition.
        case nothingToEnd
    }

    /// Judges a creation request against `policy`.
    ///
    /// Not every request without a `sid` is a creation: a client may terminate a session that never came into being, or
    /// pause, restart or name a stream after it lost its `sid`. Nothing is opened for those.
    ///
    /// - Throws: `nothingToEnd` for a `terminate`; `item-not-found` for a request that needs a session; `bad-request`
    ///   for a `rid`, `wait` or `hold` that is not a number in range (`S-19`, `S-20`); `improper-addressing` without
    ///   `to` (`S-15`); `host-unknown` for a domain or a route that is not served (`S-16`, `S-18`).
    package init(judging attributes: borrowing BodyAttributes, by policy: borrowing SessionPolicy) throws(Refusal) {
        if attributes.type == .terminate { throw .nothingToEnd }
        guard let rid = attributes.rid.number.flatMap({ RequestID($0) }) else { throw .condition(.badRequest) }
        guard !attributes.isForSession else { throw .condition(.itemNotFound) }
        let rare = attributes.rare
        if rare.wait == .malformed || rare.hold == .malformed { throw .condition(.badRequest) }
        do throws(AddressRefusal) {
            domain = try policy.domains.domain(meantBy: rare.to)
            route = try policy.domains.route(askedFor: rare.route)
        } catch {
            throw .condition(TerminalCondition(error))
        }
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
        // A key has forty digits; there is no other hash.
        if !KeyChain.isBounded(rare.newkey) { throw .condition(.badRequest) }
        newkey = rare.newkey
        contentType = Self.contentType(askedFor: rare.content, policy: policy)
    }

    /// The Content-Type of all responses; nil for the default. A client that asks for a type outside the policy gets
    /// the default too (`H-07`) and is not refused: clients know what they get, whatever its type says.
    private static func contentType(askedFor content: PeerText?, policy: borrowing SessionPolicy) -> String? {
        guard let content, content != PeerText(MediaType.standard), let type = MediaType(content),
            policy.contentTypes.contains(type.essence), type.isUTF8
        else { return nil }
        return content.text
    }

    /// Whether the client asked never to be held (`P-09`).
    package var isPolling: Bool { hold == 0 || wait == .zero }

    /// How many requests may be open: one more than is held (`S-05`), but never only one, which would force the client
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
