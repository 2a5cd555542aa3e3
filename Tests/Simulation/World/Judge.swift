/// Collects the failures of a world.
final class Judge {
    private(set) var failure: String?
    /// Whether calls have failed for want of resources, which may have cost connections.
    var isDisturbed = false
    var failed: () -> Void = {}
    private var loginsExcusedUntil = Instant.zero

    /// Excuses logins after a server, or the way to it, has failed before anybody knew whose stream it was. For as long
    /// as somebody may have waited for it, and while the server is left alone after that, clients may be told that they
    /// cannot log in.
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
