import CLinux
import Gateway
import Handover
import LogLines
import Reactor
import Settings

/// The processes of a machine with several workers: the workers take turns in an order that chance decides, and time
/// passes while none of them has anything to do. A supervisor acts between the turns, and others follow it.
final class Crew {
    /// One worker.
    final class Member {
        let tag: UInt32
        let process = SimulatedProcess()
        let page: SharedMemory
        /// The process that has started it.
        let parent: Int
        /// Whether it was told to serve. Without a supervisor it ends otherwise.
        fileprivate(set) var serves = false
        /// Whether it was told to end, at once or with its last session.
        fileprivate(set) var mayEnd = false
        /// When it was told to take no new sessions; nil when it was not.
        fileprivate(set) var retiredAt: Instant?
        /// When it was told to serve.
        fileprivate var servesSince: Instant?
        /// How many sessions it had after its last turn.
        fileprivate var sessions = 0
        /// Nil before the worker has begun, and when it has ended.
        fileprivate(set) var worker: Worker?
        /// When the worker has its next turn without an event; nil when it waits without limit.
        fileprivate var wakesAt: Instant?
        /// How many descriptors it has when no peer is there, without those of the other workers.
        fileprivate var descriptorsAtRest = 0
        fileprivate var publishedAt = Instant.zero

        fileprivate init(_ tag: UInt32, of parent: Int, page: SharedMemory) {
            self.tag = tag
            self.parent = parent
            self.page = page
        }
    }

    unowned let world: World
    let plan: Plan
    let entries: [SettingEntry]
    let settings: Settings
    /// Where workers listen, with the ports, in the order of the settings.
    let ports: [(address: String, port: UInt16)]
    private let logs: Logs
    var chance: Chance
    private(set) var members: [Member] = []
    var supervision = Supervision.none
    /// The path at which the supervisor takes commands.
    var control: LocalDoor?
    /// The workers that have ended and whose parent has not noticed.
    private var ended: [Member] = []
    private var lastProcess = 0
    private var lastResolver: UInt32 = 0
    /// How often in a row a supervisor could not begin.
    var failures = 0
    /// How long nobody takes the place of a supervisor that dies.
    var absence = Duration.zero
    /// With which message a worker is killed while the next supervisor asks who there is; 0 when none is.
    var diesAnswering = 0
    /// When a worker was killed last.
    private var diedAt = Instant.zero
    private(set) var isLeaving = false
    /// How many workers there were when all were to end.
    private var leaving = 0
    var kernel: Kernel { world.kernel }

    /// - Parameter ports: those of the listeners, in the order of the settings.
    init(
        _ plan: Plan, ports: [UInt16], entries: [SettingEntry], logs: Logs, world: World
    ) throws {
        self.plan = plan
        self.entries = entries
        self.logs = logs
        self.world = world
        self.ports = ports.map { ("127.0.0.1:\($0)", $0) }
        settings = try Settings.resolve(entries: entries)
        chance = Chance(seed: UInt64(plan["seed"]) ^ 0xC4E3)
        world.kernel.isShared = true
        world.kernel.passing = PassingFaults(full: plan["mailfull"], tooMany: plan["toomany"])
    }

    // MARK: Processes

    func nextProcess() -> Int {
        lastProcess += 1
        return lastProcess
    }

    func nextResolver() -> UInt32 {
        lastResolver += 1
        return lastResolver
    }

    /// Starts the process of a worker, which has one end of a link to its supervisor.
    func spawn(_ tag: UInt32, of parent: Int, _ link: LocalEnd, _ page: SharedMemory) {
        let member = Member(tag, of: parent, page: page)
        members.append(member)
        kernel.process = member.process
        guard let descriptor = kernel.open(link) else { return world.judge.fail("a process has no descriptor") }
        kernel.after(chance.time(.microseconds(100)...(.milliseconds(20)))) { [weak self, weak member] in
            guard let self, let member, member.process.isAlive else { return }
            begin(member, descriptor)
        }
    }

    /// Runs the program of a worker until it has its first turn.
    private func begin(_ member: Member, _ link: Int32) {
        kernel.process = member.process
        watchTokens(of: member)
        do {
            let briefing = try WorkerBriefing(over: Descriptor(owning: link))
            let settings = try Settings.resolve(entries: briefing.entries)
            member.worker = try Worker(
                settings: settings, files: briefing.files, logs: logs, place: try briefing.place())
        } catch {
            world.tell("worker \(member.tag) does not start: \(error)")
            died(member)
            return
        }
        guard member.process.isAlive else { return died(member) }
        member.process.takesTurns = true
        // It has not read yet who the others are.
        member.descriptorsAtRest = member.process.openDescriptors
        member.wakesAt = kernel.now
        world.tell("worker \(member.tag) starts")
    }

    private func watchTokens(of member: Member) {
        member.process.epoll.registered = { [unowned world] token, isFirst in
            guard !isFirst, Worker.namesOneSocket(token) else { return }
            world.judge.fail("worker \(member.tag) watched two sockets under the token \(token)")
        }
    }

    /// The process that has started a worker; nil when the worker has ended.
    func parent(of tag: UInt32) -> Int? { (members + ended).first { $0.tag == tag }?.parent }

    /// The workers of a process that have ended, each once.
    func collect(childrenOf process: Int) -> [UInt32] {
        let found = ended.filter { $0.parent == process }
        ended.removeAll { $0.parent == process }
        return found.map(\.tag)
    }

    // MARK: What workers are told

