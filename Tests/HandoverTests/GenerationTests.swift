import Effort
import Primitives
import Testing

@testable import Handover

/// One generation of workers takes the place of another.
@Suite struct GenerationTests {
    /// Two workers of generation 2 serve, and two of generation 1 keep old sessions.
    private static func renewed(_ wanted: Int = 2) -> WorkerScene {
        var scene = WorkerScene.serving(2)
        _ = scene.handle(.renew(wanted: wanted))
        for tag in 3..<(3 + UInt32(wanted)) { _ = scene.handle(.ready(tag)) }
        return scene
    }

    private static func running(_ scene: WorkerScene) -> [UInt32] { scene.table.living }

    // MARK: A new generation

    @Test func `it serves, and the old one takes nothing new, once all its workers are ready`() {
        var scene = WorkerScene.serving(2)
        #expect(
            scene.handle(.renew(wanted: 3)) == [
                .start(3, generation: 2), .start(4, generation: 2), .start(5, generation: 2),
            ])
        #expect(scene.table.isRenewing)
        #expect(scene.handle(.ready(5)) == [])
        #expect(scene.handle(.ready(3)) == [])
        // Nobody sends anything to one that may still be given up.
        #expect(scene.table.serving == [1, 2])
        #expect(
            scene.handle(.ready(4)) == [
                .serve(3), .serve(4), .serve(5), .renewed(2), .retire(1), .retire(2),
            ])
        #expect(scene.table.current == 2)
        #expect(scene.table.serving == [1, 2, 3, 4, 5])
        #expect(scene.table.retiredTags == [1, 2])
        #expect(scene.table.generations == [1, 2])
        #expect(!scene.table.isRenewing)
    }

    @Test func `a new worker is made known to all that serve, and is told which of them take nothing new`() {
        let table = Self.renewed().table
        #expect(table.strangers(to: 4, knowing: [3]) == [1, 2])
        #expect(
            table.wordsToServe(refusal: "", rules: SharedRules()) == [.retired(tag: 1), .retired(tag: 2), .serve])
        let rules = SharedRules(paths: ["/bosh"], body: 1)
        #expect(
            table.wordsToServe(refusal: "no", rules: rules)
                == [.retired(tag: 1), .retired(tag: 2), .refusal("no"), .rules(rules), .serve])
    }

    @Test func `an old worker accepts where the new ones do not listen`() {
        func plan(_ listeners: [UInt32]) -> WorkerPlan {
            WorkerPlan(tag: 0, workers: 1, seed: 1, node: "n", listeners: listeners, entries: [])
        }
        #expect(plan([0, 1, 2]).wordsToRetire(after: plan([2, 3, 0])) == .retire(leaving: [0, 2]))
        #expect(plan([0]).wordsToRetire(after: nil) == .retire(leaving: []))
    }

    @Test func `another one does not start while one starts`() {
        var scene = WorkerScene.serving(1)
        _ = scene.handle(.renew(wanted: 1))
        #expect(scene.handle(.renew(wanted: 1)) == [])
        _ = scene.handle(.ready(2))
        #expect(scene.handle(.renew(wanted: 1)) == [.start(3, generation: 3)])
    }

    @Test func `there is none before the first, and none at the end`() {
        var scene = WorkerScene(1)
        #expect(scene.handle(.renew(wanted: 1)) == [])
        _ = scene.handle(.begin)
        #expect(scene.handle(.renew(wanted: 1)) == [])
        _ = scene.handle(.ready(1))
        _ = scene.handle(.drain)
        #expect(scene.handle(.renew(wanted: 1)) == [])
    }

    @Test(arguments: [UInt32(3), 4])
    func `if one of its workers ends before all are ready, it is given up and nothing else changes`(tag: UInt32) {
        var scene = WorkerScene.serving(2)
        _ = scene.handle(.renew(wanted: 2))
        _ = scene.handle(.ready(3))
        let other: UInt32 = tag == 3 ? 4 : 3
        #expect(
            scene.handle(.ended(tag)) == [.gone(tag, restart: nil), .abandoned(2), .kill(other, .isAbandoned)])
        // It may have been ready in the same moment.
        #expect(scene.handle(.ready(other)) == [])
        #expect(scene.handle(.ended(other)) == [.gone(other, restart: nil)])
        #expect(scene.table.current == 1)
        #expect(scene.table.serving == [1, 2])
        #expect(scene.table.retiredTags == [])
        #expect(scene.table.deaths == 0)
        // The next one has another number.
        #expect(scene.handle(.renew(wanted: 1)) == [.start(5, generation: 3)])
    }

    @Test func `one whose workers are not ready in time is given up`() {
        var scene = WorkerScene.serving(1)
        _ = scene.handle(.renew(wanted: 1))
        #expect(scene.wait(.seconds(60), running: [1]) == [.kill(2, .didNotStart)])
        #expect(scene.handle(.ended(2)) == [.gone(2, restart: nil), .abandoned(2)])
        #expect(scene.table.serving == [1])
    }

    @Test func `while one starts, those that serve are replaced as ever`() {
        var scene = WorkerScene.serving(2)
        _ = scene.handle(.renew(wanted: 1))
        #expect(scene.handle(.ended(1)) == [.gone(1, restart: .zero), .start(4, generation: 1)])
        #expect(scene.handle(.ready(4)) == [.serve(4)])
        #expect(scene.handle(.ready(3)) == [.serve(3), .renewed(2), .retire(2), .retire(4)])
    }

    @Test func `a worker of the old one that is being started again has nothing to keep`() {
        var scene = WorkerScene.serving(1)
        _ = scene.handle(.renew(wanted: 1))
        #expect(scene.handle(.ended(1)) == [.gone(1, restart: .zero), .start(3, generation: 1)])
        #expect(scene.handle(.ready(2)) == [.kill(3, .isAbandoned), .serve(2), .renewed(2)])
        #expect(scene.handle(.ended(3)) == [.gone(3, restart: nil)])
        #expect(scene.table.generations == [2])
    }

    @Test func `a place of the old one that waits for its worker waits no longer`() {
        var scene = WorkerScene.serving(1)
        _ = scene.handle(.ended(1))
        #expect(scene.handle(.ended(2)) == [.gone(2, restart: .seconds(1))])
        _ = scene.handle(.renew(wanted: 1))
        #expect(scene.handle(.ready(3)) == [.serve(3), .renewed(2)])
        #expect(scene.wait(.seconds(30), running: [3]) == [])
    }

    // MARK: An old generation

    @Test func `one of its workers that ends is not replaced`() {
        var scene = Self.renewed()
        #expect(scene.handle(.ended(1)) == [.gone(1, restart: nil)])
        #expect(scene.table.generations == [1, 2])
        #expect(scene.handle(.ended(2)) == [.gone(2, restart: nil)])
        #expect(scene.table.generations == [2])
        #expect(scene.table.deaths == 0)
        #expect(scene.handle(.ended(3)) == [.gone(3, restart: .zero), .start(5, generation: 2)])
    }

    @Test func `its sessions end when it has lingered, once`() {
        var scene = Self.renewed()
        let tags = Self.running(scene)
        #expect(scene.wait(.seconds(599), running: tags) == [])
        #expect(scene.wait(.seconds(1), running: tags) == [.drain(1), .drain(2)])
        #expect(scene.wait(.seconds(3_600), running: tags) == [])
    }

    @Test func `the oldest one ends when there are too many`() {
        var scene = Self.renewed()
        _ = scene.handle(.renew(wanted: 1))
        #expect(scene.handle(.ready(5)) == [.serve(5), .renewed(3), .retire(1), .retire(2), .retire(3), .retire(4)])
        _ = scene.handle(.renew(wanted: 1))
        let effects = scene.handle(.ready(6))
        #expect(effects.suffix(2) == [.drain(1), .drain(2)])
        #expect(scene.table.generations == [1, 2, 3, 4])
    }

    @Test func `one that stands still is killed as well`() {
        var scene = Self.renewed()
        #expect(scene.wait(.seconds(4), running: [1, 2, 3, 4]) == [])
        #expect(scene.wait(.seconds(10), running: [2, 3, 4]) == [.kill(1, .isStuck)])
    }

    @Test func `all of them finish`() {
        var scene = Self.renewed(1)
        #expect(scene.handle(.drain) == [.drain(1), .drain(2), .drain(3)])
        #expect(scene.wait(.seconds(3_600), running: [1, 2, 3]) == [])
        _ = scene.handle(.ended(3))
        _ = scene.handle(.ended(1))
        #expect(scene.handle(.ended(2)) == [.gone(2, restart: nil), .finished])
    }

    // MARK: Another supervisor

    @Test func `workers that were taken over serve, and the next ones have tags of their own`() {
        let inherited: [WorkerTable.Inherited] = [
            .init(tag: 4, generation: 2, workers: 1, isRetired: true),
            .init(tag: 9, generation: 5, workers: 2, isRetired: false),
            .init(tag: 7, generation: 5, workers: 2, isRetired: false),
        ]
        let table = WorkerTable(
            inheriting: inherited, next: 8, retirement: .init(linger: .seconds(60), generations: 3),
            now: MonotonicInstant(nanoseconds: 1_000_000_000))
        var scene = WorkerScene(table)
        #expect(scene.table.phase == .serving)
        #expect(scene.table.current == 5)
        #expect(scene.table.serving == [4, 7, 9])
        #expect(scene.table.retiredTags == [4])
        #expect(scene.handle(.renew(wanted: 1)) == [.start(10, generation: 6)])
        #expect(scene.handle(.ended(7)) == [.gone(7, restart: .zero), .start(11, generation: 5)])
        _ = scene.handle(.ready(11))
        #expect(scene.handle(.ready(10)) == [.serve(10), .renewed(6), .retire(4), .retire(9), .retire(11)])
        #expect(scene.wait(.seconds(60), running: [4, 9, 10, 11]) == [.drain(4), .drain(9), .drain(11)])
    }

    /// A worker keeps old sessions, and none serves.
    private static func withoutCurrent() -> WorkerScene {
        WorkerScene(
            WorkerTable(
                inheriting: [.init(tag: 2, generation: 3, workers: 2, isRetired: true)], next: 1,
                retirement: .init(linger: .seconds(60), generations: 3), now: MonotonicInstant(nanoseconds: 1)))
    }

    @Test func `only retired ones may be left`() {
        var scene = Self.withoutCurrent()
        #expect(scene.table.current == 4)
        #expect(scene.handle(.renew(wanted: 2)) == [.start(3, generation: 5), .start(4, generation: 5)])
        _ = scene.handle(.ready(3))
        #expect(scene.handle(.ready(4)) == [.serve(3), .serve(4), .renewed(5), .retire(2)])
    }

    @Test func `where only those are left, a new generation that cannot start is started again`() {
        var scene = Self.withoutCurrent()
        _ = scene.handle(.renew(wanted: 2))
        _ = scene.handle(.ready(3))
        #expect(
            scene.handle(.ended(4)) == [
                .serve(3), .insisted(5), .retire(2), .gone(4, restart: .zero), .start(5, generation: 5),
            ])
        #expect(!scene.table.isRenewing)
        #expect(scene.table.current == 5)
        #expect(scene.table.serving == [2, 3])
        #expect(scene.table.retiredTags == [2])
        #expect(scene.handle(.ended(5)) == [.gone(5, restart: .seconds(1))])
        #expect(scene.wait(.seconds(1), running: [2, 3]) == [.start(6, generation: 5)])
        #expect(scene.handle(.ready(6)) == [.serve(6)])
        // It is a generation like any other from then on.
        #expect(scene.handle(.renew(wanted: 1)) == [.start(7, generation: 6)])
        #expect(scene.handle(.ended(7)) == [.gone(7, restart: nil), .abandoned(6)])
        #expect(scene.table.serving == [2, 3, 6])
    }

    @Test func `a worker of it that takes too long is ended and started again like one that dies`() {
        var scene = Self.withoutCurrent()
        _ = scene.handle(.renew(wanted: 1))
        #expect(scene.wait(.seconds(59), running: [2]) == [])
        #expect(scene.wait(.seconds(1), running: [2]).contains(.kill(3, .didNotStart)))
        #expect(
            scene.handle(.ended(3)) == [
                .insisted(5), .retire(2), .gone(3, restart: .zero), .start(4, generation: 5),
            ])
    }

    @Test(arguments: [2, 3, 1_000_000])
    func `a generation that was taken over in part is made whole once the new one is given up`(wanted: Int) {
        let inherited: [WorkerTable.Inherited] = [
            .init(tag: 4, generation: 2, workers: wanted, isRetired: false),
            .init(tag: 3, generation: 1, workers: 9, isRetired: true),
        ]
        var scene = WorkerScene(
            WorkerTable(
                inheriting: inherited, next: 9, retirement: .init(linger: .seconds(60), generations: 3),
                now: MonotonicInstant(nanoseconds: 1)))
        #expect(scene.handle(.renew(wanted: 1)) == [.start(9, generation: 3)])
        let effects = scene.handle(.ended(9))
        #expect(effects.prefix(2) == [.gone(9, restart: nil), .abandoned(3)])
        let missing = min(wanted, WorkerTable.mostPlaces) - 1
        #expect(effects.dropFirst(2) == (0..<UInt32(missing)).map { .start(10 + $0, generation: 2) }[...])
        #expect(scene.table.current == 2)
        // They are no part of what comes next.
        _ = scene.handle(.renew(wanted: 1))
        let last = scene.handle(.ready(10 + UInt32(missing)))
        #expect(last.count { if case .kill(_, .isAbandoned) = $0 { true } else { false } } == missing)
    }

    /// One of two workers was taken over.
    private static func incomplete() -> WorkerScene {
        WorkerScene(
            WorkerTable(
                inheriting: [.init(tag: 4, generation: 2, workers: 2, isRetired: false)], next: 5,
                retirement: .init(linger: .seconds(60), generations: 3), now: MonotonicInstant(nanoseconds: 1)))
    }

    @Test func `it stays as it is when the new one begins`() {
        var scene = Self.incomplete()
        _ = scene.handle(.renew(wanted: 1))
        // Another one may still begin.
        #expect(scene.handle(.keep) == [])
        #expect(scene.handle(.ready(5)) == [.serve(5), .renewed(3), .retire(4)])
        #expect(scene.handle(.keep) == [])
    }

    @Test func `it is made whole when there can be no new one`() {
        var scene = Self.incomplete()
        #expect(scene.handle(.keep) == [.start(5, generation: 2)])
        #expect(scene.handle(.keep) == [])
        #expect(scene.handle(.ready(5)) == [.serve(5)])
        // What the workers of a generation would be told that nobody has left is not known.
        var deserted = Self.withoutCurrent()
        #expect(deserted.handle(.keep) == [])
        #expect(deserted.handle(.renew(wanted: 1)) == [.start(3, generation: 5)])
    }

    // MARK: Whatever happens

    @Test func `no tag is used twice, no worker is replaced that should not be, and all end at the end`() {
        let seed = UInt64.random(in: .min ... .max)
        var generator = SeededGenerator(seed: seed)
        for number in 0..<Effort.cases(300) {
            // In every third case another supervisor has taken over one that keeps old sessions.
            let isTakenOver = number % 3 == 0
            var scene = isTakenOver ? Self.withoutCurrent() : WorkerScene(1 + generator.below(3))
            var alive = scene.table.living
            var started = Set(alive)
            var isFinished = false
            func note(_ effects: [WorkerTable.Effect]) {
                for effect in effects {
                    switch effect {
                    case .start(let tag, let generation):
                        #expect(started.insert(tag).inserted, "seed \(seed)")
                        #expect(generation >= scene.table.current, "seed \(seed)")
                        alive.append(tag)
                    case .gone(let tag, _): alive.removeAll { $0 == tag }
                    case .finished: isFinished = true
                    case .serve, .announce, .renewed, .abandoned, .insisted, .retire, .kill, .drain: break
                    }
                }
            }
            if isTakenOver {
                note(scene.handle(.renew(wanted: 1 + generator.below(3))))
            } else {
                note(scene.handle(.begin))
                for tag in alive { note(scene.handle(.ready(tag))) }
            }
            for _ in 0..<60 {
                switch generator.below(5) {
                case 0: note(scene.handle(.renew(wanted: 1 + generator.below(3))))
                case 1, 2: if let tag = alive.randomElement(using: &generator) { note(scene.handle(.ready(tag))) }
                case 3: if let tag = alive.randomElement(using: &generator) { note(scene.handle(.ended(tag))) }
                default: note(scene.wait(.seconds(1 + generator.below(300)), running: alive))
                }
                #expect(scene.table.living.sorted() == alive.sorted(), "seed \(seed)")
                #expect(Set(scene.table.retiredTags).isSubset(of: alive), "seed \(seed)")
                #expect(!isFinished, "seed \(seed)")
                // Whatever has ended, somebody serves or is about to be started.
                guard !alive.contains(where: { scene.table.generation(of: $0) ?? 0 >= scene.table.current }) else {
                    continue
                }
                let effects = scene.wait(.seconds(60), running: alive)
                let hasStarted = effects.contains { if case .start = $0 { true } else { false } }
                #expect(hasStarted, "seed \(seed)")
                note(effects)
            }
            note(scene.handle(.drain))
            for tag in alive { note(scene.handle(.ended(tag))) }
            #expect(isFinished && alive.isEmpty, "seed \(seed)")
        }
    }
}
