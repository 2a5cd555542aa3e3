import CLinux
import TestSupport
import Testing

/// The program with several workers, over real sockets and with real processes.
@Suite struct SupervisionTests {
    private static let count = 3

    private func daemon(_ flags: String...) throws -> Daemon {
        try Daemon(["--workers", "\(Self.count)", "--upstream", "127.0.0.1:5222"] + flags)
    }

    private func state(of process: Int32) -> Character? { StandStill.state(of: process) }

    /// Waits until a condition holds.
    private func wait(_ what: String, until condition: () throws -> Bool) throws {
        try Patience.wait(what, until: condition)
    }

    private func halt(_ process: Int32) throws { try StandStill.begin(process) }

    private func goOn(_ process: Int32) { kill(process, SIGCONT) }

    /// Waits until there are as many workers as there shall be, and returns them. Without those that are named.
    private func workers(of daemon: Daemon, without gone: [Int32] = []) throws -> [Int32] {
        var found: [Int32] = []
        try wait("all workers run") {
            found = try daemon.children().filter { state(of: $0) != "Z" }
            return found.count == Self.count && !found.contains { gone.contains($0) }
        }
        return found
    }

    /// Waits until exactly these workers are known to serve. One that was just started exists before it serves.
    private func waitUntilServing(_ workers: [Int32], of daemon: Daemon) throws {
        try wait("\(workers) serve") {
            let statistics = try daemon.statistics()
            let known = try statistics.names(under: "workers").map { try statistics.number("workers.\($0).pid") }
            return Set(known) == Set(workers.map(Int.init))
        }
    }

    /// Whether a worker answers while all others stand still.
    private func answers(_ worker: Int32, of daemon: Daemon, _ workers: [Int32]) throws -> Bool {
        for other in workers where other != worker { try halt(other) }
        defer { for other in workers where other != worker { goOn(other) } }
        return try daemon.connectToAdmin().get("/healthz").status == 200
            && daemon.connect().get("/http-bind").status == 200
    }

    // MARK: Serving

    @Test func `so many workers serve, each on all listeners, and one line says where`() throws {
        let daemon = try daemon()
        let single = try Daemon(upstream: 5_222, "--workers", "none")
        #expect(try single.children().isEmpty)
        #expect(
            daemon.startLine.replacing(":\(daemon.port)/", with: ":1/").replacing(":\(daemon.adminPort)/", with: ":2/")
                == single.startLine.replacing(":\(single.port)/", with: ":1/")
                .replacing(":\(single.adminPort)/", with: ":2/"))
        let workers = try workers(of: daemon)
        for worker in workers { #expect(try answers(worker, of: daemon, workers)) }
    }

