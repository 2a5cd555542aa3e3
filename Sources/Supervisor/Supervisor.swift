import Handover
import LogLines
import Logging
import Primitives
import ProcessLinks
import Reactor
import Settings

/// The process that starts the workers and looks after them: it opens the listeners, gives each worker what it needs,
/// starts another one for each that dies, makes the workers known to each other, and puts a new generation of them in the
/// place of the current one. It holds no session.
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

    let program: Program
    /// The log of this process.
    var logs: Logs
    /// The file of the access log; nil when there is none.
    var accessFile: SharedDescriptor?
    /// Where it is.
    var accessLog: AccessLogPlace
    /// The levels of the log that an operator has asked for; nil while those of the settings hold.
    var levelsAskedFor: LogLevels?
    let node: String
    /// The settings of the newest generation.
    var settings: Settings
    /// What this supervisor begins with.
    let first: LoadedConfiguration
    /// How many workers a generation of these settings has.
    var wanted: Int
    var poller: Poller
    private let signals: SignalSource
    private var buffer = ReadBuffer()
    let writer = FrameWriter(bound: FrameSocket.standardBound)
    var now = MonotonicClock.now
    var table: WorkerTable
    let listeners = ListenerPool()
    var workers: [UInt32: WorkerProcess] = [:]
    /// What workers of each living generation are told, but for the tag.
    var plans: [UInt32: WorkerPlan] = [:]
    let past: PastCounters
    let resolvers: ResolverPool
    let control: ControlDoor?
    /// The rules that the workers were told last.
    var toldRules = SharedRules()
    /// Why the last reload or upgrade was refused; empty when the last one was carried out.
    var refusal = ""
    /// A random number that all workers share.
    let seed: UInt64
    /// What has happened and is to be decided.
    var inputs: [WorkerTable.Input] = []
    /// The line that a worker says when it serves.
    private var announcement = ""
    /// The first reason why the workers could not start.
    var failure: String?
    /// The change to another generation that is under way; nil when there is none.
    var renewal: Renewal?
    /// What is to be done once the present change is over.
    var waiting: [(command: ControlDoor.Command, asker: ControlDoor.Asker?)] = []
    /// The program that is being tried before it takes the place of this one; nil when there is none.
    var probe: Probe?
    /// Children of the program before this one whose ends are to be collected.
    private var strangers: [Stranger] = []
    /// What this supervisor has taken over and not begun with.
    private var inheritance: Inheritance?
    let notice: ServiceNotice
    private var isFinished = false

    /// Opens the listeners.
    ///
    /// - Parameters:
    ///   - workers: how many there shall be, 1 or more.
    ///   - node: the name that stands in each `sid`.
    ///   - memory: what the program before this one in this process has left; nil at a start.
    /// - Throws: `SupervisorError`, for instance for a port in use.
    package init(
        _ program: Program, _ configuration: LoadedConfiguration, workers: Int, node: String,
        memory: consuming Descriptor?, logs: Logs
    ) throws(SupervisorError) {
        let settings = configuration.settings
        self.program = program
        self.settings = settings
        accessLog = settings.accessLog
        first = configuration
        self.logs = logs
        wanted = max(workers, 1)
        let retirement = WorkerTable.Retirement(linger: settings.linger, generations: settings.generations)
        let inheritance =
            if let memory { try Inheritance(in: memory) } else {
                try Self.gather(settings, logs.process)
            }
        resolvers = ResolverPool(nameserver: settings.nameserver, logger: logs.resolver)
        notice = ServiceNotice()
        do throws(SystemError) {
            if !settings.coreDumps { try CoreDump.forbid() }
        } catch {
            throw SupervisorError(line: "cannot switch core dumps off: \(error)")
        }
        do throws(SystemError) {
            poller = try Poller()
            signals = try SignalSource([.terminate, .interrupt, .hangup, .quit, .user1, .user2, .child])
            try poller.register(signals.descriptor, token: Self.signalToken, interest: .readable)
            past = try Self.past(inheritance, logs.process)
        } catch {
            throw SupervisorError(line: "cannot start: \(error)")
        }
        for (number, address, descriptor) in inheritance.listeners {
            guard let descriptor = descriptor.take() else { continue }
            do throws(SystemError) { try listeners.adopt(number, address, descriptor) } catch {
                throw SupervisorError(line: "cannot go on listening on \(address): \(error)")
            }
        }
        if let place = settings.control {
            control = try ControlDoor(place, inherited: inheritance.control, logger: logs.admin)
        } else {
            control = nil
        }
        // All workers know the node and the seed of the first ones.
        let known = inheritance.workers.first?.plan
        self.node = known?.node ?? node
        seed = known?.seed ?? UInt64(truncatingIfNeeded: SystemRandom.value128())
        if inheritance.isEmpty {
            table = WorkerTable(wanted: wanted, next: inheritance.nextTag, retirement: retirement)
            plans[table.current] = try plan(of: configuration, workers: wanted, generation: table.current)
        } else {
            table = inheritance.table(retirement, now: now)
            self.inheritance = inheritance
        }
        strangers = inheritance.children.map { Stranger($0) }
    }

    /// What the workers of a supervisor that has died have; nothing when there are none.
    private static func gather(_ settings: Settings, _ logger: Logger) throws(SupervisorError) -> Inheritance {
        guard let place = settings.control, let address = SocketAddress(place.description) else {
            return Inheritance()
        }
        return try Inheritance.gather(at: address, logger: logger)
    }

    private static func past(_ inheritance: Inheritance, _ logger: Logger) throws(SystemError) -> PastCounters {
        guard let descriptor = inheritance.past?.take() else { return try PastCounters() }
        do throws(SharedPage.AdoptionError) {
            return try PastCounters(adopting: descriptor)
        } catch {
            logger.error("the counters of workers that have ended are lost", metadata: ["error": "\(error)"])
            return try PastCounters()
        }
    }

    /// What workers with these settings are told. Opens the listeners that are not open, and logs the warnings.
    func plan(
        of configuration: LoadedConfiguration, workers: Int, generation: UInt32
    ) throws(SupervisorError) -> WorkerPlan {
        let settings = configuration.settings
        try writer.check(settings, configuration.files)
        for warning in configuration.warnings { logger.warning("\(warning)") }
        let addresses = settings.listen + settings.listenProxy + [settings.admin].compactMap { $0 }
        return WorkerPlan(
            generation: generation, workers: workers, seed: seed, node: node, listeners: try listeners.open(addresses),
            settings, configuration.files)
    }

    /// Starts the workers, and looks after them until a signal ends the program.
    package func run() -> End {
        do throws(SystemError) {
            try control?.open(in: poller)
        } catch {
            return .failed(line: "cannot start: \(error)")
        }
        do throws(SupervisorError) {
            // By the user that serves, who has to open it again.
            if inheritance == nil { accessFile = try Self.open(accessLog) }
        } catch {
            return .failed(line: error.line)
        }
        if let inheritance {
            self.inheritance = nil
            begin(with: inheritance)
        } else {
            inputs.append(.begin)
        }
        happen()
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
            if let probe, probe.deadline <= now { endProbe(refusing: "the new program does not answer") }
            happen()
            feedWatchdog()
        }
        notice.close()
        return failure.map { .failed(line: $0) } ?? .finished
    }

    private var timeToWake: Duration? {
        let deadline = [table.nextDeadline, resolvers.nextDeadline, probe?.deadline, notice.feedsAt]
            .compactMap { $0 }.min()
        let next = deadline.map { $0.elapsed(since: MonotonicClock.now) }
        guard resolvers.isHeldUp || workers.values.contains(where: { $0.socket.isHeldUp }) else { return next }
        return min(next ?? Self.heldUpPause, Self.heldUpPause)
    }

    /// The log of what happens to processes.
    var logger: Logger { logs.process }

    /// The loop counter of each worker.
    var turns: [UInt32: UInt64] { workers.mapValues { $0.page.page[PageWord.turns.rawValue] } }

    private func dispatch(_ event: PollEvent) {
        if event.token == Self.signalToken {
            while let signal = signals.next() { handle(signal) }
        } else if event.token == Probe.token {
            listenToProbe()
        } else if ControlDoor.owns(event.token) {
            for (command, asker) in control?.handle(event, buffer: &buffer, in: poller) ?? [] { obey(command, asker) }
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
                isSecond ? "second signal: ending at once" : "shutting down",
                metadata: ["workers": .number(workers.count)])
            notice.say(.stopping)
            inputs.append(.drain)
        case .hangup:
            obey(.reload, nil)
        case .user1:
            obey(.reopen, nil)
        case .user2:
            obey(.upgrade, nil)
        case .child:
            for worker in workers.values.sorted(by: { $0.tag < $1.tag }) { collect(worker) }
            for tag in resolvers.collect() { lookAfterResolvers(.ended(tag)) }
            strangers.removeAll { $0.hasEnded }
        case .kill:
            break
        }
    }

    /// Collects a worker that has ended.
    private func collect(_ worker: WorkerProcess) {
        guard let exit = worker.reap() else { return }
        // What it has said last may say why it ended.
        listen(to: worker)
        ended(worker, exit.words, isInOrder: exit == .exited(0))
    }

    /// Notes the end of a worker.
    ///
    /// - Parameter isInOrder: whether it has ended by itself as a worker ends that has nothing more to do.
    private func ended(_ worker: WorkerProcess, _ words: String, isInOrder: Bool) {
        if table.phase == .starting || table.generation(of: worker.tag) == renewal?.generation, failure == nil {
            failure = worker.complaint ?? "a worker ended before it served: \(words)"
        }
        var fields: Logger.Metadata = ["worker": .number(worker.tag), "end": "\(words)"]
        if let complaint = worker.complaint { fields["reason"] = "\(complaint)" }
        let isRetired = table.retiredTags.contains(worker.tag)
        if isRetired, isInOrder {
            logger.notice("a worker with old settings has ended: no session is left", metadata: fields)
        } else {
            // What keeps the program from starting is said once, in its last line.
            logger.log(level: table.phase == .serving ? .error : .debug, "a worker has ended", metadata: fields)
            if isRetired, table.phase == .serving { past.count(.deaths) }
        }
        hasRetired(worker.tag)
        inputs.append(.ended(worker.tag))
    }

    // MARK: What workers say

    func listen(to worker: WorkerProcess) {
        guard !worker.isDeaf else { return }
        worker.socket.flush()
        var arrival = FrameSocket.Arrival.more
        while arrival == .more {
            arrival = worker.socket.receive(with: &buffer)
            do throws(FrameFault) {
                while let received = try worker.socket.next() { hear(received.frame, from: worker) }
            } catch {
                logger.error("a worker says nonsense", metadata: ["worker": .number(worker.tag), "fault": "\(error)"])
                worker.send(.kill)
                arrival = .end
            }
        }
        guard arrival == .end else { return }
        // If it has not ended, it would never learn of new workers, and their sessions would not be found.
        if table.phase == .serving || worker.isAdopted { worker.send(.kill) }
        worker.isDeaf = true
        worker.socket.unwatch(in: poller)
        // Nobody here can collect it.
        if worker.isAdopted { ended(worker, "its connection has ended", isInOrder: worker.hasDrained) }
    }

    private func hear(_ frame: Frame, from worker: WorkerProcess) {
        do throws(MessageFault) {
            switch try WorkerMessage(frame) {
            case .ready(let line):
                announcement = line
                inputs.append(.ready(worker.tag))
            case .failed(let line):
                worker.complaint = line
            case .drained:
                worker.hasDrained = true
                // The workers have closed theirs, or are about to.
                if table.phase == .draining { listeners.close(allBut: []) }
            case .retired:
                worker.isRetired = true
                hasRetired(worker.tag)
            case .draining:
                break
            case .needsResolvers:
                lookAfterResolvers(.needed)
            case .lostResolver(let tag):
                lookAfterResolvers(.lost(tag, worker: worker.tag))
            }
        } catch {
            logger.debug(
                "a worker says something unknown", metadata: ["worker": .number(worker.tag), "fault": "\(error)"])
        }
    }

    // MARK: What is to be done

    /// Has the table decide about what has happened, and does what it says, until nothing more follows.
    func happen() {
        while !inputs.isEmpty {
            var effects: [WorkerTable.Effect] = []
            table.handle(inputs.removeFirst(), now: now, into: &effects)
            for effect in effects { perform(effect) }
        }
        for worker in workers.values where !worker.isDeaf { keepTelling(worker) }
        resolvers.keepTelling(in: poller)
    }

    private func perform(_ effect: WorkerTable.Effect) {
        switch effect {
        case .start(let tag, let generation): start(tag, generation)
        case .serve(let tag): serve(tag)
        case .announce: announce()
        case .renewed(let generation): renewed(generation)
        case .abandoned: abandoned()
        case .insisted: insisted()
        case .retire(let tag): retire(tag)
        case .kill(let tag, let reason):
            if reason != .allEnd, reason != .isAbandoned {
                logger.error("a worker is ended", metadata: ["worker": .number(tag), "reason": "\(reason.words)"])
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
                        "worker": .number(tag), "after_seconds": .wholeSeconds(restart),
                        "deaths": .number(table.deaths),
                    ])
            }
        case .drain(let tag):
            if table.phase == .serving {
                logger.notice(
                    "the sessions of a worker with old settings are ended", metadata: ["worker": .number(tag)])
            }
            tell(tag, .drain)
            // One that cannot be told understands the signal as well.
            if workers[tag]?.isDeaf ?? false { workers[tag]?.send(.terminate) }
        case .finished:
            listeners.close(allBut: [])
            control?.close(removesPath: true, in: poller)
            resolvers.end()
            isFinished = true
        }
    }

    /// Says that all workers serve, and where.
    func announce() {
        logs.announce(version: program.version, announcement)
        notice.say(.ready(status: status))
    }

    // MARK: Constants

    /// The tag of no worker.
    private static let signalToken: UInt64 = 0
    /// How long a descriptor waits that the kernel does not pass because too many are on their way.
    private static let heldUpPause = Duration.milliseconds(100)
}

/// A child that the program before this one has started, and that this one only collects.
private final class Stranger {
    private var process: ChildProcess

    init(_ processID: Int32) {
        process = ChildProcess(inheriting: processID)
    }

    /// Whether it was collected now.
    var hasEnded: Bool { process.reap() != nil }
}

extension WorkerTable.KillReason {
    fileprivate var words: String {
        switch self {
        case .isStuck: "its loop stands still"
        case .didNotStart: "it did not begin to serve in time"
        case .isAbandoned: "another one of its generation could not start"
        case .allEnd: "all end"
        }
    }
}
