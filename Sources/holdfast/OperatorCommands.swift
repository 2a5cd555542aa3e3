import ArgumentParser
import Settings

/// `holdfast status`: tells a person how the running program is.
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Say how the running program is",
        usage: "holdfast status [--config FILE] [--admin ADDR:PORT] [--token-file FILE]")

    @OptionGroup var place: RunningPlace
}

/// `holdfast drain`: ends the running program, as SIGTERM does, and waits for its end.
struct DrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain", abstract: "End the running program, whose clients are told over the time of 'drain'",
        usage: "holdfast drain [--config FILE] [--admin ADDR:PORT] [--token-file FILE]")

    @OptionGroup var place: RunningPlace
}

/// What the running program is told to do.
enum RunningCommand: Equatable {
    /// Read the configuration again.
    case reload
    /// Replace the program by the one that its path names now.
    case upgrade
    /// Open the file of the access log again.
    case reopen
    /// Log from these levels on until the next reload; nil: say from which it does.
    case log(LogLevels?)

    /// What an operator can do instead when the program takes no commands.
    var instead: String {
        switch self {
        case .reload: "SIGHUP does the same, and the log says what came of it"
        case .upgrade: "SIGUSR2 does the same, and the log says what came of it"
        case .reopen: "SIGUSR1 does the same, and the log says what came of it"
        case .log: "set control, or set log-level and reload or restart the program"
        }
    }
}

/// `holdfast reload`: has the running program read its configuration again, as SIGHUP does, and says what came of it.
struct ReloadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload",
        abstract: "Have the running program read its configuration again; no session is lost",
        usage: "holdfast reload [--config FILE] [--control unix:PATH]")

    @OptionGroup var place: ControlAddress
}

/// `holdfast upgrade`: has the running program replace itself, as SIGUSR2 does, and says what came of it.
struct UpgradeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "upgrade",
        abstract: "Replace the running program by the one that its path names now; no session is lost",
        usage: "holdfast upgrade [--config FILE] [--control unix:PATH]")

    @OptionGroup var place: ControlAddress
}

/// `holdfast reopen`: has the running program open the file of its access log again, as SIGUSR1 does.
struct ReopenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reopen",
        abstract: "Have the running program open the file of its access log again, after that was moved away",
        usage: "holdfast reopen [--config FILE] [--control unix:PATH]")

    @OptionGroup var place: ControlAddress
}

/// `holdfast log`: has all processes of the running program log from other levels on, or says what is in force.
struct LogCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log",
        abstract: "Change from which level on the running program logs, until the next reload; without LEVEL say it",
        usage: "holdfast log [LEVEL] [PART=LEVEL ...] [--config FILE] [--control unix:PATH]",
        discussion: """
            'holdfast log info clients=debug' has all parts log from info on, and the clients from debug on. The levels are \
            \(LogLevel.allCases.map(\.rawValue).joined(separator: ", ")), and the parts \
            \(LogSubsystem.allCases.map(\.rawValue).joined(separator: ", ")).
            """)

    @Argument(help: ArgumentHelp("The levels, as the setting log-level has them", valueName: "LEVEL"))
    var levels: [String] = []

    @OptionGroup var place: ControlAddress

    /// The command; nil when the levels are not allowed.
    var command: RunningCommand? {
        guard !levels.isEmpty else { return .log(nil) }
        return LogLevels(text).map { .log($0) }
    }

    /// The levels in one text.
    var text: String { levels.joined(separator: " ") }
}

/// Where the running program takes commands.
struct ControlAddress: ParsableArguments {
    @Option(help: RunningPlace.configHelp)
    var config: String?

    @Option(
        help: ArgumentHelp("Where it takes commands, if the file does not say it", valueName: "unix:PATH"))
    var control: String?

