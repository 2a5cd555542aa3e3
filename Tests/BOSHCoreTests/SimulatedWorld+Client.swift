import BOSHCore
import Primitives

/// The steps of the client and the network.
extension SimulatedWorld {
    /// The client sends its next request, if it may.
    mutating func send(_ step: HistoryStep) {
        guard !hasTerminated else { return }
        var content = Content.plain
        switch step.first % 40 {
        case 0, 1: content = .pause
        case 2: content = .restart
        case 3: if step.second % 8 == 0 { content = .terminate }
        case 4...7: if streamsWanted < setting.streams, hasFeatures { content = .add }
        case 8, 9: if usable.count > 1 { content = .close }
        default: break
        }
        var stanzas = content == .pause || content == .add ? 0 : (step.second / 8) % 3
        // Payload without a name is for all streams; before the client knows all their names, that is not what it
        // means.
        var target: Int?
        let isUnaddressed = streams.count == 1 || step.second % 5 == 0
        if content == .close || streamsWanted > 1 && !(isUnaddressed && knowsAll) {
            if let stream = usable.isEmpty ? nil : usable[step.second % usable.count] {
                if content != .add, content != .pause, content != .terminate { target = stream }
            }
            if target == nil {
                stanzas = 0
                if content == .restart { content = .plain }
            }
        }
        if content == .plain, stanzas == 0, setting.isPolling {
            // A polling client waits for its answers and then for the interval.
            guard lowestOpen == requests.count, now.elapsed(since: lastAnswerReceived) >= .seconds(Self.polling) else {
                return
            }
        }
        issue(content, stanzas: stanzas, target: target)
    }

    /// The streams that the client can use, as far as it knows.
    private var usable: [Int] {
        streams.indices.filter { streams[$0].isKnown && !streams[$0].isDoneForClient }
    }

    /// Whether the client knows the names of all streams that it asked for.
    private var knowsAll: Bool { streams.count(where: \.isKnown) == streamsWanted }

    /// Sends a request with the next rid, if the window has room.
    mutating func issue(_ content: Content, stanzas: Int, target: Int? = nil) {
        let isExtra = content == .pause || content == .terminate || content == .close
        let ahead = requests.count - lowestOpen
        guard ahead < setting.requests + (isExtra ? 1 : 0), stanzasIssued + stanzas < 250 else { return }
        // The client has closed the connections of answered requests, so no copy of so old a rid is on its way.
        let oldest = requests.count - setting.requests + (isExtra ? 0 : 1)
        for index in underway.indices.reversed() where exchanges[underway[index]].request < oldest {
            exchanges[underway.remove(at: index)].place = .gone
        }
        let ack = setting.acknowledges && ahead > 0 ? lowestOpen - 1 : nil
        requests.append(
            Request(content: content, from: stanzasIssued, to: stanzasIssued + stanzas, target: target, ack: ack))
        stanzasIssued += stanzas
        if content == .terminate { hasTerminated = true }
        if content == .add { streamsWanted += 1 }
        if content == .close, let target { streams[target].isDoneForClient = true }
        put(requests.count - 1)
    }

    private mutating func put(_ request: Int) {
        underway.append(exchanges.count)
        exchanges.append(Exchange(request: request, arrival: now))
    }

    mutating func duplicate(_ exchange: Int) {
        // The copy comes over its own connection, which an intermediary made.
        put(exchanges[exchange].request)
        exchanges[exchanges.count - 1].isDead = exchanges[exchange].isDead
    }

    /// The client sends a request again; it may or may not have closed the older connection.
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
    mutating func deliverAnswer(at place: Int) {
        let exchange = answersUnderway.remove(at: place)
        exchanges[exchange].place = .gone
        guard !exchanges[exchange].isDead, !exchanges[exchange].isError else { return }
        requests[exchanges[exchange].request].isAnswered = true
        if requests[exchanges[exchange].request].answer?.usesStreamPrefix == true { hasFeatures = true }
        if let answer = requests[exchanges[exchange].request].answer, let name = answer.stream,
            let stream = index(ofStream: name)
        {
            streams[stream].isKnown = true
            if case .terminate = answer.kind { streams[stream].isDoneForClient = true }
        }
        lastAnswerReceived = now
        while lowestOpen < requests.count, requests[lowestOpen].isAnswered { lowestOpen += 1 }
    }

    /// A new page goes on with the next rid. Possible only when nothing that the old page sent was lost.
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

    /// Lets everything settle: no more losses; the client repeats what it must and polls until it has everything.
    mutating func settleAll() {
        for _ in 0..<60 where !isOver {
            for stream in streams.indices where !isOver {
                sendFeatures(stream)
                if streams[stream].congestion != .none { setCongestion(.none, on: stream) }
            }
            while !underway.isEmpty, !isOver { arrive(at: 0) }
            while !answersUnderway.isEmpty { deliverAnswer(at: 0) }
            if isOver { return }
            for request in lowestOpen..<requests.count where !requests[request].isAnswered && !hasLiveCopy(request) {
                repeatRequest(request, givesUpOlder: true)
            }
            guard underway.isEmpty else { continue }
            let hasEverything = !streams.contains { stream in
                stream.hasSomethingToSay || stream.isRestarting || (stream.isOpening && !stream.isEnded)
                    || (!stream.isEnded && stream.forwarded < stream.owed.count)
            }
            if hasEverything, processed == requests.count - 1, !hasTerminated { return }
            if setting.isPolling { pass(.seconds(Self.polling)) }
            issue(.plain, stanzas: 0)
        }
        if !isOver { fail("client and session do not come to rest") }
    }

    /// Checks what must be true when nothing is on its way any more.
    mutating func checkRest() {
        guard !isOver else { return }
        for (index, request) in requests.enumerated() where !request.isAnswered {
            guard waiting.contains(where: { exchanges[$0].request == index && !exchanges[$0].isDead }) else {
                return fail("request \(index) has no answer and waits for none")
            }
        }
        // Silence: everything that waits is answered, then the session ends.
        pass(.seconds(setting.wait + allowedSilence + 1))
        if end == nil { fail("the silent session did not end") }
        if !waiting.isEmpty { fail("requests without an answer: \(waiting)") }
    }
}
