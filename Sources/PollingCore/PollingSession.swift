import Bridge
import Primitives

/// The XMPP session of one client over HTTP polling (XEP-0025), as a value: from the first request to the last answer.
///
/// A client's stream comes in the bodies of its requests, and the server's goes back in the answers, one request at a
/// time. Inputs drive the value, and it answers with effects, to be executed in order. It knows no connection, no clock
/// and no XML: what a request brings comes as items between `admit` and `bodyRead`.
///
/// Invariants, checked in debug builds after every input:
/// - A request waits only while no answer to a later one is kept.
/// - Stanzas of the client wait only while no stream is open.
/// - After the stream has ended, a request waits only until its body is read.
package struct PollingSession: Sendable {
    /// The state of the session.
    package enum Phase: Sendable, Equatable {
        /// The client has not sent its stream header.
        case awaitingHeader
        /// The stream to the server is not open yet.
        case opening
        /// The stream to the server is open.
        case open
        /// The client has restarted the stream, and the server has not sent its features.
        case restarting
        /// The stream is over. The client has not fetched the last bytes, or may ask for them again.
        case closing
        /// The session is over; nothing reaches it.
        case over
    }

    /// A request that was admitted and not answered, with all its copies: copies may overtake each other, and nobody
    /// knows for the answer to which the client waits.
    struct Waiting: Sendable {
        var exchanges: ShortList<PollingExchange>
        let hasContent: Bool
        /// When it is answered; nil while its body is being read.
        var due: MonotonicInstant?
    }

    /// What the next request of a client is compared with.
    struct Last: Sendable, Equatable {
        let key: PeerText?
        let mark: BodyMark
        let hasContent: Bool
        /// Whether its connection was gone before it was answered.
        var isBroken = false
    }

    /// The state of the session.
    package internal(set) var phase = Phase.awaitingHeader
    /// The served domain, as the operator wrote it; nil before the client's header.
    package internal(set) var domain: String?
    var keys: PollingKeys
    var waiting: Waiting?
    var last: Last?
    /// The bytes for the next answer, and where in them the stanzas begin that go back to their senders if the client
    /// does not fetch them; nil when none do.
    var outgoing: [UInt8] = []
    var stanzasFrom: Int?
    /// The answer to the last request, and the same of it; nil before it is given, and once the next is admitted.
    var kept: [UInt8]?
    var keptStanzasFrom: Int?
    /// The client's elements that wait for the stream to open.
    var inbound: [UInt8] = []
    var login: LoginDeadline
    var congestion = Congestion.none
    /// When the last request was admitted or repeated.
    var heardAt: MonotonicInstant
    /// When the session began, and when it is forgotten after its stream has ended.
    let begunAt: MonotonicInstant
    var forgetAt: MonotonicInstant?
    /// Whether the end of the stream was told.
    var hasEnded = false
    /// The requests and repeats of the present second.
    var secondBegan: MonotonicInstant
    var inSecond = 0
    var repeatsInSecond = 0
    /// What the client's present header said.
    var language = Self.standardLanguage
    var hasVersion = true
    var hasHeader = false
    /// Whether the client was sent the header of the present stream.
    var isGreeted = false
    /// Whether a new header of the client restarts the stream, and whether one has done so after the login. What a
    /// server answers later may look like another login.
    var mayRestart = false
    var hasRestarted = false
    /// Whether the client was sent its identifier.
    var isTold = false
    /// Whether client and server count stanzas (XEP-0198), and whether the server keeps the stream for a resumption.
    var isManaged = false
    package internal(set) var isResumable = false
    /// Whether the server is not read, because the client does not fetch what has come.
    var isReadingPaused = false
    /// How many headers this program has sent.
    private var greetings: UInt8 = 0
    /// Random bits, from which the names of streams are made where the server's are not known.
    private let bits: UInt64

    static let standardLanguage = "en"

    /// The session of a client whose first request has come; `admit` takes that request next.
    ///
    /// - Parameters:
    ///   - key: the first key, if the client uses keys.
    ///   - bits: random bits of this session alone.
    package init(key: PeerText?, bits: UInt64, now: MonotonicInstant, policy: borrowing PollingPolicy) {
        self.bits = bits
        keys = PollingKeys(first: key)
        login = LoginDeadline(now: now, timeout: policy.loginTimeout)
        heardAt = now
        begunAt = now
        secondBegan = now
    }

    /// Takes in an input and appends the effects.
    ///
    /// There are any number of effects, to be executed in order. After `forgotten` nothing follows.
    package mutating func handle(
        _ input: consuming PollingInput, now: MonotonicInstant, policy: borrowing PollingPolicy,
        into effects: inout [PollingEffect]
    ) {
        guard phase != .over else { return }
        switch consume input {
        case .header(let opening): handleHeader(opening, now: now, policy: policy, into: &effects)
        case .element(let bytes): take(bytes, policy: policy, now: now, into: &effects)
        case .end: handleEnd(now: now, policy: policy, into: &effects)
        case .refused(let condition): fail(condition, .malformedRequest, now: now, policy: policy, into: &effects)
        case .bodyRead: handleBodyRead(now: now, policy: policy, into: &effects)
        case .tooLarge: fail(.policyViolation, .loginBody, now: now, policy: policy, into: &effects)
        case .aborted(let exchange): handleAbort(exchange, into: &effects)
        case .answerAwaited(let exchange):
            if awaits(exchange), waiting?.due != nil { answer(now: now, policy: policy, into: &effects) }
        case .upstream(let event): handle(event, now: now, policy: policy, into: &effects)
        case .outOfMemory: fail(.resourceConstraint, .outOfMemory, now: now, policy: policy, into: &effects)
        case .deadlineReached: handleDeadline(now: now, policy: policy, into: &effects)
        case .displaced:
            fail(.policyViolation, .loginDisplaced, now: now, policy: policy, into: &effects)
            finish(now: now, policy: policy, into: &effects)
        case .endedByOperator: fail(.policyViolation, .endedByOperator, now: now, policy: policy, into: &effects)
        case .shutdownRequested: handleShutdown(now: now, policy: policy, into: &effects)
        }
        answerIfDue(now: now, policy: policy, into: &effects)
        checkInvariants()
    }

    /// Whether a key is looked at now (`Q-13`).
    package func looksAtKeys(now: MonotonicInstant) -> Bool { keys.areUsed && keys.areLookedAt(now: now) }

    /// Whether the server has accepted the client's login.
    package var hasLoggedIn: Bool { login.isMet }

    /// Whether the stream has ended and the session only waits for the client to fetch the last bytes.
    package var isClosing: Bool { phase == .closing }

    /// Whether a request waits for its answer.
    package var isHolding: Bool { waiting != nil }

    /// Whether this request waits for its answer.
    package func awaits(_ exchange: PollingExchange) -> Bool { waiting?.exchanges.contains(exchange) ?? false }

    /// The bytes that the session keeps: of the client's elements, of what waits for it, and of the last answer.
    package var heldBytes: (elements: Int, stanzas: Int, kept: Int) {
        (inbound.heldBytes, outgoing.heldBytes, kept?.heldBytes ?? 0)
    }

    // MARK: What the client's stream brings

    private mutating func handleHeader(
        _ opening: PollingOpening, now: MonotonicInstant, policy: borrowing PollingPolicy,
        into effects: inout [PollingEffect]
    ) {
        switch phase {
        case .awaitingHeader:
            keep(opening)
            switch opening.target {
            case .served(let request):
                domain = request.domain
                phase = .opening
                effects.append(.upstream(.open(request)))
            case .refused(.unknown): fail(.hostUnknown, .hostUnknown, now: now, policy: policy, into: &effects)
            case .refused(.unnamed): fail(.improperAddressing, .hostUnknown, now: now, policy: policy, into: &effects)
            }
        case .open where mayRestart:
            // The domain of the session stays, whatever the new `to` says.
            keep(opening)
            hasRestarted = true
            phase = .restarting
            effects.append(.upstream(.restart))
        case .open, .opening, .restarting:
            // Never two streams at a time.
            fail(.policyViolation, .malformedRequest, now: now, policy: policy, into: &effects)
        case .closing, .over: break
        }
    }

    private mutating func keep(_ opening: PollingOpening) {
        language = opening.language ?? Self.standardLanguage
        hasVersion = opening.hasVersion
        hasHeader = true
        isGreeted = false
        mayRestart = false
    }

    private mutating func take(
        _ bytes: [UInt8], policy: borrowing PollingPolicy, now: MonotonicInstant, into effects: inout [PollingEffect]
    ) {
        switch phase {
        case .awaitingHeader: fail(.notWellFormed, .malformedRequest, now: now, policy: policy, into: &effects)
        case .opening, .restarting:
            guard inbound.count + bytes.count <= policy.inboundBound else {
                fail(.policyViolation, .malformedRequest, now: now, policy: policy, into: &effects)
                return
            }
            inbound.append(contentsOf: bytes)
        case .open: effects.append(.upstream(.forward(bytes)))
        case .closing, .over: break
        }
    }

    /// The client has ended its stream (`Q-37`).
    private mutating func handleEnd(
        now: MonotonicInstant, policy: borrowing PollingPolicy, into effects: inout [PollingEffect]
    ) {
        switch phase {
        case .awaitingHeader: fail(.notWellFormed, .malformedRequest, now: now, policy: policy, into: &effects)
        case .opening, .open, .restarting:
            greet(into: &effects)
            outgoing.append(contentsOf: PollingText.end)
            close(.terminated, now: now, policy: policy, into: &effects)
        case .closing, .over: break
        }
    }

    /// Forwards what has come while no stream was open.
    mutating func forwardInbound(into effects: inout [PollingEffect]) {
        guard !inbound.isEmpty else { return }
        effects.append(.upstream(.forward(inbound)))
        inbound = []
    }

    /// Sends the header of the stream, once for each stream.
    ///
    /// - Parameter id: the name of the server's stream; nil when it is not known or the client has no use for it.
    mutating func greet(id: String? = nil, into effects: inout [PollingEffect]) {
        guard !isGreeted else { return }
        isGreeted = true
        let own = bits &+ UInt64(greetings)
        greetings &+= 1
        let name = id.flatMap { $0.isEmpty ? nil : $0 } ?? String(own, radix: 16)
        outgoing.append(
            contentsOf: PollingText.header(from: domain, id: name, language: language, hasVersion: hasVersion))
        // What came before the header belongs to the login.
        stanzasFrom = nil
    }

    private func checkInvariants() {
        assert(waiting == nil || kept == nil, "a request waits although its answer is kept")
        assert(inbound.isEmpty || phase == .opening || phase == .restarting, "elements wait although a stream is open")
        assert(phase != .over || waiting == nil && outgoing.isEmpty, "an ended session keeps something")
        assert(phase != .closing || waiting?.due == nil, "a request waits for a stream that has ended")
        assert(!isManaged || stanzasFrom == nil && keptStanzasFrom == nil, "stanzas are returned by the server")
    }
}
