import BOSHCore
import Primitives

/// What a server has accepted of the bytes that were sent to it. Bytes that its machine has acknowledged count, not those that
/// only this machine's kernel has taken: it takes some megabytes for a server that vanished, and none for a long while for one
/// that reads slowly.
struct Acceptance {
    /// How many bytes the kernel was given, and how many of them the server had accepted when that was looked at last, each
    /// modulo 2^32.
    private var sent: UInt32 = 0
    private var accepted: UInt32 = 0
    /// Since when the server has accepted none of the bytes that wait; none while nothing waits.
    private(set) var waitingSince = CoarseInstant.none

    /// The kernel was given `count` bytes; with zero, it took none of those that are there. Says whether they are the first
    /// ones that wait, so that somebody has to look.
    mutating func noteSent(_ count: Int, now: MonotonicInstant) -> Bool {
        let isFirst = waitingSince.instant == nil
        if isFirst {
            accepted = sent
            waitingSince = CoarseInstant(now)
        }
        sent &+= UInt32(truncatingIfNeeded: count)
        return isFirst
    }

    /// Looks at what the kernel says: `unacknowledged` bytes of those that it was given are not accepted yet. `hasUnwritten`:
    /// others wait in front of the kernel.
    mutating func look(unacknowledged: Int, hasUnwritten: Bool, now: MonotonicInstant) {
        guard waitingSince.instant != nil else { return }
        let acceptedNow = sent &- UInt32(truncatingIfNeeded: unacknowledged)
        if unacknowledged <= 0, !hasUnwritten {
            waitingSince = .none
        } else if acceptedNow != accepted {
            waitingSince = CoarseInstant(now)
        }
        accepted = acceptedNow
    }

    /// Until when the server has to accept something; nil while nothing waits.
    func deadline(_ timeout: Duration) -> MonotonicInstant? { waitingSince.instant?.advanced(by: timeout) }

    /// When to look again at a server that was looked at just now: often enough that one which vanished is noticed soon after
    /// its time.
    func nextLook(_ timeout: Duration, now: MonotonicInstant) -> MonotonicInstant? {
        deadline(timeout).map { min($0, now.advanced(by: timeout / 4)) }
    }
}
