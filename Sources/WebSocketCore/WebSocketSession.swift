import Bridge
import Primitives

/// The XMPP session of one client over WebSocket (RFC 7395), as a value: from the handshake to the end.
///
/// The session is the connection: nothing is kept for a client that comes back. Inputs drive the value, and it answers
/// with effects, to be executed in order. It knows no socket, no frames, no clock and no XML.
///
/// Invariants, checked in debug builds after every input:
/// - The stream to the server exists from the first `<open/>` on until either side has ended it.
/// - Stanzas of the client wait only while no stream is open.
/// - Nothing waits for proof where the server counts stanzas (XEP-0198), because then the server returns them.
package struct WebSocketSession: Sendable {
    /// The state of the session.
    package enum Phase: Sendable, Equatable {
        /// The client has not sent `<open/>`.
        case awaitingOpen
        /// The stream to the server is not open yet.
        case opening
        /// The stream to the server is open.
        case open
        /// The client has restarted the stream, and the server has not sent its features.
        case restarting
        /// The session is over; nothing reaches it.
        case over
    }

    /// The state of the session.
    package internal(set) var phase = Phase.awaitingOpen
    /// Whether the server keeps the stream for a resumption (XEP-0198 §5).
    package internal(set) var isResumable = false
    /// Whether client and server count stanzas (XEP-0198).
    var isManaged = false
    /// Whether the client was sent the `<open/>` of the present stream.
    var isGreeted = false
    /// Whether the server is not read, because the client does not take what has come.
    var isReadingPaused = false
    var congestion = Congestion.none
    /// How many `<open/>` this program has sent.
    private var greetings: UInt8 = 0
    /// The numbers of the last ping, and of the last one that was answered.
    var pings: UInt32 = 0
    var answered: UInt32 = 0
    /// When the client's `<open/>` or this program's greeting is due.
    var stepDue = CoarseInstant.none
    /// When the last ping, the last message, and the last bytes of the client came or went.
    var lastPing = CoarseInstant.none
    var lastSent: CoarseInstant
    var lastRead: CoarseInstant
    /// When the first ping went out after which nothing has come.
    var probedAt = CoarseInstant.none
    var login: LoginDeadline
    var proof = ReceiptProof()
    /// The client's elements that wait for the stream to open.
    var waiting: [UInt8] = []
    /// The served domain, as the operator wrote it; nil before `<open/>`.
    package private(set) var domain: String?
    /// What the present `<open/>` of the client said.
    private var account: [UInt8]?
    private var language = Self.standardLanguage
    /// Random bits, from which the names of streams are made where the server's are not known.
    private let bits: UInt64

    /// The session of a client whose handshake is over.
    ///
    /// - Parameter bits: random bits of this session alone.
    package init(bits: UInt64, now: MonotonicInstant, policy: borrowing WebSocketPolicy) {
        self.bits = bits
        login = LoginDeadline(now: now, timeout: policy.loginTimeout)
        lastSent = CoarseInstant(now)
        lastRead = CoarseInstant(now)
        stepDue = CoarseInstant(now.advanced(by: policy.openTimeout))
    }

    /// Takes in an input and appends the effects.
    ///
    /// There are any number of effects, to be executed in order. After `ended` the session is to be forgotten.
    package mutating func handle(
        _ input: consuming WebSocketInput, now: MonotonicInstant, policy: borrowing WebSocketPolicy,
        into effects: inout [WebSocketEffect]
    ) {
        guard phase != .over else { return }
        switch consume input {
        case .open(let opening): handleOpen(opening, now: now, policy: policy, into: &effects)
        case .close:
            send(FramedText.close, now: now, into: &effects)
            end(.terminated, .normal, into: &effects)
        case .element(let bytes): take(bytes, policy: policy, now: now, into: &effects)
        case .refused(let condition): fail(condition, .malformedRequest, now: now, into: &effects)
        case .tooLarge: fail(.policyViolation, .largeMessage, .tooLarge, now: now, into: &effects)
        case .frameFault(let code): end(.malformedFrame, code, into: &effects)
        case .socketClosed: end(.clientLost, nil, into: &effects)
        case .lost(let reason): abandon(reason, into: &effects)
        case .pong(let number): handlePong(number, now: now, policy: policy, into: &effects)
        case .upstream(let event): handle(event, now: now, policy: policy, into: &effects)
        case .outOfMemory: fail(.resourceConstraint, .outOfMemory, .policyViolation, now: now, into: &effects)
        case .deadlineReached: handleDeadline(now: now, policy: policy, into: &effects)
        case .displaced: fail(.policyViolation, .loginDisplaced, .policyViolation, now: now, into: &effects)
        case .endedByOperator: fail(.policyViolation, .endedByOperator, .policyViolation, now: now, into: &effects)
        case .shutdownRequested: handleShutdown(now: now, into: &effects)
        }
        checkInvariants()
    }

    /// Notes that bytes of the client have come: it lives.
    package mutating func noteRead(now: MonotonicInstant) {
        lastRead = CoarseInstant(now)
        probedAt = .none
    }

    /// Whether a pong with this number answers a ping that was not answered yet. Any other pong says nothing.
    package func awaits(pong number: UInt32) -> Bool { number &- answered &- 1 < pings &- answered }

    /// Whether the client is to be read: not while its server takes nothing (`W-47`).
    package var mayRead: Bool { phase == .over || congestion < .full }

    /// Whether the server has accepted the client's login.
    package var hasLoggedIn: Bool { login.isMet }

    /// The bytes that the session keeps: of the client's elements, and of stanzas whose receipt is not proven.
    package var heldBytes: (elements: Int, stanzas: Int) { (waiting.capacity, proof.heldBytes) }

    // MARK: What the client sends

    private mutating func handleOpen(
        _ opening: StreamOpening, now: MonotonicInstant, policy: borrowing WebSocketPolicy,
        into effects: inout [WebSocketEffect]
    ) {
        switch phase {
        case .awaitingOpen:
            keep(opening)
            switch opening.target {
            case .served(let request):
                domain = request.domain
                phase = .opening
                stepDue = CoarseInstant(now.advanced(by: policy.greetingTime))
                effects.append(.upstream(.open(request)))
            case .refused(.unknown): fail(.hostUnknown, .hostUnknown, now: now, into: &effects)
            case .refused(.unnamed): fail(.improperAddressing, .hostUnknown, now: now, into: &effects)
            }
        case .open:
            // The domain of the session stays, whatever the new `to` says (`W-09`).
            keep(opening)
            isGreeted = false
            phase = .restarting
            stepDue = CoarseInstant(now.advanced(by: policy.greetingTime))
            effects.append(.upstream(.restart))
        case .opening, .restarting:
            // Never two streams at a time.
            fail(.policyViolation, .malformedRequest, now: now, into: &effects)
        case .over: break
        }
    }

    private mutating func keep(_ opening: StreamOpening) {
        account = opening.account?.bytes
        language = opening.language ?? Self.standardLanguage
    }

    private static let standardLanguage = "en"

    private mutating func take(
        _ bytes: [UInt8], policy: borrowing WebSocketPolicy, now: MonotonicInstant,
        into effects: inout [WebSocketEffect]
    ) {
        switch phase {
        case .awaitingOpen:
            // Clients of before RFC 7395 began otherwise; none of them is left.
            send(FramedText.close, now: now, into: &effects)
            end(.malformedRequest, .protocolError, into: &effects)
        case .opening, .restarting:
            guard waiting.count + bytes.count <= policy.inboundBound else {
                fail(.policyViolation, .malformedRequest, .policyViolation, now: now, into: &effects)
                return
            }
            waiting.append(contentsOf: bytes)
        case .open: effects.append(.upstream(.forward(bytes)))
        case .over: break
        }
    }

    /// Forwards what has come while no stream was open.
    mutating func forwardWaiting(into effects: inout [WebSocketEffect]) {
        guard !waiting.isEmpty else { return }
        effects.append(.upstream(.forward(waiting)))
        waiting = []
    }

    // MARK: What is sent to the client

    mutating func send(_ text: [UInt8], now: MonotonicInstant, into effects: inout [WebSocketEffect]) {
        lastSent = CoarseInstant(now)
        effects.append(.send(text))
    }

    /// Sends `<open/>`, once for each stream.
    ///
    /// - Parameter id: the name of the server's stream; nil when it is not known or the client has no use for it.
    mutating func greet(id: String? = nil, now: MonotonicInstant, into effects: inout [WebSocketEffect]) {
        stepDue = .none
        guard !isGreeted else { return }
        isGreeted = true
        let own = bits &+ UInt64(greetings)
        greetings &+= 1
        let name = id.flatMap { $0.isEmpty ? nil : $0 } ?? String(own, radix: 16)
        send(
            FramedText.open(from: domain, id: name, to: account, language: language), now: now, into: &effects)
        account = nil
    }

    /// Sends a ping.
    mutating func ping(now: MonotonicInstant, into effects: inout [WebSocketEffect]) {
        pings &+= 1
        proof.notePing(pings)
        lastPing = CoarseInstant(now)
        lastSent = lastPing
        if probedAt == .none { probedAt = lastPing }
        effects.append(.ping(pings))
    }

    // MARK: The end

    /// Ends the session for a fault that the client is told as a stream error (`W-05`, `W-06`, `W-44`).
    mutating func fail(
        _ condition: StreamCondition, _ reason: EndReason, _ code: SocketEnd = .normal, now: MonotonicInstant,
        into effects: inout [WebSocketEffect]
    ) {
        greet(now: now, into: &effects)
        send(FramedText.error(condition), now: now, into: &effects)
        send(FramedText.close, now: now, into: &effects)
        end(reason, code, into: &effects)
    }

    /// Ends the session and closes the socket; nil `code`: the client has begun to close it.
    mutating func end(_ reason: EndReason, _ code: SocketEnd?, into effects: inout [WebSocketEffect]) {
        leave(reason, into: &effects)
        effects.append(.close(code))
        effects.append(.ended(reason))
    }

    /// Ends the session of a client that nothing reaches.
    mutating func abandon(_ reason: EndReason, into effects: inout [WebSocketEffect]) {
        leave(reason, into: &effects)
        effects.append(.abandon)
        effects.append(.ended(reason))
    }

    /// Leaves the stream to the server, and first returns to the senders what has not provably come (`T-12`). A server
    /// that counts stanzas returns them itself. A stream that can be resumed is dropped, where resuming makes sense
    /// (`W-50`).
    private mutating func leave(_ reason: EndReason, into effects: inout [WebSocketEffect]) {
        let hasStream =
            switch phase {
            case .opening, .open, .restarting: true
            case .awaitingOpen, .over: false
            }
        phase = .over
        stepDue = .none
        waiting = []
        let unproven = proof.unproven
        proof.forget()
        guard hasStream, !reason.isOfUpstream else { return }
        if !isManaged, !unproven.isEmpty { effects.append(.upstream(.returnUnfetched(unproven))) }
        let isDropped = reason == .loginDisplaced || reason.allowsResumption && isResumable
        effects.append(.upstream(.leave(isDropped ? .drop : .close)))
    }

    /// Says goodbye because the process ends (`W-55`). A client that can resume its stream finds it again through the
    /// next process, so it is not told that the stream is closed.
    private mutating func handleShutdown(now: MonotonicInstant, into effects: inout [WebSocketEffect]) {
        if isResumable {
            end(.shutdown, .serviceRestart, into: &effects)
        } else if isGreeted || phase == .open || phase == .restarting {
            fail(.systemShutdown, .shutdown, .goingAway, now: now, into: &effects)
        } else {
            send(FramedText.close, now: now, into: &effects)
            end(.shutdown, .goingAway, into: &effects)
        }
    }

    private func checkInvariants() {
        assert(phase != .over || waiting.isEmpty && proof.unproven.isEmpty, "an ended session keeps nothing")
        assert(waiting.isEmpty || phase == .opening || phase == .restarting, "elements wait although a stream is open")
        assert(!isManaged || proof.unproven.isEmpty, "stanzas that the server counts wait for proof")
        assert(phase == .awaitingOpen || phase == .over || domain != nil, "a stream has no domain")
    }
}
