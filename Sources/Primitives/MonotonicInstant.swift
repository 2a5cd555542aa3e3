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
        // `seconds` and `attoseconds` have the same sign as the duration.
        let (seconds, attoseconds) = duration.components
        let (scaled, isTooLong) = seconds.magnitude.multipliedReportingOverflow(by: 1_000_000_000)
        let (length, hasCarried) = scaled.addingReportingOverflow(attoseconds.magnitude / 1_000_000_000)
        let distance = isTooLong || hasCarried ? .max : length
        if duration < .zero {
            return MonotonicInstant(nanoseconds: nanoseconds - min(nanoseconds, distance))
        }
        let (sum, hasPassedTheEnd) = nanoseconds.addingReportingOverflow(distance)
        return MonotonicInstant(nanoseconds: hasPassedTheEnd ? .max : sum)
    }

    /// How long after `earlier` this instant is; zero when it is not later.
    @inlinable package func elapsed(since earlier: MonotonicInstant) -> Duration {
        guard nanoseconds > earlier.nanoseconds else { return .zero }
        return .nanoseconds(Int64(clamping: nanoseconds - earlier.nanoseconds))
    }

    @inlinable package static func < (left: MonotonicInstant, right: MonotonicInstant) -> Bool {
        left.nanoseconds < right.nanoseconds
    }
}
