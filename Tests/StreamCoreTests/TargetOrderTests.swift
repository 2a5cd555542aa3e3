import Effort
import StreamCore
import Testing

@Suite("the order of targets (RFC 2782)")
struct TargetOrderTests {
    private func hosts(_ targets: [UpstreamTarget], seed: UInt64) -> [String] {
        PlanDialogue.targets(.fixed(targets), seed: seed).targets.map(\.host)
    }

    /// How often each host is first, over `count` seeds.
    private func firsts(_ targets: [UpstreamTarget], count: UInt64) -> [String: Int] {
        var firsts: [String: Int] = [:]
        for seed in 0..<count { firsts[hosts(targets, seed: seed)[0], default: 0] += 1 }
        return firsts
    }

    @Test("a plain list means: in this order")
    func plainList() {
        for seed in UInt64(0)..<50 {
            #expect(hosts(["c", "a", "d", "b"].map { .example($0) }, seed: seed) == ["c", "a", "d", "b"])
        }
    }

    @Test("lower priorities come first, whatever the weights")
    func priorities() {
        let targets: [UpstreamTarget] = [
            .example("late", priority: 65535, weight: 65535), .example("b", priority: 10), .example("first"),
            .example("c", priority: 10),
        ]
        for seed in UInt64(0)..<50 { #expect(hosts(targets, seed: seed) == ["first", "b", "c", "late"]) }
    }

    @Test("within a priority the first place falls in proportion to the weights")
    func proportions() {
        let targets: [UpstreamTarget] = [
            .example("a", weight: 10), .example("b", weight: 30), .example("c", weight: 60),
        ]
        let firsts = firsts(targets, count: 10_000)
        // Fixed seeds: these numbers never change. Five standard deviations are 150 to 245.
        #expect(abs((firsts["a"] ?? 0) - 1000) < 150)
        #expect(abs((firsts["b"] ?? 0) - 3000) < 230)
        #expect(abs((firsts["c"] ?? 0) - 6000) < 245)
    }

    @Test("and so does the second among those that are left")
    func secondPlace() {
        let targets: [UpstreamTarget] = [
            .example("a", weight: 1), .example("b", weight: 3), .example("c", weight: 6),
        ]
        var seconds: [String: Int] = [:]
        var count = 0
        for seed in UInt64(0)..<10_000 {
            let order = hosts(targets, seed: seed)
            #expect(order.count == 3)
            guard order[0] == "c" else { continue }
            count += 1
            seconds[order[1], default: 0] += 1
        }
        #expect(count > 5000)
        let share = Double(seconds["b"] ?? 0) / Double(count)
        #expect(abs(share - 0.75) < 0.03)
    }

    @Test("equal weights: equal shares, wherever they stand in the list")
    func equalWeights() {
        let firsts = firsts((0..<4).map { .example("h\($0)", weight: 1) }, count: 8000)
        for index in 0..<4 { #expect(abs((firsts["h\(index)"] ?? 0) - 2000) < 200) }
    }

    @Test("weight 0 beside others: a small chance, not none")
    func zeroWeight() {
        let firsts = firsts([.example("much", weight: 9), .example("little")], count: 5000)
        #expect(abs((firsts["little"] ?? 0) - 500) < 110)
        let both = hosts([.example("much", weight: 65535), .example("little")], seed: 3)
        #expect(Set(both) == ["much", "little"])
    }

    @Test("the largest weights there are")
    func largestWeights() {
        let targets = (0..<200).map { UpstreamTarget.example("h\($0)", weight: .max) }
        #expect(Set(hosts(targets, seed: 1)).count == 200)
    }

    @Test("the same seed gives the same order, another one another")
    func seeds() {
        let targets = (0..<10).map { UpstreamTarget.example("h\($0)", weight: 5) }
        #expect(hosts(targets, seed: 7) == hosts(targets, seed: 7))
        #expect(Set((0..<20).map { hosts(targets, seed: $0) }).count > 15)
    }

    @Test("what leads to the same place is tried once, at its best priority")
    func doubles() {
        let targets: [UpstreamTarget] = [
            .example("a", priority: 5), .example("B"), .example("b"), .example("a", priority: 1),
            UpstreamTarget(host: "a", port: 5223, tls: .none, priority: 9),
            UpstreamTarget(host: "a", port: 5222, tls: .startTLS, priority: 9),
        ]
        let found = PlanDialogue.targets(.fixed(targets)).targets
        #expect(found.map(\.host) == ["B", "a", "a", "a"])
        #expect(found.map(\.priority) == [0, 1, 9, 9])
    }

    @Test("whatever is configured: every target once, by priority")
    func everyTargetOnce() {
        for seed in UInt64(0)..<300 {
            var generator = SeededGenerator(seed: seed)
            let targets = (0..<Int.random(in: 1...12, using: &generator)).map { index in
                UpstreamTarget.example(
                    "h\(index)", priority: UInt16.random(in: 0...2, using: &generator),
                    weight: UInt16.random(in: 0...3, using: &generator))
            }
            let found = PlanDialogue.targets(.fixed(targets), seed: seed).targets
            #expect(found.count == targets.count, "seed \(seed)")
            #expect(Set(found) == Set(targets), "seed \(seed)")
            #expect(found.map(\.priority) == found.map(\.priority).sorted(), "seed \(seed)")
        }
    }
}
