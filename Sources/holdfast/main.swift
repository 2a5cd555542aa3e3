import FoundationEssentials
import Gateway
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

/// The log of this process, which goes to standard error.
func makeLogger(_ settings: Settings) -> Logger {
    let level = Logger.Level(rawValue: settings.logLevel.rawValue) ?? .info
    do throws(SystemError) {
        let stream = try LogStream.standardError()
        return Logger(label: "holdfast") { _ in LineLogHandler(level: level, stream: stream) }
    } catch {
        leave(code: 1, standardOutput: "", standardError: "holdfast: cannot log: \(error)\n")
    }
}

/// Writes the line that says that clients are served now, and where.
func announce(_ places: String) {
    StandardStream.output.writeLine("holdfast \(Version.text): \(places)")
}

/// Serves until a signal ends it, in this process or in several. Exits with code 1 and one line when it cannot begin,
/// for instance because a port is in use.
func serve(_ settings: Settings) -> Never {
    let count = settings.workers.number(cores: ProcessorCores.usable)
    if count > 1 { supervise(settings, workers: count) }
    do throws(StartError) {
        let worker = try Worker(settings: settings, logger: makeLogger(settings))
        announce(worker.announcement)
        if !worker.run() { CurrentProcess.exit(1) }
    } catch {
        leave(code: 1, standardOutput: "", standardError: "holdfast: \(error.line)\n")
    }
    CurrentProcess.exit(0)
}

/// Has several workers serve until a signal ends them.
func supervise(_ settings: Settings, workers: Int) -> Never {
    do throws(SupervisorError) {
        let supervisor = try Supervisor(
            settings: settings, workers: workers, node: Worker.node, logger: makeLogger(settings))
        switch supervisor.run(announce: announce) {
        case .finished: CurrentProcess.exit(0)
        case .failed(let line): leave(code: 1, standardOutput: "", standardError: "holdfast: \(line)\n")
        }
    } catch {
        leave(code: 1, standardOutput: "", standardError: "holdfast: \(error.line)\n")
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
            let worker = try Worker(settings: settings, logger: makeLogger(settings), place: place)
            CurrentProcess.exit(worker.run() ? 0 : 1)
        } catch {
            briefing.fail(error.line)
            CurrentProcess.exit(1)
        }
    } catch {
        leave(code: 1, standardOutput: "", standardError: "holdfast: only 'holdfast run' starts workers\n")
    }
}

let invocation = HoldfastCommand.parse(
    Array(CommandLine.arguments.dropFirst()), environment: ProcessInfo.processInfo.environment, version: Version.text)
switch invocation {
case .run(let settings):
    serve(settings)
case .check(let settings, let file):
    do throws(StartError) {
        try Worker.check(settings)
    } catch {
        leave(
            code: HoldfastCommand.configurationError, standardOutput: "", standardError: "holdfast: \(error.line)\n")
    }
    let place = file.map { SettingsError.printable($0) + ": " } ?? ""
    leave(code: 0, standardOutput: "\(place)the configuration is valid\n", standardError: "")
case .status(let address):
    leave(Operation.status(at: address))
case .drain(let address):
    leave(Operation.drain(at: address))
case .resolver(let nameserver):
    ResolverServer.serve(Descriptor(owning: ChildProcess.inheritedDescriptor), nameserver: nameserver)
    CurrentProcess.exit(0)
case .worker:
    serveUnderSupervisor()
case .exit(let code, let standardOutput, let standardError):
    leave(code: code, standardOutput: standardOutput, standardError: standardError)
}
