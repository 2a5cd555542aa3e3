/// A client's request until it is answered.
final class ClientRequest {
    let rid: Int
    let body: [UInt8]
    /// Whether the request asks for nothing but an answer.
    let isPoll: Bool
    var tries = 0
    /// How many copies are on their way at the moment.
    var copies = 0
    /// Whether the request was sent once, and completely.
    var isWhole = false
    var isAnswered = false
    init(_ rid: Int, _ body: [UInt8], isPoll: Bool) {
        self.rid = rid
        self.body = body
        self.isPoll = isPoll
    }
}

/// The requests that a client has on their way.
extension BOSHClient {
    /// Sends what waits, and makes sure that the server always has a request to answer.
    func pump() {
        guard stage == .running || stage == .leaving else { return }
        if stage == .leaving {
            sayFarewell()
            return
        }
        guard !isPausing else { return }
        if hasRoom, let stream = streams.first(where: { !$0.queue.isEmpty && $0.stage != .closed }) {
            sendRequest(attributes: "", payload: stream.takeQueue(), on: stream)
        } else if open.isEmpty, hasRoom {
            poll()
        }
    }

    /// Whether another request may be on its way.
    var hasRoom: Bool {
        // The manager keeps only the last `requests` answers. So the client does not run ahead of an answer that it has
        // not read: otherwise what it had not read would neither be returned when it goes, nor could it ask again.
        guard open.count < requests, let lowest = open.map(\.rid).min() else { return open.count < requests }
        return rid + 1 - lowest < requests
    }

    private func poll() {
        guard polling == nil || kernel.now >= nextPoll else {
            kernel.at(nextPoll) { [weak self] in self?.pump() }
            return
        }
        sendRequest(attributes: "", on: nil, isPoll: true)
    }

    private func sayFarewell() {
        // One more than `requests` is allowed for the farewell; a careful client waits for its turn.
        guard open.count < requests, !isTerminating else { return }
        let speakers = streams.filter { !$0.queue.isEmpty && $0.stage != .closed }
        if streams.count > 1, let speaker = speakers.first {
            sendRequest(attributes: "", payload: speaker.takeQueue(), on: speaker)
            kernel.after(.microseconds(100)) { [weak self] in self?.pump() }
            return
        }
        isTerminating = true
        sendRequest(attributes: " type='terminate'", payload: speakers.first?.takeQueue() ?? "", on: nil)
    }

    /// - Parameter stream: the stream that it is for; nil for all, or for none.
    func sendRequest(attributes: String, payload: String = "", on stream: ClientStream?, isPoll: Bool = false) {
        rid += 1
        var attributes = attributes
        if plan["ack"] > 0, nextAnswer - 1 < rid - 1 { attributes += " ack='\(nextAnswer - 1)'" }
        if streams.count > 1, let name = stream?.name { attributes += " stream='\(name)'" }
        if keys != nil { attributes += keys?.next() ?? "" }
        send(
            "<body xmlns='http://jabber.org/protocol/httpbind' rid='\(rid)' sid='\(sid)'\(attributes)>\(payload)</body>",
            isPoll: isPoll)
    }

    func send(_ body: String, isPoll: Bool = false) {
        let request = ClientRequest(rid, Array(body.utf8), isPoll: isPoll)
        open.append(request)
        attempt(request)
    }

    private func attempt(_ request: ClientRequest) {
        request.tries += 1
        guard request.tries < 200 else {
            if hasReloaded,
                kernel.hasRefusedToAccept || world.isShortOfDescriptors || world.judge.isDisturbed
                    || world.mayLoseRequests
            {
                // The request that the page sent before its reload was refused unread, and the page does not know that.
                goneSilently()
                finish()
                return
            }
            world.judge.fail("\(name): request \(request.rid) was never answered in 200 tries")
            return
        }
        world.tell("\(name) sends \(String(decoding: request.body, as: UTF8.self).prefix(400))")
        watch(request, try: request.tries)
        let manner = manner(of: request)
        if case .whole = manner { request.isWhole = request.tries == 1 } else { request.isWhole = false }
        request.copies += 1
        carrier.post(request.body, as: manner) { [weak self] answer in
            self?.answered(request, answer)
        }
        if chance.below(1_000) < plan["lost"] {
            kernel.after(chance.time(.microseconds(10)...(.seconds(max(wait, 1))))) { [weak self] in
                guard let self, stage != .over, !request.isAnswered else { return }
                carrier.abort(isReset: chance.once(in: 2))
            }
        }
        if chance.below(1_000) < plan["twice"], stage != .creating {
            // An impatient proxy sends the request again, on another connection.
            kernel.after(chance.time(.microseconds(10)...(.milliseconds(300)))) { [weak self] in
                guard let self, stage != .over, !request.isAnswered else { return }
                request.copies += 1
                carrier.post(request.body, as: .whole) { [weak self] in self?.answered(request, $0) }
            }
        }
    }

