import Handover
import Primitives

/// Who looks after the workers, and what befalls the supervisor.
extension Crew {
    enum Supervision {
        /// Nobody, and somebody is about to begin.
        case none
        case by(SimulatedSupervisor)
        /// A program was executed in the supervisor's process and has not read yet what was left to it.
        case inherited(SimulatedInheritance, process: Int)
        /// A supervisor begins, and asks who there is.
        case begins(SimulatedGathering)
    }

    /// What holds for old generations.
    var retirement: WorkerTable.Retirement {
        WorkerTable.Retirement(linger: settings.linger, generations: settings.generations)
    }

    /// A socket at the path at which commands are taken.
    func newControl() -> LocalDoor {
        let door = LocalDoor(kernel)
        kernel.retain(door)
        control = door
        return door
    }

    // MARK: Beginning

    /// Starts a supervisor that has no workers yet.
    ///
    /// - Parameters:
    ///   - inheritance: what workers had that have ended meanwhile.
    ///   - count: how many workers it starts; nil for as many as at first.
    func beginAfresh(
        with inheritance: SimulatedInheritance = SimulatedInheritance(), process: Int? = nil, workers count: Int? = nil
    ) {
        let count = count ?? plan["workers"]
        let supervisor = SimulatedSupervisor(
            self, process: process ?? nextProcess(),
            table: WorkerTable(wanted: count, next: inheritance.legacy.nextTag, retirement: retirement), inheritance)
        supervision = .by(supervisor)
        supervisor.plans[supervisor.table.current] = supervisor.plan(supervisor.table.current, workers: count)
        supervisor.inputs.append(.begin)
        supervisor.happen()
    }

    /// Has another supervisor begin after a while.
    func begins(after time: Duration = .seconds(1)) {
        supervision = .none
        failures += 1
        guard failures < 20 else { return world.judge.fail("no supervisor begins") }
        kernel.after(time) { [weak self] in
            guard let self else { return }
            let gathering = SimulatedGathering(self, process: nextProcess())
            supervision = .begins(gathering)
            if diesAnswering > 0 { killOne(messages: diesAnswering) }
            diesAnswering = 0
            gathering.ask()
        }
    }

    /// Goes on with the workers that a supervisor has found.
    func begins(with inheritance: SimulatedInheritance, process: Int) {
        failures = 0
        world.tell("a supervisor takes over \(inheritance.tags)")
        // Nobody ends one that was not found. Without descriptors it could not know where it is looked for.
        for member in members where !inheritance.tags.contains(member.tag) {
            if !world.isShortOfDescriptors { world.judge.fail("worker \(member.tag) is left alone") }
            kill(member.tag, "it was not found")
        }
        guard !inheritance.tags.isEmpty else { return beginAfresh(with: inheritance, process: process) }
        supervision = .by(SimulatedSupervisor(self, process: process, inheritance, workers: plan["workers"]))
    }

    // MARK: What befalls it

    /// Has it start another generation.
    func renew(_ fault: Plan) { obey(.renew(workers: max(fault["workers"], 1))) }

    /// Has it execute another program in its place.
    func upgrade(_ fault: Plan) { obey(.upgrade(fault, tries: 0)) }

    private func obey(_ command: SimulatedSupervisor.Command) {
        guard case .by(let supervisor) = supervision, !isLeaving else { return }
        supervisor.obey(command)
        supervisor.happen()
    }

    /// Executes a program that goes on with what was left to it.
    func executes(_ estate: SimulatedEstate, _ fault: Plan) {
        guard case .by(let former) = supervision else { return }
        world.tell("a new program is executed")
        do {
            supervision = .inherited(try estate.read(), process: former.process)
        } catch {
            world.judge.fail("what the supervisor has left cannot be read: \(error)")
        }
        kernel.after(.milliseconds(fault["gap"])) { [weak self] in
            guard let self, case .inherited(let inheritance, let process) = supervision, process == former.process
            else { return }
            let count = max(fault["workers"], 1)
            // As `Supervisor.init` does: where no worker is left, it is a start like any other.
            guard !inheritance.tags.isEmpty else {
                return beginAfresh(with: inheritance, process: process, workers: count)
            }
            supervision = .by(SimulatedSupervisor(self, process: process, inheritance, workers: count))
        }
    }

    /// Kills the supervisor, at once or in the middle of what it says next. Another one begins after a while.
    func orphan(_ fault: Plan) {
        guard !isLeaving else { return }
        absence = .milliseconds(fault["gap"])
        diesAnswering = fault["dies"]
        guard case .by(let supervisor) = supervision, fault["messages"] > 0 else { return supervisorDies() }
        supervisor.messagesLeft = fault["messages"]
        // It may have nothing more to say.
        kernel.after(.seconds(3)) { [weak self, weak supervisor] in
            if let self, let supervisor, supervisor.isAlive, !isLeaving { supervisorDies() }
        }
    }

    func supervisorDies() {
        if case .none = supervision { return }
        world.tell("the supervisor is killed")
        // Nobody looks names up.
        world.judge.excuseLogins(from: kernel.now + absence)
        endSupervision()
        endThoseThatDoNotServe()
        begins(after: absence)
    }

    /// Notes that a supervisor has ended because no worker is left.
    func finished() {
        endSupervision()
        if !isLeaving { begins() }
    }

    func endSupervision() {
        // The listeners end with it where no worker has them, and so does whatever waits there to be accepted.
        if !isLeaving, isDeserted { world.hasLostWorkers = true }
        switch supervision {
        case .none: break
        case .by(let supervisor): supervisor.end(closing: true)
        case .inherited(let inheritance, _): inheritance.drop(kernel)
        case .begins(let gathering): gathering.end()
        }
        supervision = .none
    }

    /// How many processes look up names for a worker.
    func resolvers(of tag: UInt32) -> Int {
        guard case .by(let supervisor) = supervision else { return 0 }
        return supervisor.wards[tag]?.resolvers.values.count { $0.process.status == nil } ?? 0
    }
}
