import Handover
import Logging
import Primitives
import Reactor
import Settings

/// Why the supervisor could not start, as one line for the operator.
package struct SupervisorError: Error {
    /// The line, without the program's name.
    package let line: String
}

/// The process that starts the workers and looks after them: it opens the listeners, gives each worker what it needs,
/// starts another one for each that dies, and makes the workers known to each other. It holds no session.
///
/// `WorkerTable` decides; this class does it.
package final class Supervisor {
    /// How the supervisor has ended.
    package enum End: Equatable {
        /// It was asked to, and no worker is left.
        case finished
        /// The workers could not start, for this reason, or the supervisor itself failed.
        case failed(line: String)
    }

    private let settings: Settings
    private let files: SettingFiles
    private let logger: Logger
    private let wanted: Int
    private let node: String
    private var poller: Poller
    private let signals: SignalSource
    private var buffer = ReadBuffer()
    private let writer = FrameWriter(bound: FrameSocket.standardBound)
    private var now = MonotonicClock.now
    private var table: WorkerTable
    private var listeners: [OpenListener] = []
    private var workers: [UInt32: WorkerProcess] = [:]
    private let past: PastCounters
    private let resolvers: ResolverPool
    /// A random number that all workers share.
    private let seed = UInt64(truncatingIfNeeded: SystemRandom.value128())
    /// The workers that were started and not told yet that they have all they need.
    private var unbegun: [UInt32] = []
    /// What has happened and is to be decided.
    private var inputs: [WorkerTable.Input] = []
    /// The line that a worker says when it serves.
    private var announcement = ""
    /// The first reason why the workers could not start.
    private var failure: String?
    private var isFinished = false

    /// Opens the listeners.
    ///
    /// - Parameters:
    ///   - files: the contents of the files that the settings name.
    ///   - workers: how many there shall be, 1 or more.
    ///   - node: the name that stands in each `sid`.
    /// - Throws: `SupervisorError`, for instance for a port in use, or for settings that no worker could be told.
    package init(
        settings: Settings, files: SettingFiles, workers: Int, node: String, logger: Logger
    ) throws(SupervisorError) {
        self.settings = settings
        self.files = files
        self.logger = logger
        self.node = node
        wanted = max(workers, 1)
        table = WorkerTable(wanted: wanted)
        resolvers = ResolverPool(nameserver: settings.nameserver, logger: logger)
        try writer.check(settings, files)
        do throws(SystemError) {
            if !settings.coreDumps { try CoreDump.forbid() }
        } catch {
            throw SupervisorError(line: "cannot switch core dumps off: \(error)")
        }
        do throws(SystemError) {
            poller = try Poller()
            signals = try SignalSource([.terminate, .interrupt, .hangup, .quit, .user1, .user2, .child])
            try poller.register(signals.descriptor, token: Self.signalToken, interest: .readable)
            past = try PastCounters()
        } catch {
            throw SupervisorError(line: "cannot start: \(error)")
        }
        for address in settings.listen + settings.listenProxy { try listen(on: address) }
        if let admin = settings.admin { try listen(on: admin) }
    }

    private func listen(on address: ListenAddress) throws(SupervisorError) {
        guard let parsed = SocketAddress(address.description) else {
            throw SupervisorError(line: "'\(address)' is not an address to listen on")
        }
        do throws(SystemError) {
            listeners.append(OpenListener(try Listener(parsed)))
        } catch {
            throw SupervisorError(line: "cannot listen on \(address): \(error.reason)")
        }
    }

    /// Starts the workers, and looks after them until a signal ends the program.
    ///
    /// - Parameter announce: called once, with the workers' line about what listens where, when all of them serve.
    package func run(announce: (String) -> Void) -> End {
        happen(.begin, announce)
        while !isFinished {
            let count: Int
            do throws(SystemError) {
                count = try poller.wait(timeout: timeToWake)
            } catch {
                for worker in workers.values { worker.end() }
                resolvers.end()
                return .failed(line: "waiting for events failed: \(error)")
            }
            now = MonotonicClock.now
            for index in 0..<count { dispatch(poller[index]) }
            if let deadline = table.nextDeadline, deadline <= now { inputs.append(.deadlineReached(turns: turns)) }
            if let deadline = resolvers.nextDeadline, deadline <= now { lookAfterResolvers(.deadlineReached) }
            happen(nil, announce)
        }
        return failure.map { .failed(line: $0) } ?? .finished
    }

    private var timeToWake: Duration? {
        let deadline = [table.nextDeadline, resolvers.nextDeadline].compactMap { $0 }.min()
        let next = deadline.map { $0.elapsed(since: MonotonicClock.now) }
        guard resolvers.isHeldUp || workers.values.contains(where: { $0.socket.isHeldUp }) else { return next }
        return min(next ?? Self.heldUpPause, Self.heldUpPause)
    }

    /// The loop counter of each worker.
    private var turns: [UInt32: UInt64] { workers.mapValues { $0.page.page[PageWord.turns.rawValue] } }

    private func dispatch(_ event: PollEvent) {
        if event.token == Self.signalToken {
            while let signal = signals.next() { handle(signal) }
        } else if ResolverPool.owns(event.token) {
            resolvers.handle(event, buffer: &buffer, in: poller)
        } else if let worker = workers[UInt32(truncatingIfNeeded: event.token)] {
            listen(to: worker)
        }
    }

    // MARK: Signals

    private func handle(_ signal: Signal) {
        switch signal {
        case .terminate, .interrupt, .quit:
            let isSecond = table.phase == .draining || table.phase == .ending
            logger.notice(
                isSecond ? "second signal: ending at once" : "shutting down", metadata: ["workers": "\(workers.count)"])
            inputs.append(.drain)
        case .hangup:
            logger.notice("SIGHUP is ignored: the configuration is only read at the start")
        case .user1:
            logger.notice("SIGUSR1 is ignored: there is no log file to reopen, the log goes to standard error")
        case .user2:
            logger.notice("SIGUSR2 is ignored")
        case .child:
            for worker in workers.values.sorted(by: { $0.tag < $1.tag }) { collect(worker) }
            for tag in resolvers.collect() { lookAfterResolvers(.ended(tag)) }
        case .kill:
            break
        }
    }

    /// Collects a worker that has ended.
    private func collect(_ worker: WorkerProcess) {
        guard let exit = worker.reap() else { return }
        // What it has said last may say why it ended.
        listen(to: worker)
        if table.phase == .starting, failure == nil {
            failure = worker.complaint ?? "a worker ended before it served: \(exit.words)"
        }
        var fields: Logger.Metadata = ["worker": "\(worker.tag)", "end": "\(exit.words)"]
        if let complaint = worker.complaint { fields["reason"] = "\(complaint)" }
        // What keeps the program from starting is said once, in its last line.
        logger.log(level: table.phase == .serving ? .error : .debug, "a worker has ended", metadata: fields)
        inputs.append(.ended(worker.tag))
    }

    // MARK: What workers say

    private func listen(to worker: WorkerProcess) {
        guard !worker.isDeaf else { return }
        worker.socket.flush()
        var arrival = FrameSocket.Arrival.more
        while arrival == .more {
            arrival = worker.socket.receive(with: &buffer)
            do throws(FrameFault) {
                while let received = try worker.socket.next() { hear(received.frame, from: worker) }
            } catch {
                logger.error("a worker says nonsense", metadata: ["worker": "\(worker.tag)", "fault": "\(error)"])
                worker.send(.kill)
                arrival = .end
            }
        }
        if arrival == .end {
            worker.isDeaf = true
            worker.socket.unwatch(in: poller)
            // If it has not ended, it would never learn of new workers, and their sessions would not be found.
            if table.phase == .serving { worker.send(.kill) }
        }
    }

    private func hear(_ frame: Frame, from worker: WorkerProcess) {
        do throws(MessageFault) {
            switch try WorkerMessage(frame) {
            case .ready(let line):
                announcement = line
                inputs.append(.ready(worker.tag))
            case .failed(let line):
                worker.complaint = line
            case .drained where table.phase == .draining:
                // The workers have closed theirs, or are about to.
                closeListeners()
            case .draining, .drained:
                break
            case .needsResolvers:
                lookAfterResolvers(.needed)
            case .lostResolver(let tag):
                lookAfterResolvers(.lost(tag, worker: worker.tag))
            }
        } catch {
            logger.debug("a worker says something unknown", metadata: ["worker": "\(worker.tag)", "fault": "\(error)"])
        }
    }

    // MARK: What is to be done

    /// Has the table decide about what has happened, and does what it says, until nothing more follows.
    private func happen(_ input: WorkerTable.Input?, _ announce: (String) -> Void) {
        if let input { inputs.append(input) }
        var effects: [WorkerTable.Effect] = []
        while !inputs.isEmpty {
            effects = []
            table.handle(inputs.removeFirst(), now: now, into: &effects)
            for effect in effects { perform(effect, announce) }
            // Only now, so that workers that start together know each other before one of them serves.
            for tag in unbegun { tell(tag, .started) }
            unbegun = []
        }
        for worker in workers.values where !worker.isDeaf { keepTelling(worker) }
        resolvers.keepTelling(in: poller)
    }

    private func perform(_ effect: WorkerTable.Effect, _ announce: (String) -> Void) {
        switch effect {
        case .start(let tag):
            start(tag)
        case .announce:
            announce(announcement)
        case .kill(let tag, let reason):
            if reason != .allEnd {
                logger.error("a worker is ended", metadata: ["worker": "\(tag)", "reason": "\(reason.words)"])
                past.count(.killed)
            }
            workers[tag]?.send(.kill)
        case .gone(let tag, let restart):
            bury(tag)
            if let restart {
                past.count(.deaths)
                logger.notice(
                    "another worker will take the place of one that has ended",
                    metadata: [
                        "worker": "\(tag)", "after": "\(restart.components.seconds)s", "deaths": "\(table.deaths)",
                    ])
            }
        case .drain(let tag):
            tell(tag, .drain)
            // One that cannot be told understands the signal as well.
            if workers[tag]?.isDeaf ?? false { workers[tag]?.send(.terminate) }
        case .finished:
            closeListeners()
            resolvers.end()
            isFinished = true
        }
    }

    /// Starts a worker and makes it and the living ones known to each other.
    private func start(_ tag: UInt32) {
        do throws(SystemError) {
            let worker = try WorkerProcess(tag: tag)
            workers[tag] = worker
            let plan = WorkerPlan(
                tag: tag, workers: wanted, seed: seed, node: node, listeners: listeners.count, settings, files)
            tell(tag, .begin(plan))
            for (index, listener) in listeners.enumerated() {
                tell(tag, .listener(index: UInt32(index)), passing: listener)
            }
            tell(tag, .page(tag: tag, isOwn: true), passing: worker.page)
            tell(tag, .page(tag: PastCounters.tag, isOwn: false), passing: past.page)
            for other in workers.values.sorted(by: { $0.tag < $1.tag }) where other.tag != tag {
                try introduce(worker, other)
            }
            offer(resolvers.offers(to: tag, now: now))
            unbegun.append(tag)
            logger.log(
                level: table.phase == .starting ? .debug : .notice, "a worker was started",
                metadata: ["worker": "\(tag)", "pid": "\(worker.processID)"])
        } catch {
            if table.phase == .starting {
                failure = failure ?? "cannot start a worker: \(error)"
            } else {
                logger.error("a worker could not be started", metadata: ["worker": "\(tag)", "error": "\(error)"])
            }
            workers[tag]?.end()
            inputs.append(.ended(tag))
        }
    }

    /// Gives two workers each other's page, a page for receipts, and the two ends of a connection.
    private func introduce(_ new: WorkerProcess, _ other: WorkerProcess) throws(SystemError) {
        let pair = try Descriptor.socketPair()
        let receipts = try KeptPage(count: Receipts.words)
        tell(new.tag, .page(tag: other.tag, isOwn: false), passing: other.page)
        tell(other.tag, .page(tag: new.tag, isOwn: false), passing: new.page)
        tell(new.tag, .receipts(tag: other.tag), passing: receipts)
        tell(other.tag, .receipts(tag: new.tag), passing: receipts)
        tell(new.tag, .mailbox(tag: other.tag), passing: SharedDescriptor(pair.first))
        tell(other.tag, .mailbox(tag: new.tag), passing: SharedDescriptor(pair.second))
    }

    /// Does what follows for the processes that look up names, and gives workers connections to them.
    private func lookAfterResolvers(_ input: ResolverTable.Input) {
        let deaths = resolvers.deaths
        offer(resolvers.handle(input, workers: workers.keys.sorted(), now: now, in: poller))
        for _ in deaths..<resolvers.deaths { past.count(.resolverDeaths) }
    }

    private func offer(_ offers: [ResolverPool.Offer]) {
        for offer in offers {
            tell(offer.worker, .resolver(place: offer.place, tag: offer.tag), passing: offer.connection)
        }
    }

    /// Forgets a worker that has ended, and tells the others.
    private func bury(_ tag: UInt32) {
        unbegun.removeAll { $0 == tag }
        guard let worker = workers.removeValue(forKey: tag) else { return }
        worker.socket.unwatch(in: poller)
        if table.phase == .draining || table.phase == .ending { closeListeners() }
        let hasOtherPage: Bool
        do throws(SystemError) {
            hasOtherPage = try past.add(worker.page)
        } catch {
            logger.error(
                "the counters of a worker cannot be kept", metadata: ["worker": "\(tag)", "error": "\(error)"])
            hasOtherPage = false
        }
        for other in workers.keys.sorted() {
            tell(other, .gone(tag: tag))
            if hasOtherPage { tell(other, .page(tag: PastCounters.tag, isOwn: false), passing: past.page) }
        }
    }

    private func tell(_ tag: UInt32, _ message: SupervisorMessage, passing owner: (any DescriptorOwner)? = nil) {
        guard let worker = workers[tag], !worker.isDeaf else { return }
        guard let frame = writer.frame(message) else {
            // Only the settings could be so long, and their length was checked.
            logger.error("the settings are too long for a worker", metadata: ["worker": "\(tag)"])
            return
        }
        worker.socket.send(frame, passing: owner)
    }

    /// Sends what waits for a worker, and watches the connection for what is needed next.
    private func keepTelling(_ worker: WorkerProcess) {
        if worker.socket.isHeldUp { worker.socket.flush() }
        do throws(SystemError) {
            try worker.socket.watch(as: UInt64(worker.tag), in: poller)
        } catch {
            logger.error("watching a worker failed", metadata: ["worker": "\(worker.tag)", "error": "\(error)"])
            worker.send(.kill)
        }
    }

    /// Closes this process's listeners, so that a successor can listen there as soon as the workers have closed theirs.
    private func closeListeners() {
        for listener in listeners { listener.listener.removePath() }
        listeners = []
    }

    // MARK: Constants

    /// The tag of no worker.
    private static let signalToken: UInt64 = 0
    /// How long a descriptor waits that the kernel does not pass because too many are on their way.
    private static let heldUpPause = Duration.milliseconds(100)
}

extension WorkerTable.KillReason {
    fileprivate var words: String {
        switch self {
        case .isStuck: "its loop stands still"
        case .didNotStart: "it did not begin to serve in time"
        case .allEnd: "all end"
        }
    }
}
