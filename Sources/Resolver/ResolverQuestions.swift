import Primitives

/// The open questions: each name once, with those who wait for it, and whether a process works on it.
struct ResolverQuestions {
    /// The most open questions; further ones are refused. Each name is asked once, however many want it.
    static let maximum = 1_024

    /// Someone who waits for an answer.
    struct Asker: Equatable {
        /// The asker chose it; it need not be unique.
        let id: UInt64
        /// The question as asked, before it was normalized.
        let query: ResolverQuery

        /// The bytes in the list of askers, with the name as written.
        var heldBytes: Int { 2 * MemoryLayout<Asker>.stride + query.name.utf8.count + 32 }
    }

    private struct Entry {
        let query: ResolverQuery
        var askers: [Asker]
        /// The address against which the question counts: that of the stranger who asked first.
        let owner: UInt128?
        /// The address whose turn it was when a process began to work on it.
        var worker: UInt128?
        var askedAt: MonotonicInstant
        /// Whether only strangers asked: the name came from a client, not from the operator.
        var isStrange: Bool
        /// Whether no process works on it.
        var isWaiting = true
        /// Whether a process that died had it before.
        var isRetried = false
    }

    /// The questions of strangers at one address. All unknown addresses count as one.
    private struct Requester {
        /// The numbers of waiting questions, in the order of asking; those that no longer wait are skipped.
        var queue = NumberQueue()
        var open = 0
        var atWork = 0
    }

    /// The most open questions of strangers.
    static let maximumStrange = 256
    /// The most open questions of one known address. They are few, so that others are not refused.
    static let maximumOfAddress = 16
    /// The most askers of one question.
    static let maximumAskers = 4_096
    /// The bytes of a question besides its askers: its places in the tables and queues, and what its address takes when
    /// this is its only question.
    private static let bytesOfQuestion = 512

    private var entries: [UInt64: Entry] = [:]
    private var numbers: [ResolverQuery: UInt64] = [:]
    private var next: UInt64 = 0
    /// Numbers in the order of asking. Skipped are those that are not open, do not wait, or have moved to the other
    /// queue.
    private var queue = NumberQueue()
    private var strangeQueue = NumberQueue()
    private var strangeCount = 0
    private var requesters: [UInt128?: Requester] = [:]
    /// The addresses of strangers with waiting questions, the next turn first.
    private var turns: [UInt128?] = []
    /// The most questions of one known address that processes may work on at once.
    private let lookupsOfAddress: Int

    /// No questions.
    init(lookupsOfAddress: Int = 2) {
        self.lookupsOfAddress = max(lookupsOfAddress, 1)
    }

    /// The number of open questions.
    var count: Int { entries.count }
    /// The approximate bytes of the open questions, with all who wait for them.
    private(set) var heldBytes = 0
    /// The number of strangers' questions that processes work on.
    private(set) var strangeAtWork = 0
    /// When the oldest question that waits for a process was asked.
    var oldestWaiting: MonotonicInstant? {
        let ages = [firstWaiting, firstStrangeWaiting].compactMap { $0.flatMap { entries[$0]?.askedAt } }
        return ages.min()
    }

    /// Whether a question waits for a process. `includingStrange`: strangers' questions count.
    func hasWaiting(includingStrange: Bool) -> Bool {
        firstWaiting != nil || (includingStrange && turns.contains { firstWaiting(of: $0) != nil })
    }

    /// Adds an asker to the question about `query`, which has the form of `ResolverQuery.normalized`. A new question
    /// waits.
    ///
    /// - Parameters:
    ///   - isStrange: A stranger brought the name. The operator's names go first, whatever strangers ask.
    ///   - requester: The stranger's address; nil when it is unknown. Addresses take turns.
    /// - Returns: false if there are too many questions, or too many askers of this one.
    mutating func add(
        _ asker: Asker, query: ResolverQuery, isStrange: Bool = false, requester: UInt128? = nil, now: MonotonicInstant
    ) -> Bool {
        if let number = numbers[query] {
            guard var entry = entries[number], entry.askers.count < Self.maximumAskers else { return false }
            entries[number] = nil
            entry.askers.append(asker)
            heldBytes += asker.heldBytes
            if entry.isStrange, !isStrange {
                releaseStrange(entry)
                entry.isStrange = false
                if entry.isWaiting { queue.append(number) }
            }
            entries[number] = entry
            // The address whose turn comes first has the name looked up for all.
            if entry.isStrange, entry.isWaiting, requester != entry.owner { enqueue(number, for: requester) }
            trimStrange()
            return true
        }
        guard entries.count - strangeCount < Self.maximum || isStrange,
            strangeCount < Self.maximumStrange || !isStrange,
            !isStrange || requester == nil || requesters[requester]?.open ?? 0 < Self.maximumOfAddress
        else { return false }
        entries[next] = Entry(query: query, askers: [asker], owner: requester, askedAt: now, isStrange: isStrange)
        numbers[query] = next
        heldBytes += Self.bytesOfQuestion + asker.heldBytes
        if isStrange {
            strangeCount += 1
            requesters[requester, default: Requester()].open += 1
            strangeQueue.append(next)
            enqueue(next, for: requester)
        } else {
            queue.append(next)
        }
        next &+= 1
        return true
    }

    /// Takes the question that has waited longest, for a process to work on. Strangers' questions come last, only if
    /// `includingStrange`, and by turns of their addresses. The question stays open until `close`.
    mutating func takeWaiting(includingStrange: Bool = true) -> ResolverQuestion? {
        if let number = firstWaiting { return take(number) }
        guard includingStrange else { return nil }
        for (place, requester) in turns.enumerated() {
            guard let number = firstWaiting(of: requester) else { continue }
            turns.remove(at: place)
            turns.append(requester)
            return take(number, for: requester)
        }
        return nil
    }

