/// The responses a client may ask for again by repeating their `rid` (XEP-0124 §14.3, `R-06`, `R-07`).
package struct ReplayCache: Sendable, Equatable {
    private struct Entry: Sendable, Equatable {
        let rid: RequestID
        let response: BodyResponse
        let isPause: Bool
    }

    private var entries: [Entry] = []

    /// A cache without responses.
    package init() {}

    /// How many responses are kept.
    package var count: Int { entries.count }

    /// Keeps `response` and lets go of the oldest ones: of those to ordinary requests `limit` are kept, and one more in all.
    ///
    /// A pause may be sent while `limit` requests are open (`P-07`), so its response takes no other one's place (`R-06`).
    package mutating func store(
        _ response: BodyResponse, for rid: RequestID, limit: Int, isPause: Bool = false
    ) {
        if entries.capacity == 0 { entries.reserveCapacity(limit + 1) }
        // A response that was decided out of order (`P-13`) stands where its rid belongs, so the oldest is always first.
        var index = entries.endIndex
        while index > 0, rid < entries[index - 1].rid { index -= 1 }
        entries.insert(Entry(rid: rid, response: response, isPause: isPause), at: index)
        while entries.count > limit + 1 || ordinaryCount > limit { entries.removeFirst() }
    }

    private var ordinaryCount: Int {
        var count = 0
        for entry in entries where !entry.isPause { count += 1 }
        return count
    }

    /// The response to `rid`; nil when it was never given or is no longer kept.
    package func response(to rid: RequestID) -> BodyResponse? {
        for entry in entries where entry.rid == rid { return entry.response }
        return nil
    }

    /// Whether a response to `rid` is kept.
    package func contains(_ rid: RequestID) -> Bool {
        entries.contains { $0.rid == rid }
    }
}
