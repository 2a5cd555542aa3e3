import Testing

@testable import Addresses

@Suite struct EndpointCountsTests {
    private var server: Endpoint { Endpoint(address: .v4(0xC000_0201), port: 5222) }
    private var otherPort: Endpoint { Endpoint(address: .v4(0xC000_0201), port: 5223) }

    private func open(_ end: Endpoint, _ counts: inout EndpointCounts) -> EndpointCounts.Place? { counts.open(to: end) }

    @Test("upstream-connections: so many to one address and port; another port has its own")
    func limit() throws {
        var counts = EndpointCounts(limit: 2)
        let first = try #require(open(server, &counts))
        #expect(open(server, &counts) == first)
        #expect(open(server, &counts) == nil)
        #expect(open(otherPort, &counts) != nil)
        counts.close(first)
        #expect(counts.count(of: server) == 1)
        #expect(open(server, &counts) != nil)
        #expect(open(server, &counts) == nil)
    }

    @Test("an end that nothing is connected to is forgotten, and its place given to another")
    func forgets() throws {
        var counts = EndpointCounts(limit: 2)
        let first = try #require(open(server, &counts))
        counts.close(first)
        // Closing a place again changes nothing.
        counts.close(first)
        counts.close(.uncounted)
        #expect(counts.count(of: server) == 0)
        #expect(open(otherPort, &counts) == first)
        #expect(counts.count(of: otherPort) == 1)
        #expect(counts.count(of: server) == 0)
    }

    @Test("the end with the most connections shows how near the limit is")
    func largest() throws {
        var counts = EndpointCounts(limit: 3)
        #expect(counts.largest == 0 && counts.limit == 3)
        let first = try #require(open(server, &counts))
        _ = open(server, &counts)
        _ = open(otherPort, &counts)
        #expect(counts.largest == 2)
        counts.close(first)
        counts.close(first)
        #expect(counts.largest == 1)
    }

    @Test("no connection at all may be the limit")
    func none() {
        var counts = EndpointCounts(limit: 0)
        #expect(open(server, &counts) == nil)
    }
}
