import Glibc
import TestSupport
import Testing

/// A daemon of several workers that is reloaded and upgraded, with its configuration, its program and its place for
/// commands in a folder of its own.
final class RenewalScene {
    let folder = "/tmp/holdfast-renewal-\(UInt64.random(in: 0 ... .max))"
    let workers: WorkersScene

    var daemon: Daemon { workers.daemon }
    var control: String { "unix:\(folder)/control" }
    var program: String { "\(folder)/holdfast" }
    private var file: String { "\(folder)/holdfast.toml" }

    /// - Parameters:
    ///   - file: the text of the configuration file.
    ///   - hasOwnProgram: whether the program is a copy, which a test may replace.
    init(
        workers count: Int = 2, _ file: String = "max-wait = 60\n", flags: [String] = [],
        environment: [String: String] = [:], hasOwnProgram: Bool = false
    ) throws {
        guard mkdir(folder, 0o700) == 0 else { throw TestFault("mkdir \(folder)") }
        let path = "\(folder)/holdfast.toml"
        try Files.write(file, to: path)
        let program = "\(folder)/holdfast"
        if hasOwnProgram { try Files.copyProgram(Daemon.builtExecutable, to: program) }
        workers = try WorkersScene(
            workers: count, flags: ["--config", path, "--control", "unix:\(folder)/control"] + flags,
            environment: environment, executable: hasOwnProgram ? program : nil)
    }

    deinit {
        for name in ["control", "holdfast.toml", "holdfast", "http"] { unlink("\(folder)/\(name)") }
        rmdir(folder)
    }

    /// Replaces the configuration file.
    func write(_ text: String) throws { try Files.write(text, to: file) }

    /// Gives the running program a command as an operator does.
    func give(_ command: String) throws -> (exit: Daemon.Exit, output: String, errors: String) {
        try Daemon.run([command, "--control", control])
    }

    /// Replaces the configuration file, and has it read.
    func reload(_ text: String) throws {
        try write(text)
        let result = try give("reload")
        #expect(result.exit == .code(0) && result.errors == "", "\(result.errors)")
        #expect(result.output == "holdfast: the new configuration holds\n")
    }

    /// Ends the process of a session's worker at once, and waits until its session is known to be gone.
    func killWorker(of member: WorkersScene.Member) throws {
        #expect(kill(pid_t(try workers.processID(of: member.worker)), SIGKILL) == 0)
        try workers.waitUntil("its session is not found") {
            try daemon.connect().exchange(member).condition == "item-not-found"
        }
    }

    /// Ends the supervisor at once, which leaves its workers alone.
    func killSupervisor() throws {
        daemon.send(SIGKILL)
        #expect(try daemon.waitUntilEnded() == .signal(SIGKILL))
    }

    /// Has the program end in order, which leaves nothing behind.
    func endProgram() throws {
        daemon.send(SIGTERM)
        #expect(try daemon.waitUntilEnded() == .code(0))
        #expect(!Files.exists("\(folder)/control"))
    }

    /// Exchanges a message in each direction over a session.
    func chat(_ member: WorkersScene.Member, over connection: RawClient, _ id: String) throws {
        let message = "<message xmlns='jabber:client' id='\(id)'/>"
        try connection.send(RawClient.post(member.client.nextBody("", message)))
        #expect(try member.stream.read(until: "id='\(id)'/>").hasSuffix(message))
        try member.stream.send(message)
        #expect(try BOSHBody(try connection.answer().body).payload == message)
    }

    /// Begins a session with each of two workers, and no other.
    func twoOwners(over connection: RawClient) throws -> (WorkersScene.Member, WorkersScene.Member) {
        let first = try workers.begin(over: connection)
        var others: [WorkersScene.Member] = []
        for _ in 0..<8 {
            let second = try workers.begin(over: connection)
            if second.worker != first.worker {
                for other in others { try end(other, over: connection) }
                return (first, second)
            }
            others.append(second)
        }
        throw TestFault("nine sessions are all with worker \(first.worker)")
    }

    /// Ends a session as its client does.
    func end(_ member: WorkersScene.Member, over connection: RawClient) throws {
        #expect(try connection.exchange(member, "type='terminate'").isTerminal)
    }

    /// Waits until only so many workers run.
    func waitForWorkers(_ count: Int) throws {
        do {
            try workers.waitUntil("\(count) workers run") {
                try daemon.statistics().names(under: "workers").count == count
            }
        } catch {
            throw TestFault("\(error); the log: \(try daemon.errors.suffix(4_000))")
        }
    }
}
