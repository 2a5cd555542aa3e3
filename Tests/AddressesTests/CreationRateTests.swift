import Primitives
import Testing

@testable import Addresses

/// The rate at which all clients together begin sessions (`creation-rate`).
@Suite struct CreationRateTests {
    private let start = MonotonicInstant(nanoseconds: 5_000_000_000)

    /// How many sessions begin at an instant before one is refused.
    private func count(_ rate: inout CreationRate, at now: MonotonicInstant) -> Int {
        var count = 0
        while count < 10_000, rate.admits(now: now) {
            rate.take(now: now)
            count += 1
        }
        return count
    }

    @Test("creation-rate: two seconds' worth at once, then as many as the time brings, however long nothing came")
    func rate() {
        var rate = CreationRate(perSecond: 50)
        #expect(count(&rate, at: start) == 100)
        #expect(count(&rate, at: start.advanced(by: .milliseconds(19))) == 0)
        #expect(count(&rate, at: start.advanced(by: .milliseconds(20))) == 1)
        #expect(count(&rate, at: start.advanced(by: .milliseconds(520))) == 25)
        #expect(count(&rate, at: start.advanced(by: .seconds(3_600))) == 100)
    }

    @Test("creation-rate: what is only asked about is not taken")
    func asking() {
        var rate = CreationRate(perSecond: 1)
        for _ in 0..<100 { #expect(rate.admits(now: start)) }
        #expect(count(&rate, at: start) == 2)
    }

    @Test("creation-rate: workers have equal parts, and each begins at least one", arguments: [1, 2, 7, 64])
    func workers(workers: Int) {
        var parts = (0..<workers).map { _ in CreationRate(perSecond: 10, workers: workers) }
        var first = 0
        var later = 0
        for index in parts.indices {
            let own = count(&parts[index], at: start)
            #expect(own >= 1)
            first += own
            // In the end the whole rate comes, if each worker is asked all the time.
            for step in 1...6_000 { later += count(&parts[index], at: start.advanced(by: .milliseconds(100 * step))) }
        }
        #expect(first <= max(20, workers))
        #expect((6_000 - workers...6_000 + workers).contains(later))
    }

    @Test("creation-rate: 0 for any number")
    func unlimited() {
        var rate = CreationRate(perSecond: 0, workers: 4)
        #expect(count(&rate, at: start) == 10_000)
    }
}
