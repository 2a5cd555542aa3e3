import Reactor

/// The event loop of the load generator: many `BOSHClient`s, two connections each.
final class LoadRun {
    enum Stage {
        case login, settling, messages, drain, end
    }

    let plan: LoadPlan
    private let address: SocketAddress
    private var poller: Poller
    private var buffer = ReadBuffer()
    private let signals: SignalSource
    var sessions: [LoadSession] = []
    private(set) var stage = Stage.login
    private(set) var stageBegan: UInt64 = 0
    private var started = 0
    private var loggingIn = 0
    private var readyCount = 0
    private var endedCount = 0
    private var generation: UInt64 = 0
    private var paced = 0
    private var killCandidate = 0
    var inFlight = 0
    private var requestsBefore = 0
    private var isInterrupted = false
    var renewals = Renewals()
    var repeats = RepeatQueue(pause: 100_000_000)
    var report: LoadReport
    private let padding: [UInt8]

    /// - Throws: the poller or the signals are not available.
    init(
        plan: LoadPlan, address: SocketAddress, profile: BOSHClient.Profile,
        login: (Int) -> LoginDialogue.Login
    ) throws(SystemError) {
        self.plan = plan
        self.address = address
        report = LoadReport(plan: plan)
        if plan.hasJournal { report.journal = LoadJournal() }
        padding = [UInt8](repeating: UInt8(ascii: "x"), count: plan.padding)
        poller = try Poller(capacity: 1_024)
        signals = try SignalSource([.terminate, .interrupt])
        try poller.register(signals.descriptor, token: Token.signals, interest: .readable)
        for number in 0..<plan.sessions {
            let client: any LoadClient =
                switch plan.door {
                case .bosh: BOSHClient(profile: profile, login: login(number), firstRID: Self.randomRID)
                case .webSocket: SocketClient(profile: profile, login: login(number))
                }
            sessions.append(LoadSession(client))
        }
    }

    /// A first rid that leaves room for all that follow.
    static var randomRID: UInt64 { UInt64(truncatingIfNeeded: SystemRandom.value128()) >> 24 + 1 }

    /// Runs the plan.
    ///
    /// - Throws: `epoll_wait` failed.
    func run() throws(SystemError) -> LoadReport {
        if plan.mode == .idle, plan.duration == nil {
            // Only the hang-up of a pipe counts. A file or /dev/null cannot be watched, which is an error here.
            let input = Descriptor(owning: 0)
            guard (try? poller.register(input, token: Token.input, interest: [])) != nil else {
                report.failures["standard input is no pipe to wait for"] = 1
                return report
            }
            try loop()
            _ = input.release()
        } else {
            try loop()
        }
        return report
    }

    private func loop() throws(SystemError) {
        stageBegan = MonotonicClock.now.nanoseconds
        while stage != .end || endedCount < readyCount {
            advance()
            let count = try poller.wait(timeout: timeout())
            for index in 0..<count {
                let event = poller[index]
                switch event.token {
                case Token.signals, Token.input: isInterrupted = true
                case let token: handle(event, token)
                }
            }
            if stage == .login, isInterrupted || elapsed() >= plan.patience * 10 {
                report.failures["not logged in in time"] = sessions.count - readyCount
                return
            }
            if stage == .end, elapsed() >= .seconds(5) { return }
        }
    }

    private func elapsed() -> Duration {
        .nanoseconds(Int64(clamping: MonotonicClock.now.nanoseconds - stageBegan))
    }

    private func enter(_ next: Stage) {
        stage = next
        stageBegan = MonotonicClock.now.nanoseconds
    }

    private func timeout() -> Duration {
        switch stage {
        case .login: .milliseconds(100)
        case .messages where plan.mode == .paced: dueTime(of: paced).map { $0 - elapsed() } ?? .milliseconds(1)
        case .messages where plan.mode == .idle: .milliseconds(200)
        case .settling, .messages, .drain, .end: .milliseconds(20)
        }
    }

    /// Does what is due at this time.
    private func advance() {
        sendAgain()
        renew()
        switch stage {
        case .login:
            while loggingIn < plan.loginsAtOnce, started < sessions.count {
                started += 1
                loggingIn += 1
                sessions[started - 1].client.start()
                push(started - 1)
            }
            guard loggingIn == 0, started == sessions.count else { break }
            report.loginSeconds = elapsed().inSeconds
            StandardStream.output.writeLine("ready \(readyCount)")
            enter(.settling)
        case .settling:
            guard elapsed() >= plan.settling || isInterrupted else { break }
            requestsBefore = sessions.reduce(0) { $0 + $1.client.requestCount }
            enter(.messages)
            if plan.mode == .closed { for number in sessions.indices { sendMessage(from: number, due: stageBegan) } }
        case .messages:
            if let duration = plan.duration, elapsed() >= duration { return enter(.drain) }
            if isInterrupted { return enter(.drain) }
            pace()
            kill()
        case .drain:
            guard inFlight == 0 && renewals.isDone || elapsed() >= plan.patience else { break }
            report.messageSeconds = (plan.duration ?? .zero).inSeconds + elapsed().inSeconds
            finish()
            enter(.end)
        case .end: break
        }
    }