    func serves(_ tag: UInt32) {
        member(tag)?.serves = true
        member(tag)?.servesSince = kernel.now
    }

    func isRetired(_ tag: UInt32) {
        mayEnd(tag)
        if let member = member(tag), member.retiredAt == nil { member.retiredAt = kernel.now }
    }

    func mayEnd(_ tag: UInt32) { member(tag)?.mayEnd = true }

    /// Notes that the sessions of an old worker are ended.
    func isDrained(_ tag: UInt32) {
        world.tell("the sessions of worker \(tag) are ended")
        world.workerDrains(tag)
    }

    /// Whether no worker serves.
    var isDeserted: Bool { !members.contains { $0.serves } }

    private func member(_ tag: UInt32) -> Member? { members.first { $0.tag == tag } }

    // MARK: Ends

    /// Ends a worker in the middle of its work: behind so many calls, or with so many messages. The supervisor does
    /// nothing for a while.
    func kill(_ fault: Plan) {
        let victims = members.filter { !$0.process.isDoomed }
        guard !victims.isEmpty, !isLeaving else { return }
        let process = victims[fault["which"] % victims.count].process
        if fault["messages"] > 0 {
            process.messagesLeft = fault["messages"]
        } else {
            process.callsLeft = max(fault["calls"], 1)
        }
        if case .by(let supervisor) = supervision { supervisor.sleep(for: .milliseconds(fault["back"])) }
    }

    /// Ends one of the workers with one of its next messages.
    func killOne(messages: Int) {
        let victims = members.filter { !$0.process.isDoomed && $0.worker != nil }
        guard !victims.isEmpty else { return }
        victims[chance.below(victims.count)].process.messagesLeft = messages
    }

    /// Ends a worker at once, as its supervisor does.
    func kill(_ tag: UInt32, _ reason: String) {
        guard let member = member(tag) else { return }
        world.tell("worker \(tag): \(reason)")
        died(member)
    }

    /// Ends the workers that would end by themselves because they have no supervisor and do not serve yet.
    func endThoseThatDoNotServe() {
        for member in members where !member.serves { kill(member.tag, "it has no supervisor") }
    }

    private func died(_ member: Member) {
        diedAt = kernel.now
        world.tell("worker \(member.tag) is killed")
        bury(member)
        // Nobody has sent it anything that it has acted on, unless it served.
        if member.serves { world.workerDied(member.tag) }
    }

    private func exit(_ member: Member) {
        if !isLeaving, !member.mayEnd { world.judge.fail("worker \(member.tag) ends by itself") }
        if !isLeaving { world.tell("worker \(member.tag) ends: it has no session left") }
        // A retired one may end before it has noticed that another has.
        if isLeaving, !member.mayEnd, tooMany(member) > 0 {
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
        members.removeAll { $0 === member }
        ended.append(member)
        if case .by(let supervisor) = supervision { supervisor.stir() }
    }

    /// Has all workers end: those of the supervisor, or all processes by a signal, or both.
    func leave() {
        isLeaving = true
        leaving = members.count
        guard case .by(let supervisor) = supervision else { return world.judge.fail("there is no supervisor at rest") }
        let way = chance.below(3)
        if way != 1 { supervisor.drain() }
        guard way != 0 else { return }
        for member in members where member.worker != nil {
            kernel.process = member.process
            kernel.raise(SIGTERM)
        }
        if way == 1 { kernel.after(chance.time(.zero...(.milliseconds(50)))) { supervisor.drain() } }
    }

    // MARK: Turns

    /// Gives the workers their turns until all have ended.
    func run() {
        beginAfresh()
        while !kernel.isOver {
            kernel.runDueEvents()
            let ready = members.filter { isDue($0) || $0.process.epoll.isReady && $0.worker != nil }
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
        endSupervision()
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
        judgeSessions(of: member, worker.census.sessions)
        member.wakesAt = worker.patience.map { kernel.now + $0.inWaits }
        return worker.isDone()
    }

    /// Checks that a retired worker begins no session, once everybody knows that it is one and whom to ask instead.
    private func judgeSessions(of member: Member, _ sessions: Int) {
        defer { member.sessions = sessions }
        guard sessions > member.sessions, let retiredAt = member.retiredAt, !world.isShortOfDescriptors else { return }
        let isKnown = { [kernel] (time: Instant) in time + .seconds(1) < kernel.now }
        guard isKnown(max(retiredAt, diedAt)),
            members.contains(where: { $0.retiredAt == nil && $0.servesSince.map(isKnown) ?? false })
        else { return }
        world.judge.fail("worker \(member.tag) takes no new sessions and has begun one")
    }

    /// Shows the others what a worker has counted, or only what it had counted some time ago.
    private func publish(_ member: Member) {
        guard plan["stale"] > 0, kernel.now >= member.publishedAt + .milliseconds(plan["stale"]) else { return }
        member.publishedAt = kernel.now
        member.page.publish()
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
            if member.mayEnd { return "worker \(member.tag) has not ended, although it keeps no session" }
        }
        return nil
    }

    private func tooMany(_ member: Member) -> Int {
        // Two pages and a mailbox of each other worker, and a connection to each process that looks up names.
        let ofOthers = 3 * (isLeaving ? leaving : members.count - 1)
        return member.process.openDescriptors - member.descriptorsAtRest - ofOthers - resolvers(of: member.tag)
    }
}

extension Duration {
    /// The length of a wait for this long: whole milliseconds.
    fileprivate var inWaits: Duration { .milliseconds(max((nanoseconds + 999_999) / 1_000_000, 0)) }
}
