import Primitives

/// How fast something is passed on, in windows of a fixed length: a byte a while keeps a deadline on silence from ever
/// passing, and what it belongs to in memory.
///
/// No rate is asked for before the first window is over, so a pause of a second or two in the middle of a transfer is well.
package struct TransferRate: Sendable, Equatable {
    /// When the window began; nil while nothing is passed on.
    private var since: MonotonicInstant?
    /// Bytes of this window.
    private var bytes: UInt32 = 0

    /// Of a transfer that has not begun.
    package init() {}

    /// Whether a transfer is under way.
    package var isRunning: Bool { since != nil }

    /// Something is to be passed on from now; no change when it is under way.
    package mutating func begin(now: MonotonicInstant) {
        guard since == nil else { return }
        since = now
        bytes = 0
    }

    /// Nothing more is to be passed on.
    package mutating func end() { since = nil }

    /// So much has passed.
    package mutating func note(_ count: Int) {
        let (sum, overflow) = bytes.addingReportingOverflow(UInt32(clamping: count))
        bytes = overflow ? .max : sum
    }

    /// When the window ends; nil while nothing is passed on, or where any rate will do.
    package func windowEnd(_ window: Duration, least: Int) -> MonotonicInstant? {
        least > 0 ? since?.advanced(by: window) : nil
    }

    /// Whether the window is over and fewer than `least` bytes a second have passed in it. One that was fast enough is
    /// followed by the next.
    package mutating func isTooSlow(window: Duration, least: Int, now: MonotonicInstant) -> Bool {
        guard let end = windowEnd(window, least: least), end <= now else { return false }
        let (wanted, overflow) = least.multipliedReportingOverflow(by: Int(clamping: window.components.seconds))
        guard !overflow, Int(bytes) >= wanted else { return true }
        since = now
        bytes = 0
        return false
    }
}