    private func finish() {
        report.requests = sessions.reduce(0) { $0 + $1.client.requestCount } - requestsBefore
        for session in sessions {
            report.sent += session.ledger.sent
            report.received += session.ledger.received
            report.lost += session.ledger.lost
            report.doubled += session.ledger.doubled
            report.outOfOrder += session.ledger.outOfOrder
            if session.client.phase == .ready { report.liveSessions += 1 }
        }
        StandardStream.output.writeLine("done")
        for number in sessions.indices {
            sessions[number].client.terminate()
            push(number)
        }
    }

    // MARK: messages

    private func dueTime(of message: Int) -> Duration? {
        .nanoseconds(Int64(message) * 1_000_000_000 / Int64(plan.rate))
    }

    private func pace() {
        guard plan.mode == .paced else { return }
        while let due = dueTime(of: paced), due <= elapsed() {
            let nanoseconds =
                UInt64(due.components.seconds) * 1_000_000_000
                + UInt64(due.components.attoseconds / 1_000_000_000)
            sendMessage(from: paced % sessions.count, due: stageBegan + nanoseconds)
            paced += 1
        }
    }

    func sendMessage(from number: Int, due: UInt64) {
        let receiver = receiver(of: number)
        let session = sessions[number]
        guard session.client.phase == .ready, sessions[receiver].client.phase == .ready else { return }
        let mark = Mark(sender: number, sequence: session.ledger.send(), due: due)
        inFlight += 1
        sessions[receiver].inbound += 1
        var stanza = Array("<message xmlns='jabber:client' type='chat' to='".utf8)
        stanza += sessions[receiver].client.jid
        stanza += Array("'><body>".utf8)
        stanza += mark.text
        stanza += padding
        stanza += Array("</body></message>".utf8)
        session.client.send(stanza)
        push(number)
    }

    private func arrived(_ mark: Mark, at receiver: Int) {
        guard sessions.indices.contains(mark.sender), stage == .messages || stage == .drain else { return }
        guard sessions[mark.sender].ledger.receive(mark.sequence) else { return }
        inFlight -= 1
        sessions[receiver].inbound -= 1
        let now = MonotonicClock.now.nanoseconds
        let delay = (now - min(now, mark.due)) / 1_000
        _ = report.latency.record(min(delay, 600_000_000))
        report.journal?.note(.arrival(after: delay), at: mark.due)
        if plan.mode == .closed, stage == .messages { sendMessage(from: mark.sender, due: now) }
    }

    // MARK: cutting connections

    private func kill() {
        guard report.kills < plan.kills, let duration = plan.duration else { return }
        // Spread over the first nine tenths, so that the last cut still shows its effect.
        let share = elapsed().inSeconds / (duration.inSeconds * 0.9)
        guard Double(report.kills) < share * Double(plan.kills) else { return }
        for _ in sessions.indices {
            let number = killCandidate
            killCandidate = (killCandidate + 1) % sessions.count
            let session = sessions[number]
            guard session.client.isIdlyPolling, let place = session.client.oldestConnection,
                let link = session.links[place], !link.isConnecting, link.outgoing.isEmpty, !link.reader.isMidway
            else { continue }
            let goesOn =
                switch plan.afterKill {
                case .repeated: false
                case .next: true
                case .both: report.kills % 2 == 1
                }
            // Only a repeated request gets a response again that crosses the cut. A client that goes on with the next
            // rid would lose it with any connection manager, and the check would be worthless.
            guard !goesOn || session.inbound == 0 else { continue }
            // What has arrived already is not a cut poll.
            guard link.socket.read(into: &buffer) == .wouldBlock else {
                receive(on: link, number, place)
                continue
            }
            session.links[place] = nil
            report.kills += 1
            if goesOn {
                session.client.forgetRequest(on: place)
                push(number)
            } else if let request = session.client.repeatedRequest(on: place) {
                write(request, number, place)
            }
            return
        }
    }

    // MARK: connections

    func push(_ number: Int) {
        while let (place, bytes) = sessions[number].client.nextRequest() { write(bytes, number, place) }
    }

    func write(_ bytes: [UInt8], _ number: Int, _ place: Int) {
        guard let link = sessions[number].links[place] ?? open(number, place) else { return }
        link.outgoing += bytes
        if !link.isConnecting { flush(link, number, place) }
    }

