import Primitives
import Testing

@testable import Handover

/// A table under a clock that the test moves.
struct WorkerScene {
    var table: WorkerTable
    var now = MonotonicInstant(nanoseconds: 1_000_000_000)
    /// The loop counters that the supervisor would read.
    var turns: [UInt32: UInt64] = [:]

    init(_ wanted: Int, _ retirement: WorkerTable.Retirement = .init(linger: .seconds(600), generations: 3)) {
        table = WorkerTable(wanted: wanted, retirement: retirement)
    }

    init(_ table: WorkerTable) { self.table = table }

    /// All workers serve.
    static func serving(_ wanted: Int) -> WorkerScene {
        var scene = WorkerScene(wanted)
        _ = scene.handle(.begin)
        for tag in scene.table.living { _ = scene.handle(.ready(tag)) }
        return scene
    }

    mutating func handle(_ input: WorkerTable.Input) -> [WorkerTable.Effect] {
        var effects: [WorkerTable.Effect] = []
        table.handle(input, now: now, into: &effects)
        return effects
    }

    /// Lets time pass and handles every deadline on the way; the loops of `running` turn all the time.
    mutating func wait(_ duration: Duration, running: [UInt32] = []) -> [WorkerTable.Effect] {
        let end = now.advanced(by: duration)
        var effects: [WorkerTable.Effect] = []
        while let deadline = table.nextDeadline, deadline <= end {
            now = max(now, deadline)
            for tag in running { turns[tag, default: 0] += 1 }
            effects += handle(.deadlineReached(turns: turns))
        }
        now = end
        return effects
    }
}

@Suite struct WorkerTableTests {
    // MARK: Starting

    @Test func `at first every place gets a worker of its own tag`() {
        var scene = WorkerScene(3)
        #expect(scene.table.nextDeadline == nil)
        #expect(scene.handle(.begin) == [.start(1, generation: 1), .start(2, generation: 1), .start(3, generation: 1)])
        #expect(scene.table.living == [1, 2, 3])
        #expect(scene.table.ready == [])
        #expect(scene.table.phase == .starting)
    }

    @Test func `it is announced once, when the last of them serves`() {
        var scene = WorkerScene(2)
        _ = scene.handle(.begin)
        #expect(scene.handle(.ready(2)) == [])
        #expect(scene.handle(.ready(2)) == [])
        #expect(scene.handle(.ready(1)) == [.serve(1), .serve(2), .announce])
        #expect(scene.handle(.ready(1)) == [])
        #expect(scene.table.phase == .serving)
        #expect(scene.table.ready == [1, 2])
    }

    @Test(arguments: [-1, 0, 1])
    func `there is at least one`(_ wanted: Int) {
        var scene = WorkerScene(wanted)
        #expect(scene.handle(.begin) == [.start(1, generation: 1)])
    }

    @Test func `after an earlier supervisor the tags go on, and none is 0`() {
        var scene = WorkerScene(WorkerTable(wanted: 2, next: 7))
        #expect(scene.handle(.begin) == [.start(7, generation: 1), .start(8, generation: 1)])
        var first = WorkerScene(WorkerTable(wanted: 1, next: 0))
        #expect(first.handle(.begin) == [.start(1, generation: 1)])
    }

    @Test func `one that ends before all have served ends the others, and none is started again`() {
        var scene = WorkerScene(3)
        _ = scene.handle(.begin)
        _ = scene.handle(.ready(1))
        #expect(scene.handle(.ended(2)) == [.gone(2, restart: nil), .kill(1, .allEnd), .kill(3, .allEnd)])
        #expect(scene.handle(.ended(3)) == [.gone(3, restart: nil)])
        #expect(scene.handle(.ended(1)) == [.gone(1, restart: nil), .finished])
        #expect(scene.table.deaths == 0)
        #expect(scene.table.nextDeadline == nil)
    }

    @Test func `a single one that cannot start is the end`() {
        var scene = WorkerScene(1)
        _ = scene.handle(.begin)
        #expect(scene.handle(.ended(1)) == [.gone(1, restart: nil), .finished])
    }

