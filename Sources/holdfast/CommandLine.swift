import ArgumentParser
import Settings

/// What a command line asks the program to do.
enum Invocation: Equatable {
    /// Serve with these settings.
    case run(Settings)
    /// Check whether these settings can be used, and say so, naming the configuration file at this path if there is
    /// one.
    case check(Settings, file: String?)
    /// Say how the program is that answers operators at this address, and wants the token in this file.
    case status(ListenAddress, tokenFile: String? = nil)
    /// End that program.
    case drain(ListenAddress, tokenFile: String? = nil)
    /// Have the program that takes commands at this address read its configuration again, or replace itself.
    case command(RunningCommand, ListenAddress)
    /// Be the child process that resolves names. It asks the name server at this address (`ADDR:PORT`) if there is one.
    case resolver(nameserver: String?, isShared: Bool)
    /// Be one of several workers, which a supervisor has started.
    case worker
    /// Write these texts, each complete with its line ends, and exit. Code 0, 64 for a wrong command line, or 78 for a
    /// wrong configuration.
    case exit(code: Int32, standardOutput: String, standardError: String)
}

/// The command line: arguments in, an `Invocation` out. It reads the configuration file, writes nothing, and never
/// exits by itself.
enum HoldfastCommand {
    /// EX_USAGE of sysexits.h.
    static let usageError: Int32 = 64
    /// EX_CONFIG of sysexits.h.
    static let configurationError: Int32 = 78

    /// Reads the arguments after the program's name, the environment, and the file that the arguments name.
    ///
    /// A fault in the arguments gives exit code 64, one in a file or the environment 78. Each fault is one line on
    /// standard error that names the place, the value and what is allowed: ArgumentParser's own errors have three lines
    /// and no ranges.
    ///
    /// - Parameter usual: the file that is read when the arguments name none; nil when there is none.
    static func parse(
        _ arguments: [String], environment: [String: String], version: String, usual: String? = nil
    ) -> Invocation {
        // The library would accept `--version` after `run` too, and then report missing flags of `run`.
        if arguments.contains("--version") {
            return .exit(code: 0, standardOutput: "holdfast \(version)\n", standardError: "")
        }
        do {
            switch try RootCommand.parseAsRoot(arguments) {
            case let run as RunCommand:
                return self.run(run, environment, usual)
            case let check as CheckCommand:
                return settings(check.given, environment, usual) { .check($0, file: $1) }
            case let command as ProxyConfigurationCommand:
                return settings(command.given, environment, usual) { settings, _ in
                    proxyConfiguration(command, settings)
                }
            case let resolver as ResolverCommand:
                return self.resolver(resolver)
            case is WorkerCommand:
                return .worker
            case let status as StatusCommand:
                return place(status.place.place, environment, usual) { .status($0.address, tokenFile: $0.tokenFile) }
            case let drain as DrainCommand:
                return place(drain.place.place, environment, usual) { .drain($0.address, tokenFile: $0.tokenFile) }
            case let reload as ReloadCommand:
                return self.command(.reload, reload.place, environment, usual)
            case let upgrade as UpgradeCommand:
                return self.command(.upgrade, upgrade.place, environment, usual)
            case let reopen as ReopenCommand:
                return self.command(.reopen, reopen.place, environment, usual)
            case let log as LogCommand:
                guard let command = log.command else {
                    let hint = LogLevels.hint(log.text).map { "; \($0)" } ?? ""
                    return wrong("'\(SettingsError.printable(log.text))' is not \(LogLevels.allowed)\(hint)")
                }
                return self.command(command, log.place, environment, usual)
            case let document as SettingsDocumentCommand:
                return .exit(code: 0, standardOutput: document.page.text, standardError: "")
            case is RootCommand:
                return wrong("a command is missing; see 'holdfast --help', or begin with 'holdfast run'")
            case var other:
                // The library's own command, `help`, which answers by throwing.
                try other.run()
                return .exit(code: 0, standardOutput: "", standardError: "")
            }
        } catch {
            if RootCommand.exitCode(for: error).isSuccess {
                return .exit(code: 0, standardOutput: RootCommand.fullMessage(for: error) + "\n", standardError: "")
            }
            return wrong(CommandLineError.line(for: RootCommand.message(for: error), arguments: arguments))
        }
    }

    private static func run(_ command: RunCommand, _ environment: [String: String], _ usual: String?) -> Invocation {
        if command.isPrintDefault {
            return .exit(code: 0, standardOutput: ConfigurationOutput.defaults, standardError: "")
        }
        return settings(command.given, environment, usual) { settings, file in
            if command.isPrint {
                let text = ConfigurationOutput.effective(settings, file: file)
                return .exit(code: 0, standardOutput: text, standardError: "")
            }
            return command.isCheck ? .check(settings, file: file) : .run(settings)
        }
    }

