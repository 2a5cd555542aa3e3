import BOSHCore
import Primitives

/// How often each of some kinds of trouble came, and when the operator was told of it last.
struct Reminders<Kind: Hashable> {
    private struct Entry {
        var count: UInt64 = 0
        /// How many came since the last line.
        var untold: UInt64 = 0
        var toldAt: MonotonicInstant?
    }

    private var entries: [Kind: Entry] = [:]

    /// One line a minute is enough to act on; more would be a way to fill the log.
    private static var silence: Duration { .seconds(60) }

    /// Counts one; how many came since the last line when it is time for another, nil when it is not.
    mutating func note(_ kind: Kind, now: MonotonicInstant) -> UInt64? {
        var entry = entries[kind] ?? Entry()
        entry.count &+= 1
        entry.untold &+= 1
        defer { entries[kind] = entry }
        if let toldAt = entry.toldAt, now < toldAt.advanced(by: Self.silence) { return nil }
        defer {
            entry.untold = 0
            entry.toldAt = now
        }
        return entry.untold
    }

    /// How often it came.
    func count(of kind: Kind) -> UInt64 { entries[kind]?.count ?? 0 }
}
