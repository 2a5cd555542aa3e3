import Gateway
import Handover
import Settings

/// Starts workers, makes them known to each other, gives up those that have ended, and puts other generations in their
/// place.
extension SimulatedSupervisor {
    func start(_ tag: UInt32, _ generation: UInt32) {
        guard var plan = plans[generation] else {
            inputs.append(.ended(tag))
            return
        }
        plan.tag = tag
        let (link, its) = LocalEnd.pair(kernel, capacity: LocalEnd.standardCapacity)
        let page = SharedMemory(kernel, words: PageWord.count, isStale: crew.plan["stale"] > 0)
        let ward = Ward(plan, link, page)
        wards[tag] = ward
        link.notify = { [weak self] in self?.stir() }
        crew.spawn(tag, of: process, its, page)
        say(.begin(plan), to: tag)
        for listener in listeners where plan.listeners.contains(listener.number) {
            say(.listener(number: listener.number), to: tag, passing: listener.door)
        }
        say(.page(tag: tag, isOwn: true), to: tag, passing: page)
        say(.page(tag: Self.tagOfPast, isOwn: false), to: tag, passing: past)
        say(.control, to: tag, passing: control)
        say(.started, to: tag)
    }

    func serve(_ tag: UInt32) {
        guard let ward = wards[tag] else { return }
        for other in table.strangers(to: tag, knowing: ward.fellows) {
            if let known = wards[other] { introduce(ward, known) }
        }
        for word in table.wordsToServe(refusal: "", rules: toldRules) { say(word, to: tag) }
    }

    /// Gives two workers the ends of a mailbox with its page of receipts, and each the other's page. The older one is
    /// told first, so that it knows the new one before that has a session.
    private func introduce(_ new: Ward, _ other: Ward) {
        let capacity = crew.plan["mailbox"] > 0 ? crew.plan["mailbox"] : LocalEnd.standardCapacity
        let (end, otherEnd) = LocalEnd.pair(kernel, capacity: capacity)
        // The supervisor has both until it has passed them on, or dies before.
        kernel.retain(end)
        kernel.retain(otherEnd)
        let receipts = SharedMemory(kernel, words: Receipts.words, isStale: false)
        new.fellows.insert(other.tag)
        other.fellows.insert(new.tag)
        say(.page(tag: new.tag, isOwn: false), to: other.tag, passing: new.page)
        say(.receipts(tag: new.tag), to: other.tag, passing: receipts)
        say(.mailbox(tag: new.tag), to: other.tag, passing: otherEnd)
        say(.page(tag: other.tag, isOwn: false), to: new.tag, passing: other.page)
        say(.receipts(tag: other.tag), to: new.tag, passing: receipts)
        say(.mailbox(tag: other.tag), to: new.tag, passing: end)
        kernel.release(end)
        kernel.release(otherEnd)
    }

    func bury(_ tag: UInt32) {
        guard let ward = wards.removeValue(forKey: tag) else { return }
        ward.link.notify = nil
        ward.link.close()
        for other in wardsInOrder {
            other.fellows.remove(tag)
            say(.gone(tag: tag), to: other.tag)
        }
        forgetGenerations()
    }

    // MARK: Generations

    /// Carries out a command, at once or when the change is over that is under way. `happen` has to follow.
    func obey(_ command: Command) {
        guard isAlive, table.phase == .serving else { return }
        guard renewal == nil, !isProbing else { return waiting.append(command) }
        switch command {
        case .renew(let count): renew(workers: count)
        case .upgrade(let fault, let tries):
            isProbing = true
            kernel.after(.milliseconds(fault["probe"])) { [weak self] in self?.execute(fault, tries: tries) }
        }
    }

    func obeyNext() {
        guard isAlive, renewal == nil, !isProbing, !waiting.isEmpty else { return }
        obey(waiting.removeFirst())
    }

    /// Starts a generation; `happen` has to follow.
    func renew(workers count: Int) {
        let generation = table.upcomingGeneration
        plans[generation] = plan(generation, workers: count)
        renewal = Renewal(generation: generation)
        inputs.append(.renew(wanted: count))
    }

