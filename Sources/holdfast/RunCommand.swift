import ArgumentParser
import Settings

/// `holdfast run`: serves, or says what it would serve with.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Serve web clients",
        usage: """
            holdfast run --domain DOMAIN --upstream HOST:PORT [options]
            holdfast run [--config FILE] [options]
            """,
        discussion: """
            Begin with 'holdfast run --domain example.org --upstream 127.0.0.1:5222'. A configuration file has more settings \
            than there are flags; docs/settings.md describes them all.
            """)

    /// What the command does instead of serving, by flag; the manual page has them too.
    static let actions: [(name: String, help: String)] = [
        (
            "check-config",
            "Say whether the settings, flags among them, are valid, and exit: 0 if so, 64 for a wrong flag, or 78"
        ),
        ("print-config", "Print the settings in force, each with its origin, as a file, and exit"),
        ("print-default-config", "Print a file that has every setting with its default, and exit"),
    ]

    @OptionGroup var given: GivenSettings

    @Flag(actions[0]) var isCheck = false
    @Flag(actions[1]) var isPrint = false
    @Flag(actions[2]) var isPrintDefault = false
}

/// `holdfast check`: says whether the settings can be used.
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Say whether the settings are valid",
        usage: "holdfast check [--config FILE] [options of run]")

    @OptionGroup var given: GivenSettings
}

extension Flag where Value == Bool {
    /// A flag for an action.
    fileprivate init(wrappedValue: Bool, _ action: (name: String, help: String)) {
        self.init(wrappedValue: wrappedValue, name: .customLong(action.name), help: "\(action.help)")
    }
}

/// A file of settings, and a flag for each setting of the table that has one.
///
/// Here all values are plain text, and every flag may be repeated. `SettingsTable` alone says what is allowed, for
/// flags and files alike.
struct GivenSettings: ParsableArguments {
    static let configHelp =
        "A TOML file of settings; flags override it; without this flag \(Configuration.usualPath), if it exists"

    @Option(help: ArgumentHelp("\(configHelp)", valueName: "FILE"))
    var config: [String] = []

    @Option(SettingsTable.listen.row) var listen: [String] = []
    @Option(SettingsTable.admin.row) var admin: [String] = []
    @Option(SettingsTable.domain.row) var domain: [String] = []
    @Option(SettingsTable.upstream.row) var upstream: [String] = []
    @Option(SettingsTable.upstreamTLS.row) var upstreamTLS: [String] = []
    @Option(SettingsTable.upstreamCA.row) var upstreamCA: [String] = []
    @Option(SettingsTable.path.row) var path: [String] = []
    @Option(SettingsTable.publicURL.row) var publicURL: [String] = []
    @Option(SettingsTable.webSocketPath.row) var webSocketPath: [String] = []
    @Option(SettingsTable.publicWebSocketURL.row) var publicWebSocketURL: [String] = []
    @Option(SettingsTable.maxWait.row) var maxWait: [String] = []
    @Option(SettingsTable.inactivity.row) var inactivity: [String] = []
    @Option(SettingsTable.maxHold.row) var maxHold: [String] = []
    @Option(SettingsTable.maxBody.row) var maxBody: [String] = []
    @Option(SettingsTable.workers.row) var workers: [String] = []
    @Option(SettingsTable.control.row) var control: [String] = []
    @Option(SettingsTable.logLevel.row) var logLevel: [String] = []
    @Option(SettingsTable.logFormat.row) var logFormat: [String] = []

    /// The given flags as entries.
    var entries: [SettingEntry] {
        let given: [(SettingRow, [String])] = [
            (SettingsTable.listen.row, listen), (SettingsTable.admin.row, admin), (SettingsTable.domain.row, domain),
            (SettingsTable.upstream.row, upstream), (SettingsTable.upstreamTLS.row, upstreamTLS),
            (SettingsTable.upstreamCA.row, upstreamCA), (SettingsTable.path.row, path),
            (SettingsTable.publicURL.row, publicURL), (SettingsTable.webSocketPath.row, webSocketPath),
            (SettingsTable.publicWebSocketURL.row, publicWebSocketURL),
            (SettingsTable.maxWait.row, maxWait), (SettingsTable.inactivity.row, inactivity),
            (SettingsTable.maxHold.row, maxHold), (SettingsTable.maxBody.row, maxBody),
            (SettingsTable.workers.row, workers), (SettingsTable.control.row, control),
            (SettingsTable.logLevel.row, logLevel), (SettingsTable.logFormat.row, logFormat),
        ]
        return given.flatMap { row, values in values.map { SettingEntry(row.name, $0, origin: .flag) } }
    }
}

extension Option where Value == [String] {
    /// A flag for a row of the table, with the row's help text.
    fileprivate init(wrappedValue: [String], _ row: SettingRow) {
        self.init(wrappedValue: wrappedValue, name: .customLong(row.name), help: row.help)
    }
}

extension SettingRow {
    fileprivate var help: ArgumentHelp {
        var text = doc
        switch kind {
        case .seconds(let range): text += "; \(range.lowerBound) to \(range.upperBound) seconds"
        case .milliseconds(let range): text += "; \(range.lowerBound) to \(range.upperBound) milliseconds"
        case .count(let range), .bytes(let range): text += "; \(range.lowerBound) to \(range.upperBound)"
        case .choice(let words): text += "; " + words.joined(separator: ", ")
        case .numberOrWord, .text: break
        }
        if isRepeatable { text += "; repeatable" }
        if isRequired { text += " (required without --config)" }
        if !defaults.isEmpty { text += " (default: \(defaults.joined(separator: ", ")))" }
        return ArgumentHelp("\(text)", valueName: valueName)
    }
}
