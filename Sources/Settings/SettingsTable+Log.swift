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

    package static let accessLog = Setting<AccessLogPlace>.text(
        "access-log", valueName: "off|stderr|/PATH", allowed: "off, stderr or a path that begins with /",
        defaults: ["off"], example: ["/var/log/holdfast/access.log"],
        "Where a line for each request of a client goes; SIGUSR1 and 'holdfast reopen' open the file again",
        parse: { AccessLogPlace($0) })

    package static let accessLogFormat = Setting<AccessLogFormat>.choice(
        "access-log-format", valueName: "FORMAT", default: .combined, example: .json,
        "How lines of the access log look: combined is what tools for web servers read, with the seconds taken at its end"
    )

    package static let accessLogSample = Setting.count(
        "access-log-sample", default: 1, in: 1...1_000_000, example: 100,
        "Of how many requests one has a line in the access log")
}
