import Primitives

/// The rates of a session's requests and repeats: two leaky buckets in eight bytes, because every session has them.
///
/// The buckets leak at each full second of the clock, one second's worth at a time. So at most the burst comes at once,
/// and over any longer time at most the burst plus what the rate allows. The counts saturate at 65,535, so a burst
/// above that is no limit.
struct RequestRates: Sendable {
    /// The limit for one kind of request.
    struct Rate: Sendable, Equatable {
        /// The number allowed in a second.
        let perSecond: Int
        /// How many seconds' worth may come at once.
        let burst: Int
    }

    private var second: UInt32 = 0
    private var requests: UInt16 = 0
    private var repeats: UInt16 = 0

    /// Counts a request; false when it is too many.
    mutating func admitsRequest(now: MonotonicInstant, policy: borrowing SessionPolicy) -> Bool {
        leak(now: now, policy: policy)
        return Self.add(to: &requests, policy.requestRate)
    }

    /// Counts a repeat; false when it is too many.
    mutating func admitsRepeat(now: MonotonicInstant, policy: borrowing SessionPolicy) -> Bool {
        leak(now: now, policy: policy)
        return Self.add(to: &repeats, policy.repeatRate)
    }

    private static func add(to count: inout UInt16, _ rate: Rate?) -> Bool {
        guard let rate else { return true }
        let (most, isMore) = rate.perSecond.multipliedReportingOverflow(by: rate.burst)
        guard isMore || count < max(most, 1) else { return false }
        if count < .max { count += 1 }
        return true
    }

    private mutating func leak(now: MonotonicInstant, policy: borrowing SessionPolicy) {
        let present = UInt32(truncatingIfNeeded: now.nanoseconds / 1_000_000_000)
        let elapsed = present &- second
        guard elapsed > 0 else { return }
        second = present
        Self.leak(&requests, policy.requestRate, seconds: elapsed)
        Self.leak(&repeats, policy.repeatRate, seconds: elapsed)
    }

    private static func leak(_ count: inout UInt16, _ rate: Rate?, seconds: UInt32) {
        guard count > 0, let rate else { return }
        let (leaked, isMore) = UInt64(clamping: rate.perSecond).multipliedReportingOverflow(by: UInt64(seconds))
        count -= isMore ? count : UInt16(clamping: min(leaked, UInt64(count)))
    }
}
