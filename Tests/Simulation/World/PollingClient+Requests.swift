/// The requests of a client over HTTP polling and their answers.
extension PollingClient {
    /// Sends what waits, or asks for what has come, unless a request is on its way.
    func pump() {
        guard stage == .running || stage == .leaving, current == nil, !isAway else { return }
        if !stream.queue.isEmpty { unsent += stream.takeQueue().utf8 }
        if stage == .leaving, !hasSaidEnd, stream.stage == .active {
            hasSaidEnd = true
            unsent += "</stream:stream>".utf8
        }
        if !unsent.isEmpty {
            let content = takeUnsent()
            let attempt = PollingAttempt(head() + content, hasContent: true)
            attempt.isFarewell = hasSaidEnd && unsent.isEmpty
            send(attempt)
        } else if kernel.now >= nextPoll {
            send(PollingAttempt(head(), hasContent: false))
        } else {
            kernel.at(nextPoll) { [weak self] in self?.pump() }
        }
    }

    /// The head of the next request, with its comma.
    private func head() -> [UInt8] {
        guard usesKeys, let (key, newKey) = keys?.next() else { return Array("\(id),".utf8) }
        return Array("\(id);\(key)\(newKey.map { ";\($0)" } ?? ""),".utf8)
    }

    /// Takes the next piece of the client's stream, which may end anywhere.
    func takeUnsent() -> [UInt8] {
        // Piece by piece, a login takes longer than is allowed.
        let most = plan["spread"] > 1 ? 0 : 4
        let mayBeSplit = unsent.count > 1 && (stream.stage == .active || splits < most)
        guard mayBeSplit, chance.below(1_000) < plan["split"] else {
            defer { unsent = [] }
            return unsent
        }
        splits += 1
        let piece = Array(unsent.prefix(chance.within(1...(unsent.count - 1))))
        unsent.removeFirst(piece.count)
        return piece
    }

    func send(_ attempt: PollingAttempt) {
        current = attempt
        attempt.begunAt = kernel.now
        attemptAgain(attempt)
    }

    private func attemptAgain(_ attempt: PollingAttempt) {
        attempt.tries += 1
        guard attempt.tries < 200 else {
            world.judge.fail("\(name): a request was never answered in 200 tries")
            return
        }
        watch(attempt, try: attempt.tries)
        let manner = manner()
        if case .cut(let thousandths, _) = manner, thousandths < 1_000 {} else { attempt.mayHaveArrived = true }
        post(attempt, manner)
        if chance.below(1_000) < plan["lost"] {
            kernel.after(chance.time(.microseconds(10)...(.seconds(2)))) { [weak self] in
                guard let self, stage != .over, current === attempt else { return }
                carrier.abort(isReset: chance.once(in: 2))
            }
        }
        if chance.below(1_000) < plan["twice"], stage != .creating {
            // An impatient proxy sends the request again, on another connection, and waits for that answer.
            kernel.after(chance.time(.microseconds(10)...(.milliseconds(300)))) { [weak self] in
                guard let self, stage != .over, current === attempt else { return }
                post(attempt, .whole)
            }
        }
    }

    private func post(_ attempt: PollingAttempt, _ manner: PostManner) {
        world.tell("\(name) sends \(String(decoding: attempt.body.prefix(400), as: UTF8.self))")
        attempt.sent += 1
        attempt.copies += 1
        let copy = attempt.sent
        carrier.post(attempt.body, as: manner) { [weak self] in self?.answered(attempt, copy: copy, $0) }
    }

    private func manner() -> PostManner {
        guard stage != .creating else { return .whole }
        if chance.below(1_000) < plan["half"] { return .halfClosing }
        guard chance.below(1_000) < plan["cut"] else { return .whole }
        return .cut(at: chance.within(0...1_000), isReset: chance.once(in: 2))
    }

    /// Checks that a request on a working connection is answered in time.
    private func watch(_ attempt: PollingAttempt, try number: Int) {
        kernel.after(.seconds(60)) { [weak self] in
            guard let self, stage != .over, current === attempt, attempt.tries == number else { return }
            guard !carrier.isSlow, !ledger.isServerFaulty else { return }
            world.judge.fail("\(name): a request was not answered in 60 s")
        }
    }

