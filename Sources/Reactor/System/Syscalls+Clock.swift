import CLinux
import Glibc

/// Time and random numbers.
extension Syscalls {
    /// The time since an arbitrary start, equal for all processes of one boot (`CLOCK_MONOTONIC`).
    @inline(__always)
    static func monotonicTime() -> (seconds: Int, nanoseconds: Int) {
        time(CLOCK_MONOTONIC)
    }

    /// The time since 1970-01-01 00:00 UTC; it may jump (`CLOCK_REALTIME`).
    @inline(__always)
    static func calendarTime() -> (seconds: Int, nanoseconds: Int) {
        time(CLOCK_REALTIME)
    }

    /// The processor time that this process has used (`CLOCK_PROCESS_CPUTIME_ID`).
    static func processorTime() -> (seconds: Int, nanoseconds: Int) {
        time(CLOCK_PROCESS_CPUTIME_ID)
    }

    /// Fills a part of `buffer` with random bytes and returns their number. It waits only while the machine starts.
    static func random(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
        retrying { unsafe getrandom(buffer.baseAddress, buffer.count, 0) }
    }

    @inline(__always)
    private static func time(_ clock: clockid_t) -> (seconds: Int, nanoseconds: Int) {
        var time = timespec()
        // The call fails only for a clock that does not exist.
        _ = unsafe clock_gettime(clock, &time)
        return (time.tv_sec, time.tv_nsec)
    }
}
