import Primitives
import Testing

@testable import Handover

/// A table under a clock that the test moves.
private struct Scene {
    var table = ResolverTable(count: 2)
    var now = MonotonicInstant(nanoseconds: 1_000_000_000)

    /// All processes run.
    static func running() -> Scene {
        var scene = Scene()
        _ = scene.handle(.needed)
        return scene
    }

    mutating func handle(_ input: ResolverTable.Input) -> [ResolverTable.Effect] {
        var effects: [ResolverTable.Effect] = []
        table.handle(input, now: now, into: &effects)
        return effects
    }

    /// Lets time pass and handles every deadline on the way.
    mutating func wait(_ duration: Duration) -> [ResolverTable.Effect] {
        let end = now.advanced(by: duration)
        var effects: [ResolverTable.Effect] = []
        while let deadline = table.nextDeadline, deadline <= end {
            now = max(now, deadline)
            effects += handle(.deadlineReached)
        }
        now = end
        return effects
    }
}

@Suite struct ResolverTableTests {
    @Test func `no process runs until the first worker needs one, and then all do`() {
        var scene = Scene()
        #expect(scene.table.living == [] && scene.table.nextDeadline == nil)
        #expect(scene.handle(.needed) == [.start(1), .start(2)])
        #expect(scene.table.living == [1, 2])
        #expect(scene.table.place(of: 2) == 1 && scene.table.place(of: 3) == nil)
        #expect(scene.handle(.needed) == [])
        #expect(scene.table.nextDeadline == nil)
    }

    @Test func `a process that has ended is replaced at once, by one of another tag at its place`() {
        var scene = Scene.running()
        _ = scene.wait(ResolverTable.longLife)
        #expect(scene.handle(.ended(1)) == [.gone(1, restart: .zero), .start(3)])
        #expect(scene.table.place(of: 3) == 0)
        #expect(scene.handle(.ended(1)) == [])
    }

    @Test func `processes that die young again and again are started ever more rarely`() {
        var scene = Scene.running()
        var pauses: [Duration] = []
        for _ in 0..<10 {
            guard case .gone(_, let pause)? = scene.handle(.ended(scene.table.living[0])).first else { break }
            pauses.append(pause)
            _ = scene.wait(pause)
            #expect(scene.table.living.count == 2)
        }
        #expect(pauses == [0, 1, 2, 4, 8, 16, 32, 60, 60, 60].map { .seconds($0) })
        _ = scene.wait(ResolverTable.longLife)
        #expect(scene.handle(.ended(scene.table.living[0])).first == .gone(12, restart: .zero))
    }

    @Test func `one place does not wait for the deaths of another`() {
        var scene = Scene.running()
        _ = scene.handle(.ended(1))
        #expect(scene.handle(.ended(3)) == [.gone(3, restart: .seconds(1))])
        #expect(scene.handle(.ended(2)) == [.gone(2, restart: .zero), .start(4)])
        #expect(scene.table.living == [4])
        #expect(scene.wait(.seconds(1)) == [.start(5)])
    }

    @Test func `a worker that lost its connection gets one again after a while, once`() {
        var scene = Scene.running()
        #expect(scene.handle(.lost(2, worker: 7)) == [])
        #expect(scene.handle(.lost(2, worker: 7)) == [])
        #expect(scene.handle(.lost(1, worker: 8)) == [])
        #expect(scene.wait(ResolverTable.mendingPause) == [.connect(2, worker: 7), .connect(1, worker: 8)])
        #expect(scene.wait(.seconds(60)) == [])
        #expect(scene.handle(.lost(2, worker: 7)) == [])
        #expect(scene.wait(ResolverTable.mendingPause) == [.connect(2, worker: 7)])
    }

    @Test func `a connection to a process that has ended is not given again`() {
        var scene = Scene.running()
        _ = scene.handle(.lost(1, worker: 7))
        _ = scene.handle(.ended(1))
        #expect(scene.handle(.lost(1, worker: 8)) == [])
        #expect(scene.wait(.seconds(60)) == [])
    }
}
