/// A point on a clock that never goes back, as nanoseconds since an arbitrary start.
///
/// The pure rooms have no clock. Every input carries the instant at which it happened, so a fake clock can drive a
/// whole session.
package struct MonotonicInstant: Sendable, Hashable, Comparable {
    /// Nanoseconds since the clock's arbitrary start.
    package var nanoseconds: UInt64

    /// An instant `nanoseconds` after the clock's start.
    @inlinable package init(nanoseconds: UInt64) {
        self.nanoseconds = nanoseconds
    }

    /// The instant `duration` later; saturates at either end of the clock instead of trapping.
    @inlinable package func advanced(by duration: Duration) -> MonotonicInstant {
        let distance = duration.units(Duration.attosecondsPerNanosecond).quotient
        if duration.attoseconds < 0 {
            return MonotonicInstant(nanoseconds: nanoseconds - min(nanoseconds, distance))
        }
        let (sum, hasPassedTheEnd) = nanoseconds.addingReportingOverflow(distance)
        return MonotonicInstant(nanoseconds: hasPassedTheEnd ? .max : sum)
    }

    /// How long after `earlier` this instant is; zero when it is not later.
    @inlinable package func elapsed(since earlier: MonotonicInstant) -> Duration {
        guard nanoseconds > earlier.nanoseconds else { return .zero }
        let distance = min(nanoseconds - earlier.nanoseconds, UInt64(Int64.max))
        return Duration(distance, unit: Duration.attosecondsPerNanosecond)
    }

    @inlinable package static func < (left: MonotonicInstant, right: MonotonicInstant) -> Bool {
        left.nanoseconds < right.nanoseconds
    }
}
