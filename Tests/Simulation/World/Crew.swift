import CLinux
import Gateway
import Handover
import Logging
import Reactor
import Settings

/// Several workers of one machine, and their supervisor. They take turns in an order that chance decides, and time
/// passes while none of them has anything to do.
final class Crew {
    /// One worker.
    final class Member {
        let tag: UInt32
        let process = SimulatedProcess()
        /// The supervisor's end of the link to the worker.
        let link: LocalEnd
        let page: SharedMemory
        let generation: UInt32
        /// Whether it takes no new sessions.
        fileprivate(set) var isRetired = false
        /// Whether it was introduced to the others and serves.
        fileprivate var serves = false
        /// Nil when the worker has ended.
        fileprivate(set) var worker: Worker?
        /// When the worker has its next turn without an event; nil when it waits without limit.
        fileprivate var wakesAt: Instant?
        /// How many descriptors it has when no peer is there, without those of the other workers.
        fileprivate var descriptorsAtRest = 0
        fileprivate var publishedAt = Instant.zero
        fileprivate var reader = FrameReader(bound: 1 << 24)
        /// The processes that look up names for it, by their tags, with their places.
        fileprivate var resolvers: [UInt32: (process: Children.Process, place: UInt32)] = [:]

        fileprivate init(_ tag: UInt32, generation: UInt32, link: LocalEnd, page: SharedMemory) {
            self.tag = tag
            self.generation = generation
            self.link = link
            self.page = page
        }
    }

    private unowned let world: World
    private let plan: Plan
    private let entries: [SettingEntry]
    private let logger: Logger
    private var chance: Chance
    private var doors: [Door] = []
    private(set) var members: [Member] = []
    private var nextTag: UInt32 = 1
    private var generation: UInt32 = 1
    private var nextGeneration: UInt32 = 2
    private var isLeaving = false
    private let writer = FrameWriter(bound: 1 << 24)
    private var kernel: Kernel { world.kernel }

    /// - Parameter ports: those of the listeners, in the order of the settings.
    init(_ plan: Plan, ports: [UInt16], entries: [SettingEntry], logger: Logger, world: World) {
        self.plan = plan
        self.entries = entries
        self.logger = logger
        self.world = world
        chance = Chance(seed: UInt64(plan["seed"]) ^ 0xC4E3)
        world.kernel.isShared = true
        world.kernel.passing = PassingFaults(full: plan["mailfull"], tooMany: plan["toomany"])
        for port in ports {
            let door = Door(kernel)
            // The supervisor has a descriptor of each.
            kernel.retain(door)
            _ = kernel.bind(door, to: port)
            _ = kernel.listen(on: door, backlog: 4_096)
            doors.append(door)
        }
    }

    // MARK: What the supervisor does

    /// Starts a worker of the current generation in the place of one that has ended, and makes it known to the others. A
    /// place of an old generation stays empty.
    func start(_ generation: UInt32, tries: Int = 0) {
        guard !isLeaving, generation == self.generation else { return }
        guard let member = begin(generation) else {
            if tries == 10 { world.judge.fail("no worker of generation \(generation) starts") }
            kernel.after(.seconds(1)) { [weak self] in self?.start(generation, tries: tries + 1) }
            return
        }
        serve(member)
    }

    /// Starts another generation. If one of its workers cannot start, the present one goes on alone. Otherwise the others
    /// take no new sessions, and end when their last one has ended.
    func renew(_ fault: Plan) {
        guard !isLeaving else { return }
        let new = nextGeneration
        nextGeneration += 1
        let old = members
        let candidates = (0..<max(fault["workers"], 1)).compactMap { _ in begin(new) }
        guard candidates.count == max(fault["workers"], 1) else {
            world.tell("generation \(new) does not start")
            for candidate in candidates { died(candidate) }
            return
        }
        world.tell("generation \(new) begins")
        generation = new
        for candidate in candidates { serve(candidate) }
        for member in old {
            member.isRetired = true
            for other in members where other !== member { say(.retired(tag: member.tag), to: other) }
            say(.retire(closing: Array(0..<UInt32(doors.count))), to: member)
        }
    }

