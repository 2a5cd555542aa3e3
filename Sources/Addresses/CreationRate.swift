import Primitives

/// How fast sessions may begin, those of all clients together: so many a second, and those of two seconds at once.
///
/// Each worker has its part of the rate. It takes constant room, and each call constant time.
package struct CreationRate: Sendable {
    /// The time for which one session stands; nil when the rate is not limited.
    private let interval: Duration?
    /// When as many may begin at once as if none had begun before.
    private var isFreshAt = MonotonicInstant(nanoseconds: 0)

    /// - Parameters:
    ///   - perSecond: how many sessions may begin in a second, in all workers; 0 for any number.
    ///   - workers: how many workers share the rate, 1 or more.
    package init(perSecond: Int, workers: Int = 1) {
        interval = perSecond > 0 ? .seconds(max(workers, 1)) / perSecond : nil
    }

    /// Whether another session may begin now.
    package func admits(now: MonotonicInstant) -> Bool {
        guard let interval else { return true }
        return max(isFreshAt, now).advanced(by: interval).elapsed(since: now) <= max(Self.burst, interval)
    }

    /// Notes that a session begins, which was admitted.
    package mutating func take(now: MonotonicInstant) {
        guard let interval else { return }
        isFreshAt = max(isFreshAt, now).advanced(by: interval)
    }

    /// The sessions of this time may begin at once.
    private static let burst = Duration.seconds(2)
}
