import BOSHCore

/// What reaches the session, and what must come of it.
extension SimulatedWorld {
    /// A request on its way reaches the session.
    mutating func arrive(at index: Int) {
        let exchange = underway.remove(at: index)
        let number = exchanges[exchange].request
        exchanges[exchange].place = .waiting
        exchanges[exchange].hasArrived = true
        exchanges[exchange].arrival = now
        waiting.append(exchange)
        let request = requests[number]
        var attributes = BodyAttributes()
        attributes.rid = .value(setting.firstRid + UInt64(number))
        var payload: [UInt8] = []
        if request.to > request.from {
            payload.reserveCapacity(request.to - request.from)
            for stanza in request.from..<request.to { payload.append(UInt8(stanza)) }
        }
        switch request.content {
        case .pause: attributes.pause = .value(UInt64(Self.pauseLength))
        case .restart: attributes.isRestart = true
        case .terminate: attributes.type = .terminate
        case .creation, .plain: break
        }
        if script != nil { tellArrival(exchange, request) }
        requests[number].hasArrived = true
        // Whatever the client sends behind a pause ends it.
        if number > processed { patience = Self.inactivity }
        let id = ExchangeID(connection: UInt64(exchange), number: 0)
        session.handle(.request(id, attributes, payload: payload), now: now, policy: policy, into: &effects)
        settle(hadArrival: true)
    }

    /// The session learns that a connection is dead.
    mutating func notice(_ exchange: Int) {
        exchanges[exchange].isDead = true
        exchanges[exchange].isKnownDead = true
        script?.append("A: x\(exchange)")
        feed(.requestAborted(ExchangeID(connection: UInt64(exchange), number: 0)))
    }

    mutating func sendStanzas(_ count: Int) {
        guard !isLost, stanzasSent + count < 250 else { return }
        let bytes = (stanzasSent..<stanzasSent + count).map { UInt8($0) }
        stanzasSent += count
        script?.append("U: " + Self.elements(bytes, "n"))
        feed(.stanzas(bytes, enablesResumption: false))
    }

    mutating func sendFeatures() {
        guard isRestarting else { return }
        isRestarting = false
        sawRestart = false
        featuresOwed += 1
        script?.append("U: features <f/>")
        feed(.streamRestarted(features: [Self.features]))
    }

    mutating func loseUpstream() {
        guard !isLost else { return }
        isLost = true
        isRestarting = false
        sawRestart = false
        script?.append("U: end upstream-lost")
        feed(.streamEnded(.upstreamLost, streamError: []))
    }

    mutating func setCongested(_ congested: Bool) {
        isCongested = congested
        script?.append(congested ? "U: stall" : "U: flow")
        feed(.upstreamCongested(congested))
    }

    /// Time passes, by little, by much, or to just before, at or after the next deadline.
    mutating func jump(_ step: HistoryStep) {
        let milliseconds = Duration.milliseconds(step.second % 4000)
        switch step.first % 8 {
        case 0:
            // To the end of the session's patience only now and then, or most histories would be short.
            if waiting.isEmpty, step.second % 8 != 0 { return }
            if let next = session.nextDeadline { pass(next.elapsed(since: now)) }
        case 1:
            if let next = session.nextDeadline { pass(max(next.elapsed(since: now) - .milliseconds(1), .zero)) }
        case 2: pass(milliseconds * 5)
        default: pass(milliseconds)
        }
    }

    mutating func pass(_ duration: Duration) {
        let target = now.advanced(by: duration)
        if script != nil {
            let (seconds, attoseconds) = duration.components
            let fraction = String(1000 + attoseconds / 1_000_000_000_000_000).dropFirst()
            script?.append("T: +\(seconds).\(fraction)")
        }
        while let next = session.nextDeadline, next <= target, !isOver {
            if next < now { fail("a deadline lies in the past") }
            now = max(now, next)
            feed(.deadlineReached)
            if let after = session.nextDeadline, after <= next { fail("the deadline does not move") }
        }
        now = target
        checkTime()
    }

    mutating func feed(_ input: consuming SessionInput) {
        session.handle(input, now: now, policy: policy, into: &effects)
        settle(hadArrival: false)
    }

    /// Compares what came of an input with what must come of it.
    mutating func settle(hadArrival: Bool) {
        let wasBusy = hadArrival || !waiting.isEmpty
        advanceModel()
        for index in effects.indices where failure == nil { take(effects[index]) }
        if script != nil { tellEffects() }
        effects.removeAll(keepingCapacity: true)
        if waiting.isEmpty {
            if wasBusy, end == nil { idleSince = now }
        } else {
            idleSince = nil
        }
        if failure == nil { checkState() }
    }

    /// Takes the requests whose turn has come, in rid order.
    private mutating func advanceModel() {
        let received = requests[processed...].prefix { $0.hasArrived }.endIndex - 1
        while processed + 1 < requests.count, requests[processed + 1].hasArrived {
            processed += 1
            patience = requests[processed].content == .pause ? Self.pauseLength : Self.inactivity
            if requests[processed].content == .restart, !isRestarting, !isLost { isRestarting = true }
            // Nobody waits for its answer: it is an empty one.
            let number = processed
            if requests[number].answer == nil, !waiting.contains(where: { exchanges[$0].request == number }) {
                requests[number].answer = acknowledging(.empty, received: received, number)
            }
        }
    }

    /// The response with what it must say about the requests that have come (`A-01`, `A-02`).
    private func acknowledging(_ response: BodyResponse, received: Int, _ number: Int) -> BodyResponse {
        var response = response
        response.ack = received == number ? nil : RequestID(setting.firstRid + UInt64(received))
        return response
    }

