import CSimulatedCalls
import Gateway
import Logging
import Settings

/// One history: a worker, its machine, its clients and its servers, from one scenario.
final class World {
    static let port: UInt16 = 5280
    let kernel: Kernel
    let judge = Judge()
    private let scenario: Scenario
    private var clients: [BOSHClient] = []
    private var worker: Worker?
    private var clientsLeft = 0
    private var lastProgress: UInt64 = 0
    private var idleTurns = 0
    private var descriptorsAtRest = 0
    private var isLeaving = false
    private var burstCount = 0
    private(set) var logins = 0
    let protection: Protection
    private(set) lazy var tlsRules = TLSServerRules(isOld: protection.isOld)
    /// How often somebody has set the clock.
    private(set) var wallEpoch = 0
    private var names: Names?

    struct Outcome {
        var failure: String?
        var trace: UInt64
        var turns: UInt64
        var calls: UInt64
        var sessions: Int
        var time: Duration
    }

    private init(_ scenario: Scenario) {
        self.scenario = scenario
        kernel = Kernel(seed: UInt64(scenario.world["seed"]))
        protection = Protection(scenario.world)
        if scenario.world["descriptors"] > 0 { kernel.descriptorLimit = scenario.world["descriptors"] }
        if scenario.world["backlog"] > 0 { kernel.longestBacklog = scenario.world["backlog"] }
        kernel.shortCalls = scenario.world["short"]
    }

    /// Plays a scenario to its end.
    static func play(_ scenario: Scenario) -> Outcome {
        simulation_watch(UInt64(scenario.world["seed"]), 120)
        let world = World(scenario)
        Kernel.current = world.kernel
        simulation_switch(1)
        world.run()
        world.judgeChildren()
        simulation_switch(0)
        world.clients = []
        world.kernel.end()
        world.names = nil
        world.kernel.turnEnded = {}
        world.kernel.epoll.registered = { _, _ in }
        world.kernel.stuck = {}
        world.judge.failed = {}
        Kernel.current = nil
        return Outcome(
            failure: world.judge.failure, trace: world.kernel.trace, turns: world.kernel.turns,
            calls: world.kernel.calls, sessions: world.logins,
            time: world.kernel.now.elapsed(since: Instant(nanoseconds: 1_000_000_000_000)))
    }

    func client(_ number: Int) -> BOSHClient? { clients.indices.contains(number) ? clients[number] : nil }

    func plan(_ number: Int) -> Plan { scenario.clients[number] }

    func note(login: Int) { logins += 1 }

    /// Prints a line of what happens, where that is wanted.
    func tell(_ line: @autoclosure () -> String) {
        guard Self.isTold else { return }
        say("\(Double(kernel.now.nanoseconds / 1_000) / 1e6 - 1_000) \(line())")
    }

    // MARK: The course of things

    private func run() {
        judge.failed = { [self] in kernel.isOver = true }
        kernel.stuck = { [self] in judge.fail("nothing will ever happen again, and the worker waits for it") }
        kernel.turnEnded = { [self] in judgeTurn() }
        kernel.epoll.registered = { [self] token, isFirst in
            guard !isFirst, Worker.namesOneSocket(token) else { return }
            judge.fail("two sockets were watched under the token \(token)")
        }
        for tls in [Protection.TLS.none, .direct] {
            kernel.services[Zone.port(tls)] = { [self] in connectToServer($0, isDirect: tls == .direct) }
            kernel.serviceLinks[Zone.port(tls)] = serverLink
        }
        let names = Names(scenario.world, world: self)
        self.names = names
        let worker: Worker
        do {
            let settings = try settings(names.zone)
            worker = try Worker(settings: settings, logger: Logger(label: "simulated") { _ in Silence() })
        } catch {
            judge.fail("the worker does not start: \(error)")
            return
        }
        self.worker = worker
        descriptorsAtRest = kernel.openDescriptors
        clientsLeft = scenario.clients.count
        for (number, plan) in scenario.clients.enumerated() {
            clients.append(BOSHClient(plan, number: number, world: self))
        }
        for fault in scenario.faults { enter(fault) }
        kernel.after(.seconds(4 * 3_600)) { [self] in judge.fail("the history does not come to an end") }
        if clientsLeft == 0 { rest() }
        let hasEnded = worker.run()
        if judge.failure == nil, !hasEnded { judge.fail("the loop of the worker failed") }
        let tooMany = kernel.openDescriptors - descriptorsAtRest - kernel.children.running
        if judge.failure == nil, tooMany > 0 { judge.fail("\(tooMany) descriptors are open at the end") }
        self.worker = nil
    }

    /// The worker is gone, and has left nobody behind.
    private func judgeChildren() {
        if judge.failure == nil, kernel.children.known > 0 {
            judge.fail("\(kernel.children.known) processes are left behind")
        }
    }

