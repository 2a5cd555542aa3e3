import FoundationEssentials
import Gateway
import Logging
import Reactor
import Resolver
import Settings

/// Writes the exit texts, which have their own line ends, and ends the program.
func leave(code: Int32, standardOutput: String, standardError: String) -> Never {
    if !standardOutput.isEmpty { StandardStream.output.write(standardOutput) }
    if !standardError.isEmpty { StandardStream.error.write(standardError) }
    CurrentProcess.exit(code)
}

/// Serves until a signal ends it. Exits with code 1 and one line when it cannot begin, for instance because a port is
/// in use.
func serve(_ settings: Settings) -> Never {
    let level = Logger.Level(rawValue: settings.logLevel.rawValue) ?? .info
    let stream: LogStream
    do throws(SystemError) {
        stream = try LogStream.standardError()
    } catch {
        leave(code: 1, standardOutput: "", standardError: "holdfast: cannot log: \(error)\n")
    }
    let logger = Logger(label: "holdfast") { _ in LineLogHandler(level: level, stream: stream) }
    do throws(StartError) {
        let worker = try Worker(settings: settings, logger: logger)
        StandardStream.output.writeLine("holdfast \(Version.text): \(worker.announcement)")
        if !worker.run() { CurrentProcess.exit(1) }
    } catch {
        leave(code: 1, standardOutput: "", standardError: "holdfast: \(error.line)\n")
    }
    CurrentProcess.exit(0)
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
case .resolver(let nameserver):
    ResolverServer.serve(Descriptor(owning: ChildProcess.inheritedDescriptor), nameserver: nameserver)
    CurrentProcess.exit(0)
case .exit(let code, let standardOutput, let standardError):
    leave(code: code, standardOutput: standardOutput, standardError: standardError)
}
