import Gateway
import Handover
import Primitives

/// A supervisor of a `Crew`. `WorkerTable` decides, as in the program; this class executes its effects in the model.
///
/// It acts some time after something has happened, between two turns of workers. It may die in the middle of what it says.
final class SimulatedSupervisor {
    /// A worker as its supervisor knows it.
    final class Ward {
        /// What it was told before it served.
        let plan: WorkerPlan
        /// The supervisor's end of the link to it.
        let link: LocalEnd
        let page: SharedMemory
        /// Whether another process has started it. The end of the link is its end then.
        let isAdopted: Bool
        /// The workers that it was made known to.
        var fellows: Set<UInt32>
        /// Whether it can no longer be told anything.
        var isDeaf = false
        /// Whether it has said that it takes no new sessions.
        var isRetired = false
        /// The processes that look up names for it, by their tags, with their places.
        var resolvers: [UInt32: (process: Children.Process, place: UInt32)] = [:]
        fileprivate var reader: FrameReader
        var tag: UInt32 { plan.tag }
        /// Whether no part of a message has come.
        var isBetweenFrames: Bool { reader.isBetweenFrames }

        /// A worker that this supervisor starts.
        init(_ plan: WorkerPlan, _ link: LocalEnd, _ page: SharedMemory) {
            self.plan = plan
            self.link = link
            self.page = page
            isAdopted = false
            fellows = []
            reader = FrameReader(bound: FrameReader.longest)
        }

        /// A worker that an earlier supervisor has started.
        init(_ record: WorkerRecord, _ link: LocalEnd, _ page: SharedMemory, isAdopted: Bool, reader: FrameReader) {
            plan = record.plan
            self.link = link
            self.page = page
            self.isAdopted = isAdopted
            self.reader = reader
            isRetired = record.isRetired
            fellows = Set(record.fellows)
        }
    }

    /// What it is asked to do.
    enum Command {
        case renew(workers: Int)
        case upgrade(Plan, tries: Int)
    }

    /// A change to another generation that is under way.
    struct Renewal {
        let generation: UInt32
        /// The old workers that have not said yet that they take no new sessions; nil before the new ones serve.
        var retiring: Set<UInt32>?
    }

    unowned let crew: Crew
    /// The number of its process. A program that takes the place of another one in a process has the same.
    let process: Int
    var table: WorkerTable
    var wards: [UInt32: Ward] = [:]
    /// What workers of each living generation are told, but for the tag.
    var plans: [UInt32: WorkerPlan] = [:]
    var listeners: [(number: UInt32, address: String, door: Door)] = []
    /// The counters of workers that have ended.
    let past: SharedMemory
    let control: LocalDoor
    var toldRules = SharedRules()
    var renewal: Renewal?
    /// Whether a new program is being tried before it takes the place of this one.
    var isProbing = false
    /// What is to be done once the present change is over.
    var waiting: [Command] = []
    /// What has happened and is to be decided.
    var inputs: [WorkerTable.Input] = []
    private(set) var isAlive = true
    /// With which message to a worker it is killed, before that passes; nil when it is not.
    var messagesLeft: Int?
    /// Until when it does nothing, as when the machine gives it no time.
    private var sleepsUntil = Instant.zero
    private var isStirred = false
    private var alarm: Instant?
    let writer = FrameWriter(bound: FrameReader.longest)
    var kernel: Kernel { crew.kernel }
    var now: MonotonicInstant { MonotonicInstant(nanoseconds: kernel.now.nanoseconds) }

    /// - Parameters:
    ///   - table: who there is.
    ///   - inheritance: what an earlier supervisor had; `takeOver` follows for its workers.
    init(_ crew: Crew, process: Int, table: WorkerTable, _ inheritance: SimulatedInheritance) {
        self.crew = crew
        self.process = process
        self.table = table
        past = inheritance.past ?? SharedMemory(crew.kernel, words: PageWord.count, isStale: false)
        control = inheritance.control ?? crew.newControl()
        listeners = inheritance.listeners
    }

    // MARK: When it acts

    /// Has it act soon.
    func stir() {
        guard isAlive, !isStirred else { return }
        isStirred = true
        kernel.after(crew.chance.time(.microseconds(1)...(.milliseconds(5)))) { [weak self] in
            self?.isStirred = false
            self?.act()
        }
    }

    /// Has it do nothing for a while.
    func sleep(for time: Duration) { sleepsUntil = max(sleepsUntil, kernel.now + time) }

