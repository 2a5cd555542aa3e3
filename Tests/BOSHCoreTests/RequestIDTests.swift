import BOSHCore
import Testing

@Suite struct RequestIDTests {
    @Test("S-19 a rid is 1 to 2^53-1", arguments: [0, 9_007_199_254_740_992, UInt64.max])
    func refuses(value: UInt64) {
        #expect(RequestID(value) == nil)
    }

    @Test("R-01 rids pass 32 bits and reach 2^53-1", arguments: [1, 4_294_967_296, 9_007_199_254_740_991])
    func accepts(value: UInt64) throws {
        let rid = try #require(RequestID(value))
        #expect(rid.value == value)
        #expect(rid.next.value == value + 1)
        #expect(rid.next > rid)
        #expect(rid.next.distance(from: rid) == 1)
        #expect(rid.distance(from: rid.next) == -1)
    }

    @Test("the distance between the ends does not overflow")
    func measuresTheWholeRange() throws {
        let first = try #require(RequestID(1))
        let last = try #require(RequestID(RequestID.maximum))
        #expect(last.distance(from: first) == 9_007_199_254_740_990)
        #expect(first.distance(from: last) == -9_007_199_254_740_990)
    }
}
