import Primitives

/// How often each of some kinds of trouble came, and when the operator was last told about it.
struct Reminders<Kind: CaseIterable & Equatable> {
    private var counts = Tally<Kind>()
    /// How often each kind had come when the operator was last told.
    private var told = InlineArray<48, UInt64>(repeating: 0)
    private var toldAt = InlineArray<48, MonotonicInstant?>(repeating: nil)

    /// One line a minute is enough for an operator to act; more lines could be used to fill the log.
    private static var silence: Duration { .seconds(60) }

    /// Counts one. Returns how many came since the last line when another line is due; nil when none is due.
    mutating func note(_ kind: Kind, now: MonotonicInstant) -> UInt64? {
        counts.count(kind)
        let index = Tally<Kind>.index(of: kind)
        if let last = toldAt[index], now < last.advanced(by: Self.silence) { return nil }
        let untold = counts[kind] &- told[index]
        told[index] = counts[kind]
        toldAt[index] = now
        return untold
    }

    /// How often the kind came.
    func count(of kind: Kind) -> UInt64 { counts[kind] }
}
