import Handover
import LogLines
import Logging
import ProcessLinks
import Reactor
import Settings

/// Puts a new generation of workers in the place of the current one.
extension Supervisor {
    /// Carries out a command, at once or when the change is over that is under way.
    func obey(_ command: ControlDoor.Command, _ asker: ControlDoor.Asker?) {
        switch table.phase {
        case .draining, .ending:
            refuse("the program ends", asker)
            return
        case .starting:
            refuse("the program starts", asker)
            return
        case .serving:
            break
        }
        guard renewal == nil, probe == nil else {
            // One signal more or less says nothing new.
            if asker == nil, waiting.contains(where: { $0.asker == nil && $0.command == command }) { return }
            waiting.append((command, asker))
            return
        }
        switch command {
        case .reload: reload(for: asker)
        case .upgrade: tryProgram(for: asker)
        case .log(let levels): log(levels, for: asker)
        case .reopen: reopen(for: asker)
        }
    }

    private func obeyNext() {
        guard renewal == nil, probe == nil, !waiting.isEmpty else { return }
        let next = waiting.removeFirst()
        obey(next.command, next.asker)
    }

    // MARK: Reloading

    /// Reads the configuration again, and starts a generation with it. A configuration that cannot be used changes
    /// nothing.
    private func reload(for asker: ControlDoor.Asker?) {
        logger.notice("the configuration is read again")
        notice.say(.reloading)
        switch program.load() {
        case .success(let new):
            renew(with: new, .reload, asker)
        case .failure(let error):
            refuseReload(error, asker)
        }
    }

    /// Starts a generation with these settings.
    func renew(with configuration: LoadedConfiguration, _ cause: Renewal.Cause, _ asker: ControlDoor.Asker?) {
        let new = configuration.settings
        let count = new.workers.number(cores: ProcessorCores.usable)
        do throws(SupervisorError) {
            if cause == .reload { try checkChange(to: new) }
            let accessFile = try Self.open(new.accessLog)
            guard count > 0 else { throw SupervisorError(line: "workers: none needs another start of the program") }
            // The next number is the table's.
            let generation = table.upcomingGeneration
            plans[generation] = try plan(of: configuration, workers: count, generation: generation)
            renewal = Renewal(
                cause: cause, generation: generation, former: table.retirement, accessFile: accessFile, asker: asker)
            wanted = count
            settings = new
            failure = nil
            table.retirement = WorkerTable.Retirement(linger: new.linger, generations: new.generations)
            inputs.append(.renew(wanted: count))
        } catch {
            refuseReload(error, asker)
            if cause != .reload {
                inputs.append(.keep)
                announce()
            }
        }
    }

    /// - Throws: `SupervisorError` for a setting that holds for the whole life of the program.
    private func checkChange(to new: Settings) throws(SupervisorError) {
        let fixed: [(String, Bool)] = [
            ("control", new.control == settings.control), ("node", new.node == settings.node),
            ("user", new.user == settings.user), ("group", new.group == settings.group),
            ("core-dumps", new.coreDumps == settings.coreDumps),
        ]
        let changed = fixed.filter { !$0.1 }.map(\.0)
        guard changed.isEmpty else {
            throw SupervisorError(
                line: "\(changed.joined(separator: ", ")): a change needs another start of the program")
        }
    }

    private func refuseReload(_ error: SupervisorError, _ asker: ControlDoor.Asker?) {
        for line in error.line.split(separator: "\n") {
            logger.error(
                "the configuration is not used, and the old one goes on", metadata: ["reason": "\(line)"])
        }
        past.count(.reloadsFailed)
        show(refusal: error.line)
        notice.say(.ready(status: status))
        if let asker, let control { control.answer(.refused(lines: error.line), to: asker, in: poller) }
        obeyNext()
    }

    /// Has all workers show in `/stats` why the last command was refused.
    private func show(refusal lines: String) {
        // More than a few faults tell a person nothing more.
        refusal = lines.split(separator: "\n").prefix(5).joined(separator: "\n")
        for tag in table.serving { tell(tag, .refusal(refusal)) }
    }

