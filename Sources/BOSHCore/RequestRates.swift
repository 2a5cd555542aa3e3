import Primitives

/// How fast a session's requests and repeats come: two leaky buckets in eight bytes, since every session has them.
///
/// They leak at each full second of the clock, a second's worth for each second that has begun. So never more than the burst
/// come at once, and in any longer time never more than that and the rate together. The counts end at 65,535: a rate of more
/// than a burst of that is no limit.
struct RequestRates: Sendable {
    /// What one kind of request may do.
    struct Rate: Sendable, Equatable {
        /// How many a second.
        let perSecond: Int
        /// How many seconds' worth may come at once.
        let burst: Int
    }

    private var second: UInt32 = 0
    private var requests: UInt16 = 0
    private var repeats: UInt16 = 0

    /// Counts a request; false when it is one too many.
    mutating func admitsRequest(now: MonotonicInstant, policy: borrowing SessionPolicy) -> Bool {
        leak(now: now, policy: policy)
        return Self.add(to: &requests, policy.requestRate)
    }

    /// Counts a repeat; false when it is one too many.
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
