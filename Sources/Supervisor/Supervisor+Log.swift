import Handover
import LogLines
import Logging
import Settings

/// Changes from which level on all processes log, without a change of the configuration.
extension Supervisor {
    /// Has all workers of all generations, and those that are started later, log from these levels on, until the
    /// configuration is read again.
    ///
    /// - Parameter text: the levels as in the settings; empty to be told which are in force.
    func log(_ text: String, for asker: ControlDoor.Asker?) {
        guard !text.isEmpty else { return answer(.done(line: "the log has \(levelsInWords)"), asker) }
        guard let levels = LogLevels(text) else {
            // The words come back to somebody's terminal.
            answer(.refused(lines: "'\(SettingsError.printable(text))' is not \(LogLevels.allowed)"), asker)
            return
        }
        levelsAskedFor = levels
        use(levels)
        for tag in workers.keys.sorted() { tell(tag, .logLevels("\(levels)")) }
        // An operator who makes the log silent still sees that it was done.
        var admin = logs.admin
        admin.logLevel = .notice
        admin.notice("the levels of the log were changed", metadata: ["levels": "\(levels)"])
        answer(.done(line: "the log has \(levelsInWords)"), asker)
    }

    /// Returns to the log's settings, which may be new, once they hold. Workers of older generations change their levels too:
    /// an operator who has asked for many lines of them wants these to end.
    func followLogSettings() {
        levelsAskedFor = nil
        logs.follow(settings)
        use(settings.logLevel)
        for tag in table.retiredTags.sorted() { tell(tag, .logLevels("\(settings.logLevel)")) }
    }

    private func use(_ levels: LogLevels) {
        logs.set(levels)
        resolvers.logger = logs.resolver
        control?.logger = logs.admin
    }

    private var levelsInWords: String {
        levelsAskedFor.map { "the level \($0) until the next reload" } ?? "the level \(logs.levels) of the settings"
    }

    private func answer(_ message: ControlMessage, _ asker: ControlDoor.Asker?) {
        if let asker, let control { control.answer(message, to: asker, in: poller) }
    }
}
