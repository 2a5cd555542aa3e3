import Testing

import BOSHCore

@Suite struct ReplayCacheTests {
    private static func rid(_ value: UInt64) throws -> RequestID { try #require(RequestID(value)) }

    private static func response(_ text: String) -> BodyResponse { BodyResponse(payload: Array(text.utf8)) }

    private static let now = MonotonicInstant(nanoseconds: 5_000_000_000)

    /// Keeps a response that was sent while others were open.
    private static func store(
        _ response: BodyResponse, for rid: UInt64, limit: Int, stream: UInt16 = 0, isAlone: Bool = false,
        isPause: Bool = false, in cache: inout ReplayCache
    ) throws {
        cache.store(
            response, for: try Self.rid(rid), stream: StreamNumber(stream), isAlone: isAlone, isPause: isPause, now: now
        )
        cache.trim(to: limit, bytes: .max, least: limit)
    }

    @Test("R-07 a response is found under its rid, and only there")
    func finds() throws {
        var cache = ReplayCache()
        #expect(cache.count == 0)
        #expect(try cache.response(to: Self.rid(1)) == nil)
        try Self.store(Self.response("a"), for: 7, limit: 2, in: &cache)
        #expect(try cache.response(to: Self.rid(7)) == Self.response("a"))
        #expect(try cache.contains(Self.rid(7)))
        #expect(try !cache.contains(Self.rid(6)))
        #expect(try cache.response(to: Self.rid(8)) == nil)
    }

    @Test("R-06 the oldest responses go first", arguments: 1...4)
    func evicts(limit: Int) throws {
        var cache = ReplayCache()
        for value in 1...10 as ClosedRange<UInt64> {
            try Self.store(Self.response("\(value)"), for: value, limit: limit, in: &cache)
            for kept in 1...10 as ClosedRange<UInt64> {
                let expected = kept <= value && kept + UInt64(limit) > value
                #expect(try cache.contains(Self.rid(kept)) == expected)
            }
        }
        #expect(cache.count == limit)
    }

    @Test("P-13 a response that is decided out of order does not push out a younger one")
    func storesOutOfOrder() throws {
        var cache = ReplayCache()
        try Self.store(Self.response("3"), for: 3, limit: 2, in: &cache)
        try Self.store(Self.response("5"), for: 5, limit: 2, in: &cache)
        try Self.store(Self.response("4"), for: 4, limit: 2, in: &cache)
        #expect(try !cache.contains(Self.rid(3)))
        #expect(try cache.response(to: Self.rid(4)) == Self.response("4"))
        #expect(try cache.response(to: Self.rid(5)) == Self.response("5"))
        try Self.store(Self.response("6"), for: 6, limit: 2, in: &cache)
        #expect(try !cache.contains(Self.rid(4)), "the oldest goes, not the one that was stored first")
        #expect(try cache.contains(Self.rid(5)))
    }

    @Test("R-06 R-11 the response to a pause does not take the place of another")
    func keepsPauses() throws {
        var cache = ReplayCache()
        try Self.store(Self.response("1"), for: 1, limit: 2, in: &cache)
        try Self.store(Self.response("2"), for: 2, limit: 2, in: &cache)
        try Self.store(.empty, for: 3, limit: 2, isPause: true, in: &cache)
        for value in 1...3 as ClosedRange<UInt64> { #expect(try cache.contains(Self.rid(value))) }
        try Self.store(Self.response("4"), for: 4, limit: 2, in: &cache)
        #expect(try !cache.contains(Self.rid(1)))
        #expect(try cache.contains(Self.rid(2)))
        try Self.store(.empty, for: 5, limit: 2, isPause: true, in: &cache)
        try Self.store(.empty, for: 6, limit: 2, isPause: true, in: &cache)
        #expect(cache.count <= 3, "a client that only pauses fills no memory")
        #expect(try cache.contains(Self.rid(6)))
    }
}