    private func open(_ number: Int, _ place: Int) -> LoadLink? {
        generation += 1
        let token = generation << 32 | UInt64(number) << 1 | UInt64(place)
        let link: LoadLink
        let reader = sessions[number].client.reader
        switch StreamSocket.connect(to: address) {
        case .connected(let socket): link = LoadLink(socket, token: token, isConnecting: false, reader: reader)
        case .connecting(let socket): link = LoadLink(socket, token: token, isConnecting: true, reader: reader)
        case .failed(let error):
            fail(number, "\(error)")
            return nil
        }
        try? link.socket.setNoDelay()
        let interest: Interest = link.isConnecting ? [.readable, .writable] : .readable
        guard (try? poller.register(link.socket.descriptor, token: token, interest: interest)) != nil else {
            fail(number, "epoll_ctl failed")
            return nil
        }
        sessions[number].links[place] = link
        return link
    }

    private func flush(_ link: LoadLink, _ number: Int, _ place: Int) {
        guard !link.outgoing.isEmpty else { return }
        switch link.socket.write(link.outgoing) {
        case .wrote(link.outgoing.count):
            link.outgoing = []
        case .wrote(let count):
            link.outgoing.removeFirst(count)
            try? poller.modify(link.socket.descriptor, token: link.token, interest: [.readable, .writable])
        case .wouldBlock:
            try? poller.modify(link.socket.descriptor, token: link.token, interest: [.readable, .writable])
        case .failed: lose(number, place)
        }
    }

    private func handle(_ event: PollEvent, _ token: UInt64) {
        let number = Int(token & 0xFFFF_FFFF) >> 1
        let place = Int(token & 1)
        guard sessions.indices.contains(number), let link = sessions[number].links[place], link.token == token else {
            return
        }
        if link.isConnecting {
            if let error = link.socket.finishConnect() { return fail(number, "\(error)") }
            link.isConnecting = false
        }
        if event.isWritable {
            flush(link, number, place)
            if link.outgoing.isEmpty {
                try? poller.modify(link.socket.descriptor, token: token, interest: .readable)
            }
        }
        guard event.isReadable || event.isHangup || event.isPeerClosed else { return }
        switch link.socket.read(into: &buffer) {
        case .bytes: receive(on: link, number, place)
        case .wouldBlock: break
        case .end, .failed: lose(number, place)
        }
    }

    /// Handles the content of `buffer`.
    private func receive(on link: LoadLink, _ number: Int, _ place: Int) {
        guard buffer.count > 0 else { return lose(number, place) }
        buffer.withBytes { link.reader.append($0) }
        let session = sessions[number]
        do throws(ReplyParser.Malformed) {
            let life = session.life
            while session.life == life, let reply = try link.reader.next() {
                if !reply.isKeptAlive { session.links[place] = nil }
                if plan.sessionsMayEnd, case .response(let status) = reply.kind, SessionEnds.isRepeatable(status) {
                    report.ends.noteRepeat(after: status)
                    note(.failure(status: status))
                    sendAgainLater(number, place)
                    continue
                }
                session.failures[place] = 0
                for body in session.client.receive(reply, on: place) {
                    for mark in Mark.all(in: body[...]) { arrived(mark, at: number) }
                }
                note(number)
                push(number)
            }
        } catch {
            fail(number, "not an HTTP response with a length")
        }
    }

    /// Notes an event that happens now.
    func note(_ event: LoadJournal.Event) {
        report.journal?.note(event, at: MonotonicClock.now.nanoseconds)
    }

    private func note(_ number: Int) {
        let session = sessions[number]
        switch session.client.phase {
        case .ready:
            if !session.isLoggedIn {
                session.isLoggedIn = true
                loggingIn -= 1
                readyCount += 1
            }
            if session.isRenewing { finishRenewal(number) }
        case BOSHClient.sessionUnknown where plan.sessionsMayEnd:
            replace(number)
        case .ended:
            endedCount += 1
            session.links = [nil, nil]
        case .failed(let reason): fail(number, reason)
        default: break
        }
    }

    /// Handles a connection that ended without a cut from this side.
    private func lose(_ number: Int, _ place: Int) {
        let session = sessions[number]
        session.links[place] = nil
        if session.client.loseConnection() { return note(number) }
        guard session.client.phase != .ended, let request = session.client.repeatedRequest(on: place) else { return }
        report.connectionLosses += 1
        note(.failure(status: nil))
        guard !plan.sessionsMayEnd else { return sendAgainLater(number, place) }
        guard report.connectionLosses <= 10 * sessions.count else { return fail(number, "connections keep ending") }
        write(request, number, place)
    }

    func fail(_ number: Int, _ reason: String) {
        let session = sessions[number]
        session.links = [nil, nil]
        session.client.fail(reason)
        report.failures[reason, default: 0] += 1
        report.lastFailure = MonotonicClock.now.nanoseconds
        if session.isRenewing { renewals.finish(session) }
        if session.isLoggedIn { endedCount += 1 } else { loggingIn -= 1 }
    }
}

extension Duration {
    fileprivate var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }
}

private enum Token {
    static let signals = UInt64.max
    static let input = UInt64.max - 1
}
