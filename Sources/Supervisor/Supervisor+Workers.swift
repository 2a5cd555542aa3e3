import Handover
import LogLines
import Logging
import Primitives
import ProcessLinks
import Reactor

/// Starts workers, makes them known to each other, and gives up those that have ended.
extension Supervisor {
    /// Starts a worker with what its generation is told. It serves once all that it has to know has come.
    func start(_ tag: UInt32, _ generation: UInt32) {
        guard var plan = plans[generation] else {
            inputs.append(.ended(tag))
            return
        }
        plan.tag = tag
        do throws(SystemError) {
            let worker = try WorkerProcess(plan: plan)
            workers[tag] = worker
            tell(tag, .begin(plan))
            for id in plan.listeners {
                if let listener = listeners.listener(id) { tell(tag, .listener(number: id), passing: listener) }
            }
            tell(tag, .page(tag: tag, isOwn: true), passing: worker.page)
            tell(tag, .page(tag: PastCounters.tag, isOwn: false), passing: past.page)
            if let control { tell(tag, .control, passing: control.listener) }
            offer(resolvers.offers(to: tag, now: now))
            // A new generation begins with the levels of its settings.
            if let levelsAskedFor, generation != renewal?.generation { tell(tag, .logLevels("\(levelsAskedFor)")) }
            let accessFile = generation == renewal?.generation ? renewal?.accessFile : self.accessFile
            if let accessFile { tell(tag, .accessLog, passing: accessFile) }
            tell(tag, .started)
            logger.log(
                level: table.phase == .starting ? .debug : .notice, "a worker was started",
                metadata: ["worker": .number(tag), "pid": .number(worker.processID), "generation": .number(generation)])
        } catch {
            if table.phase == .starting {
                failure = failure ?? "cannot start a worker: \(error)"
            } else {
                logger.error("a worker could not be started", metadata: ["worker": .number(tag), "error": "\(error)"])
            }
            workers[tag]?.end()
            inputs.append(.ended(tag))
        }
    }

    /// Makes a worker that is ready and all that serve known to each other, and has it serve.
    ///
    /// The others are told first. So they know the worker before it can have a session, for which one of them may get a
    /// request.
    func serve(_ tag: UInt32) {
        guard let worker = workers[tag] else { return }
        do throws(SystemError) {
            for other in table.strangers(to: tag, knowing: worker.fellows) {
                if let known = workers[other] { try introduce(worker, known) }
            }
        } catch {
            logger.error(
                "a worker cannot be made known to the others", metadata: ["worker": .number(tag), "error": "\(error)"])
            worker.send(.kill)
            return
        }
        for word in table.wordsToServe(refusal: refusal, rules: toldRules) { tell(tag, word) }
    }

    /// Gives two workers each other's page, a page for receipts, and the two ends of a connection.
    private func introduce(_ new: WorkerProcess, _ other: WorkerProcess) throws(SystemError) {
        let pair = try Descriptor.socketPair()
        let receipts = try KeptPage(count: Receipts.words)
        new.fellows.insert(other.tag)
        other.fellows.insert(new.tag)
        tell(other.tag, .page(tag: new.tag, isOwn: false), passing: new.page)
        tell(other.tag, .receipts(tag: new.tag), passing: receipts)
        tell(other.tag, .mailbox(tag: new.tag), passing: SharedDescriptor(pair.second))
        tell(new.tag, .page(tag: other.tag, isOwn: false), passing: other.page)
        tell(new.tag, .receipts(tag: other.tag), passing: receipts)
        tell(new.tag, .mailbox(tag: other.tag), passing: SharedDescriptor(pair.first))
    }

    /// Forgets a worker that has ended, and tells the others.
    func bury(_ tag: UInt32) {
        guard let worker = workers.removeValue(forKey: tag) else { return }
        worker.socket.unwatch(in: poller)
        if table.phase == .draining || table.phase == .ending { listeners.close(allBut: []) }
        let hasOtherPage: Bool
        do throws(SystemError) {
            hasOtherPage = try past.add(worker.page)
        } catch {
            logger.error(
                "the counters of a worker cannot be kept", metadata: ["worker": .number(tag), "error": "\(error)"])
            hasOtherPage = false
        }
        for other in workers.values.sorted(by: { $0.tag < $1.tag }) {
            other.fellows.remove(tag)
            tell(other.tag, .gone(tag: tag))
        }
        if hasOtherPage { showPast() }
        forgetGenerations()
    }

    /// Gives all workers the page with the counters of those that have ended.
    func showPast() {
        for tag in workers.keys.sorted() { tell(tag, .page(tag: PastCounters.tag, isOwn: false), passing: past.page) }
    }

    // MARK: Looking up names

    /// Does what follows for the processes that look up names, and gives workers connections to them.
    func lookAfterResolvers(_ input: ResolverTable.Input) {
        let deaths = resolvers.deaths
        offer(resolvers.handle(input, workers: workers.keys.sorted(), now: now, in: poller))
        for _ in deaths..<resolvers.deaths { past.count(.resolverDeaths) }
    }

    private func offer(_ offers: [ResolverPool.Offer]) {
        for offer in offers {
            tell(offer.worker, .resolver(place: offer.place, tag: offer.tag), passing: offer.connection)
        }
    }

    // MARK: Telling

    func tell(_ tag: UInt32, _ message: SupervisorMessage, passing owner: (any DescriptorOwner)? = nil) {
        guard let worker = workers[tag], !worker.isDeaf else { return }
        guard let frame = writer.frame(message) else {
            // Only the settings could be so long, and their length was checked.
            logger.error("the settings are too long for a worker", metadata: ["worker": .number(tag)])
            return
        }
        worker.socket.send(frame, passing: owner)
    }

    /// Sends what waits for a worker, and watches the connection for what is needed next.
    func keepTelling(_ worker: WorkerProcess) {
        if worker.socket.isHeldUp { worker.socket.flush() }
        do throws(SystemError) {
            try worker.socket.watch(as: UInt64(worker.tag), in: poller)
        } catch {
            logger.error("watching a worker failed", metadata: ["worker": .number(worker.tag), "error": "\(error)"])
            worker.send(.kill)
        }
    }
}
