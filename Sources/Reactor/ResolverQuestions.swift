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
    }

    private struct Entry {
        let query: ResolverQuery
        var askers: [Asker]
        var askedAt: UInt64
        /// Whether only strangers want to know: the name is one that somebody came with, and not the operator's.
        var isStrange: Bool
        /// Whether no process works on it.
        var isWaiting = true
        /// Whether it was given to a process that died over it.
        var isRetried = false
    }

    /// Strangers' questions that may be open at once.
    static let maximumStrange = 256
    /// Askers of one question.
    static let maximumAskers = 4_096

    private var entries: [UInt64: Entry] = [:]
    private var numbers: [ResolverQuery: UInt64] = [:]
    private var next: UInt64 = 0
    /// Numbers in the order of asking; those that are not open, do not wait or stand in the other one too are passed over.
    private var queue = NumberQueue()
    private var strangeQueue = NumberQueue()
    private var strangeCount = 0

    /// How many are open.
    var count: Int { entries.count }
    /// How many of those that processes work on are strangers'.
    private(set) var strangeAtWork = 0
    /// When the oldest one that waits for a process was asked.
    var oldestWaiting: UInt64? {
        let ages = [firstWaiting, firstStrangeWaiting].compactMap { $0.flatMap { entries[$0]?.askedAt } }
        return ages.min()
    }

    /// Whether one waits for a process. `includingStrange`: whether those of strangers count.
    func hasWaiting(includingStrange: Bool) -> Bool {
        firstWaiting != nil || (includingStrange && firstStrangeWaiting != nil)
    }

    /// Adds an asker to the question about `query`, in the form of `ResolverQuery.normalized`; a new question waits.
    ///
    /// - Parameter isStrange: a stranger came with the name. What the operator's domains need goes first, whatever strangers
    ///   ask.
    /// - Returns: false if there are too many questions already, or too many that ask this one.
    mutating func add(_ asker: Asker, query: ResolverQuery, isStrange: Bool = false, now: UInt64) -> Bool {
        if let number = numbers[query] {
            guard var entry = entries[number], entry.askers.count < Self.maximumAskers else { return false }
            entries[number] = nil
            entry.askers.append(asker)
            if entry.isStrange, !isStrange {
                entry.isStrange = false
                strangeCount -= 1
                if entry.isWaiting { queue.append(number) } else { strangeAtWork -= 1 }
            }
            entries[number] = entry
            return true
        }
        guard entries.count - strangeCount < Self.maximum || isStrange,
            strangeCount < Self.maximumStrange || !isStrange
        else { return false }
        entries[next] = Entry(query: query, askers: [asker], askedAt: now, isStrange: isStrange)
        numbers[query] = next
        if isStrange {
            strangeCount += 1
            strangeQueue.append(next)
        } else {
            queue.append(next)
        }
        next &+= 1
        return true
    }

    /// Takes the question that waits longest, for a process to work on; strangers' come last, and only if `includingStrange`.
    /// It stays open until `close`.
    mutating func takeWaiting(includingStrange: Bool = true) -> ResolverQuestion? {
        if let number = firstWaiting { return take(number) }
        guard includingStrange, let number = firstStrangeWaiting else { return nil }
        return take(number)
    }

    /// Takes a question that waits and was asked so long ago that `isOver` says so.
    mutating func takeOverdue(_ isOver: (UInt64) -> Bool) -> ResolverQuestion? {
        for number in [firstWaiting, firstStrangeWaiting] {
            if let number, let entry = entries[number], isOver(entry.askedAt) { return take(number) }
        }
        return nil
    }

    private mutating func take(_ number: UInt64) -> ResolverQuestion? {
        guard let entry = entries[number] else { return nil }
        if entry.isStrange {
            strangeQueue.dropFirst(through: number)
            strangeAtWork += 1
        } else {
            queue.dropFirst(through: number)
        }
        entries[number]?.isWaiting = false
        return ResolverQuestion(id: number, query: entry.query)
    }

    private var firstWaiting: UInt64? { queue.numbers.first { isWaiting($0, strange: false) } }
    private var firstStrangeWaiting: UInt64? { strangeQueue.numbers.first { isWaiting($0, strange: true) } }

    private func isWaiting(_ number: UInt64, strange: Bool) -> Bool {
        guard let entry = entries[number] else { return false }
        return entry.isWaiting && entry.isStrange == strange
    }

    /// Has a question whose process died wait for another one, behind the others; once, for it may be what they die of.
    ///
    /// - Returns: false if it is not open, or was tried again before.
    mutating func retry(_ number: UInt64, now: UInt64) -> Bool {
        guard let entry = entries[number], !entry.isWaiting, !entry.isRetried else { return false }
        entries[number]?.isRetried = true
        entries[number]?.isWaiting = true
        entries[number]?.askedAt = now
        if entry.isStrange {
            strangeAtWork -= 1
            strangeQueue.append(number)
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
        if entry.isStrange {
            strangeCount -= 1
            if !entry.isWaiting { strangeAtWork -= 1 }
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
