import CLinux
import CSimulatedCalls
import Gateway
import LogLines
import Logging
import Settings

/// One history: a worker, its machine, its clients and its servers, from one scenario.
final class World {
    static let port: UInt16 = 5280
    /// The port at which connections begin with a PROXY header.
    static let portOfOperators: UInt16 = 5281
    static let portOfProxies: UInt16 = 5282
    static let proxyAddress: UInt32 = 0x0A04_0001
    /// The port to which a server redirects some clients.
    private static let otherServerPort: UInt16 = 5224

    let kernel: Kernel
    let judge = Judge()
    let scenario: Scenario
    private(set) var clients: [any Client] = []
    /// The only worker; nil in a world with several.
    private var worker: Worker?
    private(set) var crew: Crew?
    /// Whether a worker was killed, with the connections that it held, or the listeners ended with those that waited there.
    var hasLostWorkers = false
    private var pool: ProxyPool?
    private var servers: [XMPPServer] = []
    private var serversDownUntil: Instant?
    private var clientsLeft = 0
    private var lastProgress: UInt64 = 0
    private var idleTurns = 0
    private var shortSince: Instant?
    private var descriptorsAtRest = 0
    private var visitors = 0
    private(set) var logins = 0
    let protection: Protection
    private(set) lazy var tlsRules = TLSServerRules(isOld: protection.isOld)
    /// How often somebody has set the clock.
    private(set) var wallEpoch = 0
    private var names: Names?
    /// Whether a stranger's session may find no server although the worker works correctly.
    var mayReachNobody: Bool {
        names?.zone.upstream != .address || protection.tls != .none || serversDownUntil != nil
            || scenario.world["redirects"] > 0 || judge.excusesLogin(endedAt: kernel.now)
    }

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
        world.servers = []
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

    /// The distance between the logins of one client's streams.
    static let streamStep = 1_000

    func client(_ login: Int) -> (any Client)? {
        let number = login % Self.streamStep
        return clients.indices.contains(number) ? clients[number] : nil
    }

    func stream(_ login: Int) -> ClientStream? { client(login)?.stream(at: login / Self.streamStep) }

    /// Counts a login; only the first stream of a session counts.
    func noteLogin(_ login: Int) { if login < Self.streamStep { logins += 1 } }

    // MARK: What servers are like

    /// The longest time in milliseconds until a server opens its stream.
    var slownessOfOpening: Int { scenario.world["openslow"] }

    /// The longest text that is certainly within the limits.
    var largest: Int { scenario.world["oversized"] > 0 ? 9_000 : .max }

    /// How many seconds a session over HTTP polling lives without a request.
    var pollingInactivity: Int { max(scenario.world["pollgone"], 30) }

    var isShortOfDescriptors: Bool { scenario.world["descriptors"] > 0 }

    /// Whether servers send elements that are skipped, so that the worker tells them something.
    var hasOversized: Bool { scenario.world["oversized"] > 0 }

    func isOversized(_ chance: inout Chance) -> Bool {
        scenario.world["oversized"] > 0 && chance.below(1_000) < scenario.world["oversized"]
    }

    /// Where a server redirects a client; nil for nowhere.
    func redirect(_ chance: inout Chance) -> String? {
        guard scenario.world["redirects"] > 0, chance.below(1_000) < scenario.world["redirects"] else { return nil }
        return "10.0.0.2:\(Self.otherServerPort)"
    }

    /// Restarts the servers' machine: all streams end, and nobody can connect for a while.
    private func restart(for time: Duration) {
        serversDownUntil = kernel.now + time
        // The breaker leaves a server alone that has failed often, and a queue in the kernel may be long.
        let over = kernel.now + time + .seconds(60)
        for client in clients where !client.isOver && client.begins < over {
            client.explain([
                "remote-stream-error", "remote-connection-failed", "item-not-found", "policy-violation",
            ])
            for ledger in client.ledgers where ledger.end == nil && client.begins < kernel.now { ledger.serverFails() }
        }
        for server in servers { server.shutDown() }
        servers = []
    }

