/// An instant to an eighth of a second, or none, in four bytes. Sessions and streams keep several deadlines of whole
/// seconds each, so the size of one counts. The range is seventeen years.
package struct CoarseInstant: Sendable, Equatable {
    @usableFromInline var ticks: UInt32

    /// No instant.
    @inlinable package static var none: CoarseInstant { CoarseInstant(ticks: 0) }

    @inlinable init(ticks: UInt32) {
        self.ticks = ticks
    }

    /// The last eighth of a second that `instant` has seen begin.
    @inlinable package init(_ instant: MonotonicInstant) {
        ticks = UInt32(clamping: instant.nanoseconds / Self.tick + 1)
    }

    /// The instant; nil when there is none.
    @inlinable package var instant: MonotonicInstant? {
        ticks == 0 ? nil : MonotonicInstant(nanoseconds: UInt64(ticks - 1) * Self.tick)
    }

    @inlinable static var tick: UInt64 { 125_000_000 }
}