    private func settings(_ zone: Zone) throws(SettingsError) -> Settings {
        let entries =
            [
                ("listen", "127.0.0.1:\(Self.port)"), ("admin", "off"), ("domain", "example.org"),
                ("memory-limit", "64 MiB"), ("address-creations", "1000000"), ("max-hold", "3"),
            ] + protection.settings + zone.settings.map { ("upstream", $0) }
        return try Settings.resolve(
            entries: entries.map { SettingEntry($0.0, $0.1, origin: .environment) } + scenario.settings)
    }

    private var serverLink: LinkKind {
        var link = LinkKind()
        link.piece = scenario.world["piece"]
        return link
    }

    private func connectToServer(_ kernel: Kernel, isDirect: Bool) -> Kernel.ConnectOutcome {
        let time = kernel.chance.time(.microseconds(100)...(.milliseconds(20)))
        let seed = kernel.chance.next()
        let fate = kernel.chance.below(1_000)
        if fate < scenario.world["refuses"] {
            // A reset while it connects, or no answer: the server seems dead to everybody for a while.
            judge.isDisturbed = true
            return kernel.chance.once(in: 3) ? .silent : .refused(after: time)
        }
        let address = kernel.calledAddress
        // A machine that has no IPv6 knows so at once.
        if address.isIPv6, scenario.world["ipv6"] == 0 { return .failed(101) }
        let machine = Zone.Machine(rawValue: address.machine)
        switch machine {
        case .ordinary where names?.zone.hasMoved != true, .second: break
        case .impostor where protection.tls != .none: break
        case .silent: return .silent
        default: return .refused(after: time)
        }
        return .accepted(after: time) { [self] end in
            let line = StreamLine(
                end, world: self, seed: seed &+ 2, isImpostor: machine == .impostor, isDirect: isDirect)
            _ = XMPPServer(line, world: self, seed: seed)
        }
    }

    /// What the clock shows, in seconds since 1970.
    var wallSeconds: Int { (Int(kernel.now.nanoseconds) + Int(kernel.wallOffset)) / 1_000_000_000 }

    private func enter(_ fault: Plan) {
        kernel.after(.milliseconds(fault["at"])) { [self] in
            switch fault.kind {
            case "clock":
                // Somebody sets the clock: nothing that matters may go by it.
                kernel.wallOffset += Int64(fault["by"]) * 1_000_000_000
                wallEpoch += 1
            case "burst":
                burstCount += 1
                _ = Burst(fault, number: burstCount, world: self)
            case "call":
                guard let call = CallFaults.Call(number: fault["call"]) else { return }
                if call.disturbs(Int32(fault["errno"])) { judge.isDisturbed = true }
                kernel.faults.add(call, Int32(fault["errno"]), times: max(fault["times"], 1))
            default: break
            }
        }
    }

    /// A client is done. When all are, everything has to come to rest by itself.
    func clientEnded() {
        clientsLeft -= 1
        if clientsLeft == 0 { rest() }
    }

    private func rest() {
        // The longest that anything may live on: a vanished client's connection and session, idle connections.
        kernel.after(.seconds(1_200)) { [self] in
            for client in clients { client.ledger.settle(margin: .seconds(20)) }
            if let census = worker?.census, !census.isEmpty { judge.fail("at rest there is still \(census)") }
            // Each process that looks names up stays, and has a socket.
            let tooMany = kernel.openDescriptors - descriptorsAtRest - kernel.children.running
            if tooMany != 0 { judge.fail("at rest \(tooMany) descriptors too many are open") }
            isLeaving = true
            kernel.raise(15)
        }
    }

    // MARK: After every turn

    private func judgeTurn() {
        if kernel.progress == lastProgress {
            idleTurns += 1
            // A turn now and then finds nothing to do; many in a row are a loop that spins.
            if idleTurns > 1_000 { judge.fail("the loop spins: \(idleTurns) turns in which nothing changed") }
        } else {
            idleTurns = 0
            lastProgress = kernel.progress
        }
        guard let worker else { return }
        if worker.census.bytes > 80 << 20 { judge.fail("the account has \(worker.census.bytes) bytes") }
        if let fault = worker.brokenInvariant(watched: { [kernel] in kernel.object($0)?.registration?.interest }) {
            judge.fail(fault)
        }
    }
}

/// Where the worker's log goes: what it says is not judged.
private struct Silence: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.warning
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        guard World.isTold else { return }
        say("  \(event.level): \(event.message) \(event.metadata.map { "\($0)" } ?? "")")
    }
}

extension World {
    /// Whether the log of the worker is printed.
    nonisolated(unsafe) static var isTold = false
}

extension CallFaults.Call {
    init?(number: Int) {
        let all: [CallFaults.Call] = [.accept, .socket, .connect, .epollControl, .send, .receive, .open]
        guard all.indices.contains(number) else { return nil }
        self = all[number]
    }

    /// Whether connections or sessions may be lost by a failure. A want of memory passes, and nothing is lost by it.
    func disturbs(_ code: Int32) -> Bool {
        switch self {
        case .accept, .open: false
        case .send, .receive: code != 12 && code != 105
        case .socket, .connect, .epollControl: true
        }
    }
}
