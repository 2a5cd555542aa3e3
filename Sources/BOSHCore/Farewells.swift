import Primitives

/// When the sessions of a process that ends are told so: spread over some time, so that their clients do not all log in
/// elsewhere in the same second (`T-08`).
package struct Farewells: Sendable, Equatable {
    private let sessions: Int
    private let steps: Int
    private let start: MonotonicInstant
    private var told = 0

    /// - Parameters:
    ///   - sessions: how many there are.
    ///   - spread: over how long they are told at most; 0 for all at once. A few sessions take less.
    package init(sessions: Int, over spread: Duration, now: MonotonicInstant) {
        // Within these bounds, which no process reaches, no product below overflows.
        self.sessions = min(max(sessions, 0), 1 << 32)
        let most = Int(max(min(spread / Self.step, 1_000_000), 1))
        steps = min(most, max((self.sessions + Self.leastAtOnce - 1) / Self.leastAtOnce, 1))
        start = now
    }

    /// Takes the number of sessions to be told now.
    package mutating func takeDue(now: MonotonicInstant) -> Int {
        let step = min(passedSteps(now) + 1, steps)
        let due = max((sessions * step + steps - 1) / steps - told, 0)
        told += due
        return due
    }

    /// Whether the last sessions are to be told now.
    package func isLast(now: MonotonicInstant) -> Bool { passedSteps(now) + 1 >= steps }

    /// When the next sessions are to be told, after `takeDue` at `now`.
    package func next(after now: MonotonicInstant) -> MonotonicInstant {
        start.advanced(by: Self.step * (min(passedSteps(now), steps) + 1))
    }

    private func passedSteps(_ now: MonotonicInstant) -> Int {
        Int(clamping: Int64(now.elapsed(since: start) / Self.step))
    }

    private static let step = Duration.milliseconds(100)
    /// So many sessions are told in one step, if there are more.
    private static let leastAtOnce = 10
}
