import ArgumentParser
import Settings

/// `holdfast status`: tells a person how the running program is.
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Say how the running program is.",
        usage: "holdfast status [--config FILE] [--admin ADDR:PORT]")

    @OptionGroup var place: RunningPlace
}

/// `holdfast drain`: ends the running program, as SIGTERM does, and waits for its end.
struct DrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain", abstract: "End the running program, whose clients are told over the time of 'drain'.",
        usage: "holdfast drain [--config FILE] [--admin ADDR:PORT]")

    @OptionGroup var place: RunningPlace
}

/// Where the running program answers operators.
struct RunningPlace: ParsableArguments {
    @Option(help: ArgumentHelp("The configuration file with which it runs", valueName: "FILE"))
    var config: String?

    @Option(
        help: ArgumentHelp(
            "Where it answers operators, if the file does not say it (default: 127.0.0.1:5281)", valueName: "ADDR:PORT")
    )
    var admin: String?

    /// The address by flag, environment or file, or else the default; the first of them that says it counts.
    ///
    /// - Throws: a fault of one of them. Only the setting `admin` is judged, because the running program may have been
    ///   started with others.
    func address(_ environment: [SettingEntry]) throws(SettingsFaults) -> ListenAddress {
        var entries: [SettingEntry] = []
        if let config {
            do throws(ConfigurationFileError) {
                entries = try ConfigurationFile(path: config).entries
            } catch {
                throw SettingsFaults(lines: [error.description], isOfFlags: false)
            }
        }
        entries += environment
        if let admin { entries.append(SettingEntry("admin", admin, origin: .flag)) }
        let given = entries.last { $0.name == "admin" && $0.domain == nil }
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
}
