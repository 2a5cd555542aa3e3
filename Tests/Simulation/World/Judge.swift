/// Collects what is wrong with a world.
final class Judge {
    private(set) var failure: String?
    /// Calls have failed for want of resources: connections may be lost by it.
    var isDisturbed = false
    var failed: () -> Void = {}

    func fail(_ what: String) {
        guard failure == nil else { return }
        failure = what
        failed()
    }
}
