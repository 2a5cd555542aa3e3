/// What one session owes its two ends: each stanza once and in order, or returned, or its loss told.
final class Ledger {
    let number: Int
    var name: String { "client \(number)" }
    private unowned let judge: Judge
    /// Stanzas of the client, and how many of them the server has.
    var sentUp = 0
    private(set) var receivedUp = 0
    /// When the server sent each stanza.
    private(set) var sentDown: [Instant] = []
    private(set) var receivedDown = 0
    private var returned: Set<Int> = []
    /// Something was done to its server or to the way there, so that it may be lost.
    var isServerFaulty = false
    /// When its server ended the connection, in whatever way.
    var serverGoneAt: Instant?
    /// How long it may take until a client that does nothing else is told of that.
    var noticesWithin = Duration.seconds(30)
    /// Its line is so slow that it may come too late for everything.
    var mayBeLate = false
    /// The client does not keep to the rules, or is not there any more.
    var isClientFaulty = false
    /// Whether its server knows whose stream it is, and has read the end of it.
    var hasLoggedIn = false
    var hasSeenClose = false
    var end: End?
    var endedAt: Instant?

    enum End: Equatable {
        case terminated
        case told(String)
        /// The client does not wait for an answer any more.
        case left
    }

    init(_ number: Int, _ judge: Judge) {
        self.number = number
        self.judge = judge
    }

    func serverReceived(_ number: Int) {
        if number != receivedUp {
            judge.fail("\(name): the server got message \(number) of the client instead of \(receivedUp)")
        }
        receivedUp = number + 1
        if number >= sentUp { judge.fail("\(name): the server got message \(number), which was not sent") }
    }

    func serverSends(at now: Instant) -> Int {
        sentDown.append(now)
        return sentDown.count - 1
    }

    func clientReceived(_ number: Int) {
        if number != receivedDown {
            judge.fail("\(name): the client got message \(number) of the server instead of \(receivedDown)")
        }
        receivedDown = number + 1
    }

    func serverGotBack(_ number: Int) {
        if number >= sentDown.count { judge.fail("\(name): message \(number) came back and was never sent") }
        if !returned.insert(number).inserted { judge.fail("\(name): message \(number) came back twice") }
    }

    /// Everything about the session is over: what is missing now stays missing.
    ///
    /// - Parameter margin: what was sent so late may have crossed the end.
    func settle(margin: Duration) {
        guard let end, let endedAt else {
            judge.fail("\(name): the client waits for ever")
            return
        }
        let isExcused = !hasLoggedIn && judge.excusesLogin(endedAt: endedAt)
        if case .told(let condition) = end, !isServerFaulty, !isClientFaulty, !mayBeLate, !judge.isDisturbed, !isExcused
        {
            judge.fail("\(name): the client did nothing wrong and was told \(condition)")
        }
        if end == .terminated, !mayBeLate, !judge.isDisturbed, let serverGoneAt, serverGoneAt + noticesWithin < endedAt
        {
            judge.fail("\(name): its server was gone and it was never told")
        }
        guard !isServerFaulty, !judge.isDisturbed else { return }
        if end == .terminated, !isClientFaulty, receivedUp < sentUp {
            judge.fail("\(name): the server got \(receivedUp) of \(sentUp) messages before the end")
        }
        for number in receivedDown..<max(sentDown.count, receivedDown) where !returned.contains(number) {
            // A client that has gone is waited for, so nothing can cross the end of its session.
            guard end == .left || sentDown[number] + margin < endedAt else { break }
            judge.fail("\(name): message \(number) of the server reached nobody and did not come back")
            return
        }
        if hasLoggedIn, !hasSeenClose { judge.fail("\(name): its stream was not closed") }
    }
}
