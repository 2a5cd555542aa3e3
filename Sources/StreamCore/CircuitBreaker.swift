import Primitives

/// Spares a target that failed several times in a row, so that clients hear of it at once and the server is left in peace.
///
/// Kept by the caller for each target. A connection is admitted as long as the breaker is closed; after `failures` failures in
/// a row it opens for a pause, lets one connection through as a probe, and closes or opens again by what becomes of it. The
/// pause doubles from one second to `longestPause`.
package struct CircuitBreaker: Sendable {
    /// Where the breaker stands, as a word for counters.
    package enum Phase: String, Sendable, CaseIterable {
        /// Connections are admitted.
        case closed
        /// None is, until the pause is over.
        case open
        /// One is on its way to find out.
        case probing
    }

    private enum State: Sendable {
        case closed(failuresInRow: Int)
        case open(until: MonotonicInstant, pause: Duration)
        case probing(until: MonotonicInstant, pause: Duration)
    }

    private static let firstPause = Duration.seconds(1)

    private let failures: Int
    private let longestPause: Duration
    private var state = State.closed(failuresInRow: 0)

    /// A closed breaker. `failures`: how many in a row open it, 0 for never. `longestPause`: the most that the pause grows to;
    /// when it is below one second, every pause is that long.
    package init(failures: Int, longestPause: Duration) {
        self.failures = failures
        self.longestPause = max(longestPause, .zero)
    }

    /// Where the breaker stands. It stays `open` after its pause, until somebody asks to be admitted.
    package var phase: Phase {
        switch state {
        case .closed: .closed
        case .open: .open
        case .probing: .probing
        }
    }

    /// Whether a connection may be tried now; whoever is admitted tells by `succeeded`, `failed` or `abandoned` what became of
    /// it. Once the pause is over, the first one that asks becomes the probe. One that is not heard of for `longestPause` is
    /// given up, and the next becomes the probe.
    package mutating func admits(now: MonotonicInstant) -> Bool {
        switch state {
        case .closed:
            return true
        case .open(let until, let pause), .probing(let until, let pause):
            guard now >= until else { return false }
            state = .probing(until: now.advanced(by: longestPause), pause: pause)
            return true
        }
    }

    /// A connection stood: whatever was wrong is over.
    package mutating func succeeded() {
        state = .closed(failuresInRow: 0)
    }

    /// A connection that was admitted failed.
    package mutating func failed(now: MonotonicInstant) {
        guard failures > 0 else { return }
        switch state {
        case .closed(let failuresInRow):
            if failuresInRow + 1 < failures {
                state = .closed(failuresInRow: failuresInRow + 1)
            } else {
                open(for: min(Self.firstPause, longestPause), now: now)
            }
        case .open:
            // One of those admitted before it opened: known already.
            break
        case .probing(_, let pause):
            open(for: min(pause * 2, longestPause), now: now)
        }
    }

    /// A connection that was admitted was given up before anybody knew what would become of it (its session ended): the next
    /// one may be the probe.
    package mutating func abandoned(now: MonotonicInstant) {
        guard case .probing(_, let pause) = state else { return }
        state = .open(until: now, pause: pause)
    }

    private mutating func open(for pause: Duration, now: MonotonicInstant) {
        state = .open(until: now.advanced(by: pause), pause: pause)
    }
}
