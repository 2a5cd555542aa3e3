import CLinux
import TestSupport
import Testing

/// The processes that look up names for all workers, with the program itself.
@Suite struct ResolverPoolTests {
    private static let workers = 2
    private static let resolvers = 6

    /// A program whose servers have names that nobody knows, each domain's another one, because answers are kept.
    private func daemon() throws -> Daemon {
        try Daemon(
            (0..<20).flatMap { ["--domain", "d\($0).example"] } + [
                "--workers", "\(Self.workers)", "--upstream", "dns",
            ],
            environment: ["HOLDFAST_NAMESERVER": "127.0.0.1:1"])
    }

    /// Whether a client is to try again later, because its domain has no address.
    private func isTurnedAway(_ domain: Int, _ daemon: Daemon) throws -> Bool {
        let body = BOSHClient(daemon).nextBody("to='d\(domain).example'")
        return try daemon.connect().exchange(RawClient.post(body)).status == 503
    }

    private func wait(_ what: String, until condition: () throws -> Bool) throws {
        try Patience.wait(what, until: condition)
    }

    private func isRunning(_ process: Int32) -> Bool {
        guard let status = try? Files.read("/proc/\(process)/stat") else { return false }
        return status.split(separator: ")").last?.first { $0 != " " } != "Z"
    }

    /// The daemon's children by their role.
    private func children(of daemon: Daemon, _ role: String) throws -> [Int32] {
        try daemon.children().filter { child in
            guard let line = try? Files.read("/proc/\(child)/cmdline") else { return false }
            return line.split(separator: "\0").dropFirst().first.map(String.init) == role
        }
    }

    /// Waits until all processes that look up names run.
    private func resolvers(of daemon: Daemon, without gone: [Int32] = []) throws -> [Int32] {
        var found: [Int32] = []
        try wait("all resolvers run") {
            found = try children(of: daemon, "resolver").filter(isRunning)
            return found.count == Self.resolvers && !found.contains { gone.contains($0) }
        }
        return found
    }

    /// The processes that this one has started.
    private func children(of process: Int32) throws -> String {
        try Files.read("/proc/\(process)/task/\(process)/children")
    }

    @Test func `no process looks up names before there is one, and then all workers share them`() throws {
        let daemon = try daemon()
        let workers = try children(of: daemon, "worker")
        #expect(workers.count == Self.workers)
        #expect(try daemon.children().count == Self.workers)
        for domain in 0..<6 { #expect(try isTurnedAway(domain, daemon)) }
        let resolvers = try resolvers(of: daemon)
        for worker in workers { #expect(try children(of: worker) == "") }
        for domain in 6..<9 { #expect(try isTurnedAway(domain, daemon)) }
        #expect(try self.resolvers(of: daemon) == resolvers)
        #expect(try daemon.statistics().number("supervisor.resolver_deaths") == 0)
    }

    @Test func `a process that dies is replaced, and names are still looked up`() throws {
        let daemon = try daemon()
        #expect(try isTurnedAway(0, daemon))
        let before = try resolvers(of: daemon)
        for resolver in before { kill(resolver, SIGKILL) }
        for domain in 1..<5 { #expect(try isTurnedAway(domain, daemon)) }
        let after = try resolvers(of: daemon, without: before)
        try daemon.wait(until: "supervisor.resolver_deaths", is: Self.resolvers)
        for domain in 5..<9 { #expect(try isTurnedAway(domain, daemon)) }
        #expect(try resolvers(of: daemon) == after)
        #expect(try daemon.errors.contains("a process that looks up names has ended"))
        for worker in try children(of: daemon, "worker") { #expect(try children(of: worker) == "") }
    }

    @Test func `descriptors are given back however often processes die`() throws {
        let daemon = try daemon()
        #expect(try isTurnedAway(0, daemon))
        let resolvers = try resolvers(of: daemon)
        let before = try daemon.descriptorCount()
        for resolver in resolvers.prefix(3) { kill(resolver, SIGKILL) }
        _ = try self.resolvers(of: daemon, without: Array(resolvers.prefix(3)))
        try wait("no descriptor is left over") { try daemon.descriptorCount() == before }
    }

    @Test func `a new worker uses them too`() throws {
        let daemon = try daemon()
        #expect(try isTurnedAway(0, daemon))
        let resolvers = try resolvers(of: daemon)
        let workers = try children(of: daemon, "worker")
        for worker in workers { kill(worker, SIGKILL) }
        try wait("other workers run") {
            let found = try children(of: daemon, "worker").filter(isRunning)
            return found.count == Self.workers && !found.contains { workers.contains($0) }
        }
        for domain in 1..<5 { #expect(try isTurnedAway(domain, daemon)) }
        #expect(try self.resolvers(of: daemon) == resolvers)
        for worker in try children(of: daemon, "worker") { #expect(try children(of: worker) == "") }
    }

    @Test func `workers and these processes go on without their supervisor, and end together`() throws {
        let daemon = try daemon()
        #expect(try isTurnedAway(0, daemon))
        let resolvers = try resolvers(of: daemon)
        let workers = try children(of: daemon, "worker")
        kill(daemon.processID, SIGKILL)
        #expect(try daemon.waitUntilEnded() == .signal(SIGKILL))
        for domain in 1..<5 { #expect(try isTurnedAway(domain, daemon)) }
        // One of them is enough.
        for resolver in resolvers.dropFirst() { kill(resolver, SIGKILL) }
        for domain in 5..<9 { #expect(try isTurnedAway(domain, daemon)) }
        for worker in workers { kill(worker, SIGTERM) }
        for process in workers + resolvers { try wait("\(process) has ended") { !isRunning(process) } }
    }

    @Test(arguments: [SIGTERM, SIGINT, SIGQUIT])
    func `none of these processes stays when the program ends`(signal: Int32) throws {
        let daemon = try daemon()
        #expect(try isTurnedAway(0, daemon))
        let resolvers = try resolvers(of: daemon)
        // A signal to all processes does not end these before the workers.
        for resolver in resolvers { kill(resolver, SIGTERM) }
        daemon.send(signal)
        #expect(try daemon.waitUntilEnded() == .code(0))
        for resolver in resolvers { #expect(!isRunning(resolver)) }
    }
}
