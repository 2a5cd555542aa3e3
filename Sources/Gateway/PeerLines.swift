import BOSHCore
import Logging
import Primitives

/// How many lines about one kind of trouble are written: strangers cause them, and each would be larger than what it takes to
/// cause it. The first ones are there in full, then so many a second, and the next one tells how many were left out.
struct LineAllowance {
    private struct Entry {
        var left: Int
        var refilledAt: MonotonicInstant
        var untold: UInt64 = 0
    }

    /// Lines of one kind at once: what an operator reads when something breaks.
    static let burst = 200
    /// Lines of one kind a second in the long run.
    static let perSecond = 20

    private var entries: [String: Entry] = [:]

    /// Takes a line of a kind, of which this program has a small number.
    ///
    /// - Returns: how many were left out before it; nil when it is left out itself.
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
    /// Writes a line about what a peer caused, as far as there are not too many of its kind. `kind` is a text of this program.
    func logPeer(_ level: Logger.Level, _ kind: String, _ metadata: @autoclosure () -> Logger.Metadata) {
        guard level >= logger.logLevel, let untold = peerLines.take(kind, now: now) else { return }
        var metadata = metadata()
        if untold > 0 { metadata["suppressed"] = "\(untold)" }
        logger.log(level: level, "\(kind)", metadata: metadata)
    }
}