    private func refuse(_ line: String, _ asker: ControlDoor.Asker?) {
        logger.notice("a command is refused", metadata: ["reason": "\(line)"])
        if let asker, let control { control.answer(.refused(lines: line), to: asker, in: poller) }
    }

    // MARK: What becomes of a new generation

    /// Waits until the old workers have stopped taking new sessions. Until then the change is not over: whoever has asked
    /// for it may begin a session right after the answer.
    func renewed(_ generation: UInt32) {
        renewal?.retiring = Set(table.retiredTags.filter { !(workers[$0]?.isRetired ?? true) })
        tellRules()
        finishRenewal()
    }

    /// Notes that a worker takes no new sessions, or has ended.
    func hasRetired(_ tag: UInt32) {
        guard renewal?.retiring?.remove(tag) != nil else { return }
        finishRenewal()
    }

    /// Says that the new generation serves, once no old worker takes new sessions.
    private func finishRenewal() {
        guard let change = renewal, change.retiring?.isEmpty ?? false else { return }
        renewal = nil
        show(refusal: "")
        followLogSettings(change.accessFile)
        let sentence: String
        switch change.cause {
        case .upgrade(let version):
            past.count(.upgrades)
            sentence = "holdfast \(program.version) has taken the place of \(version)"
        case .adoption:
            sentence = "the workers of the supervisor that has died are replaced"
        case .reload:
            past.count(.reloads)
            sentence = "the new configuration holds"
        }
        let old = table.retiredTags.count
        logger.notice(
            "\(sentence)",
            metadata: [
                "generation": .number(change.generation), "workers": .number(wanted), "with_old_sessions": .number(old),
            ])
        if let asker = change.asker, let control {
            control.answer(.done(line: sentence), to: asker, in: poller)
        }
        forgetGenerations()
        if case .reload = change.cause { notice.say(.ready(status: status)) } else { announce() }
        obeyNext()
    }

    /// Gives a generation up whose workers could not start. The current one goes on as if nothing had happened.
    func abandoned() {
        let cause = renewal?.cause
        // What holds are the settings of the workers that go on.
        if let renewal { table.retirement = renewal.former }
        if let plan = plans[table.current] { wanted = Int(plan.workers) }
        fail("the workers with the new settings could not start, and the old ones go on")
        if case .reload = cause { notice.say(.ready(status: status)) } else { announce() }
        obeyNext()
    }

    /// Goes on with a generation whose workers could not all start, because there are no others.
    func insisted() {
        if let renewal { followLogSettings(renewal.accessFile) }
        tellRules()
        fail("the new workers could not start, and are started again, because there are no others that serve")
        notice.say(.ready(status: status))
        obeyNext()
    }

    /// Ends the change that is under way, and says why it has failed. `sentence` says what follows from that.
    private func fail(_ sentence: String) {
        let change = renewal
        renewal = nil
        let reason = failure ?? "a worker has ended"
        failure = nil
        switch change?.cause {
        case .upgrade:
            past.count(.upgradesFailed)
        case .reload, .adoption, nil:
            past.count(.reloadsFailed)
        }
        show(refusal: reason)
        logger.error("\(sentence)", metadata: ["reason": "\(reason)"])
        if let asker = change?.asker, let control {
            control.answer(.refused(lines: reason), to: asker, in: poller)
        }
    }

    /// Tells a worker, and all others, that it takes no new sessions.
    func retire(_ tag: UInt32) {
        guard let worker = workers[tag] else { return }
        for other in workers.keys.sorted() where other != tag { tell(other, .retired(tag: tag)) }
        tell(tag, worker.plan.wordsToRetire(after: plans[table.current]))
    }

    /// Tells all workers what the clients of all living generations may send.
    func tellRules() {
        var rules = SharedRules()
        for generation in plans.keys.sorted() { if let plan = plans[generation] { rules.allow(plan.rules) } }
        guard rules != toldRules else { return }
        toldRules = rules
        for tag in table.serving { tell(tag, .rules(rules)) }
    }

