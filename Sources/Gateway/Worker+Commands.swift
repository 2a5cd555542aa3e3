import Handover
import Reactor
import Settings

/// What operators have a worker on its own do.
extension Worker {
    /// Carries out a command of the control socket.
    ///
    /// - Returns: what came of it; nil when the message is none.
    func obey(_ command: ControlMessage) -> ControlMessage? {
        switch command {
        case .log(let text): log(text)
        case .reopen: reopen()
        case .reload, .upgrade:
            .refused(
                lines:
                    "with workers = none the program reads its configuration at the start alone, and is never replaced: "
                    + "restart it")
        case .takeOver: .running(processID: UInt32(clamping: CurrentProcess.processID))
        case .done, .refused, .running: nil
        }
    }

    /// Logs from these levels on, until the program ends.
    ///
    /// - Parameter text: the levels as in the settings; empty to be told which are in force.
    private func log(_ text: String) -> ControlMessage {
        if !text.isEmpty {
            guard let levels = LogLevels(text) else {
                // The words come back to somebody's terminal.
                return .refused(lines: "'\(SettingsError.printable(text))' is not \(LogLevels.allowed)")
            }
            loop.logs.set(levels)
            hasLevelsAskedFor = true
            loop.logs.announceLevels()
        }
        let levels = loop.logs.levels
        return .done(
            line: "the log has the level \(levels)"
                + (hasLevelsAskedFor ? " until the program ends" : " of the settings"))
    }

    /// Opens the file of the access log again.
    private func reopen() -> ControlMessage {
        guard case .file = loop.settings.accessLog else { return .refused(lines: "access-log names no file") }
        do throws(StartError) {
            try openAccessLog()
            loop.logs.admin.notice("the access log was opened again")
            return .done(line: "the access log was opened again")
        } catch {
            loop.logs.admin.error("the access log goes on with the old file", metadata: ["reason": "\(error.line)"])
            return .refused(lines: error.line)
        }
    }
}
