/// What one stream owes its two ends: each stanza is delivered once and in order, or returned, or its loss is told.
final class Ledger {
    let name: String
    private unowned let judge: Judge
    /// The stanzas of the client, and how many of them the server has.
    var sentUp = 0
    private(set) var receivedUp = 0
    /// When the server sent each stanza.
    private(set) var sentDown: [Instant] = []
    private(set) var receivedDown = 0
    private var returned: Set<Int> = []
    /// The stanzas that the worker delivers to nobody, because they are beyond its limits.
    private var oversized: Set<Int> = []
    /// The stanzas that the client sent on all streams and that the server has not received.
    private var broadcasts: [Int] = []
    /// A page has lost the answers up to then.
    private var missesUntil: Instant?
    /// Whether something was done to its server or to the way there, so that the stream may be lost.
    private(set) var isServerFaulty = false
    /// When its server ended the connection, in whatever way.
    var serverGoneAt: Instant?
    /// Whether its server has ended or lost a connection that it had reason to keep, even one whose stream can be resumed.
    var hasFaulted = false
    /// How long it may take until a client that does nothing else is told of that.
    var noticesWithin = Duration.seconds(30)
    /// Whether its connection is so slow that it may be too late for everything.
    var mayBeLate = false
    /// Stanzas sent within this time before the end may have crossed it; nil for the time that the judge gives.
    var margin: Duration?
    /// Whether the session ends as soon as the client has gone, so that stanzas may cross its end.
    var endsAtOnce = false
    /// Whether everything that the client has sent has to arrive, although it did not end the session in order.
    var allHasToArrive = false
    /// The stanzas that the client has provably read, and since when.
    private var proven: [(count: Int, at: Instant)] = []
    /// Whether the client does not keep to the rules.
    var isClientFaulty = false
    /// The conditions that the client may be told because of what was done.
    private(set) var explained: Set<String> = []
    /// Whether its server knows whose stream it is, and has read the end of it.
    var hasLoggedIn = false
    var hasSeenClose: Bool { closeSeenAt != nil }
    private var closeSeenAt: Instant?
    /// Whether its server was asked to compress and no stream has begun since: nothing can be sent to it meanwhile.
    var isAskedToCompress = false
    private(set) var end: End?
    private var endedAt: Instant?
    /// When the answer with the end came, or the client ended the session itself: what came before is read first.
    private var endCameAt: Instant?

    /// What a client is told whose login takes too long, over BOSH and over a WebSocket.
    private static let lateLogins = ["policy-violation", "connection-timeout"]

    enum End: Equatable {
        case terminated
        case told(String)
        /// The client no longer waits for an answer.
        case left
    }

    init(_ name: String, _ judge: Judge) {
        self.name = name
        self.judge = judge
    }

    func ends(_ end: End, at now: Instant) {
        guard self.end == nil else { return }
        self.end = end
        endedAt = now
    }

    func seesClose(at now: Instant) { closeSeenAt = closeSeenAt ?? now }

    func endCame(at now: Instant) { endCameAt = min(endCameAt ?? now, now) }

    // MARK: What is said of both ends

    func serverFails() { isServerFaulty = true }

    func explain(_ conditions: [String]) { explained.formUnion(conditions) }

    func isExplained(_ condition: String) -> Bool {
        explained.contains(condition) || mayBeLate || judge.isDisturbed
    }

    func copyExcuses(of other: Ledger) {
        explained = other.explained
        mayBeLate = other.mayBeLate
        noticesWithin = other.noticesWithin
        isClientFaulty = other.isClientFaulty
    }

    func mayMiss(until time: Instant) { missesUntil = time }

    // MARK: What arrives

    func serverReceived(_ number: Int) {
        if number != receivedUp {
            judge.fail("\(name): the server got message \(number) of the client instead of \(receivedUp)")
        }
        receivedUp = number + 1
        if number >= sentUp { judge.fail("\(name): the server got message \(number), which was not sent") }
    }

    func owesBroadcast(_ number: Int) { broadcasts.append(number) }

    func serverReceivedBroadcast(_ number: Int) {
        if broadcasts.first != number {
            judge.fail("\(name): the server got presence \(number), not \(broadcasts.first.map { "\($0)" } ?? "none")")
        } else {
            broadcasts.removeFirst()
        }
    }