    private func manner(of request: ClientRequest) -> PostManner {
        // The manager gives up a creation whose sender has closed its side, and no client half-closes that.
        let halfCloses = chance.below(1_000) < plan["half"] && stage != .creating
        if halfCloses { return .halfClosing }
        guard plan["cut"] > 0, otherChance.below(1_000) < plan["cut"], stage != .creating else { return .whole }
        return .cut(at: otherChance.within(0...1_000), isReset: otherChance.once(in: 2))
    }

    /// Checks that a request on a working connection is answered in time.
    private func watch(_ request: ClientRequest, try number: Int) {
        kernel.after(.seconds(wait + 130)) { [weak self] in
            guard let self, stage != .over, !request.isAnswered, request.tries == number else { return }
            guard !carrier.isSlow, !ledgers.contains(where: \.isServerFaulty) else { return }
            world.judge.fail("\(name): request \(request.rid) was not answered in \(wait + 130) s")
        }
    }

    private func answered(_ request: ClientRequest, _ answer: HTTPAnswer?) {
        guard stage != .over, !request.isAnswered else { return }
        world.tell(
            "\(name) for \(request.rid): \(answer.map { "\($0.status) \(String(decoding: $0.body, as: UTF8.self).prefix(400))" } ?? "nothing")"
        )
        request.copies -= 1
        guard let answer, answer.status == 200, answer.body.attribute("type") != "error" else {
            repeatLater(request, answer)
            return
        }
        request.isAnswered = true
        open.removeAll { $0 === request }
        if answer.body.attribute("type") == "terminate", answer.body.attribute("stream") == nil {
            for stream in streams { stream.ledger.endCame(at: kernel.now) }
        }
        if request.isPoll, let polling { nextPoll = kernel.now + polling }
        if isOffending, answer.body.attribute("type") == "terminate" {
            // The client does not wait for earlier answers, and the stanzas in them are lost.
            if request.rid > nextAnswer { for stream in streams { stream.ledger.mayMiss(until: kernel.now) } }
            read(answer.body)
            return
        }
        early[request.rid] = answer.body
        while let body = early.removeValue(forKey: nextAnswer), stage != .over {
            nextAnswer += 1
            read(body)
        }
        if hasReloaded, isTerminating, open.isEmpty, stage != .over {
            // The farewell was answered on the oldest connection, which nobody reads any more (XEP-0124 §13).
            for stream in streams { stream.ledger.ends(.terminated, at: kernel.now) }
            finish()
        }
        // The client thinks for a moment, or for a while.
        kernel.after(.microseconds(100 + plan["thinks"] * 1_000)) { [weak self] in self?.pump() }
    }

    /// Sends the same bytes again after a moment when a request has failed, unless another copy is on its way.
    private func repeatLater(_ request: ClientRequest, _ answer: HTTPAnswer?) {
        if let answer, ![200, 408, 502, 503, 504].contains(answer.status) {
            world.judge.fail("\(name): a request was answered with \(answer.status)")
        }
        if stage == .creating, answer == nil || request.tries > 20 {
            // Clients do not repeat a lost creation, and give up where there is no room: nobody has its sid.
            goneSilently()
            finish()
            return
        }
        guard request.copies == 0 else { return }
        repeatRequest(request, after: chance.time(.milliseconds(1)...(.milliseconds(answer == nil ? 500 : 3_000))))
    }

    private func repeatRequest(_ request: ClientRequest, after time: Duration) {
        kernel.after(time) { [weak self] in
            guard let self, stage != .over, !request.isAnswered else { return }
            // Where nobody listens, it would soon give up.
            if world.isDeserted { repeatRequest(request, after: .seconds(1)) } else { attempt(request) }
        }
    }
}
