import Primitives

/// The rate of a transfer, measured in windows of a fixed length. Without it a peer that sends or takes one byte now
/// and then would never miss a deadline, and would keep its memory in use.
///
/// No rate is demanded before the first window is over, so a pause of a second or two during a transfer does no harm.
package struct TransferRate: Sendable, Equatable {
    /// When the window began; nil while there is no transfer.
    private var since: MonotonicInstant?
    /// The bytes of this window.
    private var bytes: UInt32 = 0

    /// The rate of a transfer that has not begun.
    package init() {}

    /// Whether a transfer is under way.
    package var isRunning: Bool { since != nil }

    /// Begins a transfer; does nothing while one is under way.
    package mutating func begin(now: MonotonicInstant) {
        guard since == nil else { return }
        since = now
        bytes = 0
    }

    /// Ends the transfer.
    package mutating func end() { since = nil }

    /// Counts bytes that have passed.
    package mutating func note(_ count: Int) {
        let (sum, overflow) = bytes.addingReportingOverflow(UInt32(clamping: count))
        bytes = overflow ? .max : sum
    }

    /// When the window ends; nil without a transfer or without a lowest rate.
    package func windowEnd(_ window: Duration, least: Int) -> MonotonicInstant? {
        least > 0 ? since?.advanced(by: window) : nil
    }

    /// Whether the window is over and fewer than `least` bytes a second have passed in it. After a fast enough window
    /// the next one begins.
    package mutating func isTooSlow(window: Duration, least: Int, now: MonotonicInstant) -> Bool {
        guard let end = windowEnd(window, least: least), end <= now else { return false }
        let (wanted, overflow) = least.multipliedReportingOverflow(by: Int(clamping: window.components.seconds))
        guard !overflow, Int(bytes) >= wanted else { return true }
        since = now
        bytes = 0
        return false
    }
}
