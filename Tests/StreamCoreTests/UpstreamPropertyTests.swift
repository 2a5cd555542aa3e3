import Effort
import Primitives
import Testing

@testable import StreamCore

@Suite("UpstreamMachine: whatever happens")
struct UpstreamPropertyTests {
    @Test("random networks, servers and clients: every upstream ends, once, and no breaker waits for one that is gone")
    func randomWorlds() {
        var marks: [String: Int] = [:]
        for seed in UInt64(0)..<Effort.cases(500) {
            var world = UpstreamWorld(seed: seed)
            world.run()
            #expect(world.faults == [], "seed \(seed)")
            for mark in world.marks { marks[mark, default: 0] += 1 }
        }
        // The worlds reach every mark.
        for mark in [
            "opened", "restarted", "left", "drops", "ended-lost", "ended-stalled", "ended-timeout", "ended-spared",
            "ended-shortage", "ended-unreachable", "ended-unfinished-stanza", "ended-stream-error", "moved-on",
            "redirected", "began-again", "breaker-opened", "works-again", "space", "given-back",
        ] {
            #expect(marks[mark, default: 0] >= Effort.cases(10), "\(mark)")
        }
    }
}

/// Upstreams of one worker, three at a time, over a network, a resolver and servers that answer at random.
struct UpstreamWorld {
    /// One upstream, and what its wiring knows.
    private struct Upstream {
        var machine: UpstreamMachine
        var awaitedServices: [ServiceKind] = []
        var awaitedHost: String?
        var open: [Int] = []
        var hasConnection = false
        var unwritten = 0
        var unacknowledged = 0
        var scheduled: MonotonicInstant?
        var closes = 0
        var ends = 0
        var hasLeft = false
        var isAlive: Bool { closes == 0 }
    }

