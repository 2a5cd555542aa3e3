import FoundationEssentials
import Gateway
import LogLines
import Logging
import Reactor
import Resolver
import Settings
import Supervisor

/// Writes the exit texts, which have their own line ends, and ends the program.
func leave(code: Int32, standardOutput: String, standardError: String) -> Never {
    if !standardOutput.isEmpty { StandardStream.output.write(standardOutput) }
    if !standardError.isEmpty { StandardStream.error.write(standardError) }
    CurrentProcess.exit(code)
}

/// Writes what came of an operator's command, and ends the program: with code 0, or 1 and one line.
func leave(_ outcome: Operation.Outcome) -> Never {
    switch outcome {
    case .success(let text): leave(code: 0, standardOutput: text, standardError: "")
    case .failure(let failure): leave(code: 1, standardOutput: "", standardError: "holdfast: \(failure.line)\n")
    }
}

/// Whether systemd's journal reads standard error.
func isJournal() -> Bool { JournalStream.isStandardError(ProcessInfo.processInfo.environment["JOURNAL_STREAM"]) }

/// The log of this process, which goes to standard error.
///
/// - Parameter worker: the tag of the worker that this process is; nil for another process.
func makeLogs(_ settings: Settings, worker: UInt32? = nil) -> Logs {
    do throws(SystemError) {
        return Logs(settings, to: try LogStream.standardError(), isJournal: isJournal(), worker: worker)
    } catch {
        leave(code: 1, standardOutput: "", standardError: "holdfast: cannot log: \(error)\n")
    }
}

/// Says why the program cannot serve, and ends it with code 1. A person gets the line alone; a program that collects log
/// lines gets one of these.
func fail(_ line: String, _ settings: Settings) -> Never {
    if LineStyle(settings, isJournal: isJournal()) == LineStyle(.text) {
        leave(code: 1, standardOutput: "", standardError: "holdfast: \(line)\n")
    }
    makeLogs(settings).process.critical("holdfast cannot serve", metadata: ["reason": "\(line)"])
    CurrentProcess.exit(1)
}

/// The user that serves; nil when the user does not change. Ends the program with `code` when there is none of that name.
func serviceUser(_ settings: Settings, code: Int32) -> ServiceUser? {
    guard let name = settings.user else { return nil }
    do throws(ServiceUser.Failure) {
        return try ServiceUser(name: name, group: settings.group)
    } catch {
        leave(code: code, standardOutput: "", standardError: "holdfast: \(error)\n")
    }
}

/// Makes this process run as the user, once the listeners are open.
func become(_ user: ServiceUser?, _ settings: Settings, keepsBinding: Bool) {
    guard let user else { return }
    do throws(ServiceUser.Failure) {
        for address in settings.listen + settings.listenProxy + [settings.control].compactMap({ $0 }) {
            if let address = SocketAddress(address.description) { try user.own(address) }
        }
        try user.become(keepsBinding: keepsBinding)
    } catch {
        fail("cannot run as user \(user.name): \(error)", settings)
    }
}

/// Looks at what the settings want of this machine, and reads the files that they name, as the user who started the
/// program. Ends the program with `code` when something is missing or wrong.
func examine(_ settings: Settings, code: Int32) -> MachineCheck {
    let machine = MachineCheck(settings.entries, for: settings)
    guard machine.faults.isEmpty else {
        let lines = machine.faults.map { "holdfast: \($0)\n" }
        leave(code: code, standardOutput: "", standardError: lines.joined())
    }
    return machine
}

/// What the limit on open files, which is raised as far as possible, means with these settings.
func descriptorNeeds(_ settings: Settings) -> DescriptorNeeds {
    let workers = settings.workers.number(cores: ProcessorCores.usable)
    return DescriptorNeeds(limit: DescriptorLimit.raise(), workers: workers)
}

/// Serves until a signal ends it, in this process or in several. Exits with code 1 and one line when it cannot begin,
/// for instance because a port is in use.
func serve(_ settings: Settings) -> Never {
    let count = settings.workers.number(cores: ProcessorCores.usable)
    let user = serviceUser(settings, code: 1)
    let machine = examine(settings, code: 1)
    let needs = descriptorNeeds(settings)
    if let refusal = needs.refusal(isRunning: false) {
        leave(code: 1, standardOutput: "", standardError: "holdfast: \(refusal)\n")
    }
    let warnings = (settings.warnings + machine.warnings).map(\.description) + [needs.warning].compactMap { $0 }
    if count > 0 {
        supervise(LoadedConfiguration(settings, machine.files, warnings: warnings), workers: count, as: user)
    }
    do throws(StartError) {
        let logs = makeLogs(settings)
        for warning in warnings { logs.process.warning("\(warning)") }
        let worker = try Worker(settings: settings, files: machine.files, logs: logs)
        become(user, settings, keepsBinding: false)
        try worker.openAccessLog()
        logs.announce(version: Version.text, worker.announcement)
        if !worker.run() { CurrentProcess.exit(1) }
    } catch {
        fail(error.line, settings)
    }
    CurrentProcess.exit(0)
}