    /// Forgets the generations that have no workers, and closes the listeners that only they had.
    func forgetGenerations() {
        var living = Set(table.generations)
        if let renewal { living.insert(renewal.generation) }
        plans = plans.filter { living.contains($0.key) }
        tellRules()
        guard table.phase == .serving else { return }
        listeners.close(allBut: Set(plans.values.flatMap(\.listeners)))
    }

    /// How the whole stands, as a service manager shows it.
    var status: String {
        let old = table.retiredTags.count
        return "\(table.ready.count - old) workers serve" + (old > 0 ? ", \(old) more keep old sessions" : "")
    }

    // MARK: Upgrading

    /// Starts the program that the path names now as a probe.
    private func tryProgram(for asker: ControlDoor.Asker?) {
        let path = ProgramImage.path(startedAs: program.arguments.first ?? "")
        logger.notice("the program is replaced", metadata: ["path": "\(path)"])
        do {
            let probe = try Probe(
                path: path, arguments: program.arguments + [Probe.flag], asker: asker, now: now)
            let memory = try SharedBytes.make(estate(asker: nil).bytes)
            probe.process.socket.send([0], passing: SharedDescriptor(memory))
            try probe.process.socket.watch(as: Probe.token, in: poller)
            self.probe = probe
        } catch {
            refuseUpgrade("\(path) cannot be started: \(error)", asker)
        }
    }

    /// Hears whether the new program can take the place of this one.
    func listenToProbe() {
        guard let probe else { return }
        var buffer = ReadBuffer()
        let arrival = probe.process.socket.receive(with: &buffer)
        do {
            guard let received = try probe.process.socket.next() else {
                if arrival == .end { endProbe(refusing: "the new program has ended without an answer") }
                return
            }
            switch try ControlMessage(received.frame) {
            case .done where table.phase != .serving:
                endProbe(refusing: "the program ends")
            case .done(let version):
                endProbe(refusing: nil)
                execute(probe.path, version, probe.asker)
            case .refused(let lines):
                endProbe(refusing: lines)
            case .reload, .upgrade, .takeOver, .running, .log, .reopen:
                endProbe(refusing: "the new program answers something unknown")
            }
        } catch {
            endProbe(refusing: "the new program answers something unknown: \(error)")
        }
    }

    /// Ends the probe.
    ///
    /// - Parameter reason: why the upgrade fails; nil when it goes on.
    func endProbe(refusing reason: String?) {
        guard let probe else { return }
        probe.process.socket.unwatch(in: poller)
        probe.process.end()
        self.probe = nil
        if let reason { refuseUpgrade(reason, probe.asker) }
    }

    /// Executes the new program in this process. Returns only when that fails.
    private func execute(_ path: String, _ version: String, _ asker: ControlDoor.Asker?) {
        // A frame that is half sent or half read could not go on in the new program.
        for worker in workers.values where !worker.isDeaf { worker.socket.flush() }
        guard workers.values.allSatisfy({ $0.isDeaf || $0.socket.isBetweenFrames }) else {
            refuseUpgrade("the workers are busy: try again", asker)
            return
        }
        logger.notice("the new program is executed", metadata: ["path": "\(path)", "version": "\(version)"])
        do {
            let estate = estate(asker: asker)
            let memory = try SharedBytes.make(estate.bytes)
            let error = ProgramImage.execute(
                path, program.arguments, memory: memory, keeping: estate.descriptors)
            refuseUpgrade("\(path) cannot be executed: \(error)", asker)
        } catch {
            refuseUpgrade("\(error)", asker)
        }
    }

    private func refuseUpgrade(_ lines: String, _ asker: ControlDoor.Asker?) {
        for line in lines.split(separator: "\n") {
            logger.error("the program is not replaced, and this one goes on", metadata: ["reason": "\(line)"])
        }
        past.count(.upgradesFailed)
        show(refusal: lines)
        if let asker, let control { control.answer(.refused(lines: lines), to: asker, in: poller) }
        obeyNext()
    }
}
