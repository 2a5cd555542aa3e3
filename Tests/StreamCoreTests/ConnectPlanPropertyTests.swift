import Effort
import Primitives
import StreamCore
import Testing

@Suite("ConnectPlan: whatever happens")
struct ConnectPlanPropertyTests {
    @Test("random answers at random times: every plan ends, and never connects to what it must not")
    func randomScripts() {
        for seed in UInt64(0)..<Effort.cases(4_000) {
            var world = PlanWorld(seed: seed)
            world.run()
            #expect(world.faults == [], "seed \(seed)")
        }
    }

    @Test("the scripts get everywhere")
    func coverage() {
        var ends: [String: Int] = [:]
        for seed in UInt64(0)..<Effort.cases(4_000) {
            var world = PlanWorld(seed: seed)
            world.run()
            for mark in world.marks { ends[mark, default: 0] += 1 }
        }
        for mark in [
            "won", "won-again", "unresolved", "unreachable", "spared", "refused", "raced", "abandoned", "fallback",
            "postponed",
        ] {
            #expect(ends[mark, default: 0] > Effort.cases(20), "\(mark)")
        }
    }
}

/// A resolver and a network that answer a plan at random and check what it asks.
struct PlanWorld {
    private var generator: SeededGenerator
    private var plan: ConnectPlan
    private let route: TargetRoute
    private var now: MonotonicInstant
    private var awaitedServices: [ServiceKind] = []
    private var awaitedTarget: UpstreamTarget?
    private var open: Set<Int> = []
    private var used: Set<Int> = []
    private var addressCount = 0
    private var winner: Int?
    private var isExhausted = false
    /// The targets to which the plan may connect, by the answers that it got.
    private var allowed: Set<UpstreamTarget> = []
    private var asked: Set<UpstreamTarget> = []
    private(set) var faults: [String] = []
    private(set) var marks: Set<String> = []

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
        now = .milliseconds(Int.random(in: 0...1_000_000, using: &generator))
        let tls = TLSMode.every[Int.random(in: 0..<3, using: &generator)]
        if Bool.random(using: &generator) {
            let targets = (0..<Int.random(in: 0...5, using: &generator)).map { index in
                UpstreamTarget(host: "h\(index)", port: 5222, tls: tls, weight: UInt16(index % 2))
            }
            route = .fixed(targets)
            allowed = Set(targets)
        } else {
            route = .dns(domain: "d", tls: tls)
        }
        plan = ConnectPlan(route: route, seed: seed)
    }

    /// Runs the plan to its end: for a while at random, then with answers to everything open.
    mutating func run() {
        give(.begin)
        for _ in 0..<Int.random(in: 0...60, using: &generator) { give(randomInput()) }
        var steps = 0
        while let input = nextAnswer() {
            steps += 1
            guard steps < 500 else { return fault("does not end") }
            give(input)
        }
        if winner == nil, !isExhausted { fault("waits for nothing") }
        if isExhausted, !open.isEmpty || plan.nextWake != nil { fault("exhausted, but not at rest") }
    }

    /// An answer to what the plan waits for, with the least progress.
    private func nextAnswer() -> ConnectPlan.Input? {
        if let kind = awaitedServices.first { return .servicesFailed(kind, isTemporary: false) }
        if awaitedTarget != nil { return .addressesFailed }
        if winner != nil || isExhausted { return nil }
        return open.min().map { .failed(attempt: $0) }
    }

    private mutating func randomInput() -> ConnectPlan.Input {
        now += .milliseconds(Int.random(in: 0...300, using: &generator))
        let kind = ServiceKind.allCases[Int.random(in: 0...1, using: &generator)]
        let attempt = open.sorted().randomElement(using: &generator) ?? 0
        switch Int.random(in: 0..<18, using: &generator) {
        case 0, 1: return .services(kind, randomRecords())
        case 2: return .servicesFailed(kind, isTemporary: Bool.random(using: &generator))
        case 3, 4, 5:
            let count = Int.random(in: 0...10, using: &generator)
            return .addresses((0..<count).map { _ in Bool.random(using: &generator) ? .ipv4 : .ipv6 })
        case 6: return .addressesFailed
        case 7: return .targetSkipped(Bool.random(using: &generator) ? .spared : .refusedTarget)
        case 8: return .connected(attempt: attempt)
        case 9: return .failed(attempt: attempt)
        case 10: return .connected(attempt: Int.random(in: -1...20, using: &generator))
        case 11: return .failed(attempt: Int.random(in: -1...20, using: &generator))
        case 12: return .targetFailed
        case 13: return .begin
        case 14: return .postponed(attempt: open.max() ?? 0)
        default:
            if let due = plan.nextWake, Int.random(in: 0...2, using: &generator) > 0 { now = max(now, due) }
            return .wake
        }
    }

    private mutating func randomRecords() -> [ServiceRecord] {
        (0..<Int.random(in: 0...4, using: &generator)).map { _ in
            let isRefusal = Int.random(in: 0...2, using: &generator) == 0
            return ServiceRecord(
                priority: UInt16.random(in: 0...2, using: &generator),
                weight: UInt16.random(in: 0...3, using: &generator),
                port: UInt16.random(in: 0...2, using: &generator),
                target: isRefusal ? "." : "r\(Int.random(in: 0...9, using: &generator))")
        }
    }

    /// Gives an input and checks the effects against what the world knows.
    private mutating func give(_ input: ConnectPlan.Input) {
        let wasOver = isExhausted
        let wasWon = winner != nil
        note(input)
        var effects: [ConnectPlan.Effect] = []
        plan.handle(input, now: now, into: &effects)
        if wasOver, !effects.isEmpty { fault("acts after its end") }
        if wasWon, input != .targetFailed, !effects.isEmpty { fault("acts after it won") }
        for (index, effect) in effects.enumerated() { note(effect, isLast: index == effects.count - 1) }
        if let due = plan.nextWake, open.isEmpty || due + .seconds(5) < now { fault("wants to be woken for nothing") }
    }

    private mutating func note(_ input: ConnectPlan.Input) {
        switch input {
        case .services(let kind, let records):
            guard let index = awaitedServices.firstIndex(of: kind) else { return }
            awaitedServices.remove(at: index)
            guard case .dns(_, let tls) = route else { return }
            for record in records where record.target != "." && record.port != 0 {
                allowed.insert(
                    UpstreamTarget(
                        host: record.target, port: record.port, tls: kind == .directTLS ? .direct : tls,
                        priority: record.priority, weight: record.weight))
            }
            if !records.isEmpty { marks.insert("records") }
        case .servicesFailed(let kind, _): awaitedServices.removeAll { $0 == kind }
        case .addresses(let families):
            guard awaitedTarget != nil else { return }
            awaitedTarget = nil
            addressCount = families.count
        case .addressesFailed: awaitedTarget = nil
        case .targetSkipped: awaitedTarget = nil
        case .failed(let attempt): if winner != attempt { open.remove(attempt) }
        case .postponed(let attempt):
            if winner != attempt, open.remove(attempt) != nil, !open.isEmpty { marks.insert("postponed") }
        case .targetFailed:
            guard let winner else { return }
            open.remove(winner)
            self.winner = nil
            marks.insert("lost-again")
        case .begin, .connected, .wake: break
        }
    }

    private mutating func note(_ effect: ConnectPlan.Effect, isLast: Bool) {
        if case .abandon = effect {
        } else if case .lookUpServices = effect {
        } else if !isLast {
            fault("an effect that leads to an input is not the last one")
        }
        switch effect {
        case .lookUpServices(let kind, domain: "d"): awaitedServices.append(kind)
        case .lookUpServices: fault("another domain")
        case .lookUpAddresses(let target):
            if awaitedTarget != nil || !open.isEmpty { fault("two targets at once") }
            if !asked.insert(target).inserted { fault("a target twice") }
            if target.host == "d" {
                if marks.contains("records") { fault("fell back in spite of records") }
                marks.insert("fallback")
            } else if !allowed.contains(target) {
                fault("a target out of thin air")
            }
            awaitedTarget = target
        case .connect(let attempt, let address):
            if !used.insert(attempt).inserted { fault("a number twice") }
            if !(0..<addressCount).contains(address) { fault("an address that is none") }
            open.insert(attempt)
            if open.count > 8 { fault("too many attempts at once") }
            if open.count > 1 { marks.insert("raced") }
        case .abandon(let attempt):
            if open.remove(attempt) == nil { fault("abandons what is not open") }
            marks.insert("abandoned")
        case .won(let attempt, let target):
            if open != [attempt] { fault("won beside others") }
            if winner != nil { fault("two winners") }
            if !asked.contains(target) { fault("won with a target that was not asked for") }
            winner = attempt
            marks.insert(marks.contains("lost-again") ? "won-again" : "won")
        case .exhausted(let failure):
            if !open.isEmpty || winner != nil { fault("exhausted too early") }
            isExhausted = true
            marks.insert(failure == .refusedTarget ? "refused" : failure.label.rawValue)
        }
    }

    private mutating func fault(_ text: String) { faults.append(text) }
}
