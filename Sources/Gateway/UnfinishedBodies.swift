import BOSHCore
import Primitives

/// Which request bodies are half read, so that the newest can make room for those before it.
struct UnfinishedBodies {
    /// A body, by when its request began.
    struct Entry {
        let connection: Token
        let since: MonotonicInstant
    }

    /// The newest last; some may be done.
    private var entries: [Entry] = []
    /// How many are not done.
    private(set) var count = 0

    mutating func begin() { count += 1 }

    mutating func end() { count -= 1 }

    /// Keeps one in order; those that are done go when they are the larger part.
    mutating func append(_ entry: Entry, isDone: (Entry) -> Bool) {
        if entries.count > 2 * count + 32 { entries.removeAll { isDone($0) } }
        entries.append(entry)
    }

    /// Takes the newest out, done or not.
    mutating func takeNewest() -> Entry? { entries.popLast() }
}