    private func answered(_ attempt: PollingAttempt, copy: Int, _ answer: HTTPAnswer?) {
        guard stage != .over, current === attempt else { return }
        world.tell(
            "\(name) for copy \(copy): \(answer.map { "\($0.status) \($0.cookies) \(String(decoding: $0.body.prefix(400), as: UTF8.self))" } ?? "nothing")"
        )
        attempt.copies -= 1
        guard let answer, answer.status == 200 else { return failed(attempt, answer) }
        if answer.cookies.count != 1 { world.judge.fail("\(name): an answer has \(answer.cookies.count) identifiers") }
        if !answer.closes, plan["proxied"] == 0 { world.judge.fail("\(name): an answer does not end its connection") }
        // Whoever has sent a request again waits for the answer to that.
        guard copy == attempt.sent else {
            if attempt.copies == 0 { repeatLater(attempt, after: .milliseconds(1)) }
            return
        }
        read(answer, to: attempt)
    }

    private func read(_ answer: HTTPAnswer, to attempt: PollingAttempt) {
        let identifier = answer.cookies.first ?? ""
        guard !identifier.hasSuffix(":0") else { return readError(identifier, to: attempt) }
        if id.isEmpty {
            id = identifier
            stage = .running
        } else if identifier != id {
            world.judge.fail("\(name) got an answer of another session")
        }
        current = nil
        lastHeardAt = attempt.begunAt
        // This request has shown that the answers before it were read.
        ledger.clientProves(at: kernel.now)
        let isEmpty = answer.body.isEmpty
        hear(answer.body)
        guard stage != .over, stage != .creating else { return }
        if attempt.isFarewell, !hasHeardEnd { world.judge.fail("\(name): its end was not answered with an end") }
        let longest = Duration.seconds(max(plan["pollmax"], 1))
        interval =
            isEmpty ? min(interval * 6 / 5, longest) : max(interval / 2, .milliseconds(Self.shortestInterval))
        nextPoll = kernel.now + interval
        // The client thinks for a moment, or for a while.
        let thinking = stream.stage == .active ? plan["thinks"] : 0
        kernel.after(.microseconds(100 + thinking * 1_000)) { [weak self] in self?.pump() }
    }

    /// A request has got no answer.
    private func failed(_ attempt: PollingAttempt, _ answer: HTTPAnswer?) {
        if let answer, ![408, 502, 503, 504].contains(answer.status) {
            world.judge.fail("\(name): a request was answered with \(answer.status)")
        }
        if stage == .creating {
            // Nobody has the identifier of a session whose first answer was lost.
            if answer == nil || attempt.tries > 20 { return giveUp() }
        } else if attempt.copies > 0 {
            return
        } else if !usesKeys, attempt.mayHaveArrived, answer.map({ $0.status == 502 || $0.status == 504 }) ?? true {
            // Nobody could tell a repeat from the next request.
            guard !attempt.hasContent, stream.stage == .active else {
                if attempt.isFarewell { ledger.mayMiss(until: kernel.now + .seconds(5)) }
                return giveUp()
            }
            // The answer may have had something in it, and an earlier copy may still arrive.
            ledger.mayMiss(until: kernel.now + .seconds(5))
        }
        let most = Duration.milliseconds(answer == nil ? 500 : 3_000)
        repeatLater(attempt, after: chance.time(.milliseconds(1)...most))
    }

    /// Sends the same bytes again after a while.
    func repeatLater(_ attempt: PollingAttempt, after time: Duration) {
        kernel.after(time) { [weak self] in
            guard let self, stage != .over, current === attempt else { return }
            // Where nobody listens, it would soon give up.
            if world.isDeserted { repeatLater(attempt, after: .seconds(1)) } else { attemptAgain(attempt) }
        }
    }

    /// Sends a request beside the others, whose answer has to have this identifier.
    func post(beside body: String, isTold expected: String) {
        world.tell("\(name) sends beside the rules \(body)")
        let own = id
        carrier.post(Array(body.utf8), as: .whole) { [weak self] answer in
            guard let self, let answer else { return }
            world.tell("\(name) beside the rules: \(answer.status) \(answer.cookies)")
            guard answer.status == 200 else {
                if ![502, 503, 504].contains(answer.status) {
                    world.judge.fail("\(name): a request was answered with \(answer.status)")
                }
                return
            }
            // The session may have ended meanwhile, or its worker.
            let isGone = answer.cookies == ["0:0"] && (ledger.isExplained("item-not-found") || id != own || isEnding)
            if answer.cookies != [expected], !isGone {
                world.judge.fail("\(name): a request was told \(answer.cookies) and not \(expected)")
            }
        }
    }

    private var isEnding: Bool { stage != .running || hasHeardEnd || isOffending }
}
