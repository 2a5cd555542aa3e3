import Effort
import Testing

@testable import Handover

struct SpreadTests {
    private func spread(_ counts: [UInt64]) -> Spread {
        var spread = Spread()
        for (index, count) in counts.enumerated() { spread.update(UInt32(index + 2), sessions: count) }
        return spread
    }

    /// The tags that are chosen by draws from the whole range.
    private func choices(_ spread: Spread, own: Int, isBusy: Bool = false) -> Set<UInt32?> {
        Set(
            (0..<256).map { draw in
                let placement = spread.place(own: own, isBusy: isBusy, draw: UInt64(draw) << 56 | 0xFF_FFFF)
                return if case .worker(let tag) = placement { tag } else { nil }
            })
    }

    @Test("a worker alone keeps everything, also when it takes no new sessions")
    func alone() {
        var spread = Spread()
        #expect(spread.place(own: 1_000, isBusy: false, draw: .max) == .here)
        spread.takesSessions = false
        #expect(spread.place(own: 1_000, isBusy: false, draw: 0) == .here)
    }

    @Test("a worker keeps sessions up to just above the mean")
    func margin() {
        #expect(choices(spread([100]), own: 101) == [nil])
        #expect(choices(spread([100]), own: 103) == [2])
        #expect(choices(spread([1_000]), own: 1_020) == [nil])
        #expect(choices(spread([1_000]), own: 1_025) == [2])
        #expect(choices(spread([0]), own: 0) == [nil])
        #expect(choices(spread([0]), own: 3) == [2])
    }

    @Test("a connection that owes answers stays until its worker is well above the mean")
    func busy() {
        #expect(choices(spread([0]), own: 15, isBusy: true) == [nil])
        #expect(choices(spread([0]), own: 18, isBusy: true) == [2])
        #expect(choices(spread([1_000]), own: 1_100, isBusy: true) == [nil])
        #expect(choices(spread([1_000]), own: 1_120, isBusy: true) == [2])
    }

    @Test("workers that have at least the mean get nothing")
    func onlyThoseBelow() {
        #expect(choices(spread([10, 90, 40, 200]), own: 200) == [2, 3, 4])
        #expect(choices(spread([0, 100]), own: 100) == [2])
    }

    @Test("the chances are as what the workers lack")
    func proportions() {
        // The mean is 60 with the new session: they lack 60, 30 and nothing.
        let spread = spread([0, 30, 60])
        var generator = SeededGenerator(seed: 1)
        var counts: [UInt32: Int] = [:]
        for _ in 0..<9_000 {
            if case .worker(let tag) = spread.place(own: 148, isBusy: false, draw: generator.next()) {
                counts[tag, default: 0] += 1
            }
        }
        #expect(counts.keys.sorted() == [2, 3])
        #expect((5_700...6_300).contains(counts[2, default: 0]))
    }

    @Test("what was sent counts until it is answered")
    func sent() {
        var spread = spread([0])
        for _ in 0..<10 { spread.noteSent(to: 2) }
        #expect(choices(spread, own: 10) == [nil])
        #expect(choices(spread, own: 13) == [2])
        for _ in 0..<12 { spread.noteAnswered(by: 2) }
        #expect(choices(spread, own: 10) == [2])
        spread.update(2, sessions: 10)
        #expect(choices(spread, own: 10) == [nil])
    }

    @Test("a worker that is gone, or was never known, gets nothing")
    func removed() {
        var spread = spread([0, 0])
        spread.noteSent(to: 3)
        spread.remove(3)
        spread.noteAnswered(by: 3)
        spread.noteSent(to: 9)
        #expect(spread.tags == [2])
        #expect(choices(spread, own: 10) == [2])
        spread.remove(2)
        #expect(choices(spread, own: 10) == [nil])
    }

    @Test("a worker that takes no new sessions gives every one away, also from a busy connection")
    func retired() {
        var spread = spread([1_000, 1_001])
        spread.takesSessions = false
        #expect(choices(spread, own: 0) == [2])
        #expect(choices(spread, own: 0, isBusy: true) == [2])
    }

    @Test("any count on a damaged page overflows nothing")
    func damaged() {
        let spread = spread([.max, 5, .max])
        #expect(choices(spread, own: 0) == [nil])
        #expect(choices(spread, own: .max >> 8) == [2, 3, 4])
        #expect(choices(self.spread([3]), own: -5) == [nil])
    }

    /// Workers that publish their counts and answer only now and then, and sessions that take time to arrive.
    private struct Crowd {
        var counts: [Int]
        private var pages: [Int]
        private var spreads: [Spread]
        /// What is on its way: when it arrives, from where and to where.
        private var flying: [(at: Int, from: Int, to: Int)] = []
        /// From whom each worker has sessions that it has not answered.
        private var unanswered: [[Int]]
        private let turn: Int
        private let phases: [Int]
        private var time = 0