/// The configuration as it is now in the file and wherever else this process was told to find it.
func loadConfiguration(_ arguments: [String]) -> Result<LoadedConfiguration, SupervisorError> {
    let invocation = HoldfastCommand.parse(
        arguments, environment: ProcessInfo.processInfo.environment, version: Version.text, usual: Configuration.usual)
    switch invocation {
    case .run(let settings):
        do {
            if let name = settings.user { _ = try ServiceUser(name: name, group: settings.group) }
            let machine = MachineCheck(settings.entries, for: settings)
            guard machine.faults.isEmpty else {
                return .failure(SupervisorError(line: machine.faults.map(\.description).joined(separator: "\n")))
            }
            try Worker.check(settings, files: machine.files)
            let needs = descriptorNeeds(settings)
            if let refusal = needs.refusal(isRunning: true) {
                return .failure(SupervisorError(line: refusal))
            }
            let warnings = (settings.warnings + machine.warnings).map(\.description) + [needs.warning].compactMap { $0 }
            return .success(LoadedConfiguration(settings, machine.files, warnings: warnings))
        } catch let error as StartError {
            return .failure(SupervisorError(line: error.line))
        } catch {
            return .failure(SupervisorError(line: "\(error)"))
        }
    case .exit(_, _, let faults):
        let lines = faults.split(separator: "\n").map { $0.hasPrefix("holdfast: ") ? $0.dropFirst(10) : $0 }
        return .failure(SupervisorError(line: lines.joined(separator: "\n")))
    case .check, .status, .drain, .command, .resolver, .worker:
        return .failure(SupervisorError(line: "the command line is not that of 'holdfast run'"))
    }
}

/// Tells the supervisor of an earlier version whether this one could take its place.
func probe(_ arguments: [String]) -> Never {
    var faults: String?
    if case .failure(let error) = loadConfiguration(arguments) { faults = error.line }
    UpgradeProbe.answer(
        over: Descriptor(owning: ChildProcess.inheritedDescriptor), version: Version.text, faults: faults)
    CurrentProcess.exit(0)
}

/// Has workers serve until a signal ends them.
func supervise(_ configuration: LoadedConfiguration, workers: Int, as user: ServiceUser?) -> Never {
    let settings = configuration.settings
    let program = Program(
        arguments: CommandLine.arguments, version: Version.text,
        load: { loadConfiguration(Array(CommandLine.arguments.dropFirst())) })
    let memory: Descriptor?
    do throws(SystemError) {
        memory = try ProgramImage.inherited()
    } catch {
        fail("cannot start: \(error)", settings)
    }
    do throws(SupervisorError) {
        let supervisor = try Supervisor(
            program, configuration, workers: workers, node: Worker.node(settings), memory: memory,
            logs: makeLogs(settings))
        become(user, settings, keepsBinding: true)
        switch supervisor.run() {
        case .finished: CurrentProcess.exit(0)
        case .failed(let line): fail(line, settings)
        }
    } catch {
        fail(error.line, settings)
    }
}

/// Serves as one of several workers, with what the supervisor says over the inherited descriptor. The supervisor reports
/// why this process cannot begin.
func serveUnderSupervisor() -> Never {
    do throws(WorkerBriefing.Fault) {
        let briefing = try WorkerBriefing(over: Descriptor(owning: ChildProcess.inheritedDescriptor))
        let settings: Settings
        do throws(SettingsError) {
            settings = try Settings.resolve(entries: briefing.entries)
        } catch {
            briefing.fail(error.description)
            CurrentProcess.exit(1)
        }
        let place = try briefing.place()
        do throws(StartError) {
            let logs = makeLogs(settings, worker: place.tag)
            let worker = try Worker(settings: settings, files: briefing.files, logs: logs, place: place)
            CurrentProcess.exit(worker.run() ? 0 : 1)
        } catch {
            briefing.fail(error.line)
            CurrentProcess.exit(1)
        }
    } catch {
        leave(code: 1, standardOutput: "", standardError: "holdfast: only 'holdfast run' starts workers\n")
    }
}

if CommandLine.arguments.last == UpgradeProbe.flag { probe(Array(CommandLine.arguments.dropFirst().dropLast())) }
let invocation = HoldfastCommand.parse(
    Array(CommandLine.arguments.dropFirst()), environment: ProcessInfo.processInfo.environment, version: Version.text,
    usual: Configuration.usual)
switch invocation {
case .run(let settings):
    serve(settings)
case .check(let settings, let file):
    let machine = examine(settings, code: HoldfastCommand.configurationError)
    do throws(StartError) {
        try Worker.check(settings, files: machine.files)
    } catch {
        leave(
            code: HoldfastCommand.configurationError, standardOutput: "", standardError: "holdfast: \(error.line)\n")
    }
    _ = serviceUser(settings, code: HoldfastCommand.configurationError)
    let place = file.map { SettingsError.printable($0) + ": " } ?? ""
    let warnings = (settings.warnings + machine.warnings).map { "holdfast: warning: \($0)\n" }
    leave(code: 0, standardOutput: "\(place)the configuration is valid\n", standardError: warnings.joined())
case .status(let address, let tokenFile):
    leave(Operation.status(at: address, tokenFile: tokenFile))
case .drain(let address, let tokenFile):
    leave(Operation.drain(at: address, tokenFile: tokenFile))
case .command(let command, let address):
    leave(Operation.give(command, at: address))
case .resolver(let nameserver, let isShared):
    let inherited = Descriptor(owning: ChildProcess.inheritedDescriptor)
    if isShared {
        ResolverServer.serveShared(inherited, nameserver: nameserver)
    } else {
        ResolverServer.serve(inherited, nameserver: nameserver)
    }
    CurrentProcess.exit(0)
case .worker:
    serveUnderSupervisor()
case .exit(let code, let standardOutput, let standardError):
    leave(code: code, standardOutput: standardOutput, standardError: standardError)
}