    /// What workers of a generation are told. Opens the listeners that are not open.
    func plan(_ generation: UInt32, workers: Int) -> WorkerPlan {
        for (address, port) in crew.ports where !listeners.contains(where: { $0.address == address }) {
            let door = Door(kernel)
            kernel.retain(door)
            if kernel.bind(door, to: port) != 0 || kernel.listen(on: door, backlog: 4_096) != 0 {
                crew.world.judge.fail("a supervisor cannot listen on \(address)")
            }
            let numbers = listeners.map(\.number)
            let number = (0...UInt32(numbers.count)).first { !numbers.contains($0) } ?? 0
            listeners.append((number, address, door))
        }
        let numbers = crew.ports.compactMap { port in listeners.first { $0.address == port.address }?.number }
        return WorkerPlan(
            tag: 0, generation: generation, workers: UInt32(workers), seed: UInt64(crew.plan["seed"]), node: "n1",
            listeners: numbers,
            rules: SharedRules(paths: [crew.settings.path], body: UInt32(clamping: crew.settings.maxBody)),
            entries: crew.entries.map { WorkerPlan.Entry(name: $0.name, value: $0.value, origin: .environment) },
            files: Certificates.files.map { WorkerPlan.File(path: $0.key, bytes: $0.value) })
    }

    func renewed() {
        crew.world.tell("generation \(table.current) begins")
        renewal?.retiring = Set(table.retiredTags.filter { !(wards[$0]?.isRetired ?? true) })
        tellRules()
        finishRenewal()
    }

    func hasRetired(_ tag: UInt32) {
        guard renewal?.retiring?.remove(tag) != nil else { return }
        finishRenewal()
    }

    private func finishRenewal() {
        guard let change = renewal, change.retiring?.isEmpty ?? false else { return }
        renewal = nil
        forgetGenerations()
        obeyNext()
    }

    func abandoned(_ generation: UInt32) {
        crew.world.tell("generation \(generation) does not start")
        renewal = nil
        obeyNext()
    }

    func insisted(_ generation: UInt32) {
        crew.world.tell("generation \(generation) is started again")
        renewal = nil
        tellRules()
        obeyNext()
    }

    func retire(_ tag: UInt32) {
        guard let ward = wards[tag] else { return }
        crew.isRetired(tag)
        for other in wards.keys.sorted() where other != tag { say(.retired(tag: tag), to: other) }
        say(ward.plan.wordsToRetire(after: plans[table.current]), to: tag)
    }

    func tellRules() {
        var rules = SharedRules()
        for generation in plans.keys.sorted() { if let plan = plans[generation] { rules.allow(plan.rules) } }
        guard rules != toldRules else { return }
        toldRules = rules
        for tag in table.serving { say(.rules(rules), to: tag) }
    }

    private func forgetGenerations() {
        var living = Set(table.generations)
        if let renewal { living.insert(renewal.generation) }
        plans = plans.filter { living.contains($0.key) }
        tellRules()
        guard table.phase == .serving else { return }
        let wanted = Set(plans.values.flatMap(\.listeners))
        for listener in listeners where !wanted.contains(listener.number) { kernel.release(listener.door) }
        listeners.removeAll { !wanted.contains($0.number) }
    }

    // MARK: Looking up names

    func giveResolver(at place: UInt32, to ward: Ward) {
        let (process, end) = kernel.children.share(kernel)
        let tag = crew.nextResolver()
        ward.resolvers[tag] = (process, place)
        say(.resolver(place: place, tag: tag), to: ward.tag, passing: end)
    }

    /// A process that has ended is replaced at once, a connection that was lost on the way after a while.
    func replaceResolver(_ tag: UInt32, of ward: Ward) {
        guard let (process, place) = ward.resolvers.removeValue(forKey: tag) else { return }
        let hasEnded = process.status != nil
        process.end(status: 0)
        if crew.world.isShortOfDescriptors { crew.world.judge.excuseLogins(from: kernel.now) }
        kernel.after(hasEnded ? .zero : .seconds(1)) { [weak self, weak ward] in
            guard let self, isAlive, let ward, wards[ward.tag] === ward else { return }
            giveResolver(at: place, to: ward)
        }
    }

    /// The number of no worker: the page of this number has the counters of those that have ended.
    static let tagOfPast: UInt32 = 0
}
