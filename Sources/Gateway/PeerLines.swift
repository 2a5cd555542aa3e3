import BOSHCore
import LogLines
import Logging
import Primitives
import Settings

/// Limits the log lines about each kind of trouble. Strangers can cause such lines at a smaller cost than a line takes.
/// The first lines are all written, then a fixed number each second; the next line says how many were left out.
struct LineAllowance {
    private struct Entry {
        var left: Int
        var refilledAt: MonotonicInstant
        var untold: UInt64 = 0
    }

    /// How many lines of one kind may come at once: enough to see what happens when something breaks.
    static let burst = 200
    /// How many lines of one kind are written each second in the long run.
    static let perSecond = 20

    private var entries: [String: Entry] = [:]

    /// Counts a line of a kind; this program has only a small number of kinds.
    ///
    /// - Returns: how many lines were left out before this one; nil when this one is left out.
    mutating func take(_ kind: String, now: MonotonicInstant) -> UInt64? {
        var entry = entries[kind] ?? Entry(left: Self.burst, refilledAt: now)
        defer { entries[kind] = entry }
        let whole = now.elapsed(since: entry.refilledAt).components.seconds
        if whole > 0 {
            entry.left = min(Self.burst, entry.left + Int(clamping: min(whole, 3_600)) * Self.perSecond)
            entry.refilledAt = entry.refilledAt.advanced(by: .seconds(whole))
        }
        guard entry.left > 0 else {
            entry.untold &+= 1
            return nil
        }
        entry.left -= 1
        defer { entry.untold = 0 }
        return entry.untold
    }
}

extension Loop {
    /// Logs something that a peer caused, unless there are too many lines of its kind. `kind` is a text of this
    /// program.
    func logPeer(
        _ part: LogSubsystem, _ level: Logger.Level, _ kind: String, _ metadata: @autoclosure () -> Logger.Metadata
    ) {
        let logger = logs[part]
        guard level >= logger.logLevel, let untold = peerLines.take(kind, now: now) else { return }
        var metadata = metadata()
        if untold > 0 { metadata["suppressed"] = .number(untold) }
        logger.log(level: level, "\(kind)", metadata: metadata)
    }
}
