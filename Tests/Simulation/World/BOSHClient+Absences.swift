/// A client that is away for a while: by a pause, a reload of its page, or the sleep of its machine.
extension BOSHClient {
    /// Announces a pause and is silent for a while.
    func pause() {
        // The pause may be one request more than `requests`.
        guard isActive, !isPausing, plan["ending"] == 0 ? open.count <= requests : hasRoom,
            streams.allSatisfy({ $0.stage == .active || $0.stage == .closed })
        else { return }
        isPausing = true
        // A client far away asks for no pause that ends before its answer can arrive.
        let farthest = plan["delay"] * max(plan["spread"], 1) * 4 / 1_000
        let length = max(otherChance.within(5...120), 5 + farthest)
        sendRequest(attributes: " pause='\(length)'", on: nil)
        kernel.after(otherChance.time(.milliseconds(100)...(.milliseconds(length * 800)))) { [self] in
            isPausing = false
            pump()
        }
    }

    /// Reloads the page: its connections end at once.
    func reload() {
        guard isActive, !isPausing, !isOffending else { return }
        if plan["reload"] == 1 {
            // Requests that are on their way may arrive after the answers to their copies and to the next ones.
            if plan["spread"] > 0 { explain(["item-not-found", "other-request"]) }
            // The page has kept its requests and sends them again.
            carrier.abortAll()
            return
        }
        // The page has kept only the rid. This works when all its requests have left and arrive before the next ones.
        guard plan["spread"] + plan["pipelines"] == 0, open.allSatisfy({ $0.copies == 1 && $0.isWhole }),
            streams.allSatisfy({ $0.stage == .active || $0.stage == .closed })
        else { return }
        carrier.abandonAll()
        for request in open { request.isAnswered = true }
        open = []
        early = [:]
        nextAnswer = rid + 1
        hasReloaded = true
        // A request may not even have been accepted, and the page that knew it is gone.
        if kernel.hasRefusedToAccept || world.mayLoseRequests { explain(["item-not-found"]) }
        if let polling { nextPoll = kernel.now + polling + .seconds(1) }
        let latest: Duration = carrier.passesAborts ? .seconds(5) : .seconds(wait + 5)
        for stream in streams { stream.ledger.mayMiss(until: kernel.now + latest) }
        isPausing = true
        kernel.after(otherChance.time(.milliseconds(plan["delay"] + 1)...(.milliseconds(plan["delay"] + 800)))) {
            [self] in
            isPausing = false
            pump()
        }
    }

    /// The client's machine sleeps for longer than the session lives.
    func sleep() {
        guard isActive, !isPausing, !isOffending, open.allSatisfy({ $0.copies == 1 && $0.isWhole }) else { return }
        explain(["item-not-found"])
        hasSlept = true
        // A proxy may keep the client's polls open and the session alive, but nobody reads what comes on them.
        for stream in streams { stream.ledger.mayMiss(until: kernel.now + .seconds(155)) }
        carrier.abandonAll()
        for request in open { request.isAnswered = true }
        open = []
        early = [:]
        nextAnswer = rid + 1
        isPausing = true
        kernel.after(otherChance.time(.seconds(70)...(.seconds(150)))) { [self] in
            isPausing = false
            if wantsToLeave { leave() } else { pump() }
        }
    }
}
