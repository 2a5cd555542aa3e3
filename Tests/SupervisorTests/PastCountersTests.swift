import Handover
import Reactor
import Testing

@testable import Supervisor

@Suite struct PastCountersTests {
    /// The page of a worker that has counted this.
    private func page(_ counters: [(CounterTable.Field, UInt64)]) throws -> KeptPage {
        let kept = try KeptPage()
        let table = CounterTable(counters.map(\.0))
        for (index, word) in table.head.enumerated() { kept.page[PageWord.table + index] = word }
        for (index, counter) in counters.enumerated() { kept.page[table.valuesStart + index] = counter.1 }
        return kept
    }

    /// The counters in a page, as a worker reads them.
    private func counters(in kept: KeptPage) throws -> [String: UInt64] {
        let table = try #require(CounterTable(pageOf: kept.page.count) { kept.page[$0] })
        var sums = CounterSums()
        sums.add(table, isOfDead: true) { kept.page[$0] }
        return Dictionary(uniqueKeysWithValues: sums.fields.map { ($0.name, sums.word(of: $0) ?? 0) })
    }

    private static let requests = CounterTable.Field(.sum, "http/requests")
    private static let sessions = CounterTable.Field(.gauge, "sessions/now")
    private static let domain = CounterTable.Field(.sum, "sites/example.org/streams")

    /// What the supervisor shows that has counted nothing, but for these.
    private func own(_ counted: [String: UInt64] = [:]) -> [String: UInt64] {
        let names = [
            "adopted", "deaths", "killed", "reloads", "reloads_failed", "resolver_deaths", "upgrades",
            "upgrades_failed",
        ]
        return Dictionary(uniqueKeysWithValues: names.map { ("supervisor/\($0)", counted[$0] ?? 0) })
    }

    @Test func `at first the supervisor has counted nothing`() throws {
        let past = try PastCounters()
        #expect(try counters(in: past.page) == own())
    }

    @Test func `what the supervisor counts is seen at once`() throws {
        let past = try PastCounters()
        let page = past.page
        past.count(.deaths)
        past.count(.deaths)
        past.count(.killed)
        #expect(past.page === page)
        #expect(try counters(in: page) == own(["deaths": 2, "killed": 1]))
    }

    @Test func `what workers have counted is added, and what they had is not`() throws {
        let past = try PastCounters()
        #expect(try past.add(try page([(Self.requests, 5), (Self.sessions, 3)])))
        past.count(.deaths)
        #expect(
            try counters(in: past.page)
                == own(["deaths": 1]).merging(["http/requests": 5]) { first, _ in first })
        let before = past.page
        #expect(try !past.add(try page([(Self.requests, 7), (Self.sessions, 9)])))
        #expect(past.page === before)
        #expect(
            try counters(in: past.page)
                == own(["deaths": 1]).merging(["http/requests": 12]) { first, _ in first })
    }

    @Test func `further names make another page, and the old one stays as it was`() throws {
        let past = try PastCounters()
        _ = try past.add(try page([(Self.requests, 5)]))
        let before = past.page
        #expect(try past.add(try page([(Self.domain, 2), (Self.requests, 1)])))
        #expect(past.page !== before)
        #expect(try counters(in: before)["http/requests"] == 5)
        #expect(
            try counters(in: past.page)
                == own().merging(["http/requests": 6, "sites/example.org/streams": 2]) { first, _ in first })
    }

    @Test func `a worker that has counted nothing, or whose page is damaged, adds nothing`() throws {
        let past = try PastCounters()
        #expect(try !past.add(try KeptPage()))
        let damaged = try page([(Self.requests, 5)])
        damaged.page[PageWord.table + 2] = .max
        #expect(try !past.add(damaged))
        #expect(try counters(in: past.page) == own())
    }

    @Test func `more names than a page has room for leave it as it was`() throws {
        let past = try PastCounters()
        past.count(.deaths)
        let long = String(repeating: "x", count: 90_000)
        for number in 0..<3 {
            _ = try past.add(try page([(CounterTable.Field(.sum, "\(number)\(long)"), 1)]))
        }
        past.count(.deaths)
        #expect(try counters(in: past.page)["supervisor/deaths"] == 2)
    }

    // MARK: Another supervisor

    /// A descriptor of the same page.
    private func copy(_ past: PastCounters) throws -> PastCounters {
        try PastCounters(adopting: past.page.page.descriptor.copy())
    }

    @Test func `another supervisor goes on counting where the last one stood`() throws {
        let first = try PastCounters()
        _ = try first.add(try page([(Self.requests, 5)]))
        first.count(.deaths)
        let next = try copy(first)
        #expect(try !next.addMissingFields())
        next.count(.deaths)
        #expect(try !next.add(try page([(Self.requests, 2)])))
        #expect(
            try counters(in: next.page) == own(["deaths": 2]).merging(["http/requests": 7]) { first, _ in first })
    }

    @Test func `what an earlier version did not count gets a place on another page`() throws {
        let old = try page([(CounterTable.Field(.sum, "supervisor/deaths"), 3), (Self.requests, 4)])
        let next = try PastCounters(adopting: old.page.descriptor.copy())
        #expect(try next.addMissingFields())
        #expect(next.page !== old)
        next.count(.adopted)
        #expect(
            try counters(in: next.page)
                == own(["deaths": 3, "adopted": 1]).merging(["http/requests": 4]) { first, _ in first })
    }

    @Test func `what is no page is refused`() throws {
        let pair = try Descriptor.socketPair()
        #expect(throws: SharedPage.AdoptionError.notAPage) { try PastCounters(adopting: pair.first.copy()) }
    }
}
