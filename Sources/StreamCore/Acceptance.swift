import Primitives

/// What a server has accepted of the bytes that were sent to it. Bytes that its machine has acknowledged count, not those that
/// only this machine's kernel has taken: it takes some megabytes for a server that vanished, and none for a long while for one
/// that reads slowly.
struct Acceptance: Sendable {
    /// How many bytes the kernel was given, and how many of them the server had accepted when that was looked at last, each
    /// modulo 2^32.
    private var sent: UInt32 = 0
    private var accepted: UInt32 = 0
    /// Since when the server has accepted none of the bytes that wait; none while nothing waits.
    private(set) var waitingSince = CoarseInstant.none
    /// When the server was looked at last, since the first of the bytes that wait; none before.
    private var lookedAt = CoarseInstant.none

    /// Whether bytes were given to the kernel of which it is not known that the server has accepted them all.
    var isWaiting: Bool { waitingSince != .none }

    /// The kernel was given `count` bytes; with zero, it took none of those that are there. Says whether they are the first
    /// ones that wait, so that somebody has to look.
    mutating func noteSent(_ count: Int, now: MonotonicInstant) -> Bool {
        let isFirst = !isWaiting
        if isFirst {
            accepted = sent
            waitingSince = CoarseInstant(now)
            lookedAt = .none
        }
        sent &+= UInt32(truncatingIfNeeded: count)
        return isFirst
    }

    /// Looks at what the kernel says: `unacknowledged` bytes of those that it was given are not accepted yet. `hasUnwritten`:
    /// others wait in front of the kernel.
    mutating func look(unacknowledged: Int, hasUnwritten: Bool, now: MonotonicInstant) {
        guard isWaiting else { return }
        let acceptedNow = sent &- UInt32(truncatingIfNeeded: unacknowledged)
        if unacknowledged <= 0, !hasUnwritten {
            waitingSince = .none
        } else if acceptedNow != accepted {
            waitingSince = CoarseInstant(now)
        }
        accepted = acceptedNow
        lookedAt = CoarseInstant(now)
    }

    /// Until when the server has to accept something; nil while nothing waits.
    func deadline(_ timeout: Duration) -> MonotonicInstant? { waitingSince.instant?.advanced(by: timeout) }

    /// When to look at the server: once its time is up, and from then on often enough that one which vanished is noticed soon
    /// after its time. Nil while nothing waits.
    func nextLook(_ timeout: Duration) -> MonotonicInstant? {
        guard let deadline = deadline(timeout) else { return nil }
        guard let lookedAt = lookedAt.instant else { return deadline }
        return min(deadline, lookedAt.advanced(by: max(timeout / 4, Self.shortestPause)))
    }

    /// Instants are kept to an eighth of a second: a look must not be due at once again.
    private static let shortestPause = Duration.milliseconds(250)
}
