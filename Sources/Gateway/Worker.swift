import BOSHCore
import HTTPWire
import Handover
import LogLines
import Primitives
import ProcessLinks
import Reactor
import Settings

/// One worker: a thread, an epoll loop, and everything that lives in it.
///
/// It starts and ends its parts, and runs each part's share of a turn: listeners, clients, sessions, upstreams. The
/// parts use each other only by their offered functions.
/// All state is confined to the thread that calls `run`.
package final class Worker {
    let loop: Loop
    let signals: SignalSource
    let doors: Doors
    let clients: Clients
    let sides: ClientSides
    let upstreams: Upstreams
    let mailboxes: Mailboxes
    let inquiries: Inquiries
    /// What ties the worker to its supervisor; nil for a worker on its own.
    let supervision: Supervision?
    var stopping = Stopping.none
    /// The most bytes that were held since memory was last given back.
    private var memoryPeak = 0
    /// When free memory is given back to the system.
    private var givesBackAt: MonotonicInstant?
    /// Where this worker takes commands; nil when a supervisor does, and when the settings name no place.
    private(set) var commands: CommandDoor?
    /// Whether an operator has changed the levels of the log, in a program without a supervisor.
    var hasLevelsAskedFor = false
    /// When the numbers of this worker are shown to the others; nil when nothing has changed.
    private var publishesAt: MonotonicInstant?

    /// Opens the listeners, and does everything else that can fail at the start.
    ///
    /// - Throws: `StartError`, with one line for the operator: a port in use, a CA file that has no certificate.
    /// - Parameters:
    ///   - files: the contents of the files that the settings name. The worker reads none.
    ///   - place: what a supervisor has given this worker; nil for a worker on its own.
    package init(
        settings: Settings, files: SettingFiles, logs: Logs, place: consuming WorkerPlace? = nil
    ) throws(StartError) {
        ProcessMemory.prepare()
        if !settings.coreDumps {
            do throws(SystemError) {
                try CoreDump.forbid()
            } catch {
                throw StartError("cannot switch core dumps off: \(error)")
            }
        }
        do throws(SystemError) {
            loop = try Loop(
                settings: settings, logs: logs, tag: place?.tag ?? 0,
                node: NodeName(ofHost: place?.plan.node ?? Self.node(settings)), workers: place?.workers ?? 1,
                seed: place?.plan.seed)
            signals = try SignalSource()
            try loop.poller.register(signals.descriptor, token: Token(.signals).raw, interest: .readable)
        } catch {
            throw StartError("cannot start: \(error)")
        }
        let plan = place?.plan
        supervision = if let plan { Supervision(plan, loop) } else { nil }
        publishesAt = place?.tag == nil ? nil : loop.startedAt
        sides = ClientSides(loop)
        upstreams = try Upstreams(loop, files: files, sessions: sides, isSupervised: plan != nil)
        let board = OperatorBoard()
        let token = try Self.adminToken(settings, files)
        clients = Clients(loop, sides: sides, adminToken: token, answerOperator: { board.answer($0, $1) })
        sides.connect(clients: clients, upstreams: upstreams)
        do throws(SystemError) {
            doors = try Doors(loop, clients: clients)
        } catch {
            throw StartError("cannot start: \(error)")
        }
        mailboxes = Mailboxes(loop, clients: clients)
        clients.connect(mailboxes)
        inquiries = Inquiries(loop, sides: sides, clients: clients, mailboxes: mailboxes)
        mailboxes.connect(inquiries)
        board.worker = self
        var given = place?.listeners[...] ?? []
        for address in settings.listen {
            try doors.listen(on: address, role: .bosh, given: given.popFirst())
        }
        for address in settings.listenProxy {
            try doors.listen(on: address, role: .bosh, expectsProxyHeader: true, given: given.popFirst())
        }
        if let admin = settings.admin {
            try doors.listen(on: admin, role: .admin, given: given.popFirst())
        }
        if plan == nil, let control = settings.control { commands = try CommandDoor(loop, at: control) }
        // Last, because the supervisor has to be told if anything before failed.
        do throws(SystemError) {
            if let link = place?.supervisor.take() {
                let supervisor = try SupervisorLink(loop, FrameSocket(link))
                supervisor.tell(.ready(announcement: announcement))
                supervision?.link = supervisor
            } else {
                try doors.open()
                commands?.open()
            }
        } catch {
            throw StartError("cannot start: \(error)")
        }
        for news in place?.news ?? [] { follow(news) }
    }

    var sessions: Sessions { sides.bosh }

    var webSockets: WebSockets { sides.webSockets }
    var polling: Polling { sides.polling }

    /// One line that says what listens where and which domain goes where. For port 0 it names the port that the kernel
    /// chose.
    package var announcement: String {
        let listeners = doors.listeners
        let bosh = listeners.filter { $0.role == .bosh }.map { Self.url($0.listener.address, loop.settings.path) }
        let admin = listeners.filter { $0.role == .admin }.map { Self.url($0.listener.address, "/stats") }
        let places = [("BOSH", bosh), ("admin", admin)].map { what, urls in
            urls.isEmpty ? "\(what) off" : "\(what) on \(urls.joined(separator: ", "))"
        }
        return (places + [upstreams.sites.summary]).joined(separator: "; ")
    }

    /// Opens the file of the access log, for a worker on its own, as the user that serves.
    ///
    /// - Throws: `StartError`, when it cannot be opened.
    package func openAccessLog() throws(StartError) {
        guard let log = loop.accessLog, case .file(let path) = loop.settings.accessLog else { return }
        do throws(SystemError) {
            log.use(AppendedFile(try AppendedFile.open(path)))
        } catch {
            throw StartError("access-log: '\(path)' cannot be opened: \(error.reason)")
        }
    }

    /// Checks the files that the settings name, as far as possible without listening.
    ///
    /// - Throws: the `StartError` that a start with these settings and contents would end with.
    package static func check(_ settings: Settings, files: SettingFiles) throws(StartError) {
        _ = try UpstreamSites(settings, files: files)
        _ = try adminToken(settings, files)
    }

    /// The token that requests on the operator's listener have to show; nil when the settings want none.
    private static func adminToken(_ settings: Settings, _ files: SettingFiles) throws(StartError) -> AdminToken? {
        guard let file = settings.files.first(where: { $0.path == settings.adminTokenFile }) else { return nil }
        guard let bytes = files[file.path] else { throw StartError(file.line("was not read")) }
        do throws(AdminToken.Fault) {
            return try AdminToken(fileContent: bytes)
        } catch {
            throw StartError(file.line(error.words))
        }
    }

    /// Serves until a signal ends it and everybody was told. Returns false when the loop itself failed.
    package func run() -> Bool {
        while !isDone() {
            guard turn() else { return false }
        }
        for connection in clients.all { clients.endAccess(on: connection) }
        loop.accessLog?.flush()
        return true
    }

    /// One turn of the loop: waits for events as long as `patience` says, and does all that can be done then. Returns
    /// false when the loop itself failed.
    package func turn() -> Bool {
        let count: Int
        let patience = patience
        do throws(SystemError) {
            count = try loop.poller.wait(timeout: patience)
        } catch {
            loop.logs.process.critical("waiting for events failed", metadata: ["error": "\(error)"])
            return false
        }
        loop.beginTurn(goesOn: patience == .zero)
        loop.fellows.countTurn()
        for index in 0..<count { dispatch(loop.poller[index]) }
        clients.readBodies()
        upstreams.workOnBacklogs()
        clients.workOnInput()
        clients.workOnLargeBodies()
        webSockets.workOnLongMessages()
        handleDeadlines()
        flushDirty()
        relieve()
        endUnwatchable()
        moveOn()
        endUnsuppliedLookups()
        flushDirty()
        loop.showAddresses()
        publish(hasChanges: count > 0 || isDue(after: patience))
        reportResolvers()
        sayGoodbye()
        loop.accessLog?.flush()
        return true
    }

    /// How long the next turn waits for an event at most: not at all, or less, when something is due; nil without limit.
    package var patience: Duration? {
        upstreams.hasTurns || clients.hasTurns || webSockets.hasTurns ? .zero : timeToWake
    }

    private var timeToWake: Duration? {
        let wait = nextWake.map { wake in
            let clock = MonotonicClock.now
            loop.endTurn(at: clock)
            return wake.elapsed(since: clock)
        }
        // A supervisor takes a loop that stands still for stuck.
        return loop.fellows.ownPage == nil ? wait : min(wait ?? Self.longestWait, Self.longestWait)
    }

    private var nextWake: MonotonicInstant? {
        // A loop over an array of them would allocate one in each turn.
        var next = publishesAt
        func consider(_ candidate: MonotonicInstant?) {
            guard let candidate else { return }
            next = min(next ?? candidate, candidate)
        }
        consider(sides.nextDeadline)
        consider(clients.nextDeadline)
        consider(upstreams.nextDeadline)
        consider(doors.nextDeadline)
        consider(givesBackAt)
        consider(mailboxes.nextDeadline)
        consider(supervision?.link?.nextDeadline)
        consider(supervision?.orphanage.nextDeadline)
        consider(stopsAt)
        consider(inquiries.nextDeadline)
        consider(commands?.nextDeadline)
        return next
    }

    private func dispatch(_ event: PollEvent) {
        let token = Token(raw: event.token)
        switch token.kind {
        case .listener: doors.accept(on: token)
        case .client: clients.handle(event, of: token)
        case .webSocket: webSockets.handle(event, of: token)
        case .link, .race, .resolver: upstreams.handle(event, of: token)
        case .signals: while let signal = signals.next() { handle(signal) }
        case .mailbox: mailboxes.handle(event, of: token)
        case .supervisor: hear(event)
        case .control:
            commands?.handle(token) { obey($0) }
            if let next = supervision?.orphanage.handle(event, of: token) { join(next.socket, next.processID) }
        // A session over HTTP polling has no socket of its own.
        case .polling, nil: break
        }
    }

    private func handleDeadlines() {
        supervision?.handleDeadlines()
        commands?.handleDeadline()
        mailboxes.collectTaken()
        inquiries.handleDeadlines()
        doors.handleDeadlines()
        tellSessions()
        giveBackMemory()
        upstreams.handleNameDeadlines()
        sides.handleDeadlines()
        clients.handleDeadlines()
        upstreams.handleDeadlines()
    }

    /// Writes the output of the batch. Writing can end sessions, which answers other connections, so it repeats until
    /// nothing is left. The kernel may refuse meanwhile to watch what was written, and nothing else would wake up the
    /// loop for that.
    private func flushDirty() {
        while upstreams.hasDirty || clients.hasDirty || webSockets.hasDirty || hasUnwatchable || mailboxes.isDue {
            upstreams.flushDirty()
            clients.flushDirty()
            webSockets.flushDirty()
            endUnwatchable()
            // Connections leave when their answers have left.
            mailboxes.flush()
        }
    }

    private var hasUnwatchable: Bool {
        upstreams.hasUnwatchable || clients.hasUnwatchable || webSockets.hasUnwatchable
    }

    /// Ends what the kernel refused to watch.
    private func endUnwatchable() {
        upstreams.endUnwatchable()
        clients.endUnwatchable()
        webSockets.endUnwatchable()
    }

    /// Whether something was due after the loop had waited that long for events. The longest wait is for nothing: it
    /// only shows the supervisor that the loop is alive.
    private func isDue(after patience: Duration?) -> Bool { patience.map { $0 < Self.longestWait } ?? false }

    /// Shows the numbers of this worker to the others, some time after they have changed. All that a turn does comes
    /// before, because perhaps no other turn follows for a long time.
    private func publish(hasChanges: Bool) {
        guard let page = loop.fellows.ownPage else { return }
        if let publishesAt, publishesAt <= loop.now {
            page.show(Statistics.samples(of: self))
            self.publishesAt = nil
        } else if publishesAt == nil, hasChanges {
            publishesAt = loop.now.advanced(by: Self.publishingPause)
        }
    }

    // MARK: Memory

    /// Frees memory where the account demands it, and arranges that free pages are given back. Runs once in each turn
    /// of the loop.
    private func relieve() {
        clients.bodies.settle()
        upstreams.settleNames()
        upstreams.reader.shortageBound =
            switch loop.memory.pressure {
            case .none: nil
            case .high: Self.mostWhenHigh
            case .full: Self.mostWhenFull
            }
        if loop.memory.pressure >= .high { sessions.drainLargest() }
        while loop.memory.pressure == .full, clients.refuseNewestBody() {}
        let held = loop.memory.total
        memoryPeak = max(memoryPeak, held)
        if givesBackAt == nil, memoryPeak - held >= Self.worthGivingBack {
            givesBackAt = loop.now.advanced(by: .seconds(1))
        }
    }

    /// Gives free memory back to the system when the time has come.
    private func giveBackMemory() {
        guard let givesBackAt, givesBackAt <= loop.now else { return }
        self.givesBackAt = nil
        memoryPeak = loop.memory.total
        ProcessMemory.giveBack()
    }

    private static func url(_ address: SocketAddress, _ path: String) -> String {
        if case .unix(let file) = address { return "unix:\(file)" }
        return "http://\(address)\(path)"
    }

    /// How long changed numbers wait until they are shown.
    private static let publishingPause = Duration.milliseconds(200)

    /// How long a worker under a supervisor waits for events at most.
    private static let longestWait = Duration.seconds(1)

    /// How large an element from a server may be above each mark of the memory account. An element that has begun
    /// already takes memory and cannot wait, so a larger one is skipped and its sender is told.
    private static let mostWhenHigh = 1_048_576
    private static let mostWhenFull = 65_536

    /// How many bytes the account has to fall before free pages are given back.
    private static let worthGivingBack = 8 * 1_048_576
}

/// Answers requests on the operator's listener for a worker. It is created before the worker is complete.
private final class OperatorBoard {
    weak var worker: Worker?

    func answer(_ head: RequestHead, _ exchange: ExchangeID) -> HTTPResponse? {
        guard let worker else { return HTTPResponse(status: .serviceUnavailable) }
        return worker.operatorResource(head, exchange)
    }
}