    private var generator: SeededGenerator
    private var breakers = Breakers(failures: 2, longestPause: .seconds(60))
    private var rules: UpstreamRules
    private var now: MonotonicInstant
    private var upstreams: [Upstream] = []
    private(set) var faults: [String] = []
    private(set) var marks: Set<String> = []

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
        let tls = [TLSMode.none, .startTLS, .direct][Int(seed % 3)]
        rules = .example(tls)
        rules.compresses = seed % 4 == 0
        rules.usesDNS = seed % 2 == 0
        rules.isOpenProxy = seed % 7 == 0
        rules.tellsClientAddress = seed % 5 == 0
        rules.redirects = [.init(host: "else", port: 5222, target: UpstreamTarget(host: "else", port: 5222, tls: tls))]
        now = MonotonicInstant(nanoseconds: .random(in: 0...1_000_000_000_000, using: &generator))
    }

    mutating func run() {
        for _ in 0..<3 { runGeneration() }
        for host in ["a", "b", "c", "else"] where breakers.phase(of: .example(host)) == .probing {
            faults.append("\(host) is tried by nobody")
        }
    }

    /// Runs three upstreams from beginning to end; what they learnt about the servers stays.
    private mutating func runGeneration() {
        upstreams = []
        for index in 0..<3 {
            upstreams.append(Upstream(machine: UpstreamMachine(by: rules, now: now)))
            let hosts = ["a", "b", "c"].prefix(chance(3) + 1)
            let route: TargetRoute =
                rules.usesDNS
                ? .dns(domain: "d", tls: rules.tls)
                : .fixed(hosts.map { UpstreamTarget(host: $0, port: 5222, tls: rules.tls) })
            give(chance(20) == 0 ? .beginRefused : .begin(domain: "d", route: route, seed: generator.next()), to: index)
            // Chance alone hardly ever opens a stream.
            if chance(2) == 0 { open(index) }
        }
        for _ in 0..<chance(80) { step(chance(3)) }
        for index in upstreams.indices { finish(index) }
    }

    private mutating func chance(_ bound: Int) -> Int { .random(in: 0..<bound, using: &generator) }

    // MARK: What happens

    private mutating func open(_ index: Int) {
        for _ in 0..<40 where upstreams[index].isAlive && upstreams[index].machine.isOpening {
            if upstreams[index].hasConnection, chance(20) == 0 {
                give(.item(.streamError(condition: "see-other-host", redirect: "else", bytes: [2])), to: index)
                continue
            }
            switch upstreams[index].machine.phase {
            case .connecting: give(answer(to: index, helps: true), to: index)
            case .directTLS, .handshake: give(.tlsEstablished, to: index)
            case .header: give(.item(.header(.example)), to: index)
            case .features: give(.item(.features(FeaturesOffer(startTLS: .offered), bytes: [1])), to: index)
            case .startTLS: give(.item(.proceed), to: index)
            default: return
            }
        }
    }

    /// An answer to what is waited for, at random or helpful.
    private mutating func answer(to index: Int, helps: Bool) -> UpstreamInput {
        let luck = helps ? 0 : chance(6)
        if let kind = upstreams[index].awaitedServices.popLast() {
            if luck > 3 { return .servicesFailed(kind, isTemporary: luck == 4, reason: "x") }
            let count = chance(3) + 1
            return .services(kind, ["a", "b", "c"].prefix(count).map { .example($0) })
        }
        if let host = upstreams[index].awaitedHost {
            upstreams[index].awaitedHost = nil
            if luck == 5 { return .addressesFailed(host: host, reason: "x") }
            let found: [FoundAddress] = [luck == 4 ? .inside : .ipv6, .ipv4, .ipv4]
            return .addresses(host: host, Array(found.prefix(chance(3) + 1)))
        }
        guard let attempt = upstreams[index].open.randomElement(using: &generator) else {
            return .connected(attempt: chance(5))
        }
        if luck < 2 { return .connected(attempt: attempt) }
        upstreams[index].open.removeAll { $0 == attempt }
        switch luck {
        case 4: return .postponed(attempt: attempt, .descriptors)
        default: return .connectFailed(attempt: attempt, call: "connect", code: 111, wasAsked: luck > 2)
        }
    }

    private mutating func step(_ index: Int) {
        guard upstreams[index].isAlive else { return }
        // Chance alone hardly ever gives the expected answer.
        if chance(2) == 0 {
            switch upstreams[index].machine.phase {
            case .restarting:
                give(.item(.header(.example)), to: index)
                give(.item(.features(FeaturesOffer(offersZlib: true, idleSeconds: 40), bytes: [1])), to: index)
                return
            case .returning: return give(.item(.message), to: index)
            default: break
            }
        }
        switch chance(12) {
        case 0...3: give(answer(to: index, helps: false), to: index)
        case 4, 5:
            if upstreams[index].hasConnection { give(item(), to: index) }
        case 6:
            guard upstreams[index].hasConnection else { return }
            let signal = signal()
            if signal == .writingFailed {
                upstreams[index].unwritten = 0
                upstreams[index].unacknowledged = 0
            }
            give(signal, to: index)
        case 7, 8:
            if upstreams[index].hasConnection { write(index) }
        case 9: give(command(index), to: index)
        default: pass(chance(3) == 0 ? .seconds(chance(60)) : .milliseconds(chance(2_000)))
        }
    }

    private mutating func item() -> UpstreamInput {
        let items: [UpstreamItem] = [
            .message, .message, .header(.example), .features(FeaturesOffer(startTLS: .offered), bytes: [1]),
            .features(FeaturesOffer(offersZlib: true, idleSeconds: 40), bytes: [1]), .compressed, .proceed, .end,
            .streamError(condition: "host-unknown", redirect: nil, bytes: [2]),
            .streamError(condition: "see-other-host", redirect: "else", bytes: [2]), .fault(.malformed),
            .stanza(bytes: [3], management: .resumable),
        ]
        return .item(items[chance(items.count)])
    }

    private mutating func signal() -> UpstreamInput {
        let signals: [UpstreamInput] = [
            .connectionLost, .tlsEstablished, .tlsFailed(.handshake, words: "w"), .tlsFailed(.record, words: "w"),
            .bytesAfterProceed, .compressionBroken(words: "w"),
            .turnEnded(hasBacklog: chance(2) == 0, hasPartial: true),
            .turnEnded(hasBacklog: false, hasPartial: chance(2) == 0), .writingFailed,
        ]
        return signals[chance(signals.count)]
    }

    private mutating func command(_ index: Int) -> UpstreamInput {
        switch chance(8) {
        case 0, 1: return .restart
        case 2...5: return .setReading(chance(2) == 0)
        default:
            if upstreams[index].hasLeft { return .setReading(true) }
            upstreams[index].hasLeft = true
            let drops = chance(3) == 0
            marks.insert(drops ? "drops" : "left")
            return .leave(drops: drops)
        }
    }

    private mutating func write(_ index: Int) {
        upstreams[index].unwritten += chance(100)
        let count = chance(upstreams[index].unwritten + 1)
        if upstreams[index].unwritten > 0, count == 0 { return give(.blocked, to: index) }
        upstreams[index].unwritten -= count
        upstreams[index].unacknowledged += count
        if count > 0 { give(.wrote(count, isAll: upstreams[index].unwritten == 0), to: index) }
        if chance(2) == 0 { upstreams[index].unacknowledged = chance(upstreams[index].unacknowledged + 1) }
    }

    /// Moves the clock, and handles every deadline.
    private mutating func pass(_ duration: Duration) {
        let end = now.advanced(by: duration)
        while let index = upstreams.indices.filter({ upstreams[$0].scheduled.map { $0 <= end } ?? false })
            .min(by: { (upstreams[$0].scheduled ?? end) < (upstreams[$1].scheduled ?? end) })
        {
            wake(index)
        }
        now = end
    }

    private mutating func wake(_ index: Int) {
        now = max(now, upstreams[index].scheduled ?? now)
        upstreams[index].scheduled = nil
        let known = upstreams[index].machine.awaitsAcceptance ? upstreams[index].unacknowledged : nil
        give(.deadlineReached(unacknowledged: known, hasUnwritten: upstreams[index].unwritten > 0), to: index)
        if let due = upstreams[index].machine.nextDeadline(by: rules), due <= now {
            faults.append("it is due at once again")
        }
    }

    /// Brings an upstream to its end: by its deadlines alone while it opens, by its session's end afterwards.
    private mutating func finish(_ index: Int) {
        for count in 0..<5_000 {
            guard upstreams[index].isAlive else { return }
            if !upstreams[index].machine.isOpening, !upstreams[index].hasLeft, count > 3 {
                upstreams[index].hasLeft = true
                give(.leave(drops: false), to: index)
            } else if upstreams[index].scheduled == nil {
                break
            } else {
                wake(index)
            }
        }
        faults.append("it does not end: \(upstreams[index].machine.phase)")
    }

    // MARK: The wiring

    private mutating func give(_ input: UpstreamInput, to index: Int) {
        var inputs = [input]
        while !inputs.isEmpty {
            var effects = UpstreamEffects()
            let wasClosed = upstreams[index].machine.isClosed
            let input = inputs.removeFirst()
            let due = upstreams[index].machine.handle(
                input, by: rules, breakers: &breakers, now: now, into: &effects)
            if let due { upstreams[index].scheduled = min(upstreams[index].scheduled ?? due, due) }
            if wasClosed, !effects.list.isEmpty { faults.append("something behind the end: \(input)") }
            for effect in effects.list {
                if !upstreams[index].isAlive { faults.append("\(effect) behind the end") }
                execute(effect, on: index, &inputs)
            }
        }
        check(upstreams[index], after: input)
    }

    private mutating func execute(_ effect: UpstreamEffect, on index: Int, _ inputs: inout [UpstreamInput]) {
        switch effect {
        case .lookUpServices(let kind, _):
            if upstreams[index].awaitedServices.isEmpty, marks.contains("doubt-\(index)") {
                marks.insert("began-again")
            }
            upstreams[index].awaitedServices.append(kind)
        case .lookUpAddresses(let host):
            if host == "else" { marks.insert("redirected") }
            upstreams[index].awaitedHost = host
        case .doubt:
            let isAskedAgain = chance(2) == 0
            if isAskedAgain { marks.insert("doubt-\(index)") }
            inputs.append(.doubted(isAskedAgain: isAskedAgain))
        case .connect(let attempt, _, _):
            if upstreams[index].hasConnection { faults.append("it connects beside its connection") }
            if chance(8) == 0 {
                inputs.append(.postponed(attempt: attempt, .ports))
            } else {
                upstreams[index].open.append(attempt)
                inputs.append(.connecting(attempt: attempt))
            }
        case .abandon(let attempt): upstreams[index].open.removeAll { $0 == attempt }
        case .adopt(let attempt):
            upstreams[index].open.removeAll { $0 == attempt }
            if !upstreams[index].open.isEmpty { faults.append("attempts go on beside the connection") }
            upstreams[index].hasConnection = true
        case .dropConnection:
            marks.insert("moved-on")
            upstreams[index].hasConnection = false
            upstreams[index].unwritten = 0
            upstreams[index].unacknowledged = 0
            // The client's answer may have been the last one.
            if chance(5) == 0, !upstreams[index].hasLeft {
                upstreams[index].hasLeft = true
                inputs.append(.leave(drops: false))
            }
            inputs.append(.dropped)
        case .opened: marks.insert("opened")
        case .restarted: marks.insert("restarted")
        case .sendSpace: marks.insert("space")
        case .giveBack: marks.insert("given-back")
        case .breakerChanged(_, .opened): marks.insert("breaker-opened")
        case .breakerChanged(_, .worksAgain): marks.insert("works-again")
        case .ended(let failure):
            marks.insert("ended-\(failure.label.rawValue)")
            upstreams[index].ends += 1
            if upstreams[index].hasLeft { faults.append("a session that has left is told \(failure)") }
        case .close: upstreams[index].closes += 1
        default: break
        }
    }

    private mutating func check(_ upstream: Upstream, after input: UpstreamInput) {
        if upstream.closes > 1 || upstream.ends > 1 { faults.append("it ends twice") }
        if upstream.isAlive == upstream.machine.isClosed { faults.append("closed or not, by \(input)") }
        if !upstream.isAlive, upstream.ends == 0, !upstream.hasLeft { faults.append("nobody is told of the end") }
        guard upstream.isAlive else { return }
        guard let due = upstream.machine.nextDeadline(by: rules) else {
            return faults.append("it waits without a deadline after \(input)")
        }
        if upstream.scheduled.map({ $0 > due }) ?? true { faults.append("nobody looks at its deadline after \(input)") }
    }
}
