import Primitives

/// Leaves a target alone that failed several times in a row: clients learn at once that it does not work, and the
/// server is not burdened.
///
/// The caller keeps one for each target. A closed breaker admits every connection. After `failures` failures in a row
/// the breaker opens for a pause; then it lets one connection through as a probe, and the result of the probe closes it
/// or opens it again. The pause starts at one second and doubles up to `longestPause`.
package struct CircuitBreaker: Sendable {
    /// The state of the breaker, as a word for counters.
    package enum Phase: String, Sendable, CaseIterable {
        /// All connections are admitted.
        case closed
        /// No connection is admitted until the pause is over.
        case open
        /// One connection is on its way to find out whether the target works.
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
    /// When the first of the failures in a row was noted; nil while there is none.
    package private(set) var failingSince: MonotonicInstant?

    /// Creates a closed breaker. `failures`: how many failures in a row open it, 0 for never. `longestPause`: the upper
    /// limit of the pause; if it is below one second, every pause is that long.
    package init(failures: Int, longestPause: Duration) {
        self.failures = failures
        self.longestPause = max(longestPause, .zero)
    }

    /// The state of the breaker. It stays `open` after its pause until a caller asks to be admitted.
    package var phase: Phase {
        switch state {
        case .closed: .closed
        case .open: .open
        case .probing: .probing
        }
    }

    /// Whether a connection may be tried now. A caller that is admitted reports the result by `succeeded`, `failed` or
    /// `abandoned`. The first caller after the pause becomes the probe. A probe that has not reported for
    /// `longestPause` is given up, and the next caller becomes the probe.
    package mutating func admits(now: MonotonicInstant) -> Bool {
        switch state {
        case .closed:
            return true
        case .open(_, let pause), .probing(_, let pause):
            if refuses(now: now) { return false }
            state = .probing(until: now.advanced(by: longestPause), pause: pause)
            return true
        }
    }

    /// Whether `admits` would refuse a connection now.
    package func refuses(now: MonotonicInstant) -> Bool {
        switch state {
        case .closed: false
        case .open(let until, _), .probing(let until, _): now < until
        }
    }

    /// For how long `admits` refuses connections from now on; zero when it admits one.
    package func pause(now: MonotonicInstant) -> Duration {
        switch state {
        case .closed: .zero
        case .open(let until, _), .probing(let until, _): until.elapsed(since: now)
        }
    }

    /// Notes that a connection was made: the trouble is over.
    package mutating func succeeded() {
        state = .closed(failuresInRow: 0)
        failingSince = nil
    }

    /// Notes that an admitted connection failed.
    package mutating func failed(now: MonotonicInstant) {
        guard failures > 0 else { return }
        if failingSince == nil { failingSince = now }
        switch state {
        case .closed(let failuresInRow):
            if failuresInRow + 1 < failures {
                state = .closed(failuresInRow: failuresInRow + 1)
            } else {
                open(for: min(Self.firstPause, longestPause), now: now)
            }
        case .open:
            // This connection was admitted before the breaker opened, so its failure is nothing new.
            break
        case .probing(_, let pause):
            open(for: min(pause * 2, longestPause), now: now)
        }
    }

    /// Notes that an admitted connection was given up before its result was known (its session ended). The next one may
    /// be the probe.
    package mutating func abandoned(now: MonotonicInstant) {
        guard case .probing(_, let pause) = state else { return }
        state = .open(until: now, pause: pause)
    }

    private mutating func open(for pause: Duration, now: MonotonicInstant) {
        state = .open(until: now.advanced(by: pause), pause: pause)
    }
}