    @Test func `one that never serves is killed, once`() {
        var scene = WorkerScene(2)
        _ = scene.handle(.begin)
        _ = scene.handle(.ready(1))
        #expect(scene.wait(.seconds(59), running: [1]) == [])
        #expect(scene.wait(.seconds(1), running: [1]) == [.kill(2, .didNotStart)])
        #expect(scene.wait(.seconds(600), running: [1]) == [])
    }

    // MARK: Dying

    @Test func `one that dies is replaced at once under a new tag`() {
        var scene = WorkerScene.serving(2)
        #expect(scene.handle(.ended(1)) == [.gone(1, restart: .zero), .start(3, generation: 1)])
        #expect(scene.table.living == [2, 3])
        #expect(scene.handle(.ready(3)) == [.serve(3)])
        #expect(scene.table.ready == [2, 3])
        #expect(scene.table.deaths == 1)
    }

    @Test func `while they die young, each waits longer than the last, but never more than a minute`() {
        var scene = WorkerScene.serving(1)
        var tag: UInt32 = 1
        for seconds in [0, 1, 2, 4, 8, 16, 32, 60, 60, 60] {
            let effects = scene.handle(.ended(tag))
            #expect(effects.first == .gone(tag, restart: .seconds(seconds)))
            tag += 1
            if seconds > 0 {
                #expect(effects.count == 1)
                #expect(scene.wait(.seconds(seconds) - .milliseconds(1)) == [])
                #expect(scene.wait(.milliseconds(1)) == [.start(tag, generation: 1)])
            } else {
                #expect(effects.last == .start(tag, generation: 1))
            }
            _ = scene.handle(.ready(tag))
            #expect(scene.wait(.milliseconds(9_999), running: [tag]) == [])
        }
    }

    @Test func `after a long life the next one comes at once again`() {
        var scene = WorkerScene.serving(1)
        _ = scene.handle(.ended(1))
        #expect(scene.handle(.ended(2)) == [.gone(2, restart: .seconds(1))])
        #expect(scene.wait(.seconds(1)) == [.start(3, generation: 1)])
        _ = scene.handle(.ready(3))
        #expect(scene.wait(.seconds(10), running: [3]) == [])
        #expect(scene.handle(.ended(3)) == [.gone(3, restart: .zero), .start(4, generation: 1)])
        #expect(scene.handle(.ended(4)) == [.gone(4, restart: .seconds(1))])
    }

    @Test func `places wait for themselves alone`() {
        var scene = WorkerScene.serving(2)
        _ = scene.handle(.ended(1))
        #expect(scene.handle(.ended(3)) == [.gone(3, restart: .seconds(1))])
        #expect(scene.handle(.ended(2)) == [.gone(2, restart: .zero), .start(4, generation: 1)])
        #expect(scene.wait(.seconds(1)) == [.start(5, generation: 1)])
    }

    @Test func `one that cannot be started again waits like one that dies young`() {
        var scene = WorkerScene.serving(1)
        #expect(scene.handle(.ended(1)) == [.gone(1, restart: .zero), .start(2, generation: 1)])
        #expect(scene.handle(.ended(2)) == [.gone(2, restart: .seconds(1))])
        #expect(scene.wait(.seconds(1)) == [.start(3, generation: 1)])
        #expect(scene.handle(.ended(3)) == [.gone(3, restart: .seconds(2))])
    }

    @Test func `what is said of a worker that is gone, or never was, changes nothing`() {
        var scene = WorkerScene.serving(1)
        _ = scene.handle(.ended(1))
        for input in [WorkerTable.Input.ended(1), .ready(1), .ended(77), .ready(0)] {
            #expect(scene.handle(input) == [])
        }
        #expect(scene.table.deaths == 1)
        #expect(scene.table.living == [2])
    }

    @Test func `in an hour of workers that die at their start there are few starts`() {
        var scene = WorkerScene.serving(4)
        var starts = 0
        var dying = scene.table.living
        let end = scene.now.advanced(by: .seconds(3_600))
        while scene.now < end {
            var effects: [WorkerTable.Effect] = []
            for tag in dying { effects += scene.handle(.ended(tag)) }
            if effects.isEmpty { effects = scene.wait(.milliseconds(500)) }
            dying = effects.compactMap { if case .start(let tag, _) = $0 { tag } else { nil } }
            starts += dying.count
        }
        #expect((4 * 60...4 * 70).contains(starts))
    }