    /// Prints a line about what happens, if asked to.
    func tell(_ line: @autoclosure () -> String) {
        guard Self.isTold else { return }
        say("\(Double(kernel.now.nanoseconds / 1_000) / 1e6 - 1_000) \(line())")
    }

    // MARK: The course of things

    private func run() {
        judge.failed = { [self] in kernel.isOver = true }
        kernel.stuck = { [self] in judge.fail("nothing will ever happen again, and the worker waits for it") }
        kernel.turnEnded = { [self] in
            if let worker { judgeTurn(of: worker) } else { noteIdleness(mayIdle: false) }
        }
        kernel.epoll.registered = { [self] token, isFirst in
            guard !isFirst, Worker.namesOneSocket(token) else { return }
            judge.fail("two sockets were watched under the token \(token)")
        }
        for tls in [Protection.TLS.none, .direct] {
            kernel.services[Zone.port(tls)] = { [self] in
                connectToServer($0, isDirect: tls == .direct, mayRedirect: tls == .none)
            }
            kernel.serviceLinks[Zone.port(tls)] = serverLink
        }
        kernel.services[Self.otherServerPort] = { [self] in
            connectToServer($0, isDirect: false, mayRedirect: false)
        }
        let names = Names(scenario.world, world: self)
        self.names = names
        let logs = Logs(alike: Logger(label: "simulated") { _ in Silence() })
        let entries = entries(names.zone)
        if scenario.world["workers"] > 1 {
            do {
                crew = try Crew(
                    scenario.world, ports: [Self.port, Self.portOfProxies, Self.portOfOperators],
                    entries: entries, logs: logs, world: self)
            } catch {
                judge.fail("the settings are not valid: \(error)")
                return
            }
        } else {
            do {
                var files = SettingFiles()
                for (path, bytes) in Certificates.files { files[path] = bytes }
                worker = try Worker(settings: try Settings.resolve(entries: entries), files: files, logs: logs)
            } catch {
                judge.fail("the worker does not start: \(error)")
                return
            }
        }
        descriptorsAtRest = kernel.openDescriptors
        clientsLeft = scenario.clients.count
        let proxy = scenario.faults.first { $0.kind == "proxy" }
        pool = proxy.map { ProxyPool($0, world: self) }
        for (number, plan) in scenario.clients.enumerated() {
            clients.append(client(plan, number))
        }
        for fault in scenario.faults { enter(fault) }
        kernel.after(.seconds(4 * 3_600)) { [self] in
            let left = clients.indices.first { !clients[$0].isOver }.map { ": client \($0) is not over" } ?? ""
            judge.fail("the history does not come to an end\(left)")
        }
        if clientsLeft == 0 { rest() }
        if let worker { run(worker) } else { crew?.run() }
        worker = nil
        crew = nil
    }

    private func run(_ worker: Worker) {
        let hasEnded = worker.run()
        if judge.failure == nil, !hasEnded { judge.fail("the loop of the worker failed") }
        let tooMany = kernel.openDescriptors - descriptorsAtRest - kernel.children.running
        if judge.failure == nil, tooMany > 0 { judge.fail("\(tooMany) descriptors are open at the end") }
    }

    /// Checks that the worker has left no process behind.
    private func judgeChildren() {
        if judge.failure == nil, kernel.children.known > 0 {
            judge.fail("\(kernel.children.known) processes are left behind")
        }
    }

    private func entries(_ zone: Zone) -> [SettingEntry] {
        let entries =
            [
                ("listen", "127.0.0.1:\(Self.port)"), ("admin", "127.0.0.1:\(Self.portOfOperators)"),
                ("domain", "example.org"), ("node", "n1"),
                ("memory-limit", "64 MiB"), ("address-creations", "1000000"), ("max-hold", "3"),
                ("listen-proxy", "127.0.0.1:\(Self.portOfProxies)"), ("trusted-proxy", "10.0.0.0/8"),
                ("client-address-from", "x-forwarded-for"), ("route", "10.0.0.2:\(Self.otherServerPort)"),
            ] + pollingSettings + protection.settings + zone.settings.map { ("upstream", $0) }
            + (scenario.world["workers"] > 1 ? [("workers", "\(scenario.world["workers"])")] : [])
        return entries.map { SettingEntry($0.0, $0.1, origin: .environment) } + scenario.settings
    }

