import Handover
import Primitives

/// What a supervisor takes over from an earlier one.
struct SimulatedInheritance {
    /// What is known of the workers.
    var legacy = Legacy()
    private(set) var pages: [UInt32: SharedMemory] = [:]
    /// The connections to the workers, with what has come over them and is no part of this.
    var links: [UInt32: (end: LocalEnd, reader: FrameReader)] = [:]
    private(set) var listeners: [(number: UInt32, address: String, door: Door)] = []
    private(set) var past: SharedMemory?
    private(set) var control: LocalDoor?

    var tags: [UInt32] { legacy.workers.map(\.plan.tag).sorted() }

    /// Notes one part, with the object that came with it. Returns whether that is kept open.
    mutating func take(_ part: Bequest, _ object: KernelObject?) -> Bool {
        legacy.note(part)
        switch part {
        case .listener(let number, let address):
            guard let door = object as? Door, !listeners.contains(where: { $0.number == number }) else { return false }
            listeners.append((number, address, door))
            return true
        case .page(let tag): pages[tag] = object as? SharedMemory
        case .link(let tag):
            if let end = object as? LocalEnd { links[tag] = (end, FrameReader(bound: FrameReader.longest)) }
        case .past: past = past ?? object as? SharedMemory
        case .control:
            guard control == nil, let door = object as? LocalDoor else { return false }
            control = door
            return true
        case .program, .worker, .asker, .child, .complete: break
        }
        return false
    }

    /// Lets go of everything.
    func drop(_ kernel: Kernel) {
        for link in links.values { link.end.close() }
        for listener in listeners { kernel.release(listener.door) }
        if let control { kernel.release(control) }
    }
}

/// What a program leaves in memory for the one that takes its place in its process.
struct SimulatedEstate {
    let bytes: [UInt8]
    /// The objects that stay open. The number of a frame is the place of its object.
    let objects: [KernelObject]

    /// What was left, read as the next program does.
    ///
    /// - Throws: it cannot be read.
    func read() throws -> SimulatedInheritance {
        var inheritance = SimulatedInheritance()
        var reader = FrameReader(bound: FrameReader.longest)
        reader.receive(bytes.span)
        while !inheritance.legacy.isComplete, let frame = try reader.next() {
            _ = inheritance.take(try Bequest(frame), frame.carriesDescriptor ? objects[Int(frame.number)] : nil)
        }
        return inheritance
    }
}

/// Leaves what there is to the next supervisor, and takes over what an earlier one has left.
extension SimulatedSupervisor {
    /// Executes another program in this process, unless it cannot now.
    func execute(_ fault: Plan, tries: Int) {
        guard isAlive else { return }
        isProbing = false
        guard table.phase == .serving else { return }
        // A frame that is half read could not go on in the new program.
        guard wards.values.allSatisfy({ $0.isDeaf || $0.isBetweenFrames }) else {
            crew.world.tell("an upgrade is refused: the workers are busy")
            if tries == 100 { crew.world.judge.fail("the workers are too busy for an upgrade") }
            kernel.after(.milliseconds(100)) { [weak self] in
                self?.obey(.upgrade(fault, tries: tries + 1))
                self?.happen()
            }
            obeyNext()
            happen()
            return
        }
        let living = wardsInOrder.filter { !$0.isDeaf && table.ready.contains($0.tag) }
        let estate = estate(living)
        end(closing: false)
        for ward in wardsInOrder where !living.contains(where: { $0 === ward }) {
            ward.link.close()
        }
        crew.endThoseThatDoNotServe()
        crew.executes(estate, fault)
    }

    /// All that the next program has to know. The order of what does not depend on each other is a matter of chance.
    private func estate(_ living: [Ward]) -> SimulatedEstate {
        var objects: [KernelObject] = []
        func frame(_ part: Bequest, _ object: KernelObject? = nil) -> [UInt8] {
            if let object { objects.append(object) }
            return writer.frame(part, number: UInt32(max(objects.count - 1, 0))) ?? []
        }
        let retired = Set(table.retiredTags)
        var parts: [[UInt8]] = living.map { ward in
            let record = WorkerRecord(
                plan: ward.plan, processID: ward.tag, isRetired: retired.contains(ward.tag),
                fellows: ward.fellows.sorted())
            return frame(.worker(record)) + frame(.page(tag: ward.tag), ward.page)
                + frame(.link(tag: ward.tag), ward.link)
        }
        parts += listeners.map { frame(.listener(number: $0.number, address: $0.address), $0.door) }
        parts += [frame(.past, past), frame(.control, control)]
        if wards.values.contains(where: { !$0.resolvers.isEmpty }) { parts.append(frame(.child(processID: 1))) }
        parts.shuffle(using: &crew.chance)
        let program = frame(.program(version: "before", nextTag: table.upcomingTag))
        return SimulatedEstate(bytes: program + parts.flatMap(\.self) + frame(.complete), objects: objects)
    }

    /// A supervisor that goes on with what an earlier one has left, and starts a generation of its own.
    convenience init(_ crew: Crew, process: Int, _ inheritance: SimulatedInheritance, workers count: Int) {
        let now = MonotonicInstant(nanoseconds: crew.kernel.now.nanoseconds)
        let table = WorkerTable(
            inheriting: inheritance.legacy.inherited, next: inheritance.legacy.nextTag, retirement: crew.retirement,
            now: now)
        self.init(crew, process: process, table: table, inheritance)
        for record in inheritance.legacy.workers {
            takeOver(record, inheritance.pages[record.plan.tag], inheritance.links[record.plan.tag])
        }
        control.turnAway()
        for ward in wardsInOrder { say(.control, to: ward.tag, passing: control) }
        for ward in wardsInOrder { listen(to: ward) }
        if inheritance.legacy.version != nil, !inheritance.legacy.children.isEmpty {
            for ward in wardsInOrder where !ward.isDeaf {
                for place in 0..<UInt32(ResolverTable.standardCount) { giveResolver(at: place, to: ward) }
            }
        }
        renew(workers: count)
        stir()
    }

    private func takeOver(
        _ record: WorkerRecord, _ page: SharedMemory?, _ link: (end: LocalEnd, reader: FrameReader)?
    ) {
        let tag = record.plan.tag
        guard let page, let link else {
            inputs.append(.ended(tag))
            return
        }
        let ward = Ward(record, link.end, page, isAdopted: crew.parent(of: tag) != process, reader: link.reader)
        wards[tag] = ward
        if plans[ward.plan.generation] == nil { plans[ward.plan.generation] = ward.plan }
        link.end.notify = { [weak self] in self?.stir() }
    }
}
