import BOSHCore

/// What the client and the network do.
extension SimulatedWorld {
    /// The client sends its next request, if it may.
    mutating func send(_ step: HistoryStep) {
        guard !hasTerminated else { return }
        var content = Content.plain
        switch step.first % 40 {
        case 0, 1: content = .pause
        case 2: content = .restart
        case 3: if step.second % 8 == 0 { content = .terminate }
        default: break
        }
        let stanzas = content == .pause ? 0 : (step.second / 8) % 3
        if content == .plain, stanzas == 0, setting.isPolling {
            // A polling client waits for its answers and then for the interval.
            guard lowestOpen == requests.count, now.elapsed(since: lastAnswerReceived) >= .seconds(Self.polling) else {
                return
            }
        }
        issue(content, stanzas: stanzas)
    }

    /// Sends a request with the next rid, if the window has room.
    mutating func issue(_ content: Content, stanzas: Int) {
        let isExtra = content == .pause || content == .terminate
        let ahead = requests.count - lowestOpen
        guard ahead < setting.requests + (isExtra ? 1 : 0), stanzasIssued + stanzas < 250 else { return }
        // The client has closed the connections of what it has the answers to: of so old a rid no copy is on the way.
        let oldest = requests.count - setting.requests + (isExtra ? 0 : 1)
        for index in underway.indices.reversed() where exchanges[underway[index]].request < oldest {
            exchanges[underway.remove(at: index)].place = .gone
        }
        requests.append(Request(content: content, from: stanzasIssued, to: stanzasIssued + stanzas))
        stanzasIssued += stanzas
        if content == .terminate { hasTerminated = true }
        put(requests.count - 1)
    }

    private mutating func put(_ request: Int) {
        underway.append(exchanges.count)
        exchanges.append(Exchange(request: request, arrival: now))
    }

    mutating func duplicate(_ exchange: Int) {
        // The copy comes over a connection of its own, which an intermediary made.
        put(exchanges[exchange].request)
        exchanges[exchanges.count - 1].isDead = exchanges[exchange].isDead
    }

    /// The client sends a request again; it may have closed the older connection or not.
    mutating func repeatRequest(_ request: Int, givesUpOlder: Bool) {
        if givesUpOlder { giveUpExchanges(from: request, to: request) }
        put(request)
    }

    private mutating func giveUpExchanges(from first: Int, to last: Int) {
        for index in exchanges.indices where exchanges[index].request >= first && exchanges[index].request <= last {
            exchanges[index].isDead = true
        }
        answersUnderway.removeAll { exchanges[$0].isDead }
    }

    /// An answer reaches the client, unless its connection is gone.
    mutating func deliverAnswer(at index: Int) {
        let exchange = answersUnderway.remove(at: index)
        exchanges[exchange].place = .gone
        guard !exchanges[exchange].isDead, !exchanges[exchange].isError else { return }
        requests[exchanges[exchange].request].isAnswered = true
        lastAnswerReceived = now
        while lowestOpen < requests.count, requests[lowestOpen].isAnswered { lowestOpen += 1 }
    }

    /// A new page goes on with the next rid; possible only when nothing that the old one sent was lost.
    mutating func reload(isNoticed: Bool, dropsCopies: Bool) {
        guard !hasTerminated, processed == requests.count - 1 else { return }
        giveUpExchanges(from: 0, to: requests.count - 1)
        for index in requests.indices where !requests[index].isAnswered {
            requests[index].isAnswered = true
            requests[index].isGivenUp = true
        }
        lowestOpen = requests.count
        lastAnswerReceived = now
        if dropsCopies {
            for exchange in underway { exchanges[exchange].place = .gone }
            underway.removeAll(keepingCapacity: true)
        }
        guard isNoticed else { return }
        while let exchange = waiting.last, !isOver { notice(exchange) }
    }

    /// Whether a copy of the request is on its way, waits, or has an answer on its way to a client that still listens.
    private func hasLiveCopy(_ request: Int) -> Bool {
        exchanges.contains { exchange in
            exchange.request == request && !exchange.isDead && exchange.place != .gone
                && !(exchange.place == .answered && exchange.isError)
        }
    }

    /// Everything settles: no more losses, the client repeats what it must and polls until it has everything.
    mutating func settleAll() {
        for _ in 0..<60 where !isOver {
            if isRestarting { sendFeatures() }
            if isCongested { setCongested(false) }
            while !underway.isEmpty, !isOver { arrive(at: 0) }
            while !answersUnderway.isEmpty { deliverAnswer(at: 0) }
            if isOver { return }
            for request in lowestOpen..<requests.count where !requests[request].isAnswered && !hasLiveCopy(request) {
                repeatRequest(request, givesUpOlder: true)
            }
            guard underway.isEmpty else { continue }
            let hasEverything = stanzasSpent == stanzasSent && featuresOwed == 0
            if hasEverything, stanzasForwarded == stanzasIssued, !isRestarting, !hasTerminated { return }
            if setting.isPolling { pass(.seconds(Self.polling)) }
            issue(.plain, stanzas: 0)
        }
        if !isOver { fail("client and session do not come to rest") }
    }

    /// What must be true when nothing is on its way any more.
    mutating func checkRest() {
        guard !isOver else { return }
        for (index, request) in requests.enumerated() where !request.isAnswered {
            guard waiting.contains(where: { exchanges[$0].request == index && !exchanges[$0].isDead }) else {
                return fail("request \(index) has no answer and waits for none")
            }
        }
        // Silence: everything that waits is answered, then the session ends.
        pass(.seconds(setting.wait + allowedSilence + 1))
        if end != (isLost ? .upstreamLost : .inactive) {
            fail("the silent session ended as \(end?.rawValue ?? "never")")
        }
        if !waiting.isEmpty { fail("requests without an answer: \(waiting)") }
    }
}
