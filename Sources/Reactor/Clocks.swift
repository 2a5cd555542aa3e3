import Glibc

/// The clock for deadlines: it never goes backwards and does not count while the machine sleeps (`CLOCK_MONOTONIC`).
package enum MonotonicClock {
    /// Nanoseconds since an arbitrary start, equal for all processes of one boot.
    package static var now: UInt64 {
        var time = timespec()
        _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(clamping: time.tv_sec) &* 1_000_000_000 &+ UInt64(clamping: time.tv_nsec)
    }
}

/// The calendar clock, for dates shown to people and in the `Date` field; it may jump.
package enum WallClock {
    /// Whole seconds since 1970-01-01 00:00 UTC.
    package static var seconds: Int64 {
        var time = timespec()
        _ = unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec)
    }

    /// Milliseconds since 1970-01-01 00:00 UTC, for log lines.
    package static var milliseconds: Int64 {
        var time = timespec()
        _ = unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) &* 1_000 &+ Int64(time.tv_nsec) / 1_000_000
    }
}
