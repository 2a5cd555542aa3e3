import Handover
import LogLines
import Logging
import ProcessLinks
import Reactor
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
        logs.announceLevels()
        answer(.done(line: "the log has \(levelsInWords)"), asker)
    }

    /// Returns to the log's settings, which may be new, once they hold. Workers of older generations change their levels too:
    /// an operator who has asked for many lines of them wants these to end.
    ///
    /// - Parameter accessFile: the file of their access log. Workers of older generations that write to a file write to this
    ///   one too: the old one may be gone soon.
    func followLogSettings(_ accessFile: SharedDescriptor?) {
        self.accessFile = accessFile
        accessLog = settings.accessLog
        if let accessFile { for tag in table.retiredTags.sorted() { tell(tag, .accessLog, passing: accessFile) } }
        levelsAskedFor = nil
        logs.follow(settings)
        use(settings.logLevel)
        for tag in table.retiredTags.sorted() { tell(tag, .logLevels("\(settings.logLevel)")) }
    }

    // MARK: The access log

    /// Opens the file of an access log; nil for one that goes elsewhere.
    ///
    /// - Throws: `SupervisorError`, when it cannot be opened.
    static func open(_ place: AccessLogPlace) throws(SupervisorError) -> SharedDescriptor? {
        guard case .file(let path) = place else { return nil }
        do throws(SystemError) {
            return SharedDescriptor(try AppendedFile.open(path))
        } catch {
            throw SupervisorError(line: "access-log: '\(path)' cannot be opened: \(error.reason)")
        }
    }

    /// Opens the file of the access log again, and has all workers write to it from now on.
    func reopen(for asker: ControlDoor.Asker?) {
        do throws(SupervisorError) {
            guard let file = try Self.open(accessLog) else {
                if asker == nil { logger.notice("SIGUSR1 is ignored: access-log names no file") }
                return answer(.refused(lines: "access-log names no file"), asker)
            }
            accessFile = file
            for tag in workers.keys.sorted() { tell(tag, .accessLog, passing: file) }
            logs.admin.notice("the access log was opened again")
            answer(.done(line: "the access log was opened again"), asker)
        } catch {
            logs.admin.error("the access log goes on with the old file", metadata: ["reason": "\(error.line)"])
            answer(.refused(lines: error.line), asker)
        }
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
