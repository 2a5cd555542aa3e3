// The log. It goes to standard error.
extension SettingsTable {
    package static let logLevel = Setting<LogLevels>.text(
        "log-level", valueName: "LEVEL", allowed: LogLevels.allowed, defaults: ["info"],
        example: ["notice upstreams=debug"], hasFlag: true, hint: LogLevels.hint,
        "The least important messages that are logged, for all parts of the program and for single ones",
        parse: { LogLevels($0) })

    package static let logFormat = Setting<LogFormat>.choice(
        "log-format", valueName: "FORMAT", default: .auto, example: .json, hasFlag: true,
        "How log lines look; auto is text")

    package static let logPriorities = Setting<LogPriorities>.choice(
        "log-priorities", valueName: "on|off|auto", default: .auto, example: .on,
        "Whether each log line begins with its priority in angle brackets, for a collector that knows these; auto means "
            + "if systemd's journal reads the log")
}
