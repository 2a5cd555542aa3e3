import BOSHCore
import Bridge
import Primitives

/// What reaches the session, and what must follow.
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
        let attributes = attributes(of: number)
        var payload: [UInt8] = []
        if request.to > request.from {
            payload.reserveCapacity(request.to - request.from)
            for stanza in request.from..<request.to { payload.append(UInt8(stanza)) }
        }
        if script != nil { tellArrival(exchange, request) }
        if !requests[number].hasArrived { noteProven(by: number) }
        requests[number].hasArrived = true
        // Anything that the client sends after a pause ends the pause.
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

    mutating func sendStanzas(_ count: Int, on stream: Int) {
        let state = streams[stream]
        guard !state.isEnded, !state.isOpening, state.sent + count < 250 else { return }
        let bytes = (state.sent..<state.sent + count).map { UInt8($0) }
        let enables = setting.streams > 1 && state.sent > 0 && state.sent % 16 == 0
        if enables {
            streams[stream].isResumable = true
            feed(.upstream(.managed(isResumable: true), on: StreamNumber(UInt16(stream))))
        }
        streams[stream].sent += count
        tell((enables ? "resumable " : "") + Self.elements(bytes, "n"), on: stream)
        feed(.upstream(.stanzas(bytes), on: StreamNumber(UInt16(stream))))
    }

    /// Sends the features that a stream owes, if any.
    mutating func sendFeatures(_ stream: Int) {
        let number = StreamNumber(UInt16(stream))
        guard !streams[stream].isEnded else { return }
        if streams[stream].isOpening {
            streams[stream].isOpening = false
            streams[stream].featuresOwed += 1
            tell("open id=s <f/>", on: stream)
            feed(.upstream(.opened(StreamIdentity(id: "s", version: nil), features: [Self.features]), on: number))
        } else if streams[stream].isRestarting {
            streams[stream].isRestarting = false
            streams[stream].sawRestart = false
            streams[stream].featuresOwed += 1
            tell("features <f/>", on: stream)
            feed(.upstream(.restarted(features: [Self.features]), on: number))
        }
    }

    mutating func loseUpstream(_ stream: Int) {
        guard !streams[stream].isEnded else { return }
        streams[stream].isLost = true
        streams[stream].isRestarting = false
        streams[stream].sawRestart = false
        streams[stream].congestion = .none
        tell("end upstream-lost", on: stream)
        feed(.upstream(.ended(.upstreamLost, streamError: []), on: StreamNumber(UInt16(stream))))
    }

    mutating func setCongestion(_ congestion: Congestion, on stream: Int) {
        guard !streams[stream].isEnded else { return }
        streams[stream].congestion = congestion
        switch congestion {
        case .none: tell("flow", on: stream)
        case .slow: tell("stall", on: stream)
        case .full: tell("full", on: stream)
        case .overfull: tell("overfull", on: stream)
        }
        feed(.upstream(.congested(congestion), on: StreamNumber(UInt16(stream))))
    }

    /// Moves the clock a little, far, or to just before, at or after the next deadline.
    mutating func jump(_ step: HistoryStep) {
        let milliseconds = Duration.milliseconds(step.second % 4000)
        switch step.first % 8 {
        case 0:
            // The end of the session's patience is reached only now and then, or most histories would be short.
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

    /// Compares the effects of an input with the expected ones.
    mutating func settle(hadArrival: Bool) {
        let wasBusy = hadArrival || !waiting.isEmpty
        keptBefore = kept
        streamsBefore = streams.count
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

    /// Processes the requests whose turn has come, in rid order.
    private mutating func advanceModel() {
        let received = requests[processed...].prefix { $0.hasArrived }.endIndex - 1
        let hasEnded = effects.contains { if case .ended = $0 { true } else { false } }
        while processed + 1 < requests.count, requests[processed + 1].hasArrived, !hasClosedLast,
            !waitsForServer(processed + 1)
        {
            processed += 1
            // What is only forwarded at the session's end changes nothing else.
            if !hasEnded { advancePatience(by: requests[processed].content) }
            advanceStreams(by: requests[processed])
            // Nobody waits for its answer, which is empty.
            let number = processed
            if requests[number].answer == nil, !waiting.contains(where: { exchanges[$0].request == number }) {
                requests[number].answer = acknowledging(.empty, received: received, number)
                requests[number].sentAt = now
                keep(number)
            }
        }
    }

    /// A pause begins, or a request that had to wait for its turn ends one: the silence so far was granted.
    private mutating func advancePatience(by content: Content) {
        let next = content == .pause ? Self.pauseLength : Self.inactivity
        if next < patience, idleSince != nil { idleSince = now }
        patience = next
    }

    /// Whether the next request waits for a server that is too far behind (`B-03`). It may be processed nevertheless so
    /// that the client can be told something, and it is processed at the session's end.
    private mutating func waitsForServer(_ number: Int) -> Bool {
        let request = requests[number]
        guard request.to > request.from, request.content != .restart else { return false }
        var congestion = Congestion.none
        for index in streams.indices where request.target ?? index == index && !streams[index].isEnded {
            // Here a stream that is not open has room for everything.
            guard !streams[index].isOpening, !streams[index].isRestarting else { continue }
            congestion = max(congestion, streams[index].congestion)
        }
        guard congestion >= .full else { return false }
        let arrived = requests[number...].prefix { $0.hasArrived }
        if arrived.contains(where: { $0.content == .terminate || $0.content == .close }) { return false }
        let stanza = UInt8(request.from)
        var isTaken = false
        var isTold = false
        for effect in effects {
            switch effect {
            case .upstream(.forward(let bytes), on: _): isTaken = isTaken || bytes.contains(stanza)
            case .respond(_, let response): isTold = isTold || !response.isTrivial
            case .ended: return !isTaken
            default: break
            }
        }
        if isTaken, congestion == .overfull { fail("took what an overfull server cannot take") }
        if isTaken, !isTold { fail("took what a full server cannot take, to tell nothing") }
        return !isTaken
    }

    /// The response with what it must say about the requests that have come (`A-01`, `A-02`).
    private func acknowledging(_ response: BodyResponse, received: Int, _ number: Int) -> BodyResponse {
        var response = response
        response.ack = received == number ? nil : RequestID(setting.firstRid + UInt64(received))
        return response
    }

    /// Applies a request to the streams.
    private mutating func advanceStreams(by request: Request) {
        for index in streams.indices where request.target ?? index == index && !streams[index].isEnded {
            for stanza in request.from..<request.to { streams[index].owed.append(UInt8(stanza)) }
            if request.content == .restart, !streams[index].isOpening { streams[index].isRestarting = true }
        }
        if request.content == .add {
            streams.append(Stream(rid: setting.firstRid + UInt64(processed)))
        }
        if request.content == .close, let target = request.target {
            guard streams.indices.contains(where: { $0 != target && !streams[$0].isEnded }) else {
                hasClosedLast = true
                return
            }
            if !streams[target].isLost { streams[target].isClosed = true }
            streams[target].isRestarting = false
            streams[target].congestion = .none
        }
    }

    private mutating func take(_ effect: SessionEffect) {
        switch effect {
        case .respond(let id, let response), .respondAgain(let id, let response): answer(Int(id.connection), response)
        case .upstream(.open(let request), on: let number):
            guard number != .first else { return }
            let index = Int(number.value)
            guard index < streams.count, !streams[index].wasOpened, request.domain == "example.org" else {
                return fail("opened a stream that nobody asked for")
            }
            streams[index].wasOpened = true
        case .upstream(.forward(let bytes), on: let number):
            let index = Int(number.value)
            for byte in bytes {
                let forwarded = streams[index].forwarded
                guard forwarded < streams[index].owed.count, streams[index].owed[forwarded] == byte else {
                    return fail("forwarded \(byte) out of its turn")
                }
                streams[index].forwarded += 1
            }
        case .upstream(.restart, on: let number):
            if streams[Int(number.value)].sawRestart { fail("restarted twice") }
            streams[Int(number.value)].sawRestart = true
        case .upstream(.returnUnfetched(let bytes), on: let number):
            if streams[Int(number.value)].returned != nil { fail("returned twice") }
            if bytes.isEmpty { fail("returned nothing") }
            streams[Int(number.value)].returned = bytes
        case .upstream(.leave(let farewell), on: let number):
            let index = Int(number.value)
            if streams[index].isLost || streams[index].isLeft { fail("left a stream that is gone") }
            streams[index].isLeft = true
            checkReturned(of: index)
            if farewell == .drop, !streams[index].isResumable { fail("dropped the stream") }
            streams[index].isDropped = farewell == .drop
        case .upstream(.pauseReading, on: _), .upstream(.resumeReading, on: _): fail("back-pressure without a reason")
        case .turnAway: fail("turned a request away that keeps to the rules")
        case .ended(let reason): takeEnd(reason)
        }
    }

    private mutating func takeEnd(_ reason: EndReason) {
        end = reason
        for stream in streams where stream.isLeft && stream.isResumable {
            // The client's own farewell to a stream, or to all of them, is passed on.
            let isKept = reason == .inactive && !stream.isClosed
            if stream.isDropped != isKept { fail("left a stream that can be resumed in the wrong way") }
        }
        for stream in streams where stream.wasOpened && stream.isLost == stream.isLeft && !stream.isClosed {
            fail("forgot to leave a stream")
        }
        let isSilent = idleSince?.advanced(by: .seconds(allowedSilence)) == now
        switch reason {
        case .inactive: if !isSilent { fail("ended by inactivity at the wrong time") }
        case .upstreamLost where isEverythingGone:
            let isComplete = !streams.contains { $0.isLost && ($0.spent < $0.sent || $0.featuresOwed > 0) }
            if wasTold, !isComplete { fail("the end was told before what waited") }
            if !wasTold, !isSilent { fail("forgot to tell the client, or did not wait for it") }
        case .terminated:
            let wasAsked = requests[processed].content == .terminate || hasClosedLast
            if !wasAsked, !isEverythingGone || !(wasTold || isSilent) { fail("terminated without being asked") }
        default: fail("ended as \(reason.rawValue)")
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
            // The answer is for an early request, or for one that a newer copy has replaced.
            let isReplaced = waiting.contains { exchanges[$0].request == number }
            if number <= processed, !isReplaced { fail("request \(number) got an error instead of its answer") }
            if !response.payload.isEmpty { fail("payload in an error") }
            return
        case .terminate(let condition) where response.stream != nil:
            guard let stream = response.stream.flatMap({ index(ofStream: $0) }) else { return fail("no such stream") }
            if requests[number].answer == nil {
                // The last words of the last stream may come with the answer to the client's own farewell, which has no
                // condition.
                let hasEnded = effects.contains { if case .ended = $0 { true } else { false } }
                let isFarewell = condition == nil && hasEnded && requests[processed].content == .terminate
                let isLost = streams[stream].isLost
                guard streams[stream].isEnded, isFarewell || (condition == .remoteConnectionFailed) == isLost else {
                    return fail("told the end of a stream that lives")
                }
                streams[stream].isToldEnd = true
            }
        case .terminate(.remoteConnectionFailed) where isEverythingGone:
            wasTold = true
            return spend(response, on: exchange)
        case .terminate(let condition):
            let wasAsked = requests[processed].content == .terminate || hasClosedLast
            if condition != nil || !(wasAsked || isEverythingGone) {
                return fail("request \(number) was refused: \(condition?.rawValue ?? "no condition")")
            }
            if wasTold { fail("more than one request was told the end") }
            wasTold = true
        case .plain, .creation: break
        }
        requests[number].sentAt = now
        if let first = requests[number].answer {
            if first != response { fail("request \(number) was answered differently before") }
            return
        }
        if number > processed {
            // A client that does not know that its other streams are lost ends the session with the stream that it
            // closes.
            if !hasClosedLast { fail("request \(number) was answered before its turn") }
            return
        }
        checkReport(response, on: exchange)
        requests[number].answer = response
        // Nobody can ask again for what is said as the session ends.
        if !wasTold { keep(number) }
        if !exchanges[exchange].isKnownDead {
            if number < lastRidAnswered { fail("request \(number) was answered after \(lastRidAnswered)") }
            lastRidAnswered = number
        }
        spend(response, on: exchange)
    }

    /// Checks a report: its response was sent a second ago or more, and the client may miss it (`A-04`).
    private mutating func checkReport(_ response: BodyResponse, on exchange: Int) {
        guard let report = response.report else { return }
        let missing = Int(report.rid.value - setting.firstRid)
        guard setting.acknowledges, let sentAt = requests[missing].sentAt else { return fail("a report of nothing") }
        let age = now.elapsed(since: sentAt)
        if report.age < .seconds(1) || age - report.age > .milliseconds(1) || report.age - age > .milliseconds(1) {
            fail("a report of \(report.age) instead of \(age)")
        }
    }

    /// Checks the payload of an answer that is given for the first time.
    private mutating func spend(_ response: BodyResponse, on exchange: Int) {
        if response.payload.isEmpty {
            if response.stream != nil, response.opening == nil, response.kind == .plain, response.report == nil {
                fail("an empty answer with the name of a stream")
            }
            return
        }
        let number = exchanges[exchange].request
        if exchanges[exchange].isKnownDead { fail("payload was spent on a dead connection") }
        if requests[number].content == .pause { fail("payload in the answer to a pause") }
        var stream = 0
        if let name = response.stream {
            guard let named = index(ofStream: name) else { return fail("payload of no stream") }
            stream = named
        } else if streamsBefore > 1 {
            // Only the session's end has no stream name.
            guard case .terminate = response.kind else { return fail("payload without the name of its stream") }
            stream = streams.lastIndex { $0.isLost && !$0.isToldEnd } ?? 0
        }
        if response.usesStreamPrefix {
            streams[stream].featuresOwed -= 1
            if response.payload != [Self.features] { fail("features do not stand alone") }
            return
        }
        let first = streams[stream].spent
        for byte in response.payload {
            if Int(byte) != streams[stream].spent {
                fail("the client gets \(byte) instead of \(streams[stream].spent)")
            }
            streams[stream].spent += 1
        }
        deliveries.append(Delivery(request: number, stream: stream, stanzas: first..<streams[stream].spent))
    }

    private mutating func checkState() {
        if end != nil {
            if !waiting.isEmpty { fail("the session ended and left requests without an answer") }
            for stream in streams
            where !stream.isEnded && !stream.isRestarting && !stream.isOpening
                && stream.forwarded < stream.owed.count
            {
                fail("stanzas were lost at the end")
            }
            return
        }
        for stream in streams where !stream.isEnded {
            if stream.isRestarting != stream.sawRestart {
                fail("a restart was \(stream.sawRestart ? "made up" : "lost")")
            }
            if !stream.wasOpened { fail("a stream was not opened") }
            if stream.isLeft { fail("a stream was left") }
            if !stream.isRestarting, !stream.isOpening, stream.forwarded != stream.owed.count {
                fail("stanzas wait for an open stream")
            }
        }
        if requests[processed].content == .terminate { fail("terminate did not end the session") }
        let held = waiting.count { exchanges[$0].request <= processed }
        if held != session.heldCount { fail("\(session.heldCount) requests are held instead of \(held)") }
        var limit = isCongested ? setting.requests : setting.hold
        if setting.isPolling { limit = session.isCreating && setting.wait > 0 ? 1 : 0 }
        if held > limit { fail("\(held) requests are held") }
        // A request that waits before a gap is released, or the gap may never close (R-04).
        let arrived = waiting.reduce(processed) { max($0, exchanges[$1].request) }
        let oldest = waiting.reduce(arrived) { min($0, exchanges[$1].request) }
        if held > 0, !session.isCreating, arrived - oldest + 1 > limit {
            fail("request \(oldest) is held while \(arrived) waits")
        }
        if held > 0, !session.isCreating, streams.contains(where: \.hasSomethingToSay) {
            fail("payload waits while a request is held")
        }
    }

    private mutating func checkTime() {
        guard !isOver else { return }
        // The requests that are next in turn wait for their server.
        let next = requests[(processed + 1)...].prefix { $0.hasArrived }.indices
        for exchange in waiting
        where exchanges[exchange].arrival.advanced(by: .seconds(setting.wait)) <= now
            && !next.contains(exchanges[exchange].request)
        {
            fail("x\(exchange) waits for longer than wait")
        }
        if let idleSince, idleSince.advanced(by: .seconds(allowedSilence)) <= now {
            fail("silence did not end the session")
        }
    }
}
