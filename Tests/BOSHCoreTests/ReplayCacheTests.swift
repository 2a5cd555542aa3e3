import Testing

import BOSHCore

@Suite struct ReplayCacheTests {
    private static func rid(_ value: UInt64) throws -> RequestID { try #require(RequestID(value)) }

    private static func response(_ text: String) -> BodyResponse { BodyResponse(payload: Array(text.utf8)) }

    @Test("R-07 a response is found under its rid, and only there")
    func finds() throws {
        var cache = ReplayCache()
        #expect(cache.count == 0)
        #expect(try cache.response(to: Self.rid(1)) == nil)
        try cache.store(Self.response("a"), for: Self.rid(7), limit: 2)
        #expect(try cache.response(to: Self.rid(7)) == Self.response("a"))
        #expect(try cache.contains(Self.rid(7)))
        #expect(try !cache.contains(Self.rid(6)))
        #expect(try cache.response(to: Self.rid(8)) == nil)
    }

    @Test("R-06 the oldest responses go first", arguments: 1...4)
    func evicts(limit: Int) throws {
        var cache = ReplayCache()
        for value in 1...10 as ClosedRange<UInt64> {
            try cache.store(Self.response("\(value)"), for: Self.rid(value), limit: limit)
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
        try cache.store(Self.response("3"), for: Self.rid(3), limit: 2)
        try cache.store(Self.response("5"), for: Self.rid(5), limit: 2)
        try cache.store(Self.response("4"), for: Self.rid(4), limit: 2)
        #expect(try !cache.contains(Self.rid(3)))
        #expect(try cache.response(to: Self.rid(4)) == Self.response("4"))
        #expect(try cache.response(to: Self.rid(5)) == Self.response("5"))
        try cache.store(Self.response("6"), for: Self.rid(6), limit: 2)
        #expect(try !cache.contains(Self.rid(4)), "the oldest goes, not the one that was stored first")
        #expect(try cache.contains(Self.rid(5)))
    }

    @Test("R-06 R-11 the response to a pause does not take the place of another")
    func keepsPauses() throws {
        var cache = ReplayCache()
        try cache.store(Self.response("1"), for: Self.rid(1), limit: 2)
        try cache.store(Self.response("2"), for: Self.rid(2), limit: 2)
        try cache.store(.empty, for: Self.rid(3), limit: 2, isPause: true)
        for value in 1...3 as ClosedRange<UInt64> { #expect(try cache.contains(Self.rid(value))) }
        try cache.store(Self.response("4"), for: Self.rid(4), limit: 2)
        #expect(try !cache.contains(Self.rid(1)))
        #expect(try cache.contains(Self.rid(2)))
        try cache.store(.empty, for: Self.rid(5), limit: 2, isPause: true)
        try cache.store(.empty, for: Self.rid(6), limit: 2, isPause: true)
        #expect(cache.count <= 3, "a client that only pauses fills no memory")
        #expect(try cache.contains(Self.rid(6)))
    }
}