    /// Makes a worker that is ready and all that serve known to each other, and has it serve.
    private func serve(_ member: Member) {
        for other in members where other !== member && other.serves { introduce(member, to: other) }
        for other in members where other.isRetired { say(.retired(tag: other.tag), to: member) }
        member.serves = true
        say(.serve, to: member)
    }

    /// Starts a worker. Returns nil when it cannot.
    private func begin(_ generation: UInt32) -> Member? {
        let tag = nextTag
        nextTag += 1
        let (link, its) = LocalEnd.pair(kernel, capacity: Self.linkCapacity)
        let member = Member(
            tag, generation: generation, link: link,
            page: SharedMemory(kernel, words: PageWord.count, isStale: plan["stale"] > 0))
        link.notify = { [weak self, unowned member] in self?.hear(member) }
        say(.begin(briefing(for: tag)), to: member)
        for (index, door) in doors.enumerated() {
            say(.listener(number: UInt32(index)), to: member, passing: door)
        }
        say(.page(tag: tag, isOwn: true), to: member, passing: member.page)
        say(.started, to: member)
        guard run(member, its) else {
            kernel.kill(member.process)
            return nil
        }
        // It has not read yet who the others are.
        member.descriptorsAtRest = member.process.openDescriptors
        member.wakesAt = kernel.now
        members.append(member)
        world.tell("worker \(tag) starts")
        return member
    }

    private func briefing(for tag: UInt32) -> WorkerPlan {
        WorkerPlan(
            tag: tag, workers: UInt32(plan["workers"]), seed: UInt64(plan["seed"]), node: "n1",
            listeners: Array(0..<UInt32(doors.count)),
            entries: entries.map { WorkerPlan.Entry(name: $0.name, value: $0.value, origin: .environment) },
            files: Certificates.files.map { WorkerPlan.File(path: $0.key, bytes: $0.value) })
    }

    /// Gives two workers the ends of a mailbox with its page of receipts, and each the other's page. The older one is
    /// told first, so that it knows the new one before that has a session.
    private func introduce(_ member: Member, to other: Member) {
        let capacity = plan["mailbox"] > 0 ? plan["mailbox"] : Self.linkCapacity
        let (end, otherEnd) = LocalEnd.pair(kernel, capacity: capacity)
        let receipts = SharedMemory(kernel, words: Receipts.words, isStale: false)
        say(.page(tag: member.tag, isOwn: false), to: other, passing: member.page)
        say(.receipts(tag: member.tag), to: other, passing: receipts)
        say(.mailbox(tag: member.tag), to: other, passing: otherEnd)
        say(.page(tag: other.tag, isOwn: false), to: member, passing: other.page)
        say(.receipts(tag: other.tag), to: member, passing: receipts)
        say(.mailbox(tag: other.tag), to: member, passing: end)
    }

    private func say(_ message: SupervisorMessage, to member: Member, passing object: KernelObject? = nil) {
        guard let frame = writer.frame(message) else { return }
        member.link.transmit(frame, passing: object)
    }

    /// Listens to a worker that needs processes to look up names.
    private func hear(_ member: Member) {
        member.reader.receive(member.link.readAll().span)
        do {
            while let frame = try member.reader.next() {
                switch try WorkerMessage(frame) {
                case .needsResolvers:
                    for place in 0..<UInt32(ResolverTable.standardCount) { giveResolver(at: place, to: member) }
                case .lostResolver(let tag):
                    replaceResolver(tag, of: member)
                case .ready, .failed, .draining, .drained, .retired:
                    break
                }
            }
        } catch {
            world.judge.fail("worker \(member.tag) says nonsense: \(error)")
        }
    }

