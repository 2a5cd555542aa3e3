import BOSHCore

/// An instant to an eighth of a second, or none, in four bytes: a link keeps several for deadlines of whole seconds, and
/// its size is the product. Reaches seventeen years.
struct CoarseInstant {
    private var ticks: UInt32 = 0

    static let none = CoarseInstant()

    private init() {}

    /// The last eighth of a second that `instant` has seen begin.
    init(_ instant: MonotonicInstant) {
        ticks = UInt32(clamping: instant.nanoseconds / Self.tick + 1)
    }

    /// The instant; nil when there is none.
    var instant: MonotonicInstant? {
        ticks == 0 ? nil : MonotonicInstant(nanoseconds: UInt64(ticks - 1) * Self.tick)
    }

    private static let tick: UInt64 = 125_000_000
}