    private var pollingSettings: [(String, String)] {
        guard scenario.clients.contains(where: { $0["httppoll"] > 0 }) else { return [] }
        return [
            ("polling-path", HTTPForm.pollingPath), ("polling-inactivity", "\(pollingInactivity)"),
            ("polling-hold", "\(scenario.world["pollhold"])"),
        ]
    }

    private func client(_ plan: Plan, _ number: Int) -> any Client {
        if plan["socket"] > 0 { return WebSocketClient(plan, number: number, world: self) }
        let carrier = carrier(for: plan, number)
        if plan["httppoll"] > 0 { return PollingClient(plan, number: number, world: self, carrier: carrier) }
        return BOSHClient(plan, number: number, world: self, carrier: carrier)
    }

    /// The client's way to the worker.
    private func carrier(for plan: Plan, _ number: Int) -> any Carrier {
        var link = LinkKind()
        link.delay = .microseconds(20)...(.milliseconds(max(plan["delay"], 1)))
        link.piece = plan["piece"]
        let address = 0x0A01_0000 + UInt32(number)
        let seed = UInt64(plan["seed"]) ^ 0xA6E7
        if plan["proxied"] > 0, let pool {
            let agent = ProxiedAgent(pool, address: address, delay: link.delay, seed: seed)
            if plan["httppoll"] > 0 { agent.path = HTTPForm.pollingPath }
            return agent
        }
        let agent = HTTPAgent(kernel, address: address, link: link, seed: seed)
        if plan["header"] > 0 {
            agent.port = Self.portOfProxies
            agent.prelude = HTTPForm.proxyHeader(version: plan["header"], client: address, port: 1_024)
        }
        agent.pipelines = plan["pipelines"] > 0
        agent.slowness = plan["slow"]
        agent.spread = max(plan["spread"], 1)
        agent.form = HTTPForm(plan)
        agent.unasked = { [judge] in judge.fail("client \(number): one request was answered twice") }
        return agent
    }

    private var serverLink: LinkKind {
        var link = LinkKind()
        link.piece = scenario.world["piece"]
        return link
    }