    private func giveResolver(at place: UInt32, to member: Member) {
        let (process, end) = kernel.children.share(kernel)
        nextResolver += 1
        member.resolvers[nextResolver] = (process, place)
        say(.resolver(place: place, tag: nextResolver), to: member, passing: end)
    }

    /// A process that has ended is replaced at once, a connection that was lost on the way after a while.
    private func replaceResolver(_ tag: UInt32, of member: Member) {
        guard let (process, place) = member.resolvers.removeValue(forKey: tag) else { return }
        let hasEnded = process.status != nil
        process.end(status: 0)
        if world.isShortOfDescriptors { world.judge.excuseLogins(from: kernel.now) }
        kernel.after(hasEnded ? .zero : .seconds(1)) { [weak self, weak member] in
            guard let self, let member, members.contains(where: { $0 === member }) else { return }
            giveResolver(at: place, to: member)
        }
    }

    private var nextResolver: UInt32 = 0

    /// Begins the program of a worker. Returns false when it cannot serve.
    private func run(_ member: Member, _ link: LocalEnd) -> Bool {
        kernel.process = member.process
        watchTokens(of: member)
        guard let descriptor = kernel.open(link) else { return false }
        do {
            let briefing = try WorkerBriefing(over: Descriptor(owning: descriptor))
            let settings = try Settings.resolve(entries: briefing.entries)
            member.worker = try Worker(
                settings: settings, files: briefing.files, logger: logger, place: try briefing.place())
            return true
        } catch {
            world.tell("worker \(member.tag) does not start: \(error)")
            return false
        }
    }

    private func watchTokens(of member: Member) {
        member.process.epoll.registered = { [unowned world] token, isFirst in
            guard !isFirst, Worker.namesOneSocket(token) else { return }
            world.judge.fail("worker \(member.tag) watched two sockets under the token \(token)")
        }
    }

    /// Ends a worker in the middle of its work: behind so many calls, or with so many messages.
    func kill(_ fault: Plan) {
        let victims = members.filter { !$0.process.isDoomed }
        guard !victims.isEmpty, !isLeaving else { return }
        let process = victims[fault["which"] % victims.count].process
        if fault["messages"] > 0 {
            process.messagesLeft = fault["messages"]
        } else {
            process.callsLeft = max(fault["calls"], 1)
        }
        restartTime = .milliseconds(fault["back"])
    }

    private var restartTime = Duration.zero

    /// How many workers there were when all were to end.
    private var leaving = 0

    /// Has all workers end.
    func leave() {
        isLeaving = true
        leaving = members.count
        let way = chance.below(3)
        for member in members {
            if way != 1 { say(.drain, to: member) }
            kernel.process = member.process
            if way != 0 { kernel.raise(SIGTERM) }
        }
    }

    // MARK: Turns

    /// Gives the workers their turns until all have ended.
    func run() {
        for _ in 0..<plan["workers"] { start(generation) }
        while !kernel.isOver {
            kernel.runDueEvents()
            let ready = members.filter { isDue($0) || $0.process.epoll.isReady }
            if !ready.isEmpty {
                let member = ready[chance.below(ready.count)]
                let isDone = turn(member)
                if !member.process.isAlive { died(member) } else if isDone { exit(member) }
            } else if members.isEmpty, isLeaving {
                break
            } else if !kernel.passTime(until: members.compactMap(\.wakesAt).min()) {
                kernel.stuck()
            }
        }
        for member in members { bury(member) }
    }

    private func isDue(_ member: Member) -> Bool { member.wakesAt.map { $0 <= kernel.now } ?? false }

    /// Returns whether the worker has nothing left to do.
    private func turn(_ member: Member) -> Bool {
        guard let worker = member.worker else { return false }
        kernel.process = member.process
        let mayIdle = !member.process.epoll.isReady && worker.patience.map { $0 > .zero } ?? true
        let wasWell = worker.turn()
        guard member.process.isAlive else { return false }
        if !wasWell { world.judge.fail("the loop of worker \(member.tag) failed") }
        if !mayIdle { publish(member) }
        world.judgeTurn(of: worker, mayIdle: mayIdle)
        member.wakesAt = worker.patience.map { kernel.now + $0.inWaits }
        return worker.isDone()
    }

