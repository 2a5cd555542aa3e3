import Primitives

/// Instants and steps of a script's clock.
extension MonotonicInstant {
    static let zero = MonotonicInstant(nanoseconds: 0)

    static func seconds(_ seconds: Int) -> MonotonicInstant { zero + .seconds(seconds) }

    static func milliseconds(_ milliseconds: Int) -> MonotonicInstant { zero + .milliseconds(milliseconds) }

    static func + (instant: MonotonicInstant, duration: Duration) -> MonotonicInstant {
        instant.advanced(by: duration)
    }

    static func += (instant: inout MonotonicInstant, duration: Duration) { instant = instant + duration }
}
