/// Collects what is wrong with a world.
final class Judge {
    private(set) var failure: String?
    /// Calls have failed for want of resources: connections may be lost by it.
    var isDisturbed = false
    var failed: () -> Void = {}
    private var loginsExcusedUntil = Instant.zero

    /// A server or the way to it has failed before anybody knew whose stream it was: for as long as somebody may have waited for
    /// it, and the server is spared then, clients may be told that they cannot log in.
    func excuseLogins(from now: Instant) {
        loginsExcusedUntil = max(loginsExcusedUntil, now + .seconds(120))
    }

    func excusesLogin(endedAt time: Instant) -> Bool { time <= loginsExcusedUntil }

    func fail(_ what: String) {
        guard failure == nil else { return }
        failure = what
        failed()
    }
}