    /// The address by flag, environment or file; the first of them that says it counts.
    ///
    /// - Parameter instead: what else an operator can do when the program takes no commands.
    /// - Throws: a fault of one of them, or that none says it.
    func address(
        instead: String, _ environment: [SettingEntry], _ usual: String?
    ) throws(SettingsFaults) -> ListenAddress {
        let given = try RunningPlace.given(SettingsTable.control.row, by: control, config, environment, usual)
        guard let given else {
            throw SettingsFaults(
                lines: ["control is not set, so the running program takes no commands; \(instead)"], isOfFlags: false)
        }
        guard let place = SettingsTable.control.parse(given.value) else {
            throw SettingsFaults(
                lines: [
                    "control: '\(SettingsError.printable(given.value))' is not \(SettingsTable.control.row.allowed)"
                ], isOfFlags: given.origin == .flag)
        }
        guard case .on(let address) = place else {
            throw SettingsFaults(
                lines: ["control is off, so the running program takes no commands; \(instead)"],
                isOfFlags: given.origin == .flag)
        }
        return address
    }
}

/// Where the running program answers operators.
struct RunningPlace: ParsableArguments {
    /// What `--config` means for a command to the running program.
    static let configHelp = ArgumentHelp(
        "The configuration file with which it runs (default: \(Configuration.usualPath), if it exists)",
        valueName: "FILE")

    @Option(help: RunningPlace.configHelp)
    var config: String?

    @Option(
        help: ArgumentHelp(
            "Where it answers operators, if the file does not say it (default: 127.0.0.1:5281)",
            valueName: "ADDR:PORT|unix:PATH")
    )
    var admin: String?

    @Option(
        help: ArgumentHelp(
            "A file with the token that it wants, if the file of settings does not name it", valueName: "FILE"))
    var tokenFile: String?

    /// The address, and the file with the token for it; nil when there is none.
    ///
    /// - Throws: a fault of a flag, the environment or the file.
    func place(
        _ environment: [SettingEntry], _ usual: String?
    ) throws(SettingsFaults) -> (address: ListenAddress, tokenFile: String?) {
        // Whoever says where to ask need not be able to read the usual file.
        let isElsewhere = admin != nil || environment.contains { $0.name == SettingsTable.admin.row.name }
        let token = try Self.given(
            SettingsTable.adminTokenFile.row, by: tokenFile, config, environment, isElsewhere ? nil : usual)
        return (try address(environment, usual), token?.value)
    }

    /// The address by flag, environment or file, or else the default; the first of them that says it counts.
    ///
    /// - Throws: a fault of one of them.
    func address(_ environment: [SettingEntry], _ usual: String?) throws(SettingsFaults) -> ListenAddress {
        let given = try Self.given(SettingsTable.admin.row, by: admin, config, environment, usual)
        let text = given?.value ?? SettingsTable.admin.row.defaults.first ?? ""
        guard let address = SettingsTable.admin.parse(text) else {
            throw SettingsFaults(
                lines: ["admin: '\(SettingsError.printable(text))' is not \(SettingsTable.admin.row.allowed)"],
                isOfFlags: given?.origin == .flag)
        }
        guard case .on(let place) = address else {
            throw SettingsFaults(
                lines: ["admin is off, so the running program cannot be asked"], isOfFlags: given?.origin == .flag)
        }
        return place
    }

    /// The entry for a setting by flag, environment or file; the first of them that has it counts. Only this setting is
    /// judged, because the running program may have been started with others.
    ///
    /// - Parameter usual: the file that is read without `--config`, if neither flag nor environment say it.
    /// - Throws: the file cannot be read.
    static func given(
        _ row: SettingRow, by flag: String?, _ config: String?, _ environment: [SettingEntry], _ usual: String?
    ) throws(SettingsFaults) -> SettingEntry? {
        var given = environment
        if let flag { given.append(SettingEntry(row.name, flag, origin: .flag)) }
        let outside = given.last { $0.name == row.name }
        if config == nil, outside != nil { return outside }
        guard let file = config ?? usual else { return outside }
        do throws(ConfigurationFileError) {
            let entries = try ConfigurationFile(path: file).entries
            return outside ?? entries.last { $0.name == row.name && $0.domain == nil }
        } catch {
            throw SettingsFaults(lines: [error.description], isOfFlags: false)
        }
    }
}
