import Handover
import Primitives
import ProcessLinks
import Reactor

/// A change to another generation of workers, while it is under way.
struct Renewal {
    /// Why there is another generation.
    enum Cause: Equatable {
        /// The configuration was read again.
        case reload
        /// This program has taken the place of one of that version.
        case upgrade(from: String)
        /// This supervisor has taken over the workers of one that has died.
        case adoption
    }

    let cause: Cause
    let generation: UInt32
    /// What held for old generations before.
    let former: WorkerTable.Retirement
    /// The file of the new settings' access log; nil when they want none.
    let accessFile: SharedDescriptor?
    /// The old workers that have not said yet that they take no new sessions; nil before the new ones serve.
    var retiring: Set<UInt32>?
    /// Whoever has asked for it.
    let asker: ControlDoor.Asker?

    /// A change that begins.
    init(
        cause: Cause, generation: UInt32, former: WorkerTable.Retirement, accessFile: SharedDescriptor?,
        asker: ControlDoor.Asker?
    ) {
        self.cause = cause
        self.generation = generation
        self.former = former
        self.accessFile = accessFile
        self.asker = asker
    }
}

/// A program that is tried before it takes the place of this one: it reads the configuration and what it would take over,
/// and says whether it can.
final class Probe {
    let process: LinkedProcess
    let path: String
    /// Whoever has asked for the upgrade.
    let asker: ControlDoor.Asker?
    /// When it has failed without an answer.
    let deadline: MonotonicInstant

    /// Starts the program at `path` as a probe.
    ///
    /// - Throws: there is no such program, or descriptors or processes have run out.
    init(
        path: String, arguments: [String], asker: ControlDoor.Asker?, now: MonotonicInstant
    ) throws(SystemError) {
        self.path = path
        self.asker = asker
        deadline = now.advanced(by: Self.patience)
        process = try LinkedProcess(executable: path, arguments: arguments)
    }

    /// The flag that makes a program a probe.
    package static let flag = "--probe"
    /// The token of its events: above those of the processes that look up names.
    static let token: UInt64 = 1 << 36

    /// How long a program may take to load.
    private static let patience = Duration.seconds(30)
}
