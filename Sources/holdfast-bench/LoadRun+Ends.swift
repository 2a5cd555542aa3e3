import Reactor

/// What follows when a worker dies: requests are sent again, and sessions are replaced.
extension LoadRun {
    /// The clients whose session has ended and that log in again, a limited number at a time.
    struct Renewals {
        fileprivate var waiting: [Int] = []
        fileprivate var running = 0

        /// Whether every client has a session again.
        var isDone: Bool { waiting.isEmpty && running == 0 }

        /// Notes that a client has logged in again, or cannot.
        mutating func finish(_ session: LoadSession) {
            session.isRenewing = false
            running -= 1
        }
    }

    /// To whom a session sends its messages.
    func receiver(of number: Int) -> Int {
        plan.receiver == .own ? number : (number + 1) % sessions.count
    }

    /// The sessions whose messages this one sends or receives.
    private func correspondents(of number: Int) -> [Int] {
        let sender = plan.receiver == .own ? number : (number + sessions.count - 1) % sessions.count
        return sender == number ? [number] : [sender, number]
    }

    // MARK: requests that failed

    /// Sends the request on this connection again after a pause.
    func sendAgainLater(_ number: Int, _ place: Int) {
        let session = sessions[number]
        session.failures[place] += 1
        report.ends.noteFailures(inTurn: session.failures[place])
        guard session.failures[place] <= Self.mostFailures else { return fail(number, "requests keep failing") }
        let entry = RepeatQueue.Entry(number: number, place: place, life: session.life)
        repeats.append(entry, now: MonotonicClock.now.nanoseconds)
    }

    /// Sends again what has waited long enough.
    func sendAgain() {
        while let entry = repeats.next(now: MonotonicClock.now.nanoseconds) {
            let session = sessions[entry.number]
            guard session.life == entry.life, let request = session.client.repeatedRequest(on: entry.place) else {
                continue
            }
            write(request, entry.number, entry.place)
        }
    }

    // MARK: sessions that ended

    /// Gives a client whose session has ended another one, and closes the books of the ended one.
    func replace(_ number: Int) {
        report.ends.noteEnd()
        note(.end)
        for sender in correspondents(of: number) { closeBooks(of: sender) }
        let session = sessions[number]
        session.links = [nil, nil]
        session.life += 1
        session.failures = [0, 0]
        session.client = session.client.successor(firstRID: Self.randomRID)
        if session.isRenewing { renewals.finish(session) }
        renewals.waiting.append(number)
    }

    /// Begins a new ledger for a sender, because it or its receiver has ended. This explains that the last messages did
    /// not come, but neither a gap nor a double.
    private func closeBooks(of sender: Int) {
        let session = sessions[sender]
        inFlight -= session.ledger.lost
        sessions[receiver(of: sender)].inbound -= session.ledger.lost
        report.ends.add(session.ledger)
        report.lost += session.ledger.overtaken
        report.doubled += session.ledger.doubled
        report.outOfOrder += session.ledger.outOfOrder
        session.ledger = session.ledger.successor
    }

    /// Lets clients log in again, as many at a time as at the start.
    func renew() {
        while renewals.running < plan.loginsAtOnce, let number = renewals.waiting.popLast() {
            renewals.running += 1
            sessions[number].isRenewing = true
            sessions[number].client.start()
            push(number)
        }
    }

    /// Lets messages flow again to and from a client that has logged in again.
    func finishRenewal(_ number: Int) {
        renewals.finish(sessions[number])
        guard plan.mode == .closed, stage == .messages else { return }
        for sender in correspondents(of: number) { sendMessage(from: sender, due: MonotonicClock.now.nanoseconds) }
    }

    /// How often in turn a request may fail: with the pauses, some ten seconds.
    private static let mostFailures = 100
}
