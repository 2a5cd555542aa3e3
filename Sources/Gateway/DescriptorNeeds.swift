/// What a limit on open files means for clients: how many sessions there is room for, and whether that is worth a start.
package struct DescriptorNeeds: Sendable, Equatable {
    /// How many descriptors each worker may have open.
    let limit: Int
    /// How many workers there are, 1 or more.
    let workers: Int

    /// - Parameters:
    ///   - limit: how many descriptors each process may have open.
    ///   - workers: how many processes serve; 0 counts as 1.
    package init(limit: Int, workers: Int) {
        self.limit = limit
        self.workers = max(workers, 1)
    }

    /// The fewest descriptors with which a worker starts: half of them are its own.
    package var least: Int { 2 * Self.reserved(others: 0) + 2 * (workers - 1) }

    /// How many sessions there is room for in all workers, if each has a stream to its server and one connection of its
    /// client.
    package var sessions: Int {
        let each = max(limit - Self.reserved(others: workers - 1), 0) / 2
        let (all, isTooLarge) = each.multipliedReportingOverflow(by: workers)
        return isTooLarge ? .max : all
    }

    /// Why this is too little to start with, as one line; nil when it is enough.
    ///
    /// - Parameter isRunning: whether the program runs already, and these would be its next workers.
    package func refusal(isRunning: Bool) -> String? {
        guard limit < least else { return nil }
        let whose = workers == 1 ? "" : " for \(workers) workers"
        let remedy = isRunning ? Self.remedyWhileRunning : Self.remedy
        return "the limit of open files is \(limit), and at least \(least) are needed\(whose): \(remedy)"
    }

    /// A warning when there is room for few sessions; nil otherwise.
    package var warning: String? {
        guard sessions < Self.few else { return nil }
        let each = workers == 1 ? "" : " of each of the \(workers) workers"
        return
            "the limit of open files\(each) is \(limit), so there is room for about \(sessions) sessions: \(Self.remedy)"
    }

    /// How many descriptors sessions leave free in a worker: for listeners, the resolver, the log and the operator's
    /// connections, and for the links to this many other workers.
    static func reserved(others: Int) -> Int { 64 + 2 * max(others, 0) }

    /// What an operator does about it.
    static let remedy = "raise it (LimitNOFILE= in systemd, ulimit -n in a shell)"

    /// What an operator does about it without ending the program: the next workers have the limit of their supervisor.
    static let remedyWhileRunning =
        "raise it (prlimit --nofile=NUMBER --pid PID for the program that runs, LimitNOFILE= in systemd for its next start)"

    /// Fewer sessions than this are probably not meant.
    private static let few = 2_000
}
