import Handover
import LogLines
import Logging
import ProcessLinks
import Reactor
import Settings

/// Takes over what an earlier supervisor has left, and leaves it to the next one.
extension Supervisor {
    // MARK: Taking over

    /// Goes on with running workers, and starts a generation of this program's own.
    func begin(with inheritance: Inheritance) {
        let isAdoption = inheritance.version == nil
        for record in inheritance.workers {
            takeOver(record, page: inheritance.takePage(of: record.plan.tag), inheritance.takeLink(to: record.plan.tag))
        }
        do throws(SystemError) {
            if try past.addMissingFields() { showPast() }
        } catch {
            logger.error("some counters cannot be shown", metadata: ["error": "\(error)"])
        }
        let cause: Renewal.Cause
        if let version = inheritance.version {
            cause = .upgrade(from: version)
        } else {
            cause = .adoption
            for _ in inheritance.workers { past.count(.adopted) }
            logger.notice(
                "the workers of a supervisor that has died are taken over",
                metadata: ["tags": "\(inheritance.workers.map(\.plan.tag).sorted())"])
        }
        if let control {
            for tag in workers.keys.sorted() { tell(tag, .control, passing: control.listener) }
        }
        let asker: ControlDoor.Asker? =
            if let descriptor = inheritance.asker?.take() { control?.adopt(descriptor, in: poller) } else { nil }
        // Workers may have connections to processes that nobody looks after any more. Those of a supervisor that has died
        // say so themselves, perhaps right behind what they have.
        for tag in workers.keys.sorted() { if let worker = workers[tag] { listen(to: worker) } }
        if !isAdoption, !inheritance.children.isEmpty { lookAfterResolvers(.needed) }
        notice.say(.reloading)
        renew(with: first, cause, asker)
    }

    private func takeOver(_ record: WorkerRecord, page: PassedDescriptor?, _ socket: FrameSocket?) {
        let tag = record.plan.tag
        // The program before this one in this process may have adopted it.
        let parent = OtherProcess(Int32(clamping: record.processID)).parentID
        let isAdopted = parent != CurrentProcess.processID
        do throws(SharedPage.AdoptionError) {
            guard let socket, let descriptor = page?.take() else {
                logger.error(
                    "a worker cannot be taken over: a descriptor is missing", metadata: ["worker": .number(tag)])
                inputs.append(.ended(tag))
                return
            }
            let page = try KeptPage(adopting: descriptor, isWritable: false)
            let worker = WorkerProcess(record, page: page, socket, isAdopted: isAdopted)
            workers[tag] = worker
            let generation = worker.plan.generation
            if plans[generation] == nil { plans[generation] = worker.plan }
            keepTelling(worker)
        } catch {
            logger.error("a worker cannot be taken over", metadata: ["worker": .number(tag), "error": "\(error)"])
            inputs.append(.ended(tag))
        }
    }

    // MARK: Leaving

    /// All that the next program in this process has to know, with the numbers of the descriptors that it inherits.
    func estate(asker: ControlDoor.Asker?) -> (bytes: [UInt8], descriptors: [Int32]) {
        var bytes: [UInt8] = []
        var descriptors: [Int32] = []
        func leave(_ part: Bequest, _ descriptor: Int32? = nil) {
            guard let frame = writer.frame(part, number: UInt32(clamping: descriptor ?? 0)) else { return }
            bytes += frame
            if let descriptor { descriptors.append(descriptor) }
        }
        leave(.program(version: program.version, nextTag: table.upcomingTag))
        let retired = Set(table.retiredTags)
        for worker in living {
            let isRetired = retired.contains(worker.tag)
            leave(
                .worker(
                    WorkerRecord(
                        plan: worker.plan, processID: UInt32(clamping: worker.processID), isRetired: isRetired,
                        fellows: worker.fellows.sorted())))
            leave(.page(tag: worker.tag), worker.page.number)
            leave(.link(tag: worker.tag), worker.socket.number)
        }
        for listener in listeners.all {
            leave(.listener(number: listener.id, address: listener.address), listener.number)
        }
        leave(.past, past.page.number)
        if let control { leave(.control, control.listener.number) }
        if let asker, let control { leave(.asker, control.number(of: asker)) }
        // A worker that does not serve yet ends with this program's end of its link.
        let others = workers.values.filter { worker in !living.contains { $0 === worker } }
        for processID in resolvers.processIDs + others.map(\.processID) {
            leave(.child(processID: UInt32(clamping: processID)))
        }
        leave(.complete)
        return (bytes, descriptors)
    }

    private var living: [WorkerProcess] {
        workers.values.filter { !$0.isDeaf && table.ready.contains($0.tag) }.sorted { $0.tag < $1.tag }
    }

    // MARK: The service manager

    /// Tells the service manager that the program lives, as long as any worker's loop turns, and how many sessions there
    /// are while nothing else is to be said.
    func feedWatchdog() {
        guard let feedsAt = notice.feedsAt, feedsAt <= now else { return }
        let isSteady = table.phase == .serving && renewal == nil && probe == nil
        notice.feed(
            now: now, turns: turns.values.reduce(0, &+), isIdle: workers.isEmpty,
            status: isSteady ? "\(sessionCount) sessions; \(status)" : nil)
    }

    /// How many sessions all workers have.
    private var sessionCount: UInt64 {
        workers.values.reduce(0) { $0 &+ $1.page.page[PageWord.sessions.rawValue] }
    }
}
