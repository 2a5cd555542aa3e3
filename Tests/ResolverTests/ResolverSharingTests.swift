import Effort
import Primitives
import Reactor
import Testing

@testable import Resolver

/// Several workers and several resolver processes that they share, in any order of steps.
@Suite struct ResolverSharingTests {
    private final class Worker {
        private var link: ResolverLink
        private var poller: Poller
        private(set) var asked: [UInt64] = []
        private(set) var answered: [UInt64] = []

        init(_ processes: [Process]) throws {
            poller = try Poller()
            link = ResolverLink(fromSupervisor: (0..<UInt64(processes.count)).map { 1 + $0 })
            for (place, process) in processes.enumerated() {
                let answers = link.connect(
                    try process.connect(), place: place, tag: UInt32(1 + place), now: .zero, poller: poller)
                #expect(answers == [])
            }
        }

        func ask(_ id: UInt64, isStrange: Bool) {
            asked.append(id)
            let query = ResolverQuery.addresses(host: "n\(id).example")
            let answer = link.ask(id: id, query, isStrange: isStrange, requester: 7, now: .zero, poller: poller)
            #expect(answer == nil)
        }

        /// Handles what has come.
        func turn() throws {
            let count = try poller.wait(timeout: .zero)
            for index in 0..<count {
                answered += link.handle(poller[index], now: .zero, poller: poller).map(\.id)
            }
        }

        var losses: Int { link.losses }
        var openQuestions: Int { link.openQuestions }
    }

    private final class Process {
        private let control: DescriptorSocket
        private var shared: SharedResolver?

        init(_ lookUp: @escaping (ResolverQuery) -> Void) throws {
            let pair = try Descriptor.socketPair()
            control = DescriptorSocket(pair.first)
            shared = try SharedResolver(pair.second) { query in
                lookUp(query)
                return ResolverFinding(.addresses([.ipv4(1, port: 0)]), lifetime: 30)
            }
        }

        func connect() throws -> Descriptor {
            let pair = try Descriptor.socketPair()
            #expect(control.send([0], passing: [pair.first.number]) == .sent(1))
            return pair.second
        }

        func turn() { #expect(shared?.turn(timeout: .zero) == true) }
    }

    /// What the steps of one case share.
    private final class Scene {
        var generator: SeededGenerator
        var workers: [Worker] = []
        var processes: [Process] = []
        var lookups: [ResolverQuery] = []
        var next: UInt64 = 1

        init(seed: UInt64) throws {
            generator = SeededGenerator(seed: seed)
            for _ in 0...generator.below(4) {
                processes.append(
                    try Process { [unowned self] query in
                        lookups.append(query)
                        // Meanwhile the workers go on, and this process does not.
                        for _ in 0..<generator.below(6) { workerStep() }
                    })
            }
            for _ in 0...generator.below(4) { workers.append(try Worker(processes)) }
        }

        func workerStep() {
            let worker = workers[generator.below(workers.count)]
            if generator.oneIn(2), next < 60, worker.openQuestions < 12 {
                worker.ask(next, isStrange: generator.oneIn(3))
                next += 1
            } else {
                do { try worker.turn() } catch { Issue.record(error) }
            }
        }

        func step() {
            if generator.oneIn(2) { workerStep() } else { processes[generator.below(processes.count)].turn() }
        }
    }

    @Test func `every question is looked up once and answered once, whatever happens in which order`() throws {
        let seed = UInt64.random(in: .min ... .max)
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<Effort.cases(300, atLeast: 30) {
            let scene = try Scene(seed: generator.next())
            for _ in 0..<200 { scene.step() }
            scene.next = .max
            var rounds = 0
            while scene.workers.contains(where: { $0.openQuestions > 0 }), rounds < 1_000 {
                for process in scene.processes { process.turn() }
                for worker in scene.workers { try worker.turn() }
                rounds += 1
            }
            for worker in scene.workers {
                #expect(worker.answered.sorted() == worker.asked, "seed \(seed)")
                #expect(worker.losses == 0, "seed \(seed)")
            }
            #expect(scene.lookups.count == scene.workers.reduce(0) { $0 + $1.asked.count }, "seed \(seed)")
            #expect(Set(scene.lookups).count == scene.lookups.count, "seed \(seed)")
        }
    }
}