    @Test func `a Unix socket is shared as well, and removed at the end`() throws {
        let path = "/tmp/holdfast-\(UInt64.random(in: 0 ... .max)).sock"
        let daemon = try daemon("--listen", "127.0.0.1:0", "--listen", "unix:\(path)")
        let workers = try workers(of: daemon)
        for worker in workers {
            for other in workers where other != worker { try halt(other) }
            #expect(try daemon.connect(path: path).get("/http-bind").status == 200)
            for other in workers where other != worker { goOn(other) }
        }
        kill(workers[0], SIGKILL)
        let next = try self.workers(of: daemon, without: [workers[0]])
        #expect(Files.exists(path))
        daemon.send(SIGTERM)
        #expect(try daemon.waitUntilEnded() == .code(0))
        #expect(!Files.exists(path))
        for worker in next { #expect(state(of: worker) == nil) }
    }

    // MARK: Dying

    @Test func `a worker that is killed is replaced, and the others go on`() throws {
        let daemon = try daemon()
        let before = try workers(of: daemon)
        // While the first one stands still, another one accepts.
        try halt(before[0])
        let witness = try daemon.connectToAdmin()
        #expect(try witness.get("/healthz").status == 200)
        goOn(before[0])
        kill(before[0], SIGKILL)
        let after = try workers(of: daemon, without: [before[0]])
        #expect(Set(after).intersection(before).count == Self.count - 1)
        #expect(try witness.get("/healthz").status == 200)
        let new = try #require(after.first { !before.contains($0) })
        try waitUntilServing(after, of: daemon)
        #expect(try answers(new, of: daemon, after))
        #expect(try daemon.errors.contains("a worker has ended"))
        #expect(try daemon.errors.contains("signal 9"))
    }

    @Test func `whoever waits to be accepted is not lost with a worker`() throws {
        let daemon = try daemon()
        let workers = try workers(of: daemon)
        for worker in workers { try halt(worker) }
        let clients = try (0..<20).map { _ in try daemon.connectToAdmin() }
        for client in clients { try client.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n") }
        kill(workers[1], SIGKILL)
        _ = try self.workers(of: daemon, without: [workers[1]])
        goOn(workers[0])
        goOn(workers[2])
        for client in clients { #expect(try client.answer().status == 200) }
    }

    @Test func `all workers at once are replaced`() throws {
        let daemon = try daemon()
        let before = try workers(of: daemon)
        for worker in before { kill(worker, SIGKILL) }
        let after = try workers(of: daemon, without: before)
        try waitUntilServing(after, of: daemon)
        for worker in after { #expect(try answers(worker, of: daemon, after)) }
    }

    @Test func `a worker that stands still is replaced`() throws {
        let daemon = try daemon()
        let before = try workers(of: daemon)
        try halt(before[2])
        let after = try workers(of: daemon, without: [before[2]])
        #expect(try daemon.errors.contains("its loop stands still"))
        try daemon.wait(until: "supervisor.killed", is: 1)
        try daemon.wait(until: "supervisor.deaths", is: 1)
        let new = try #require(after.first { !before.contains($0) })
        #expect(try answers(new, of: daemon, after))
    }

    @Test func `descriptors are given back however often workers die`() throws {
        let daemon = try daemon()
        var workers = try workers(of: daemon)
        // Until all serve, the supervisor has descriptors that it is about to hand over.
        try waitUntilServing(workers, of: daemon)
        let before = try daemon.descriptorCount()
        for worker in workers {
            kill(worker, SIGKILL)
            workers = try self.workers(of: daemon, without: [worker])
        }
        try wait("no descriptor is left over") { try daemon.descriptorCount() == before }
    }

    @Test func `what a dead worker has counted still counts, and so does its death`() throws {
        let daemon = try daemon()
        let workers = try workers(of: daemon)
        for worker in workers.dropFirst() { try halt(worker) }
        let client = try daemon.connect()
        for _ in 0..<10 { #expect(try client.get("/http-bind").status == 200) }
        for worker in workers.dropFirst() { goOn(worker) }
        try halt(workers[0])
        let witness = try daemon.connectToAdmin()
        #expect(try witness.statistics().number("supervisor.deaths") == 0)
        goOn(workers[0])
        try wait("the witness sees the requests of the others") {
            try witness.statistics().number("http.requests") >= 10
        }
        kill(workers[0], SIGKILL)
        try witness.wait(until: "supervisor.deaths", is: 1)
        #expect(try witness.statistics().number("http.requests") >= 10)
        #expect(try witness.statistics().number("supervisor.killed") == 0)
    }

    @Test func `workers go on without their supervisor and end when they are asked`() throws {
        let daemon = try daemon()
        let workers = try workers(of: daemon)
        kill(daemon.processID, SIGKILL)
        #expect(try daemon.waitUntilEnded() == .signal(SIGKILL))
        for worker in workers { #expect(try answers(worker, of: daemon, workers)) }
        for worker in workers { kill(worker, SIGTERM) }
        for worker in workers { try wait("\(worker) has ended") { state(of: worker).map { $0 == "Z" } ?? true } }
    }

    // MARK: Ending

    @Test(arguments: [SIGTERM, SIGINT, SIGQUIT])
    func `a signal ends all workers, and no process stays`(signal: Int32) throws {
        let daemon = try daemon()
        let workers = try workers(of: daemon)
        let idle = try daemon.connect()
        #expect(try idle.get("/http-bind").status == 200)
        daemon.send(signal)
        #expect(try idle.wire.readToEnd() == "")
        #expect(try daemon.waitUntilEnded() == .code(0))
        for worker in workers { #expect(state(of: worker) == nil) }
    }

    @Test func `a signal that every process gets ends them in order too`() throws {
        let daemon = try daemon()
        let workers = try workers(of: daemon)
        for process in workers + [daemon.processID] { kill(process, SIGTERM) }
        #expect(try daemon.waitUntilEnded() == .code(0))
        for worker in workers { #expect(state(of: worker) == nil) }
    }

    @Test func `a second signal ends what does not end by itself`() throws {
        let daemon = try daemon()
        let workers = try workers(of: daemon)
        try halt(workers[1])
        daemon.send(SIGTERM)
        try wait("the first signal was handled") { try daemon.errors.contains("shutting down") }
        try wait("the others have ended") { state(of: workers[0]) == nil && state(of: workers[2]) == nil }
        #expect(daemon.isRunning)
        daemon.send(SIGTERM)
        #expect(try daemon.waitUntilEnded() == .code(0))
        #expect(state(of: workers[1]) == nil)
    }

    @Test func `a successor can listen at the same places when the workers have closed them`() throws {
        let (port, adminPort) = (try KeptPort(), try KeptPort())
        let places = ["--listen", "127.0.0.1:\(port.number)", "--admin", "127.0.0.1:\(adminPort.number)"]
        let first = try daemon(places[0], places[1], places[2], places[3])
        first.send(SIGTERM)
        #expect(try first.waitUntilEnded() == .code(0))
        let second = try daemon(places[0], places[1], places[2], places[3])
        #expect(second.port == port.number)
        #expect(try second.connect().get("/http-bind").status == 200)
        withExtendedLifetime((port, adminPort)) {}
    }

    @Test func `a signal without a meaning is said to be ignored`() throws {
        let daemon = try daemon()
        daemon.send(SIGUSR1)
        try wait("SIGUSR1 was handled") { try daemon.errors.contains("SIGUSR1 is ignored") }
        #expect(try daemon.connect().get("/http-bind").status == 200)
    }

    // MARK: Starting in vain

    private static let required = ["--domain", "example.org", "--upstream", "127.0.0.1:5222", "--admin", "off"]

    @Test(arguments: ["0", "65", "many"])
    func `a wrong number of workers is one line`(number: String) throws {
        let flag = try Daemon.run(["run", "--workers", number] + Self.required)
        #expect(flag.exit == .code(64))
        #expect(flag.errors == "holdfast: --workers: '\(number)' is not a number from 1 to 64, auto or none\n")
        let variable = try Daemon.run(["run"] + Self.required, environment: ["HOLDFAST_WORKERS": number])
        #expect(variable.exit == .code(78))
        #expect(
            variable.errors == "holdfast: HOLDFAST_WORKERS: '\(number)' is not a number from 1 to 64, auto or none\n")
    }

    @Test func `a port in use gives the same line as with one worker`() throws {
        let other = try ScriptedUpstream()
        for flag in ["--listen", "--admin"] {
            let runs = try ["none", "4"].map { count in
                try Daemon.run(
                    ["run", "--workers", count] + Self.required.dropLast(2) + [
                        flag, "127.0.0.1:\(other.port)", flag == "--listen" ? "--admin" : "--listen", "127.0.0.1:0",
                    ])
            }
            #expect(runs[1].exit == .code(1))
            #expect(runs[1].output == "")
            #expect(runs[1].errors == runs[0].errors)
        }
    }

    @Test func `a CA file that does not exist gives the same line as with one worker`() throws {
        let runs = try ["none", "4"].map { count in
            try Daemon.run(
                ["run", "--workers", count, "--listen", "127.0.0.1:0", "--upstream-ca", "/nonexistent/ca.pem"]
                    + Self.required)
        }
        #expect(runs[1].exit == .code(1))
        #expect(runs[1].output == "")
        #expect(runs[1].errors == runs[0].errors)
    }

    @Test func `a worker without a supervisor says so and ends`() throws {
        let run = try Daemon.run(["worker"])
        #expect(run.exit == .code(1))
        #expect(run.errors.split(separator: "\n").count == 1)
        #expect(run.errors.contains("holdfast run"))
    }
}
