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
        let askedAt: UInt64
        /// Whether it was given to a process that died over it.
        var isRetried = false
    }

    private var entries: [UInt64: Entry] = [:]
    private var numbers: [ResolverQuery: UInt64] = [:]
    private var next: UInt64 = 0
    /// Numbers in the order of asking, from `head` on.
    private var queue: [UInt64] = []
    private var head = 0

    /// How many are open.
    var count: Int { entries.count }
    /// Whether one waits for a process.
    var hasWaiting: Bool { head < queue.count }
    /// When the oldest one that waits for a process was asked.
    var oldestWaiting: UInt64? { hasWaiting ? entries[queue[head]]?.askedAt : nil }

    /// Adds an asker to the question about `query`, in the form of `ResolverQuery.normalized`; a new question waits.
    ///
    /// - Returns: false if there are too many questions already.
    mutating func add(_ asker: Asker, query: ResolverQuery, now: UInt64) -> Bool {
        if let number = numbers[query] {
            entries[number]?.askers.append(asker)
            return true
        }
        guard entries.count < Self.maximum else { return false }
        entries[next] = Entry(query: query, askers: [asker], askedAt: now)
        numbers[query] = next
        queue.append(next)
        next &+= 1
        return true
    }

    /// Takes the question that waits longest, for a process to work on. It stays open until `close`.
    mutating func takeWaiting() -> ResolverQuestion? {
        guard hasWaiting else { return nil }
        let number = queue[head]
        head += 1
        if head == queue.count || head >= Self.maximum {
            queue.removeFirst(head)
            head = 0
        }
        return entries[number].map { ResolverQuestion(id: number, query: $0.query) }
    }

    /// Has a question whose process died wait for another one, behind the others; once, for it may be what they die of.
    ///
    /// - Returns: false if it is not open, or was tried again before.
    mutating func retry(_ number: UInt64) -> Bool {
        guard entries[number]?.isRetried == false else { return false }
        entries[number]?.isRetried = true
        queue.append(number)
        return true
    }

    /// Ends a question.
    ///
    /// - Returns: the question and everybody who waits for it, nil if it is not open.
    mutating func close(_ number: UInt64) -> (query: ResolverQuery, askers: [Asker])? {
        guard let entry = entries.removeValue(forKey: number) else { return nil }
        numbers[entry.query] = nil
        return (entry.query, entry.askers)
    }
}
