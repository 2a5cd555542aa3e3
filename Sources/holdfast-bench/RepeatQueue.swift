/// Requests that are sent again after a pause, as client libraries do after a network error.
struct RepeatQueue {
    /// A request: that of a session's connection. `life` tells the sessions apart that a client has had.
    struct Entry: Equatable {
        let number: Int
        let place: Int
        let life: Int
    }

    private let pause: UInt64
    private var entries: [(due: UInt64, entry: Entry)] = []
    private var taken = 0

    /// - Parameter pause: in nanoseconds.
    init(pause: UInt64) {
        self.pause = pause
    }

    /// Queues a request that failed now (nanoseconds of the monotonic clock, which never goes back).
    mutating func append(_ entry: Entry, now: UInt64) {
        entries.append((now + pause, entry))
    }

    /// The next request whose pause is over.
    mutating func next(now: UInt64) -> Entry? {
        guard taken < entries.count, entries[taken].due <= now else { return nil }
        defer { taken += 1 }
        guard taken >= 1_024 else { return entries[taken].entry }
        entries.removeFirst(taken)
        taken = 0
        return entries[0].entry
    }
}