    /// Takes a waiting question that `isOver` says was asked too long ago.
    mutating func takeOverdue(_ isOver: (MonotonicInstant) -> Bool) -> ResolverQuestion? {
        for number in [firstWaiting, firstStrangeWaiting] {
            if let number, let entry = entries[number], isOver(entry.askedAt) {
                return take(number, for: entry.owner)
            }
        }
        return nil
    }

    private mutating func take(_ number: UInt64, for requester: UInt128? = nil) -> ResolverQuestion? {
        guard let entry = entries[number] else { return nil }
        entries[number]?.isWaiting = false
        if entry.isStrange {
            entries[number]?.worker = requester
            requesters[requester, default: Requester()].atWork += 1
            strangeAtWork += 1
            trimStrange()
        } else {
            queue.dropFirst(through: number)
        }
        return ResolverQuestion(id: number, query: entry.query)
    }

    private var firstWaiting: UInt64? { queue.numbers.first { isWaiting($0, strange: false) } }
    private var firstStrangeWaiting: UInt64? { strangeQueue.numbers.first { isWaiting($0, strange: true) } }

    /// The question of one address whose turn it is; nil when none waits, or enough of them are worked on.
    private func firstWaiting(of requester: UInt128?) -> UInt64? {
        guard let found = requesters[requester], requester == nil || found.atWork < lookupsOfAddress else { return nil }
        return found.queue.numbers.first { isWaiting($0, strange: true) }
    }

    private mutating func enqueue(_ number: UInt64, for requester: UInt128?) {
        if requesters[requester, default: Requester()].queue.numbers.isEmpty { turns.append(requester) }
        requesters[requester, default: Requester()].queue.append(number)
    }

    /// Uncounts a stranger's question that is over or has become the operator's.
    private mutating func releaseStrange(_ entry: Entry) {
        strangeCount -= 1
        requesters[entry.owner]?.open -= 1
        guard !entry.isWaiting else { return }
        strangeAtWork -= 1
        requesters[entry.worker]?.atWork -= 1
    }

    /// Drops numbers that no longer wait, and addresses without questions.
    private mutating func trimStrange() {
        let entries = entries
        let waiting = { (number: UInt64) in entries[number].map { $0.isWaiting && $0.isStrange } ?? false }
        strangeQueue.keep(where: waiting)
        for (requester, var found) in requesters {
            found.queue.keep(where: waiting)
            let hasQueue = !found.queue.numbers.isEmpty
            requesters[requester] = hasQueue || found.open > 0 || found.atWork > 0 ? found : nil
        }
        turns.removeAll { requesters[$0]?.queue.numbers.isEmpty ?? true }
    }

    private func isWaiting(_ number: UInt64, strange: Bool) -> Bool {
        guard let entry = entries[number] else { return false }
        return entry.isWaiting && entry.isStrange == strange
    }

    /// Makes a question whose process died wait again, after the others. Only once, because the question may be what
    /// kills processes.
    ///
    /// - Returns: false if it is not open, or was tried again before.
    mutating func retry(_ number: UInt64, now: MonotonicInstant) -> Bool {
        guard let entry = entries[number], !entry.isWaiting, !entry.isRetried else { return false }
        entries[number]?.isRetried = true
        entries[number]?.isWaiting = true
        entries[number]?.askedAt = now
        if entry.isStrange {
            strangeAtWork -= 1
            requesters[entry.worker]?.atWork -= 1
            strangeQueue.append(number)
            enqueue(number, for: entry.owner)
        } else {
            queue.append(number)
        }
        return true
    }

    /// Makes a question wait again, before the others: the process did not begin with it.
    mutating func giveBack(_ number: UInt64) {
        guard let entry = entries[number], !entry.isWaiting else { return }
        entries[number]?.isWaiting = true
        guard entry.isStrange else {
            queue.prepend(number)
            return
        }
        strangeAtWork -= 1
        strangeQueue.prepend(number)
        requesters[entry.worker, default: Requester()].atWork -= 1
        requesters[entry.worker, default: Requester()].queue.prepend(number)
        turns.removeAll { $0 == entry.worker }
        turns.insert(entry.worker, at: 0)
    }

    /// Ends a question.
    ///
    /// - Returns: the question and all who wait for it; nil if it is not open.
    mutating func close(_ number: UInt64) -> (query: ResolverQuery, askers: [Asker])? {
        guard let entry = entries.removeValue(forKey: number) else { return nil }
        numbers[entry.query] = nil
        heldBytes -= entry.askers.reduce(Self.bytesOfQuestion) { $0 + $1.heldBytes }
        if entry.isStrange {
            releaseStrange(entry)
            trimStrange()
        }
        return (entry.query, entry.askers)
    }
}

/// A queue of numbers, first in, first out.
private struct NumberQueue {
    private var all: [UInt64] = []
    private var head = 0

    var numbers: ArraySlice<UInt64> { all[head...] }

    mutating func append(_ number: UInt64) {
        all.append(number)
    }

    mutating func prepend(_ number: UInt64) {
        if head > 0 {
            head -= 1
            all[head] = number
        } else {
            all.insert(number, at: 0)
        }
    }

    /// Keeps only the numbers that `isWanted` accepts.
    mutating func keep(where isWanted: (UInt64) -> Bool) {
        all.removeFirst(head)
        head = 0
        all.removeAll { !isWanted($0) }
    }

    /// Drops all numbers up to and including the first `number`.
    mutating func dropFirst(through number: UInt64) {
        guard let place = numbers.firstIndex(of: number) else { return }
        head = place + 1
        if head == all.count || head >= 1_024 {
            all.removeFirst(head)
            head = 0
        }
    }
}
