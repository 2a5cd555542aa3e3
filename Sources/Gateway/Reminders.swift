import Primitives

/// How often each of some kinds of trouble came, and when the operator was told of it last.
struct Reminders<Kind: CaseIterable & Equatable> {
    private var counts = Tally<Kind>()
    /// How often each had come when the operator was told.
    private var told = InlineArray<48, UInt64>(repeating: 0)
    private var toldAt = InlineArray<48, MonotonicInstant?>(repeating: nil)

    /// One line a minute is enough to act on; more would be a way to fill the log.
    private static var silence: Duration { .seconds(60) }

    /// Counts one; how many came since the last line when it is time for another, nil when it is not.
    mutating func note(_ kind: Kind, now: MonotonicInstant) -> UInt64? {
        counts.count(kind)
        let index = Tally<Kind>.index(of: kind)
        if let last = toldAt[index], now < last.advanced(by: Self.silence) { return nil }
        let untold = counts[kind] &- told[index]
        told[index] = counts[kind]
        toldAt[index] = now
        return untold
    }

    /// How often it came.
    func count(of kind: Kind) -> UInt64 { counts[kind] }
}
