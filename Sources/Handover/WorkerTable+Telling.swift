/// What workers are told of each other. How it is sent is the supervisor's affair.
extension WorkerTable {
    /// The workers that one which begins to serve is to be made known to, oldest first: those that serve.
    ///
    /// - Parameter fellows: those that it knows already. Workers that begin to serve together are introduced once.
    package func strangers(to tag: UInt32, knowing fellows: Set<UInt32>) -> [UInt32] {
        serving.filter { $0 != tag && !fellows.contains($0) }
    }

    /// What a worker is told when it and the others know each other, in this order. It serves from then on.
    ///
    /// - Parameters:
    ///   - refusal: why the last reload or upgrade was refused; empty when it was not.
    ///   - rules: what the clients of all living generations may send.
    package func wordsToServe(refusal: String, rules: SharedRules) -> [SupervisorMessage] {
        var words = retiredTags.map { SupervisorMessage.retired(tag: $0) }
        if !refusal.isEmpty { words.append(.refusal(refusal)) }
        if rules != SharedRules() { words.append(.rules(rules)) }
        return words + [.serve]
    }
}

extension WorkerPlan {
    /// What a worker with this plan is told when it is to take no new sessions.
    ///
    /// - Parameter current: what the workers have that take them. Where these listen, they accept. Everywhere else the
    ///   worker accepts itself, for the sessions that came in there.
    package func wordsToRetire(after current: WorkerPlan?) -> SupervisorMessage {
        .retire(leaving: listeners.filter { current?.listeners.contains($0) ?? false })
    }
}
