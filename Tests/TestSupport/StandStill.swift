import CLinux
import Glibc

/// Processes that stand still, so that they find several things at once when they go on.
package enum StandStill {
    /// The state of a process as in /proc, such as `T` for one that stands still; nil when there is no such process.
    package static func state(of process: Int32) -> Character? {
        guard let status = try? Files.read("/proc/\(process)/stat") else { return nil }
        // The name before the state is in parentheses and may have anything in it.
        return status.split(separator: ")").last?.first { $0 != " " }
    }

    /// Stops a process. The signal only asks for that, so this function waits until the process stands still.
    package static func begin(_ process: Int32) throws {
        try Sockets.check("kill", kill(process, SIGSTOP))
        try Patience.wait("\(process) stands still") { state(of: process) == "T" }
    }

    /// Lets a process go on, once everything has arrived that was sent to it.
    package static func end(_ process: Int32) throws {
        try Deliveries.finish()
        try Sockets.check("kill", kill(process, SIGCONT))
    }
}

extension Daemon {
    /// Runs `work` while the process stands still: in its next turn it finds everything that `work` has sent.
    ///
    /// What was sent before is handled before, because a turn may have begun with a part of it.
    package func standingStill(_ work: () throws -> Void) throws {
        try settle()
        try StandStill.begin(processID)
        do {
            try work()
        } catch {
            try StandStill.end(processID)
            throw error
        }
        try StandStill.end(processID)
    }
}
