import Primitives
import Reactor

/// A worker's end of the resolver processes. It starts them when needed, or gets them from a supervisor and then starts
/// nothing. It gives each one question at a time, and remembers their findings.
///
/// A look-up blocks its process for as long as a name server takes, so there are several processes. Dead names delay
/// others only when they occupy all processes, and then at most for `patience`. Every process is registered with the
/// worker's `Poller` under its own token. The worker passes every event with one of these tokens to `handle`, and calls
/// `handleDeadline` at `nextDeadline`. Exactly one later call of these answers an `ask` that returned nil.
package struct ResolverLink: ~Copyable {
    /// How long a process may take for one question, and how long a question may wait for a process.
    package static let patience = Duration.seconds(30)
    /// The most open questions; further ones are refused. Each name is asked once, however many want it.
    package static let maximumOpenQuestions = ResolverQuestions.maximum

    /// What the supervisor has to know of its processes.
    package enum Report: Equatable, Sendable {
        /// There are names to look up, and no process was given.
        case needed
        /// The connection to the process of this tag has ended, or never came.
        case lost(UInt32)
    }

    /// Where processes come from.
    private enum Supply {
        /// This process starts them.
        case own(executable: String, arguments: [String])
        /// The supervisor gives them.
        case supervisor
        /// The supervisor has ended.
        case ended
    }

    private var supply: Supply
    private var reports: [Report] = []
    private var hasReportedNeed = false
    private let children: [ResolverChild]
    private var buffer = ReadBuffer(capacity: 4_096)
    private var questions: ResolverQuestions
    private var cache: ResolverCache

    /// The number of processes started; under a supervisor, of connections to processes.
    package private(set) var starts = 0
    /// The number of processes that ended or had to be ended; under a supervisor, of connections that ended.
    package private(set) var losses = 0

    /// Makes a link without processes.
    ///
    /// - Parameters: `executable` and `arguments` (program name first) of a process that calls `ResolverServer.serve`
    ///   with descriptor `ChildProcess.inheritedDescriptor`; `tokens` for the poller, all different, one for each
    ///   process that may run; `cacheCapacity`, the most names remembered; `lookupsOfAddress`, the most names looked up
    ///   at a time for strangers at one address.
    package init(
        executable: String = ChildProcess.ownExecutable, arguments: [String], tokens: [UInt64],
        cacheCapacity: Int = 4_096, lookupsOfAddress: Int = 2
    ) {
        supply = .own(executable: executable, arguments: arguments)
        children = tokens.map { ResolverChild(token: $0) }
        cache = ResolverCache(capacity: cacheCapacity)
        questions = ResolverQuestions(lookupsOfAddress: lookupsOfAddress)
    }

    /// Makes a link to a supervisor's processes, which come with `connect`. The owner tells the supervisor each of
    /// `takeReports`.
    package init(fromSupervisor tokens: [UInt64], cacheCapacity: Int = 4_096, lookupsOfAddress: Int = 2) {
        supply = .supervisor
        children = tokens.map { ResolverChild(token: $0) }
        cache = ResolverCache(capacity: cacheCapacity)
        questions = ResolverQuestions(lookupsOfAddress: lookupsOfAddress)
    }

    /// The process numbers of the running children.
    package var processIDs: [Int32] { children.compactMap(\.processID) }
    /// The number of open questions.
    package var openQuestions: Int { questions.count }
    /// The approximate bytes of the open questions, with all who wait for them.
    package var heldBytes: Int { questions.heldBytes }

    /// When `handleDeadline` is to be called; nil while nothing is open.
    package var nextDeadline: MonotonicInstant? {
        // A worker asks in each turn of its loop, and mostly nothing is open.
        guard questions.count > 0 else { return nil }
        var first = questions.oldestWaiting
        for child in children {
            if let work = child.work { first = min(first ?? work.since, work.since) }
        }
        return first?.advanced(by: Self.patience)
    }

    /// Asks a question.
    ///
    /// - Parameters: `id` names the asker in the answer and need not be unique; `now` is `MonotonicClock.now`;
    ///   `isStrange`: a stranger brought the name (an open proxy), so it must not delay other questions; `requester`:
    ///   the stranger's address as a number, nil when it is unknown.
    /// - Returns: the answer if it is known at once: a numeric host, an impossible name, a remembered answer, too many
    ///   open questions, or no process to ask. Otherwise nil; `handle` or `handleDeadline` returns it later.
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
        // If this answers anything, it is this question. If others were waiting, no process could be started for them
        // either, so they were answered before.
        return dispatch(now: now, poller: poller).first
    }

    /// Notes that nothing to which a remembered answer leads is of use. The next `ask` looks the name up again, at most
    /// once a second.
    ///
    /// `now` is `MonotonicClock.now`.
    ///
    /// - Returns: whether an `ask` at `now` looks it up.
    package mutating func doubt(_ query: ResolverQuery, now: MonotonicInstant) -> Bool {
        query.normalized.map { cache.doubt($0, now: now) } ?? false
    }

    // MARK: The supervisor's processes

    /// Uses the supervisor's process of this tag, in the place of the one that was there before.
    ///
    /// - Parameter descriptor: the connection to it; nil when it was lost on the way.
    /// - Returns: answers, as `handle`.
    package mutating func connect(
        _ descriptor: consuming Descriptor?, place: Int, tag: UInt32, now: MonotonicInstant, poller: borrowing Poller
    ) -> [ResolverAnswer] {
        // A newer supervisor may have more processes.
        guard children.indices.contains(place) else { return [] }
        guard let descriptor = descriptor.take() else {
            reports.append(.lost(tag))
            return []
        }
        hasReportedNeed = true
        let child = children[place]
        var answers: [ResolverAnswer] = []
        if child.isRunning { answers = replace(child, "the resolver process ended", now: now, mayRetry: true) }
        do throws(SystemError) {
            try child.connect(descriptor, tag: tag, poller)
            starts += 1
        } catch {
            reports.append(.lost(tag))
        }
        answers += dispatch(now: now, poller: poller)
        return answers
    }

    /// Takes what the supervisor has to know.
    package mutating func takeReports() -> [Report] {
        guard !reports.isEmpty else { return [] }
        defer { reports = [] }
        return reports
    }

    /// Goes on with the processes that are there, because the supervisor has ended.
    ///
    /// - Returns: answers, as `handle`.
    package mutating func endSupply(now: MonotonicInstant, poller: borrowing Poller) -> [ResolverAnswer] {
        guard case .supervisor = supply else { return [] }
        supply = .ended
        reports = []
        return dispatch(now: now, poller: poller)
    }

    /// Expects processes from another supervisor. Does nothing when there is one.
    ///
    /// Nobody looks after the processes that are there, so others are needed if there are any.
    package mutating func resumeSupply() {
        guard case .ended = supply else { return }
        supply = .supervisor
        hasReportedNeed = children.contains(where: \.isRunning)
        if hasReportedNeed { reports.append(.needed) }
    }

    // MARK: Events

    /// Handles an event with one of this link's tokens.
    ///
    /// - Returns: the answers that have come. When a second process ended over the same question, that is a temporary
    ///   failure.
    package mutating func handle(
        _ event: PollEvent, now: MonotonicInstant, poller: borrowing Poller
    ) -> [ResolverAnswer] {
        guard let child = children.first(where: { $0.token == event.token }) else { return [] }
        if event.isWritable { child.send(poller) }
        var answers: [ResolverAnswer] = []
        let happenings = child.read(with: &buffer, poller)
        guard !happenings.isEmpty else { return [] }
        for happening in happenings {
            switch happening {
            case .replied(let reply): answers += close(reply.id, reply.finding, now: now, keep: true)
            case .taken(let question): if let question { questions.giveBack(question.id) }
            case .freed: break
            case .broken(let reason):
                if let tag = child.tag { reports.append(.lost(tag)) }
                answers += replace(child, reason, now: now, mayRetry: true)
            }
        }
        answers += dispatch(now: now, poller: poller)
        return answers
    }

    /// Ends own processes that do not answer, forgets what the supervisor's do not answer, and gives up questions that
    /// have waited too long for a process.
    ///
    /// - Returns: temporary failures for both; empty when called too early.
    package mutating func handleDeadline(now: MonotonicInstant, poller: borrowing Poller) -> [ResolverAnswer] {
        guard questions.count > 0 else { return [] }
        var answers: [ResolverAnswer] = []
        for child in children {
            guard let work = child.work, Self.isOver(work.since, now) else { continue }
            answers += giveUp(child, work.question, "the look-up takes too long", now: now)
        }
        while let question = questions.takeOverdue({ Self.isOver($0, now) }) {
            // This says nothing about the name, so it is not remembered.
            answers += close(question.id, .temporary("too many look-ups take long"), now: now, keep: false)
        }
        answers += dispatch(now: now, poller: poller)
        return answers
    }

    private static func isOver(_ since: MonotonicInstant, _ now: MonotonicInstant) -> Bool {
        since.advanced(by: patience) <= now
    }

    /// Gives waiting questions to processes that are idle or can be started.
    private mutating func dispatch(now: MonotonicInstant, poller: borrowing Poller) -> [ResolverAnswer] {
        while questions.hasWaiting(includingStrange: mayWorkForStrangers) {
            var error: SystemError?
            let isStrange = !questions.hasWaiting(includingStrange: false)
            guard let child = freeChild(isStrange: isStrange, poller, &error) else {
                guard !children.contains(where: \.isRunning) else { return [] }
                switch supply {
                case .own: return failWaiting(error?.description ?? "none is allowed", now: now)
                case .ended: return failWaiting("the supervisor has ended", now: now)
                case .supervisor:
                    if !hasReportedNeed { reports.append(.needed) }
                    hasReportedNeed = true
                    return []
                }
            }
            guard let question = questions.takeWaiting(includingStrange: mayWorkForStrangers) else { return [] }
            child.work(on: question, now: now, poller: poller)
        }
        return []
    }

    /// Whether another process may work on a stranger's question: two are reserved for the operator's domains.
    private var mayWorkForStrangers: Bool { questions.strangeAtWork < childrenForStrangers }

    private var childrenForStrangers: Int { max(1, children.count - 2) }

    private mutating func freeChild(
        isStrange: Bool, _ poller: borrowing Poller, _ error: inout SystemError?
    ) -> ResolverChild? {
        guard case .own(let executable, let arguments) = supply else {
            // Strangers of all workers together leave the last two processes to the operators' domains.
            let allowed = isStrange ? children.prefix(childrenForStrangers) : children[...]
            return allowed.last(where: \.isIdle)
        }
        if let idle = children.first(where: \.isIdle) { return idle }
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
        // The process's death is not the name's fault: nobody is told if the next process can answer.
        if mayRetry, questions.retry(question.id, now: now) { return [] }
        return close(question.id, .temporary(reason), now: now, keep: true)
    }

    /// Answers a question whose process takes too long. The supervisor's process ends by itself, or answers too late.
    private mutating func giveUp(
        _ child: ResolverChild, _ question: ResolverQuestion, _ reason: String, now: MonotonicInstant
    ) -> [ResolverAnswer] {
        guard child.tag != nil else { return replace(child, reason, now: now, mayRetry: false) }
        child.giveUp()
        return close(question.id, .temporary(reason), now: now, keep: true)
    }

    private mutating func failWaiting(_ reason: String, now: MonotonicInstant) -> [ResolverAnswer] {
        var answers: [ResolverAnswer] = []
        while let question = questions.takeOverdue({ _ in true }) {
            answers += close(question.id, .temporary("no resolver process: \(reason)"), now: now, keep: false)
        }
        return answers
    }

    private mutating func close(
        _ number: UInt64, _ finding: ResolverFinding, now: MonotonicInstant, keep: Bool
    ) -> [ResolverAnswer] {
        guard let closed = questions.close(number) else { return [] }
        if keep { cache.insert(finding, for: closed.query, now: now) }
        // A former answer is better than none (RFC 8767).
        var outcome = finding.outcome
        if case .failure(_, isTemporary: true) = outcome {
            outcome = cache.staleOutcome(of: closed.query, now: now) ?? outcome
        }
        return closed.askers.map { ResolverAnswer(id: $0.id, query: $0.query, outcome: outcome) }
    }
}