    private mutating func take(_ effect: SessionEffect) {
        switch effect {
        case .respond(let id, let response): answer(Int(id.connection), response)
        case .openStream: break
        case .returnUnfetched: break
        case .forward(let bytes, on: _):
            for byte in bytes {
                if Int(byte) != stanzasForwarded { fail("forwarded \(byte) instead of \(stanzasForwarded)") }
                stanzasForwarded += 1
            }
            if stanzasForwarded > requests[processed].to { fail("forwarded before its turn") }
        case .restartStream:
            if sawRestart { fail("restarted twice") }
            sawRestart = true
        case .leaveStream(let farewell, on: _):
            if isLost { fail("left a stream that is gone") }
            if farewell != .close { fail("dropped the stream") }
        case .pauseReading, .resumeReading: fail("back-pressure without a reason")
        case .ended(let reason):
            end = reason
            switch reason {
            case .inactive:
                if idleSince?.advanced(by: .seconds(allowedSilence)) != now {
                    fail("ended by inactivity at the wrong time")
                }
            case .upstreamLost where isLost:
                if wasTold {
                    if stanzasSpent != stanzasSent || featuresOwed > 0 { fail("the end was told before what waited") }
                } else if idleSince?.advanced(by: .seconds(allowedSilence)) != now {
                    fail("forgot to tell the client, or did not wait for it")
                }
            case .terminated:
                if requests[processed].content != .terminate { fail("terminated without being asked") }
            default: fail("ended as \(reason.rawValue)")
            }
        }
    }

    /// How long the client may be silent, in seconds.
    var allowedSilence: Int {
        if patience == Self.pauseLength { return patience }
        return Self.inactivity + (setting.isPolling ? 2 * Self.polling : 0)
    }

    private mutating func answer(_ exchange: Int, _ response: BodyResponse) {
        guard let place = waiting.firstIndex(of: exchange) else { return fail("x\(exchange) was answered twice") }
        waiting.remove(at: place)
        let number = exchanges[exchange].request
        exchanges[exchange].place = .answered
        answersUnderway.append(exchange)
        switch response.kind {
        case .error:
            exchanges[exchange].isError = true
            // To an early request, or to one that a newer copy has taken the place of.
            let isReplaced = waiting.contains { exchanges[$0].request == number }
            if number <= processed, !isReplaced { fail("request \(number) got an error instead of its answer") }
            if !response.payload.isEmpty { fail("payload in an error") }
            return
        case .terminate(.remoteConnectionFailed) where isLost:
            wasTold = true
            return spend(response, on: exchange)
        case .terminate(let condition):
            if condition != nil || requests[processed].content != .terminate {
                return fail("request \(number) was refused: \(condition?.rawValue ?? "no condition")")
            }
            if wasTold { fail("more than one request was told the end") }
            wasTold = true
        case .plain, .creation: break
        }
        if let first = requests[number].answer {
            if first != response { fail("request \(number) was answered differently before") }
            return
        }
        if number > processed { return fail("request \(number) was answered before its turn") }
        requests[number].answer = response
        if !exchanges[exchange].isKnownDead {
            if number < lastRidAnswered { fail("request \(number) was answered after \(lastRidAnswered)") }
            lastRidAnswered = number
        }
        spend(response, on: exchange)
    }

    /// The payload of an answer that is given for the first time.
    private mutating func spend(_ response: BodyResponse, on exchange: Int) {
        if response.payload.isEmpty { return }
        if exchanges[exchange].isKnownDead { fail("payload was spent on a dead connection") }
        if requests[exchanges[exchange].request].content == .pause { fail("payload in the answer to a pause") }
        if response.usesStreamPrefix {
            featuresOwed -= 1
            if response.payload != [Self.features] { fail("features do not stand alone") }
            return
        }
        for byte in response.payload {
            if Int(byte) != stanzasSpent { fail("the client gets \(byte) instead of \(stanzasSpent)") }
            stanzasSpent += 1
        }
    }

    /// What holds after every input.
    private mutating func checkState() {
        if end != nil {
            if !waiting.isEmpty { fail("the session ended and left requests without an answer") }
            if end == .terminated, !isRestarting, !isLost, stanzasForwarded != requests[processed].to {
                fail("stanzas were lost at the end")
            }
            return
        }
        if isRestarting != sawRestart { fail("a restart was \(sawRestart ? "made up" : "lost")") }
        if !isRestarting, !isLost, stanzasForwarded != requests[processed].to {
            fail("stanzas wait for an open stream")
        }
        if requests[processed].content == .terminate { fail("terminate did not end the session") }
        let held = waiting.count { exchanges[$0].request <= processed }
        if held != session.heldCount { fail("\(session.heldCount) requests are held instead of \(held)") }
        var limit = isCongested ? setting.requests : setting.hold
        if setting.isPolling { limit = session.isCreating && setting.wait > 0 ? 1 : 0 }
        if held > limit { fail("\(held) requests are held") }
        // Whoever waits before a gap is released, or the gap may never close (R-04).
        let arrived = waiting.reduce(processed) { max($0, exchanges[$1].request) }
        let oldest = waiting.reduce(arrived) { min($0, exchanges[$1].request) }
        if held > 0, !session.isCreating, arrived - oldest + 1 > limit {
            fail("request \(oldest) is held while \(arrived) waits")
        }
        if held > 0, !session.isCreating, stanzasSpent < stanzasSent || featuresOwed > 0 {
            fail("payload waits while a request is held")
        }
    }

    private mutating func checkTime() {
        guard !isOver else { return }
        for exchange in waiting
        where exchanges[exchange].arrival.advanced(by: .seconds(setting.wait)) <= now {
            fail("x\(exchange) waits for longer than wait")
        }
        if let idleSince, idleSince.advanced(by: .seconds(allowedSilence)) <= now {
            fail("silence did not end the session")
        }
    }
}