    // MARK: Standing still

    @Test func `one whose loop stands still for five looks is killed, and the others are not`() {
        var scene = WorkerScene.serving(2)
        #expect(scene.wait(.seconds(60), running: [1, 2]) == [])
        #expect(scene.wait(.seconds(9), running: [1]) == [])
        #expect(scene.wait(.seconds(1), running: [1]) == [.kill(2, .isStuck)])
        #expect(scene.wait(.seconds(60), running: [1]) == [])
        #expect(scene.handle(.ended(2)) == [.gone(2, restart: .zero), .start(3, generation: 1)])
    }

    @Test func `one that goes on in between is not stuck`() {
        var scene = WorkerScene.serving(1)
        for _ in 0..<10 {
            #expect(scene.wait(.seconds(2), running: [1]) == [])
            #expect(scene.wait(.seconds(8)) == [])
        }
    }

    @Test func `a counter that has gone back has moved`() {
        var scene = WorkerScene.serving(1)
        scene.turns = [1: .max]
        #expect(scene.wait(.seconds(8)) == [])
        scene.turns = [1: 0]
        #expect(scene.wait(.seconds(8)) == [])
    }

    @Test func `a machine that was halted for an hour has seen one look`() {
        var scene = WorkerScene.serving(1)
        scene.turns = [1: 5]
        #expect(scene.handle(.deadlineReached(turns: scene.turns)) == [])
        scene.now = scene.now.advanced(by: .seconds(3_600))
        #expect(scene.handle(.deadlineReached(turns: scene.turns)) == [])
        #expect(scene.wait(.seconds(4)) == [])
    }

    @Test func `one without a readable counter is not judged`() {
        var scene = WorkerScene.serving(1)
        for _ in 0..<20 {
            scene.now = scene.now.advanced(by: .seconds(2))
            #expect(scene.handle(.deadlineReached(turns: [:])) == [])
        }
    }

    @Test func `a loop is not judged before its worker serves`() {
        var scene = WorkerScene.serving(1)
        _ = scene.handle(.ended(1))
        #expect(scene.wait(.seconds(59)) == [])
        #expect(scene.handle(.ready(2)) == [.serve(2)])
        #expect(scene.wait(.seconds(5)) == [])
    }

    // MARK: Finishing

    @Test func `when it drains, every worker is told and none is replaced`() {
        var scene = WorkerScene.serving(2)
        #expect(scene.handle(.drain) == [.drain(1), .drain(2)])
        #expect(scene.table.phase == .draining)
        #expect(scene.handle(.ended(2)) == [.gone(2, restart: nil)])
        #expect(scene.handle(.ended(1)) == [.gone(1, restart: nil), .finished])
        #expect(scene.table.nextDeadline == nil)
    }

    @Test func `the second time they are killed`() {
        var scene = WorkerScene.serving(2)
        _ = scene.handle(.drain)
        #expect(scene.handle(.drain) == [.kill(1, .allEnd), .kill(2, .allEnd)])
        #expect(scene.handle(.drain) == [])
        _ = scene.handle(.ended(1))
        #expect(scene.handle(.ended(2)) == [.gone(2, restart: nil), .finished])
    }

    @Test func `a place that waits for its worker waits no longer when it drains`() {
        var scene = WorkerScene.serving(1)
        _ = scene.handle(.ended(1))
        _ = scene.handle(.ended(2))
        #expect(scene.table.living == [])
        #expect(scene.handle(.drain) == [.finished])
        #expect(scene.wait(.seconds(100)) == [])
    }

    @Test func `one that does not serve yet is told too`() {
        var scene = WorkerScene(2)
        _ = scene.handle(.begin)
        _ = scene.handle(.ready(1))
        #expect(scene.handle(.drain) == [.drain(1), .drain(2)])
        #expect(scene.handle(.ready(2)) == [])
    }

    @Test func `one that is stuck while it drains is killed`() {
        var scene = WorkerScene.serving(1)
        _ = scene.handle(.drain)
        #expect(scene.wait(.seconds(2), running: [1]) == [])
        #expect(scene.wait(.seconds(10)) == [.kill(1, .isStuck)])
        #expect(scene.handle(.ended(1)) == [.gone(1, restart: nil), .finished])
    }
}