    func serverSends(at now: Instant, isOversized: Bool = false) -> Int {
        sentDown.append(now)
        if isOversized { oversized.insert(sentDown.count - 1) }
        return sentDown.count - 1
    }

    func clientReceived(_ number: Int) {
        var next = receivedDown
        while next < number, sentDown.indices.contains(next), isExcused(next) { next += 1 }
        if number != next || oversized.contains(number) {
            judge.fail("\(name): the client got message \(number) of the server instead of \(receivedDown)")
        }
        receivedDown = number + 1
    }

    /// Whether the client does not have to get a message.
    private func isExcused(_ number: Int) -> Bool {
        oversized.contains(number) || missesUntil.map { sentDown[number] <= $0 } ?? false
    }

    /// The client says that it has read everything so far.
    func clientProves(at now: Instant) {
        if proven.last?.count != receivedDown { proven.append((receivedDown, now)) }
    }

    func serverGotBack(_ number: Int) {
        if number >= sentDown.count { judge.fail("\(name): message \(number) came back and was never sent") }
        if !returned.insert(number).inserted { judge.fail("\(name): message \(number) came back twice") }
    }

    // MARK: The end

    /// Whether its server counts the client's stanzas and keeps the rest: nothing is returned, and only a farewell
    /// closes the stream.
    var isManaged = false

    /// Judges the stream when everything about its session is over: what is missing now stays missing.
    ///
    /// - Parameter margin: stanzas sent within this time before the end may have crossed it.
    func settle(margin standard: Duration) {
        let margin = margin ?? standard
        guard let end, let endedAt else {
            judge.fail("\(name): the client waits for ever")
            return
        }
        // A client that resumes a stream logs in again.
        let mayBeExcused = !hasLoggedIn || isManaged || Self.lateLogins.contains { end == .told($0) }
        // A server that has accepted the login may have been cut off before it said so: then `login-timeout` ends the
        // session.
        let isExcused = mayBeExcused && judge.excusesLogin(endedAt: endedAt)
        if case .told(let condition) = end, !isExplained(condition), !isExcused {
            judge.fail("\(name): the client was told \(condition), which nothing explains")
        }
        if end == .terminated, !mayBeLate, !judge.isDisturbed, let serverGoneAt, serverGoneAt + noticesWithin < endedAt
        {
            judge.fail("\(name): its server was gone and it was never told")
        }
        guard !isServerFaulty, !judge.isDisturbed else { return }
        if end == .terminated && !isClientFaulty || allHasToArrive && hasLoggedIn {
            if receivedUp < sentUp, !(isManaged && hasFaulted) {
                judge.fail("\(name): the server got \(receivedUp) of \(sentUp) messages before the end")
            }
            if let first = broadcasts.first { judge.fail("\(name): the server did not get presence \(first)") }
        }
        if isManaged {
            if let number = returned.first { judge.fail("\(name): message \(number) came back from a managed stream") }
            if end == .terminated, !hasSeenClose, !hasFaulted {
                judge.fail("\(name): its stream was not closed")
            }
            return
        }
        judgeProof()
        for number in sentDown.indices where !returned.contains(number) {
            guard number >= receivedDown || oversized.contains(number) else { continue }
            // The worker waits for a client that has gone, so nothing can cross the end of its session.
            let isWaitedFor = end == .left && !endsAtOnce && !explained.contains("item-not-found")
            var endKnownAt = min(endedAt, endCameAt ?? endedAt)
            // The server has sent on until it was told, whenever its client was.
            if endsAtOnce, self.margin != nil, let closeSeenAt { endKnownAt = closeSeenAt }
            guard isWaitedFor || sentDown[number] + margin < endKnownAt else { break }
            if let missesUntil, sentDown[number] <= missesUntil, !oversized.contains(number) { continue }
            judge.fail("\(name): message \(number) of the server reached nobody and did not come back")
            return
        }
        if hasLoggedIn, !hasSeenClose, !isAskedToCompress { judge.fail("\(name): its stream was not closed") }
    }

    /// Checks that nothing came back whose receipt was proven long before the end.
    private func judgeProof() {
        guard let endedAt, !mayBeLate,
            let (count, _) = proven.last(where: { $0.at + .seconds(2) < endedAt }),
            let number = returned.filter({ $0 < count && !oversized.contains($0) }).min()
        else { return }
        judge.fail("\(name): message \(number) came back although the client had shown that it has it")
    }
}
