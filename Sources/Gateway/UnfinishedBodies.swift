import BOSHCore
import Primitives

/// The request bodies that are half read, so that the newest can make room for the older ones.
struct UnfinishedBodies {
    /// A body, identified by the time when its request began.
    struct Entry {
        let connection: Token
        let since: MonotonicInstant
    }

    /// The entries, the newest last; some may be done.
    private var entries: [Entry] = []
    /// How many bodies are not done.
    private(set) var count = 0

    mutating func begin() { count += 1 }

    mutating func end() { count -= 1 }

    /// Adds an entry in order. Removes the finished entries once they are the larger part.
    mutating func append(_ entry: Entry, isDone: (Entry) -> Bool) {
        if entries.count > 2 * count + 32 { entries.removeAll { isDone($0) } }
        entries.append(entry)
    }

    /// Takes out the newest entry, done or not.
    mutating func takeNewest() -> Entry? { entries.popLast() }
}