    private func act() {
        guard isAlive, !isStirred else { return }
        guard sleepsUntil <= kernel.now else {
            isStirred = true
            kernel.at(sleepsUntil) { [weak self] in
                self?.isStirred = false
                self?.act()
            }
            return
        }
        // Signals and messages come in any order.
        let collectsFirst = crew.chance.once(in: 2)
        if collectsFirst { collect() }
        for ward in wardsInOrder { listen(to: ward) }
        if !collectsFirst { collect() }
        if let deadline = table.nextDeadline, deadline <= now {
            inputs.append(.deadlineReached(turns: wards.mapValues { $0.page.word(PageWord.turns.rawValue) }))
        }
        happen()
    }

    /// Has the table decide about what has happened, and does what it says, until nothing more follows.
    func happen() {
        while isAlive, !inputs.isEmpty {
            var effects: [WorkerTable.Effect] = []
            table.handle(inputs.removeFirst(), now: now, into: &effects)
            for effect in effects where isAlive { perform(effect) }
        }
        guard isAlive, let deadline = table.nextDeadline else { return }
        let time = Instant(nanoseconds: deadline.nanoseconds)
        guard alarm.map({ time < $0 }) ?? true else { return }
        alarm = time
        kernel.at(time) { [weak self] in
            if self?.alarm == time { self?.alarm = nil }
            self?.act()
        }
    }

    private func perform(_ effect: WorkerTable.Effect) {
        switch effect {
        case .start(let tag, let generation): start(tag, generation)
        case .serve(let tag): serve(tag)
        case .announce: break
        case .renewed: renewed()
        case .abandoned(let generation): abandoned(generation)
        case .insisted(let generation): insisted(generation)
        case .retire(let tag): retire(tag)
        case .kill(let tag, let reason):
            if reason == .isStuck { crew.world.judge.fail("worker \(tag) is taken for one whose loop stands still") }
            crew.kill(tag, "it is ended: \(reason)")
        case .gone(let tag, _): bury(tag)
        case .drain(let tag):
            if table.phase == .serving { crew.isDrained(tag) }
            crew.mayEnd(tag)
            say(.drain, to: tag)
        case .finished: crew.finished()
        }
    }

    // MARK: What it hears

    var wardsInOrder: [Ward] { wards.values.sorted { $0.tag < $1.tag } }

    private func collect() {
        for tag in crew.collect(childrenOf: process) {
            guard let ward = wards[tag] else { continue }
            listen(to: ward)
            ended(ward)
        }
    }

    private func ended(_ ward: Ward) {
        hasRetired(ward.tag)
        inputs.append(.ended(ward.tag))
    }

    func listen(to ward: Ward) {
        guard !ward.isDeaf else { return }
        let (bytes, passed) = ward.link.readAll()
        for object in passed { kernel.release(object) }
        ward.reader.receive(bytes.span)
        do {
            while let frame = try ward.reader.next() { hear(try WorkerMessage(frame), from: ward) }
        } catch {
            crew.world.judge.fail("worker \(ward.tag) says nonsense: \(error)")
        }
        guard ward.link.isBroken else { return }
        if table.phase == .serving || ward.isAdopted { crew.kill(ward.tag, "its link is broken") }
        ward.isDeaf = true
        ward.link.notify = nil
        // Nobody here can collect it.
        if ward.isAdopted { ended(ward) }
    }

    private func hear(_ message: WorkerMessage, from ward: Ward) {
        switch message {
        case .ready: inputs.append(.ready(ward.tag))
        case .retired:
            ward.isRetired = true
            hasRetired(ward.tag)
        case .needsResolvers:
            for place in 0..<UInt32(ResolverTable.standardCount) { giveResolver(at: place, to: ward) }
        case .lostResolver(let tag): replaceResolver(tag, of: ward)
        case .failed, .draining, .drained: break
        }
    }

    // MARK: What it says

    func say(_ message: SupervisorMessage, to tag: UInt32, passing object: KernelObject? = nil) {
        guard isAlive, let ward = wards[tag], !ward.isDeaf, let frame = writer.frame(message) else { return }
        if let left = messagesLeft {
            messagesLeft = left - 1
            if left <= 1 { crew.supervisorDies() }
            guard isAlive else { return }
        }
        if case .serve = message { crew.serves(tag) }
        ward.link.transmit(frame, passing: object.map { [$0] } ?? [])
    }

    // MARK: Its end

    /// Has all workers end.
    func drain() {
        inputs.append(.drain)
        happen()
    }

    /// Ends it: nothing that it still does has any effect.
    ///
    /// - Parameter links: whether the links to the workers end with it.
    func end(closing links: Bool) {
        guard isAlive else { return }
        isAlive = false
        for ward in wards.values {
            ward.link.notify = nil
            if links { ward.link.close() }
            for (process, _) in ward.resolvers.values { process.end(status: 0) }
        }
        if links {
            for listener in listeners { kernel.release(listener.door) }
            kernel.release(control)
        }
    }
}

extension FrameReader {
    /// The longest message between processes of the model.
    static let longest = 1 << 24
}