    private func died(_ member: Member) {
        world.tell("worker \(member.tag) is killed")
        bury(member)
        for other in members { say(.gone(tag: member.tag), to: other) }
        world.workerDied(member.tag)
        guard !member.isRetired else { return }
        kernel.after(restartTime) { [weak self] in self?.start(member.generation) }
    }

    /// Shows the others what a worker has counted, or only what it had counted some time ago.
    private func publish(_ member: Member) {
        guard plan["stale"] > 0, kernel.now >= member.publishedAt + .milliseconds(plan["stale"]) else { return }
        member.publishedAt = kernel.now
        member.page.publish()
    }

    private func exit(_ member: Member) {
        if !isLeaving, !member.isRetired { world.judge.fail("worker \(member.tag) ends by itself") }
        if member.isRetired { world.tell("worker \(member.tag) ends: it has no session left") }
        // A retired one may end before it has noticed that another has.
        if !member.isRetired, tooMany(member) > 0 {
            world.judge.fail("worker \(member.tag) leaves \(tooMany(member)) descriptors open")
        }
        member.worker = nil
        if kernel.children.running(of: member.process) > 0 {
            world.judge.fail("worker \(member.tag) has started processes")
        }
        bury(member)
    }

    /// Gives up a worker that has ended, with its memory.
    private func bury(_ member: Member) {
        kernel.process = member.process
        kernel.kill(member.process)
        member.worker = nil
        member.process.epoll.registered = { _, _ in }
        member.link.close()
        members.removeAll { $0 === member }
    }

    // MARK: What is judged at rest

    /// What is left although no peer is there; nil when nothing is.
    var rest: String? {
        for member in members {
            if let census = member.worker?.census, !census.isEmpty { return "worker \(member.tag) has \(census)" }
            let tooMany = tooMany(member)
            if tooMany > 0 || tooMany < 0 && !world.isShortOfDescriptors {
                return "\(tooMany) descriptors too many are open in worker \(member.tag)"
            }
        }
        return nil
    }

    private func tooMany(_ member: Member) -> Int {
        // Two pages and a mailbox of each other worker, and a connection to each process that looks up names.
        let ofOthers = 3 * (isLeaving ? leaving : members.count - 1)
        let resolvers = member.resolvers.values.count { $0.process.status == nil }
        return member.process.openDescriptors - member.descriptorsAtRest - ofOthers - resolvers
    }

    private static let linkCapacity = 212_992
}

extension Duration {
    /// The length of a wait for this long: whole milliseconds.
    fileprivate var inWaits: Duration { .milliseconds(max((nanoseconds + 999_999) / 1_000_000, 0)) }
}

extension World {
    /// Notes what the death of a worker explains: its sessions are gone, and whoever asks for one is told so.
    func workerDied(_ tag: UInt32) {
        hasLostWorkers = true
        for client in clients where client.begins <= kernel.now {
            let isIts = client.sid.split(separator: ".").dropFirst().first.map { $0 == "\(tag)" } ?? false
            // Nobody knows where a session is being begun.
            guard isIts || client.sid.isEmpty else { continue }
            client.explain(["item-not-found"])
            // A client that has left may have a session for a while.
            for ledger in client.ledgers where ledger.end == nil || !ledger.hasSeenClose {
                // A stream that can be resumed loses nothing with its session.
                if let managed = client.managed, !managed.isOver {
                    ledger.hasFaulted = true
                } else {
                    ledger.serverFails()
                }
                if isIts, client.managed == nil, ledger.end == nil { ledger.serverGoneAt = kernel.now }
            }
        }
    }
}
