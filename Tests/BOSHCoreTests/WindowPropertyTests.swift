import BOSHCore
import DialogueScripts
import Effort
import Foundation
import Testing

/// Random histories of a client that keeps to the rules, over a network that does not.
///
/// `HOLDFAST_HISTORIES` sets their number, whatever the `Effort`, and `HOLDFAST_SEED` the first seed.
@Suite struct WindowPropertyTests {
    private static func environment(_ name: String) -> UInt64? {
        ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) }
    }

    private struct History {
        let setting: HistorySetting
        var steps: [HistoryStep]

        init(seed: UInt64) {
            var generator = SeededGenerator(seed: seed)
            setting = HistorySetting(from: &generator)
            let length = 10 + generator.below(100)
            steps = (0..<length).map { _ in HistoryStep(from: &generator) }
        }

        /// Plays the history to its end.
        func play(isTold: Bool = false) -> SimulatedWorld {
            var world = SimulatedWorld(setting: setting, policy: SimulatedWorld.policy(for: setting), isTold: isTold)
            for step in steps {
                if world.isOver { break }
                world.take(step)
            }
            world.settleAll()
            world.checkRest()
            return world
        }

        /// The same failure, or another one, with as few steps as remain when runs of steps are removed one after the
        /// other.
        func shrunk() -> History {
            var smallest = self
            var width = max(steps.count / 2, 1)
            while true {
                var start = 0
                var hasShrunk = false
                while start < smallest.steps.count {
                    var shorter = smallest
                    shorter.steps.removeSubrange(start..<min(start + width, shorter.steps.count))
                    if shorter.play().failure != nil {
                        smallest = shorter
                        hasShrunk = true
                    } else {
                        start += width
                    }
                }
                if width == 1, !hasShrunk { return smallest }
                width = max(width / 2, 1)
            }
        }
    }

    @Test(
        "R-02 R-03 R-04 R-07 R-08 R-14 P-01 P-13: nothing is lost, doubled or reordered, and no valid client is refused"
    )
    func holdsForEveryHistory() {
        let count = Self.environment("HOLDFAST_HISTORIES") ?? Effort.cases(8_000)
        let start = Self.environment("HOLDFAST_SEED") ?? UInt64.random(in: 0...1_000_000_000)
        print("window property: \(count) histories from HOLDFAST_SEED=\(start)")
        for seed in start..<start + count {
            let history = History(seed: seed)
            guard history.play().failure != nil else { continue }
            let world = history.shrunk().play(isTold: true)
            Issue.record(
                """
                HOLDFAST_SEED=\(seed): \(world.failure ?? "the shrunk history does not fail")
                \(world.script?.joined(separator: "\n") ?? "")
                """)
            return
        }
    }

    @Test(
        "a history that is told as a dialogue plays the same as one",
        arguments: 1...Effort.cases(200) as ClosedRange<UInt64>)
    func tellsHistories(seed: UInt64) throws {
        let world = History(seed: seed).play(isTold: true)
        #expect(world.failure == nil)
        let text = try #require(world.script).joined(separator: "\n")
        let script = try DialogueScript(name: "seed \(seed)", text: text, door: .bosh)
        if let fault = script.fault(on: SessionHarness()) { Issue.record("\(fault)\n\(text)") }
    }

    @Test("the histories reach what they are about")
    func reachesEverything() {
        var kinds: Set<SimulatedWorld.Content> = []
        var errors = 0
        var replays = 0
        var terminated = 0
        var lost = 0
        var several = 0
        var closed = 0
        var returned = 0
        var kept = 0
        var reports = 0
        var early = 0
        var givenUp = 0
        for seed in 1...Effort.cases(2_000, atLeast: 300) as ClosedRange<UInt64> {
            let world = History(seed: seed).play()
            kinds.formUnion(world.requests.map(\.content))
            errors += world.exchanges.count(where: \.isError)
            replays += world.exchanges.count - world.requests.count
            terminated += world.end == .terminated ? 1 : 0
            lost += world.streams.count(where: \.isLost)
            several += world.streams.count > 1 ? 1 : 0
            closed += world.streams.count(where: \.isClosed)
            returned += world.streams.count { $0.returned != nil }
            kept += world.streams.count { $0.isResumable && $0.isLeft }
            reports += world.requests.count { $0.answer?.report != nil }
            givenUp += world.requests.count(where: \.isGivenUp)
            early += zip(world.exchanges, world.exchanges.dropFirst()).count { $0.arrival > $1.arrival }
        }
        #expect(kinds.count == 7)
        #expect(several > Effort.cases(200))
        #expect(closed > Effort.cases(20))
        #expect(returned > Effort.cases(100))
        #expect(kept > Effort.cases(10))
        #expect(reports > Effort.cases(20))
        #expect(errors > Effort.cases(200))
        #expect(replays > Effort.cases(1_000))
        #expect(terminated > Effort.cases(10))
        #expect(lost > Effort.cases(50))
        #expect(early > Effort.cases(200))
        #expect(givenUp > Effort.cases(100))
    }
}
