import Primitives

/// Finds the workers whose loop stands still, by the loop counters in their pages.
///
/// A worker is stuck after some looks, not after some time: when the whole machine was halted, its workers have stood
/// still for a long time and only one look.
package struct LoopWatch: Sendable {
    /// A worker's counter at the last look, and for how many looks it has stood still.
    private struct Seen {
        var turns: UInt64 = 0
        var stillFor = 0
    }

    /// When the next look is due; nil while nobody is watched.
    package private(set) var looksAt: MonotonicInstant?
    private var seen: [UInt32: Seen] = [:]

    /// A watch that has not begun.
    package init() {}

    /// Looks from now on.
    package mutating func begin(now: MonotonicInstant) { looksAt = now.advanced(by: Self.interval) }

    /// Looks no more.
    package mutating func end() { looksAt = nil }

    /// Forgets a worker that has ended.
    package mutating func forget(_ tag: UInt32) { seen[tag] = nil }

    /// Compares the counters with those of the last look, if a look is due.
    ///
    /// - Parameters:
    ///   - turns: the loop counter of each worker by its tag; one without a counter is not judged.
    ///   - tags: the workers that are looked at.
    /// - Returns: those of `tags` that stand still, in this order.
    package mutating func look(at turns: [UInt32: UInt64], of tags: [UInt32], now: MonotonicInstant) -> [UInt32] {
        guard let due = looksAt, due <= now else { return [] }
        looksAt = now.advanced(by: Self.interval)
        return tags.filter { tag in
            guard let turns = turns[tag] else { return false }
            let last = seen[tag, default: Seen()]
            let stillFor = turns == last.turns ? last.stillFor + 1 : 0
            seen[tag] = Seen(turns: turns, stillFor: stillFor)
            return stillFor >= Self.stillLimit
        }
    }

    /// How often the loop counters are compared. An idle loop turns at least twice as often.
    static let interval = Duration.seconds(2)
    /// After how many looks a counter that stands still means that its worker is stuck.
    static let stillLimit = 5
}
