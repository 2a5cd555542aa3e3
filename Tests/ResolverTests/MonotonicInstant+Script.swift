import Primitives

/// Instants of a script's clock, counted from its start.
extension MonotonicInstant {
    static let zero = MonotonicInstant(nanoseconds: 0)

    static func nanoseconds(_ nanoseconds: Int) -> MonotonicInstant { zero + .nanoseconds(nanoseconds) }

    static func seconds(_ seconds: Int) -> MonotonicInstant { zero + .seconds(seconds) }

    static func + (instant: MonotonicInstant, duration: Duration) -> MonotonicInstant {
        instant.advanced(by: duration)
    }

    static func - (instant: MonotonicInstant, duration: Duration) -> MonotonicInstant {
        instant.advanced(by: .zero - duration)
    }
}
