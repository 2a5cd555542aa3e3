import Primitives
import Testing

@testable import BOSHCore

@Suite struct FarewellsTests {
    private static let start = MonotonicInstant(nanoseconds: 5_000_000_000)

    /// Asks at each instant that is named, and returns how many were told when.
    private static func run(_ sessions: Int, over spread: Duration) -> [(after: Duration, count: Int)] {
        var farewells = Farewells(sessions: sessions, over: spread, now: start)
        var now = start
        var told: [(Duration, Int)] = []
        while true {
            let isLast = farewells.isLast(now: now)
            told.append((now.elapsed(since: start), farewells.takeDue(now: now)))
            if isLast { return told }
            now = farewells.next(after: now)
        }
    }

    @Test("T-08: a thousand sessions are told evenly over the time")
    func evenly() {
        let told = Self.run(1_000, over: .seconds(10))
        #expect(told.count == 100)
        #expect(told.allSatisfy { $0.count == 10 })
        #expect(told.last?.after == .milliseconds(9_900))
    }

    @Test("T-08: many sessions are told within the time all the same")
    func many() {
        let told = Self.run(25_001, over: .seconds(2))
        #expect(told.count == 20)
        #expect(told.reduce(0) { $0 + $1.count } == 25_001)
        #expect(told.allSatisfy { (1_250...1_251).contains($0.count) })
    }

    @Test("T-08: a few sessions are told at once", arguments: [0, 1, 10])
    func few(sessions: Int) {
        let told = Self.run(sessions, over: .seconds(10))
        #expect(told.map(\.count) == [sessions])
    }

    @Test("T-08: without time all are told at once", arguments: [Duration.zero, .milliseconds(99)])
    func atOnce(spread: Duration) {
        #expect(Self.run(4_000, over: spread).map(\.count) == [4_000])
    }

    @Test("T-08: what was late is caught up")
    func late() {
        var farewells = Farewells(sessions: 100, over: .seconds(1), now: Self.start)
        #expect(farewells.takeDue(now: Self.start) == 10)
        let late = Self.start.advanced(by: .milliseconds(450))
        #expect(farewells.takeDue(now: late) == 40)
        #expect(farewells.takeDue(now: late) == 0)
        #expect(farewells.next(after: late) == Self.start.advanced(by: .milliseconds(500)))
        #expect(!farewells.isLast(now: late))
        let atLast = Self.start.advanced(by: .seconds(5))
        #expect(farewells.isLast(now: atLast))
        #expect(farewells.takeDue(now: atLast) == 50)
    }

    @Test("numbers of any size do no harm")
    func extremes() {
        var farewells = Farewells(sessions: .max, over: .seconds(3_600), now: Self.start)
        #expect(farewells.takeDue(now: Self.start) > 0)
        #expect(farewells.takeDue(now: MonotonicInstant(nanoseconds: .max)) > 0)
    }
}
