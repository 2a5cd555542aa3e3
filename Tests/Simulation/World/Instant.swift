/// A time of the simulated machine since its start.
struct Instant: Comparable, Hashable {
    var nanoseconds: UInt64

    static let zero = Instant(nanoseconds: 0)

    static func < (one: Instant, other: Instant) -> Bool { one.nanoseconds < other.nanoseconds }

    static func + (instant: Instant, duration: Duration) -> Instant {
        Instant(nanoseconds: instant.nanoseconds + UInt64(max(duration.nanoseconds, 0)))
    }

    func elapsed(since earlier: Instant) -> Duration {
        .nanoseconds(Int(nanoseconds) - Int(earlier.nanoseconds))
    }
}
