import Primitives

/// The clock for deadlines: it never goes backwards and does not count while the machine sleeps (`CLOCK_MONOTONIC`).
package enum MonotonicClock {
    /// The present instant, on a clock that all processes of one boot share.
    package static var now: MonotonicInstant {
        let time = Syscalls.monotonicTime()
        return MonotonicInstant(
            nanoseconds: UInt64(clamping: time.seconds) &* 1_000_000_000 &+ UInt64(clamping: time.nanoseconds))
    }
}

/// The calendar clock, for dates shown to people and in the `Date` field; it may jump.
package enum WallClock {
    /// Whole seconds since 1970-01-01 00:00 UTC.
    package static var seconds: Int64 {
        Int64(Syscalls.calendarTime().seconds)
    }

    /// Milliseconds since 1970-01-01 00:00 UTC, for log lines.
    package static var milliseconds: Int64 {
        let time = Syscalls.calendarTime()
        return Int64(time.seconds) &* 1_000 &+ Int64(time.nanoseconds) / 1_000_000
    }
}