    private func connectToServer(_ kernel: Kernel, isDirect: Bool, mayRedirect: Bool) -> Kernel.ConnectOutcome {
        let time = kernel.chance.time(.microseconds(100)...(.milliseconds(20)))
        let seed = kernel.chance.next()
        servers.removeAll { $0.isClosed }
        let fate = kernel.chance.below(1_000)
        if fate < scenario.world["refuses"] {
            // After a reset during the connection, or no answer, the server seems dead to everybody for a while.
            judge.isDisturbed = true
            return kernel.chance.once(in: 3) ? .silent : .refused(after: time)
        }
        if let serversDownUntil, kernel.now < serversDownUntil { return .refused(after: time) }
        let address = kernel.calledAddress
        // A machine without IPv6 knows that at once.
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
            // Only where nothing else decides where a server is, and no server has to prove its identity.
            let mayRedirect = mayRedirect && protection.tls == .none && names?.zone.upstream == .address
            servers.append(XMPPServer(line, world: self, seed: seed, mayRedirect: mayRedirect))
        }
    }

    /// What the clock shows, in seconds since 1970.
    var wallSeconds: Int { (Int(kernel.now.nanoseconds) + Int(kernel.wallOffset)) / 1_000_000_000 }

    private func enter(_ fault: Plan) {
        kernel.after(.milliseconds(fault["at"])) { [self] in
            switch fault.kind {
            case "clock":
                // Somebody sets the clock: nothing that matters may depend on it.
                kernel.wallOffset += Int64(fault["by"]) * 1_000_000_000
                wallEpoch += 1
            case "burst":
                visitors += 1
                _ = Burst(fault, number: visitors, world: self)
            case "restart":
                restart(for: .milliseconds(fault["for"]))
            case "stranger", "operator":
                visitors += 1
                _ = Stranger(fault, number: visitors, world: self)
            case "signal":
                // A signal that ends nothing.
                kernel.signals.raise([SIGHUP, SIGUSR1, SIGUSR2][fault["signal"] % 3])
            case "kill": crew?.kill(fault)
            case "renew": crew?.renew(fault)
            case "upgrade", "orphan":
                // Without a supervisor nobody connects a worker with a process that looks up names.
                let gap = Duration.milliseconds(fault["gap"])
                if gap > .seconds(1), scenario.world["names"] > 0 { judge.excuseLogins(from: kernel.now + gap) }
                if fault.kind == "upgrade" { crew?.upgrade(fault) } else { crew?.orphan(fault) }
            case "call":
                guard let call = CallFaults.Call(number: fault["call"]) else { return }
                if call.disturbs(Int32(fault["errno"])) { judge.isDisturbed = true }
                kernel.faults.add(call, Int32(fault["errno"]), times: max(fault["times"], 1))
            default: break
            }
        }
    }

    /// Notes that a client is done. When all are, everything has to come to rest by itself.
    func clientEnded() {
        clientsLeft -= 1
        if clientsLeft == 0 { rest() }
    }

    private func rest(again: Int = 0) {
        // The longest that anything may live on: a vanished client's connection and session, idle connections.
        kernel.after(.seconds(1_200)) { [self] in
            // A slow server may read for hours what its kernel has had since long.
            if again < 8, servers.contains(where: \.hasMoreToRead) { return rest(again: again + 1) }
            for ledger in clients.flatMap(\.ledgers) { ledger.settle(margin: .seconds(20)) }
            if let crew {
                if let rest = crew.rest { judge.fail("at rest \(rest)") }
                crew.leave()
                return
            }
            if let census = worker?.census, !census.isEmpty { judge.fail("at rest there is still \(census)") }
            // Each process that looks up names stays, and has a socket.
            let tooMany = kernel.openDescriptors - descriptorsAtRest - kernel.children.running
            if tooMany != 0 { judge.fail("at rest \(tooMany) descriptors too many are open") }
            kernel.raise(15)
        }
    }

    // MARK: After every turn

    /// Excuses clients that cannot reach another address of their server while descriptors are short: they are told so
    /// in the end.
    private func noteShortage(_ census: Census) {
        let isShort = census.connections + census.links + census.races + 64 >= kernel.descriptorLimit
        guard isShort else { return shortSince = nil }
        let since = shortSince ?? kernel.now
        shortSince = since
        if kernel.now.elapsed(since: since) > .seconds(10) { judge.excuseLogins(from: kernel.now) }
    }

    private func noteIdleness(mayIdle: Bool) {
        guard !mayIdle else { return }
        if kernel.progress == lastProgress {
            idleTurns += 1
            // A turn may find nothing to do; many such turns in a row are a loop that spins.
            if idleTurns > 1_000 { judge.fail("the loop spins: \(idleTurns) turns in which nothing changed") }
        } else {
            idleTurns = 0
            lastProgress = kernel.progress
        }
    }

    /// - Parameter mayIdle: whether the worker had its turn only because it waits no longer than this.
    func judgeTurn(of worker: Worker, mayIdle: Bool = false) {
        noteIdleness(mayIdle: mayIdle)
        let census = worker.census
        if census.bytes > 80 << 20 { judge.fail("the account has \(census.bytes) bytes") }
        noteShortage(census)
        // Done after every turn of every world, this would take a third of the time.
        guard scenario.world["seed"] % 4 == 0 || kernel.turns % 8 == 0 else { return }
        if let fault = worker.brokenInvariant(watched: { [kernel] in kernel.interest(in: $0) }) {
            judge.fail(fault)
        }
    }
}

/// A log handler for the worker's log, which is not judged.
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
    /// Whether the worker's log is printed.
    nonisolated(unsafe) static var isTold = false
}