    private static func proxyConfiguration(_ command: ProxyConfigurationCommand, _ settings: Settings) -> Invocation {
        do throws(ProxyFacts.Obstacle) {
            let text = try command.proxy.configuration(try ProxyFacts(settings), isMulti: command.isMulti)
            return .exit(code: 0, standardOutput: text, standardError: "")
        } catch {
            return wrong(error.line)
        }
    }

    private static func settings(
        _ given: GivenSettings, _ environment: [String: String], _ usual: String?,
        _ make: (Settings, _ file: String?) -> Invocation
    ) -> Invocation {
        if given.config.count > 1 {
            return wrong(
                "--config: '\(SettingsError.printable(given.config[1]))' is a second value, only one is allowed")
        }
        let file = given.config.first ?? usual
        let entries = EnvironmentEntries.entries(of: environment) + given.entries
        do throws(SettingsFaults) {
            return make(try Configuration.settings(file: file, entries: entries), file)
        } catch {
            return wrong(error.lines, code: error.isOfFlags ? usageError : configurationError)
        }
    }

    private static func command(
        _ command: RunningCommand, _ place: ControlAddress, _ environment: [String: String], _ usual: String?
    ) -> Invocation {
        self.place(
            { (entries, usual) throws(SettingsFaults) in
                try place.address(instead: command.instead, entries, usual)
            }, environment, usual
        ) { .command(command, $0) }
    }

    private static func place<Place>(
        _ address: ([SettingEntry], _ usual: String?) throws(SettingsFaults) -> Place,
        _ environment: [String: String], _ usual: String?, _ make: (Place) -> Invocation
    ) -> Invocation {
        do throws(SettingsFaults) {
            return make(try address(EnvironmentEntries.entries(of: environment), usual))
        } catch {
            return wrong(error.lines, code: error.isOfFlags ? usageError : configurationError)
        }
    }

    private static func resolver(_ command: ResolverCommand) -> Invocation {
        guard let text = command.nameserver else { return .resolver(nameserver: nil, isShared: command.isShared) }
        guard let address = SettingsTable.nameserver.parse(text) else {
            return wrong(
                "--nameserver: '\(SettingsError.printable(text))' is not \(SettingsTable.nameserver.row.allowed)")
        }
        return .resolver(nameserver: address, isShared: command.isShared)
    }

    private static func wrong(_ lines: String..., code: Int32 = usageError) -> Invocation {
        wrong(lines, code: code)
    }

    private static func wrong(_ lines: [String], code: Int32) -> Invocation {
        .exit(code: code, standardOutput: "", standardError: lines.map { "holdfast: \($0)\n" }.joined())
    }
}

struct RootCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "holdfast",
        abstract: "A BOSH connection manager: web clients on one side, an XMPP server on the other.",
        usage: """
            holdfast run --domain DOMAIN --upstream HOST:PORT [options]
            holdfast run [--config FILE] [options]
            holdfast check [--config FILE] [options]
            holdfast print-proxy-config nginx|haproxy|apache|caddy [--config FILE] [options]
            holdfast status [--config FILE]
            holdfast reload [--config FILE]
            holdfast upgrade [--config FILE]
            holdfast log [LEVEL] [PART=LEVEL ...] [--config FILE]
            holdfast reopen [--config FILE]
            holdfast drain [--config FILE]
            holdfast --version
            """,
        subcommands: [
            RunCommand.self, CheckCommand.self, ProxyConfigurationCommand.self, StatusCommand.self, ReloadCommand.self,
            UpgradeCommand.self, LogCommand.self, ReopenCommand.self, DrainCommand.self,
            WorkerCommand.self, ResolverCommand.self, SettingsDocumentCommand.self,
        ])

    /// For the help text; `HoldfastCommand.parse` handles the flag first.
    @Flag(name: .customLong("version"), help: "Show the version.")
    var isVersionAsked = false
}

/// The role of the program when it starts itself to resolve names; not for people.
struct ResolverCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resolver", abstract: "Resolve names for a parent process.", shouldDisplay: false)

    @Option(help: "The name server that is used instead of the system's.")
    var nameserver: String?

    @Flag(name: .customLong("shared"), help: "Serve several workers, whose connections the parent passes on.")
    var isShared = false
}

/// The role of the program when a supervisor starts it to serve; not for people.
struct WorkerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worker", abstract: "Serve clients for a supervisor.", shouldDisplay: false)
}

/// Prints a document that is made of the table of settings, for deploy/lib/settings-doc.
struct SettingsDocumentCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "settings-doc", abstract: "Print the documentation of all settings.", shouldDisplay: false)

    /// A document, by its path.
    enum Page: String, ExpressibleByArgument, CaseIterable {
        case settings = "docs/settings.md"
        case defaults = "deploy/holdfast.toml"
        case program = "docs/holdfast.8"
        case file = "docs/holdfast.toml.5"

        /// The whole document.
        var text: String {
            switch self {
            case .settings: SettingsDocument.text
            case .defaults: ConfigurationOutput.defaults
            case .program: ManualPage.program
            case .file: ManualPage.file
            }
        }
    }

    @Argument var page = Page.settings
}
