import Primitives

/// The open questions: each name once, who waits for it, and which of them no process works on yet.
struct ResolverQuestions {
    /// Questions that may be open at once; one more is refused. Names are asked once, whoever wants them.
    static let maximum = 1_024

    /// Somebody who waits for an answer.
    struct Asker: Equatable {
        /// Chosen by the asker; need not be unique.
        let id: UInt64
        /// As asked, before it was made comparable.
        let query: ResolverQuery

        /// What it takes in the list of those who wait, with the name as it was written.
        var heldBytes: Int { 2 * MemoryLayout<Asker>.stride + query.name.utf8.count + 32 }
    }

    private struct Entry {
        let query: ResolverQuery
        var askers: [Asker]
        /// Whose address it counts against: a stranger's who asked first.
        let owner: UInt128?
        /// Whose turn it was when a process began to work on it.
        var worker: UInt128?
        var askedAt: MonotonicInstant
        /// Whether only strangers want to know: the name is one that somebody came with, and not the operator's.
        var isStrange: Bool
        /// Whether no process works on it.
        var isWaiting = true
        /// Whether it was given to a process that died over it.
        var isRetried = false
    }

    /// What the strangers at one address want to know; the unknown ones are as one.
    private struct Requester {
        /// Numbers that wait, in the order of asking; those that do not any more are passed over.
        var queue = NumberQueue()
        var open = 0
        var atWork = 0
    }

    /// Strangers' questions that may be open at once.
    static let maximumStrange = 256
    /// Those of one known address. The questions that it has to wait with are few, so that others are not refused.
    static let maximumOfAddress = 16
    /// Askers of one question.
    static let maximumAskers = 4_096
    /// What a question takes beside those who ask it: its places in the tables and queues, and what an address has of its own
    /// when it asks for nothing else.
    private static let bytesOfQuestion = 512

    private var entries: [UInt64: Entry] = [:]
    private var numbers: [ResolverQuery: UInt64] = [:]
    private var next: UInt64 = 0
    /// Numbers in the order of asking; those that are not open, do not wait or stand in the other one too are passed over.
    private var queue = NumberQueue()
    private var strangeQueue = NumberQueue()
    private var strangeCount = 0
    private var requesters: [UInt128?: Requester] = [:]
    /// Strangers' addresses that have a question waiting, the next one's turn first.
    private var turns: [UInt128?] = []
    /// How many questions of one known address may be worked on at once.
    private let lookupsOfAddress: Int

    /// No questions.
    init(lookupsOfAddress: Int = 2) {
        self.lookupsOfAddress = max(lookupsOfAddress, 1)
    }

    /// How many are open.
    var count: Int { entries.count }
    /// The bytes that they take, about, with all who wait for them.
    private(set) var heldBytes = 0
    /// How many of those that processes work on are strangers'.
    private(set) var strangeAtWork = 0
    /// When the oldest one that waits for a process was asked.
    var oldestWaiting: MonotonicInstant? {
        let ages = [firstWaiting, firstStrangeWaiting].compactMap { $0.flatMap { entries[$0]?.askedAt } }
        return ages.min()
    }

    /// Whether one waits for a process. `includingStrange`: whether those of strangers count.
    func hasWaiting(includingStrange: Bool) -> Bool {
        firstWaiting != nil || (includingStrange && turns.contains { firstWaiting(of: $0) != nil })
    }

    /// Adds an asker to the question about `query`, in the form of `ResolverQuery.normalized`; a new question waits.
    ///
    /// - Parameters:
    ///   - isStrange: a stranger came with the name. What the operator's domains need goes first, whatever strangers ask.
    ///   - requester: The stranger's address; nil when it is not known. Addresses take turns.
    /// - Returns: false if there are too many questions already, or too many that ask this one.
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
            // Whoever's turn comes first has it looked up for all.
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

    /// Takes the question that waits longest, for a process to work on; strangers' come last, and only if `includingStrange`,
    /// by turns of their addresses. It stays open until `close`.
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

    /// Takes a question that waits and was asked so long ago that `isOver` says so.
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

    /// The question whose turn it is at one address; nil when none waits or enough of it are worked on.
    private func firstWaiting(of requester: UInt128?) -> UInt64? {
        guard let found = requesters[requester], requester == nil || found.atWork < lookupsOfAddress else { return nil }
        return found.queue.numbers.first { isWaiting($0, strange: true) }
    }

    private mutating func enqueue(_ number: UInt64, for requester: UInt128?) {
        if requesters[requester, default: Requester()].queue.numbers.isEmpty { turns.append(requester) }
        requesters[requester, default: Requester()].queue.append(number)
    }

    /// A stranger's question is over, or has become the operator's.
    private mutating func releaseStrange(_ entry: Entry) {
        strangeCount -= 1
        requesters[entry.owner]?.open -= 1
        guard !entry.isWaiting else { return }
        strangeAtWork -= 1
        requesters[entry.worker]?.atWork -= 1
    }

    /// Lets go of numbers that do not wait any more, and of addresses that want nothing.
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

    /// Has a question whose process died wait for another one, behind the others; once, for it may be what they die of.
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

    /// Ends a question.
    ///
    /// - Returns: the question and everybody who waits for it, nil if it is not open.
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

/// Numbers, first in, first out.
private struct NumberQueue {
    private var all: [UInt64] = []
    private var head = 0

    var numbers: ArraySlice<UInt64> { all[head...] }

    mutating func append(_ number: UInt64) {
        all.append(number)
    }

    /// Lets go of all numbers but those that `isWanted` names.
    mutating func keep(where isWanted: (UInt64) -> Bool) {
        all.removeFirst(head)
        head = 0
        all.removeAll { !isWanted($0) }
    }

    /// Lets go of all numbers up to the first `number`.
    mutating func dropFirst(through number: UInt64) {
        guard let place = numbers.firstIndex(of: number) else { return }
        head = place + 1
        if head == all.count || head >= 1_024 {
            all.removeFirst(head)
            head = 0
        }
    }
}