        init(workers: Int, turn: Int, _ generator: inout SeededGenerator) {
            counts = Array(repeating: 0, count: workers)
            pages = counts
            spreads = Array(repeating: Spread(), count: workers)
            unanswered = Array(repeating: [], count: workers)
            self.turn = turn
            phases = (0..<workers).map { _ in generator.below(turn) }
        }

        var isQuiet: Bool { flying.isEmpty }

        mutating func passTime() {
            time += 1
            for flight in flying where flight.at <= time {
                counts[flight.to] += 1
                unanswered[flight.to].append(flight.from)
            }
            flying.removeAll { $0.at <= time }
            for worker in counts.indices where (time + phases[worker]) % turn == 0 {
                pages[worker] = counts[worker]
                for asker in unanswered[worker] { spreads[asker].noteAnswered(by: UInt32(worker)) }
                unanswered[worker] = []
            }
        }

        mutating func arrive(at worker: Int, longestWay: Int, _ generator: inout SeededGenerator) {
            for other in counts.indices where other != worker {
                spreads[worker].update(UInt32(other), sessions: UInt64(pages[other]))
            }
            switch spreads[worker].place(own: counts[worker], isBusy: false, draw: generator.next()) {
            case .here: counts[worker] += 1
            case .worker(let tag):
                spreads[worker].noteSent(to: tag)
                flying.append((time + 1 + generator.below(longestWay + 1), worker, Int(tag)))
            }
        }

        mutating func end(_ session: Int) {
            var rest = session
            for worker in counts.indices {
                rest -= counts[worker]
                if rest < 0 {
                    counts[worker] -= 1
                    return
                }
            }
        }
    }

    private enum Arrivals: CaseIterable {
        case atOne, anywhere, alternating, inRuns, mostlyAtFew

        func worker(of number: Int, among workers: Int, _ generator: inout SeededGenerator) -> Int {
            switch self {
            case .atOne: 0
            case .anywhere: generator.below(workers)
            case .alternating: number % 2
            case .inRuns: number / 37 % workers
            case .mostlyAtFew: min(generator.below(workers), generator.below(workers), generator.below(3))
            }
        }
    }

    /// `lag`: how many sessions begin between two publications of a worker; half of it: how many begin while one is on
    /// its way. `more`: how many sessions a worker may be further from the mean than 2 % or three sessions.
    @Test(
        "1,000 sessions are even, however they arrive",
        arguments: [(lag: 1, more: 0.0), (lag: 4, more: 0), (lag: 16, more: 8), (lag: 48, more: 24)])
    func even(lag: Int, more: Double) {
        let seed = UInt64.random(in: .min ... .max)
        var generator = SeededGenerator(seed: seed)
        for round in 0..<Effort.cases(15, atLeast: 5) {
            let workers = 2 + (round * 4) % 15
            for arrivals in Arrivals.allCases {
                var crowd = Crowd(workers: workers, turn: lag, &generator)
                for number in 0..<1_000 {
                    crowd.passTime()
                    let worker = arrivals.worker(of: number, among: workers, &generator)
                    crowd.arrive(at: worker, longestWay: lag / 2, &generator)
                }
                while !crowd.isQuiet { crowd.passTime() }
                #expect(crowd.counts.reduce(0, +) == 1_000)
                let mean = 1_000 / Double(workers)
                let furthest = crowd.counts.map { abs(Double($0) - mean) }.max() ?? 0
                #expect(
                    furthest <= max(mean / 50, 3) + more, "seed \(seed), round \(round), \(arrivals): \(crowd.counts)")
            }
        }
    }

    @Test("sessions that end at random, and new ones at one worker, stay even")
    func churn() {
        let seed = UInt64.random(in: .min ... .max)
        var generator = SeededGenerator(seed: seed)
        for workers in [2, 4, 16] {
            var crowd = Crowd(workers: workers, turn: 4, &generator)
            for number in 0..<Effort.cases(8_000, atLeast: 3_000) {
                crowd.passTime()
                crowd.arrive(at: 0, longestWay: 2, &generator)
                let total = crowd.counts.reduce(0, +)
                if number >= 1_000, total > 0 { crowd.end(generator.below(total)) }
            }
            let mean = Double(crowd.counts.reduce(0, +)) / Double(workers)
            let furthest = crowd.counts.map { abs(Double($0) - mean) }.max() ?? 0
            #expect(furthest <= 10, "seed \(seed): \(crowd.counts)")
        }
    }
}
