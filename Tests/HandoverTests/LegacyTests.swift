import Testing

@testable import Handover

/// What a supervisor learns of the workers of an earlier one, in whatever order they answer, and however they end.
struct LegacyTests {
    private var legacy = Legacy()

    private static func record(
        _ tag: UInt32, generation: UInt32 = 1, isRetired: Bool = false, knowing fellows: [UInt32] = []
    ) -> WorkerRecord {
        WorkerRecord(
            plan: WorkerPlan(
                tag: tag, generation: generation, workers: 1, seed: 1, node: "n", listeners: [], entries: []),
            processID: tag, isRetired: isRetired, fellows: fellows)
    }

    private mutating func answer(_ tag: UInt32, knowing fellows: [UInt32] = []) -> Legacy.Step {
        legacy.note(.worker(Self.record(tag, knowing: fellows)))
        legacy.note(.complete)
        return legacy.end(.complete)
    }

    @Test mutating func `workers are asked until all have answered that any of them knows`() {
        #expect(answer(2, knowing: [1, 3]) == .ask)
        #expect(legacy.missing == [1, 3])
        #expect(answer(3, knowing: [1, 2]) == .ask)
        #expect(answer(1, knowing: [2, 3]) == .finish)
        #expect(legacy.missing == [])
    }

    @Test mutating func `a worker that ends while it answers is forgotten, and the others are asked`() {
        #expect(answer(1, knowing: [2, 3]) == .ask)
        legacy.note(.worker(Self.record(2, knowing: [1, 3])))
        #expect(legacy.end(.broken) == .ask)
        #expect(answer(3, knowing: [1]) == .ask)
        #expect(legacy.workers.map(\.plan.tag) == [1, 3])
        #expect(legacy.missing == [2])
        // Nobody is left to answer.
        #expect(legacy.end(.silent) == .finish)
        #expect(legacy.workers.map(\.plan.tag) == [1, 3])
    }

    @Test mutating func `also when it is the first one`() {
        #expect(legacy.end(.broken) == .ask)
        #expect(answer(2) == .finish)
    }

    @Test mutating func `what answers nothing is no worker`() {
        #expect(legacy.end(.silent) == .fail)
    }

    @Test mutating func `what always hangs up is no worker`() {
        for _ in 1..<Legacy.mostBreaks { #expect(legacy.end(.broken) == .ask) }
        #expect(legacy.end(.broken) == .fail)
    }

    @Test mutating func `an answer without a worker is none`() {
        legacy.note(.complete)
        #expect(legacy.end(.complete) == .fail)
    }

    @Test mutating func `a worker that answers again is the same one`() {
        #expect(answer(1, knowing: [2]) == .ask)
        #expect(answer(1, knowing: [2]) == .ask)
        #expect(legacy.workers.count == 1)
    }

    @Test mutating func `a worker that does not answer may live, and no other one gets its tag`() {
        #expect(answer(1, knowing: [7]) == .ask)
        #expect(legacy.end(.silent) == .finish)
        #expect(legacy.nextTag == 8)
    }

    @Test(arguments: [false, true]) mutating func `the parts of a program may come in any order`(isReversed: Bool) {
        let parts: [Bequest] = [
            .program(version: "1.0", nextTag: 9), .worker(Self.record(3, generation: 2)),
            .worker(Self.record(1, isRetired: true)), .child(processID: 5),
        ]
        for part in isReversed ? parts.reversed() : parts { legacy.note(part) }
        #expect(!legacy.isComplete)
        legacy.note(.complete)
        #expect(legacy.isComplete)
        #expect(legacy.version == "1.0")
        #expect(legacy.nextTag == 9)
        #expect(legacy.children == [5])
        #expect(
            legacy.inherited.sorted { $0.tag < $1.tag } == [
                .init(tag: 1, generation: 1, workers: 1, isRetired: true),
                .init(tag: 3, generation: 2, workers: 1, isRetired: false),
            ])
    }
}
