import Primitives
import Reactor

/// A worker's end of the resolver processes: starts them when needed, hands each one question at a time, and remembers
/// what they found out.
///
/// A look-up blocks its process for as long as a name server takes, so there are several: a dead name delays others only
/// when it occupies all of them, and then for `patience` at most. Every process is registered with the worker's `Poller`
/// under a token of its own; the worker passes every event with one of these tokens to `handle`, and calls
/// `handleDeadline` when `nextDeadline` has come. An `ask` that returns nil is answered by exactly one later call of these.
package struct ResolverLink: ~Copyable {
    /// How long a process may take for one question, and a question may wait for a process.
    package static let patience = Duration.seconds(30)
    /// Questions that may be open at once; one more is refused. Names are asked once, whoever wants them.
    package static let maximumOpenQuestions = ResolverQuestions.maximum

    private let executable: String
    private let arguments: [String]
    private let children: [ResolverChild]
    private var buffer = ReadBuffer(capacity: 4_096)
    private var questions: ResolverQuestions
    private var cache: ResolverCache

    /// How often a process was started.
    package private(set) var starts = 0
    /// How often a process had to be ended or ended by itself.
    package private(set) var losses = 0

    /// Starts nothing yet.
    ///
    /// - Parameters: `executable` and `arguments` (program name first) of a process that calls
    ///   `ResolverServer.serve` with descriptor `ChildProcess.inheritedDescriptor`; `tokens` for the poller, one for each
    ///   process that may run, all different; `cacheCapacity` names are remembered at most; of the strangers at one address
    ///   `lookupsOfAddress` names are looked up at a time.
    package init(
        executable: String = ChildProcess.ownExecutable, arguments: [String], tokens: [UInt64],
        cacheCapacity: Int = 4_096, lookupsOfAddress: Int = 2
    ) {
        self.executable = executable
        self.arguments = arguments
        children = tokens.map { ResolverChild(token: $0) }
        cache = ResolverCache(capacity: cacheCapacity)
        questions = ResolverQuestions(lookupsOfAddress: lookupsOfAddress)
    }

    /// The process numbers of the children that run.
    package var processIDs: [Int32] { children.compactMap(\.processID) }
    /// How many questions are open.
    package var openQuestions: Int { questions.count }
    /// The bytes that they take, about, with all who wait for them.
    package var heldBytes: Int { questions.heldBytes }

    /// When `handleDeadline` is to be called; nil while nothing is open.
    package var nextDeadline: MonotonicInstant? {
        var first = questions.oldestWaiting
        for child in children {
            if let work = child.work { first = min(first ?? work.since, work.since) }
        }
        return first?.advanced(by: Self.patience)
    }

    /// Asks.
    ///
    /// - Parameters: `id` names the asker in the answer and need not be unique; `now` is `MonotonicClock.now`. `isStrange`: a
    ///   stranger came with the name (an open proxy). However many of those take long, others are answered. `requester`: the
    ///   stranger's address as a number, nil when it is not known.
    /// - Returns: the answer if it is known at once: a numeric host, a name that cannot be one, something remembered, too
    ///   many open questions, or no process to ask. Otherwise nil, and `handle` or `handleDeadline` returns it later.
    package mutating func ask(
        id: UInt64, _ query: ResolverQuery, isStrange: Bool = false, requester: UInt128? = nil, now: MonotonicInstant,
        poller: borrowing Poller
    ) -> ResolverAnswer? {
        if case .addresses(let host) = query, let address = SocketAddress(numericHost: host, port: 0) {
            return ResolverAnswer(id: id, query: query, outcome: .addresses([address]))
        }
        guard let normalized = query.normalized else {
            return ResolverAnswer(
                id: id, query: query, outcome: .failure("not a name that DNS can have", isTemporary: false))
        }
        if let outcome = cache.outcome(of: normalized, now: now) {
            return ResolverAnswer(id: id, query: query, outcome: outcome)
        }
        let asker = ResolverQuestions.Asker(id: id, query: query)
        guard questions.add(asker, query: normalized, isStrange: isStrange, requester: requester, now: now) else {
            return ResolverAnswer(
                id: id, query: query,
                outcome: cache.staleOutcome(of: normalized, now: now)
                    ?? .failure("too many open questions", isTemporary: true))
        }
        // If this answers anything it is this question: were others waiting, no process could be started for them either,
        // and they have been answered then.
        return dispatch(now: now, poller: poller).first
    }

    /// Notes that nothing a remembered answer to `query` leads to is of use: the next `ask` has it looked up again, once a
    /// second at most.
    ///
    /// `now`: `MonotonicClock.now`.
    ///
    /// - Returns: whether an `ask` at `now` has it looked up.
    package mutating func doubt(_ query: ResolverQuery, now: MonotonicInstant) -> Bool {
        query.normalized.map { cache.doubt($0, now: now) } ?? false
    }

    /// Takes an event with one of this link's tokens.
    ///
    /// - Returns: the answers that have come; after a second process has ended over the same question, a temporary failure.
    package mutating func handle(
        _ event: PollEvent, now: MonotonicInstant, poller: borrowing Poller
    ) -> [ResolverAnswer] {
        guard let child = children.first(where: { $0.token == event.token }) else { return [] }
        if event.isWritable { child.send(poller) }
        var answers: [ResolverAnswer] = []
        switch child.read(with: &buffer) {
        case .nothing: return []
        case .replied(let reply): answers = close(reply.id, reply.finding, now: now, keep: true)
        case .broken(let reason): answers = replace(child, reason, now: now, mayRetry: true)
        }
        answers += dispatch(now: now, poller: poller)
        return answers
    }

    /// Ends processes that do not answer and gives up questions that have waited too long for one.
    ///
    /// - Returns: temporary failures for both; empty when called too early.
    package mutating func handleDeadline(now: MonotonicInstant, poller: borrowing Poller) -> [ResolverAnswer] {
        var answers: [ResolverAnswer] = []
        for child in children {
            guard let work = child.work, Self.isOver(work.since, now) else { continue }
            answers += replace(child, "the look-up takes too long", now: now, mayRetry: false)
        }
        while let question = questions.takeOverdue({ Self.isOver($0, now) }) {
            // Says nothing about this name, so it is not remembered.
            answers += close(question.id, .temporary("too many look-ups take long"), now: now, keep: false)
        }
        answers += dispatch(now: now, poller: poller)
        return answers
    }

    private static func isOver(_ since: MonotonicInstant, _ now: MonotonicInstant) -> Bool {
        since.advanced(by: patience) <= now
    }

    /// Hands waiting questions to processes that are idle or can be started.
    private mutating func dispatch(now: MonotonicInstant, poller: borrowing Poller) -> [ResolverAnswer] {
        while questions.hasWaiting(includingStrange: mayWorkForStrangers) {
            var error: SystemError?
            guard let child = freeChild(poller, &error) else {
                guard !children.contains(where: \.isRunning) else { return [] }
                return failWaiting("no resolver process: \(error?.description ?? "none is allowed")", now: now)
            }
            guard let question = questions.takeWaiting(includingStrange: mayWorkForStrangers) else { return [] }
            child.work(on: question, now: now, poller: poller)
        }
        return []
    }

    /// Whether another process may work on a stranger's question: two are left for what the operator's domains need.
    private var mayWorkForStrangers: Bool { questions.strangeAtWork < max(1, children.count - 2) }

    private mutating func freeChild(_ poller: borrowing Poller, _ error: inout SystemError?) -> ResolverChild? {
        if let idle = children.first(where: { $0.isRunning && $0.work == nil }) { return idle }
        guard let child = children.first(where: { !$0.isRunning }) else { return nil }
        do throws(SystemError) {
            try child.start(executable, arguments, poller)
            starts += 1
            return child
        } catch let failure {
            error = failure
            return nil
        }
    }

    private mutating func replace(
        _ child: ResolverChild, _ reason: String, now: MonotonicInstant, mayRetry: Bool
    ) -> [ResolverAnswer] {
        let question = child.work?.question
        child.end()
        losses += 1
        guard let question else { return [] }
        // A process that died is no fault of the name: nobody is told of it when the next one can answer.
        if mayRetry, questions.retry(question.id, now: now) { return [] }
        return close(question.id, .temporary(reason), now: now, keep: true)
    }

    private mutating func failWaiting(_ reason: String, now: MonotonicInstant) -> [ResolverAnswer] {
        var answers: [ResolverAnswer] = []
        while let question = questions.takeOverdue({ _ in true }) {
            answers += close(question.id, .temporary(reason), now: now, keep: false)
        }
        return answers
    }

    private mutating func close(
        _ number: UInt64, _ finding: ResolverFinding, now: MonotonicInstant, keep: Bool
    ) -> [ResolverAnswer] {
        guard let closed = questions.close(number) else { return [] }
        if keep { cache.insert(finding, for: closed.query, now: now) }
        // What was known is better than nothing (RFC 8767).
        var outcome = finding.outcome
        if case .failure(_, isTemporary: true) = outcome {
            outcome = cache.staleOutcome(of: closed.query, now: now) ?? outcome
        }
        return closed.askers.map { ResolverAnswer(id: $0.id, query: $0.query, outcome: outcome) }
    }
}
