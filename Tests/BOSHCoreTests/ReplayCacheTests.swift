import BOSHCore
import Bridge
import Primitives
import Testing

@Suite struct ReplayCacheTests {
    private static func rid(_ value: UInt64) throws -> RequestID { try #require(RequestID(value)) }

    private static func response(_ text: String) -> BodyResponse { BodyResponse(payload: Array(text.utf8)) }

    private static let now = MonotonicInstant(nanoseconds: 5_000_000_000)

    /// Keeps a response, and no more than `limit`.
    private static func store(
        _ response: BodyResponse, for rid: UInt64, limit: Int, stream: UInt16 = 0, isExtra: Bool = false,
        in cache: inout ReplayCache
    ) throws {
        cache.store(response, for: try Self.rid(rid), stream: StreamNumber(stream), isExtra: isExtra, now: now)
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

    @Test("R-06 R-11 the response to a pause or a terminate does not take the place of another")
    func keepsPauses() throws {
        var cache = ReplayCache()
        try Self.store(Self.response("1"), for: 1, limit: 2, in: &cache)
        try Self.store(Self.response("2"), for: 2, limit: 2, in: &cache)
        try Self.store(.empty, for: 3, limit: 2, isExtra: true, in: &cache)
        for value in 1...3 as ClosedRange<UInt64> { #expect(try cache.contains(Self.rid(value))) }
        try Self.store(Self.response("4"), for: 4, limit: 2, in: &cache)
        #expect(try !cache.contains(Self.rid(1)))
        #expect(try cache.contains(Self.rid(2)))
        try Self.store(.empty, for: 5, limit: 2, isExtra: true, in: &cache)
        try Self.store(.empty, for: 6, limit: 2, isExtra: true, in: &cache)
        #expect(cache.count <= 3, "a client that only pauses fills no memory")
        #expect(try cache.contains(Self.rid(6)))
    }

    @Test("R-07 an empty response comes back with its ack, near or far", arguments: [1, 255, 256, 1000] as [UInt64])
    func keepsAck(ahead: UInt64) throws {
        var cache = ReplayCache()
        var response = BodyResponse.empty
        response.ack = try Self.rid(7 + ahead)
        try Self.store(response, for: 7, limit: 2, in: &cache)
        #expect(try cache.response(to: Self.rid(7)) == response)
    }

    @Test("R-07 features come back with their prefix and ack, near or far", arguments: [0, 3, 256] as [UInt64])
    func keepsFeatures(ahead: UInt64) throws {
        var cache = ReplayCache()
        var response = BodyResponse(payload: Array("<stream:features/>".utf8), usesStreamPrefix: true)
        if ahead > 0 { response.ack = try Self.rid(7 + ahead) }
        try Self.store(response, for: 7, limit: 2, in: &cache)
        #expect(try cache.response(to: Self.rid(7)) == response)
        #expect(cache.byteCount > response.payload.count)
    }

    @Test("R-07 what else a response says comes back as well")
    func keepsMarks() throws {
        var cache = ReplayCache()
        var response = BodyResponse.empty
        response.mark(
            stream: StreamName(bits: 5), report: ResponseReport(rid: try Self.rid(3), age: .seconds(2)))
        response.opening = Boxed(StreamIdentity(id: "", version: nil, from: "example.org"))
        try Self.store(response, for: 7, limit: 2, in: &cache)
        #expect(try cache.response(to: Self.rid(7)) == response)
    }

    /// The payload of the first stream that may be unread.
    private static func unfetched(_ cache: ReplayCache) -> String {
        String(decoding: cache.unfetchedPayload(of: .first), as: UTF8.self)
    }

    @Test("T-12 a a request proves what no room was left for, of lower rids and of all streams")
    func notesRequests() throws {
        var cache = ReplayCache()
        try Self.store(Self.response("a"), for: 10, limit: 9, in: &cache)
        try Self.store(Self.response("b"), for: 11, limit: 9, isExtra: true, in: &cache)
        try Self.store(Self.response("c"), for: 12, limit: 9, stream: 1, in: &cache)
        try Self.store(Self.response("d"), for: 15, limit: 9, in: &cache)
        let note = { (unanswered: Int, mayIncludeExtra: Bool) throws in
            cache.noteRequest(
                try Self.rid(14),
                proof: ReceiptProof(requests: 3, unanswered: unanswered, mayIncludeExtra: mayIncludeExtra))
        }
        try note(1, false)
        #expect(Self.unfetched(cache) == "abd", "one of them may be unread, and nobody knows which")
        try note(2, true)
        #expect(Self.unfetched(cache) == "abd", "so it may beside a pause")
        try note(2, false)
        #expect(Self.unfetched(cache) == "bd", "a pause may be unread beside all others")
        #expect(cache.unfetchedPayload(of: StreamNumber(1)).isEmpty)
        try note(3, true)
        #expect(Self.unfetched(cache) == "d", "what answers a higher rid was not there to be read")
    }

    @Test("T-12 a what is beyond repeat counts as fetched")
    func forgets() throws {
        var cache = ReplayCache()
        for rid in 1...4 as ClosedRange<UInt64> {
            try Self.store(Self.response("\(rid)"), for: rid, limit: 2, in: &cache)
        }
        #expect(Self.unfetched(cache) == "34")
    }

    @Test("T-12 b features and stream errors are never returned")
    func returnsNoFeatures() throws {
        var cache = ReplayCache()
        try Self.store(BodyResponse(payload: [0x3C], usesStreamPrefix: true), for: 1, limit: 2, in: &cache)
        #expect(cache.unfetchedPayload(of: .first).isEmpty)
    }

    @Test("A-05 what is acknowledged goes, all but the last ones; what is not stays")
    func acknowledges() throws {
        var cache = ReplayCache()
        for rid in 1...6 as ClosedRange<UInt64> {
            try Self.store(Self.response("\(rid)"), for: rid, limit: 9, in: &cache)
        }
        cache.acknowledge(upTo: try Self.rid(3), least: 2)
        #expect(try (1...6).map { try cache.contains(Self.rid($0)) } == [false, false, false, true, true, true])
        cache.acknowledge(upTo: try Self.rid(6), least: 2)
        #expect(try (4...6).map { try cache.contains(Self.rid($0)) } == [false, true, true])
        #expect(cache.unfetchedPayload(of: .first).isEmpty)
        #expect(try cache.response(to: Self.rid(5)) == Self.response("5"))
    }

    @Test("A-04 what was sent a second ago is reported, once, with the age since it was last sent")
    func reports() throws {
        var cache = ReplayCache()
        let rid = try Self.rid(1)
        try Self.store(Self.response("1"), for: 1, limit: 2, in: &cache)
        let early = Self.now.advanced(by: .milliseconds(999))
        let late = Self.now.advanced(by: .milliseconds(1000))
        #expect(!cache.mayReport(rid, now: early) && cache.mayReport(rid, now: late))
        cache.noteReplay(of: rid, now: late)
        #expect(!cache.mayReport(rid, now: late))
        let later = late.advanced(by: .milliseconds(1500))
        #expect(cache.mayReport(rid, now: later))
        let age = cache.report(rid, now: later)
        #expect(age == .milliseconds(1500))
        #expect(!cache.mayReport(rid, now: later))
        let missing = try cache.report(Self.rid(2), now: later)
        #expect(missing == nil)
        #expect(try !cache.mayReport(Self.rid(2), now: later))
    }

    @Test("A-04 the clock of the ages goes around and stays right")
    func agesAcrossTheEnd() throws {
        var cache = ReplayCache()
        let rid = try Self.rid(1)
        let sent = MonotonicInstant(nanoseconds: 4_294_967_295 * 1_000_000)
        cache.store(.empty, for: rid, stream: .first, isExtra: false, now: sent)
        let age = cache.report(rid, now: sent.advanced(by: .seconds(3)))
        #expect(age == .seconds(3))
    }

    @Test("R-06 the bytes of what goes are given back, whichever way it goes")
    func countsBytes() throws {
        var cache = ReplayCache()
        for rid in 1...8 as ClosedRange<UInt64> {
            let response = rid % 2 == 0 ? BodyResponse.empty : Self.response(String(repeating: "x", count: Int(rid)))
            try Self.store(response, for: rid, limit: 9, in: &cache)
        }
        let all = cache.byteCount
        cache.trim(to: 7, bytes: .max, least: 2)
        #expect(cache.count == 7 && cache.byteCount < all)
        cache.trim(to: 7, bytes: 0, least: 5)
        #expect(cache.count == 5)
        while cache.evict(least: 2) {}
        #expect(cache.count == 2)
        let last = cache.byteCount
        cache.acknowledge(upTo: try Self.rid(8), least: 0)
        #expect(cache.count == 0 && cache.byteCount == 0 && last > 0)
    }

    @Test("replay-budget: only what may be evicted counts, pauses in between or not", arguments: [false, true])
    func countsEvictable(isExtra: Bool) throws {
        var cache = ReplayCache()
        for rid in 1...6 as ClosedRange<UInt64> {
            try Self.store(
                Self.response("\(rid)"), for: rid, limit: 9, isExtra: isExtra && rid == 2, in: &cache)
        }
        #expect(cache.spareByteCount(least: 6) == 0)
        for least in 1...5 {
            var rest = cache
            while rest.evict(least: least) {}
            #expect(cache.spareByteCount(least: least) == cache.byteCount - rest.byteCount)
            #expect(rest.spareByteCount(least: least) == 0)
        }
    }

    @Test("R-06 what is kept beyond the last ones has a bound of its own")
    func boundsSpareBytes() throws {
        var cache = ReplayCache()
        for rid in 1...6 as ClosedRange<UInt64> {
            cache.store(
                Self.response(String(repeating: "x", count: 1000)), for: try Self.rid(rid), stream: .first,
                isExtra: false, now: Self.now)
        }
        cache.trim(to: 9, spareBytes: 2_500, least: 2)
        #expect(cache.count == 4, "the last two take no part")
        cache.trim(to: 9, spareBytes: 0, least: 2)
        #expect(cache.count == 2)
    }
}
