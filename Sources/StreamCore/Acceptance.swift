import Primitives

/// Keeps track of how many of the sent bytes a server has accepted. Only bytes that the server's machine has
/// acknowledged count. Bytes that this machine's kernel has taken do not: the kernel takes some megabytes for a server
/// that has vanished, and for a long time none for a server that reads slowly.
struct Acceptance: Sendable {
    /// How many bytes the kernel was given, and how many of them the server had accepted at the last look; each modulo
    /// 2^32.
    private var sent: UInt32 = 0
    private var accepted: UInt32 = 0
    /// The time since which the server has accepted none of the waiting bytes; none while nothing waits.
    private(set) var waitingSince = CoarseInstant.none
    /// When the server was last looked at while bytes waited; none before the first look.
    private var lookedAt = CoarseInstant.none

    /// Whether the kernel was given bytes that the server may not have accepted yet.
    var isWaiting: Bool { waitingSince != .none }

    /// Notes that the kernel took `count` bytes; zero means that it took none although some are there. Returns whether
    /// bytes wait only since now, so that the caller has to arrange a look.
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

    /// Looks at what the kernel says: the server has not acknowledged `unacknowledged` of the bytes that the kernel was
    /// given. `hasUnwritten`: further bytes wait in front of the kernel.
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

    /// The time by which the server has to accept something; nil while nothing waits.
    func deadline(_ timeout: Duration) -> MonotonicInstant? { waitingSince.instant?.advanced(by: timeout) }

    /// When to look at the server: once when its time is up, and then often enough to notice soon after its time that
    /// it has vanished. Nil while nothing waits.
    func nextLook(_ timeout: Duration) -> MonotonicInstant? {
        guard let deadline = deadline(timeout) else { return nil }
        guard let lookedAt = lookedAt.instant else { return deadline }
        return min(deadline, lookedAt.advanced(by: max(timeout / 4, Self.shortestPause)))
    }

    /// The shortest time between two looks. Instants are kept to an eighth of a second, and the next look must not be
    /// due at once.
    private static let shortestPause = Duration.milliseconds(250)
}
