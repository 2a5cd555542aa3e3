import ArgumentParser
import Settings

/// What a command line asks for.
enum Invocation: Equatable {
    /// Serve with these settings.
    case run(Settings)
    /// Be the child process that resolves names.
    case resolver
    /// Write these texts, each complete with its line ends, and exit. Code 0, or 64 for a wrong command line.
    case exit(code: Int32, standardOutput: String, standardError: String)
}

/// The command line: arguments in, an `Invocation` out. It writes nothing and never exits by itself.
enum HoldfastCommand {
    /// EX_USAGE of sysexits.h.
    static let usageError: Int32 = 64

    /// Reads the arguments after the program's name.
    ///
    /// Whatever is wrong gives exit code 64 and one line on standard error that names the flag, the value and what is
    /// allowed: ArgumentParser's own errors are three lines and know no ranges.
    static func parse(_ arguments: [String], version: String) -> Invocation {
        // The library would let it pass behind `run` too, and then miss the flags of `run`.
        if arguments.contains("--version") {
            return .exit(code: 0, standardOutput: "holdfast \(version)\n", standardError: "")
        }
        do {
            switch try RootCommand.parseAsRoot(arguments) {
            case let run as RunCommand:
                return .run(try Settings.resolve(entries: run.entries))
            case is ResolverCommand:
                return .resolver
            case is RootCommand:
                return wrong("a command is missing; see 'holdfast --help', or begin with 'holdfast run'")
            case var other:
                // A command of the library: `help`. It answers by throwing.
                try other.run()
                return .exit(code: 0, standardOutput: "", standardError: "")
            }
        } catch let error as SettingsError {
            return wrong(error.description)
        } catch {
            if RootCommand.exitCode(for: error).isSuccess {
                return .exit(code: 0, standardOutput: RootCommand.fullMessage(for: error) + "\n", standardError: "")
            }
            return wrong(CommandLineError.line(for: RootCommand.message(for: error), arguments: arguments))
        }
    }

    private static func wrong(_ line: String) -> Invocation {
        .exit(code: usageError, standardOutput: "", standardError: "holdfast: \(line)\n")
    }
}

struct RootCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "holdfast",
        abstract: "A BOSH connection manager: web clients on one side, an XMPP server on the other.",
        usage: """
            holdfast run --domain DOMAIN --upstream HOST:PORT [options]
            holdfast --version
            """,
        subcommands: [RunCommand.self, ResolverCommand.self])

    /// For the help text; `HoldfastCommand.parse` looks for it first.
    @Flag(name: .customLong("version"), help: "Show the version.")
    var isVersionAsked = false
}

/// The role that the program takes when it starts itself to resolve names; not for people.
struct ResolverCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resolver", abstract: "Resolve names for a parent process.", shouldDisplay: false)
}
