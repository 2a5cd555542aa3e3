import TestSupport
import Testing

/// `holdfast status` and `holdfast drain`, which ask the running program.
@Suite struct OperationTests {
    @Test("status tells of the running program", arguments: [1, 2])
    func status(workers: Int) throws {
        let scene = try WorkersScene(workers: workers)
        _ = try scene.begin(over: try scene.daemon.connect())
        try scene.daemon.wait(until: "sessions.now", is: 1)
        // Whichever worker answers, the numbers of the other may be a moment old.
        try scene.waitUntil("a session is counted") {
            let outcome = try Daemon.run(["status", "--admin", "127.0.0.1:\(scene.daemon.adminPort)"])
            #expect(outcome.exit == .code(0))
            #expect(outcome.errors.isEmpty)
            #expect(outcome.output.contains("pid \(scene.daemon.processID)\n"))
            return outcome.output.contains("sessions    1 now, 1 ever")
        }
    }

    @Test("drain ends the running program and says how many sessions it had", arguments: [1, 2])
    func drain(workers: Int) throws {
        let scene = try WorkersScene(workers: workers)
        let member = try scene.begin(over: try scene.daemon.connect())
        try scene.daemon.wait(until: "sessions.now", is: 1)
        let poll = try member.client.send()
        try scene.daemon.wait(until: "sessions.held_requests", is: 1)
        let outcome = try Daemon.run(["drain", "--admin", "127.0.0.1:\(scene.daemon.adminPort)"])
        #expect(outcome.errors.isEmpty)
        #expect(outcome.output == "holdfast (process \(scene.daemon.processID)) has ended; it had 1 sessions\n")
        #expect(try poll.answer().condition == "system-shutdown")
        #expect(try scene.daemon.waitUntilEnded() == .code(0))
    }

    @Test("nobody who runs is said in one line", arguments: ["status", "drain"])
    func nobody(command: String) throws {
        let server = try ScriptedUpstream()
        let port = server.port
        server.stopListening()
        let outcome = try Daemon.run([command, "--admin", "127.0.0.1:\(port)"])
        #expect(outcome.exit == .code(1))
        #expect(outcome.output.isEmpty)
        #expect(outcome.errors == "holdfast: nobody answers at 127.0.0.1:\(port): Connection refused\n")
    }
}
