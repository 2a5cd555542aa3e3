import Glibc
import TestSupport
import Testing

/// From which level on the running program logs is changed by an operator.
@Suite struct LogCommandTests {
    private func log(_ scene: RenewalScene, _ words: String...) throws -> String {
        let result = try Daemon.run(["log"] + words + ["--control", scene.control])
        #expect(result.exit == .code(0) && result.errors == "", "\(result.errors)")
        return result.output
    }

    /// How many sessions of a worker have a line about their end.
    private func ends(_ scene: RenewalScene, _ member: WorkersScene.Member) throws -> Int {
        try scene.daemon.errors.split(separator: "\n")
            .count { $0.contains(" session ended ") && $0.hasSuffix("worker=\(member.worker)") }
    }

    /// Ends a session whose worker has had a turn since the last command.
    private func end(_ member: WorkersScene.Member, _ scene: RenewalScene, over connection: RawClient) throws {
        try scene.chat(member, over: connection, "before the end")
        try scene.end(member, over: connection)
    }

    @Test("log: all workers change, later ones too, until a reload")
    func allWorkers() throws {
        let scene = try RenewalScene(flags: ["--log-level", "info"])
        #expect(try log(scene) == "holdfast: the log has the level info of the settings\n")
        #expect(
            try log(scene, "warning", "admin=notice")
                == "holdfast: the log has the level warning admin=notice until the next reload\n")
        let connection = try scene.daemon.connect()
        let (first, second) = try scene.workers.twoOwners(over: connection)
        for member in [first, second] {
            try end(member, scene, over: connection)
            #expect(try ends(scene, member) == 0)
        }

        let answer = "holdfast: the log has the level error sessions=info until the next reload\n"
        #expect(try log(scene, "error,sessions=info") == answer)
        let (third, fourth) = try scene.workers.twoOwners(over: connection)
        for member in [third, fourth] {
            try end(member, scene, over: connection)
            #expect(try ends(scene, member) == 1)
        }

        // The worker that takes the place of one that died has never heard the command itself.
        let victim = try scene.workers.begin(over: connection)
        try scene.killWorker(of: victim)
        try scene.workers.waitUntilGone(victim.worker)
        try scene.workers.waitUntil("the new worker has a session") {
            let fresh = try scene.workers.begin(over: try scene.daemon.connect())
            guard ![first, second].contains(where: { $0.worker == fresh.worker }) else { return false }
            try end(fresh, scene, over: try scene.daemon.connect())
            return try ends(scene, fresh) == 1
        }
        #expect(try log(scene) == answer)
    }

    @Test("log: workers with old sessions change as well, and a reload returns all to the settings")
    func generations() throws {
        let scene = try RenewalScene()
        let connection = try scene.daemon.connect()
        let (first, second) = try scene.workers.twoOwners(over: connection)
        _ = try log(scene, "critical")
        try scene.reload("max-wait = 20\n")
        #expect(try log(scene) == "holdfast: the log has the level debug of the settings\n")
        try end(first, scene, over: connection)
        #expect(try ends(scene, first) == 1)
        _ = try log(scene, "critical")
        let new = try scene.workers.begin(over: connection)
        for member in [second, new] {
            try end(member, scene, over: connection)
            #expect(try ends(scene, member) == 0)
        }
        _ = try log(scene, "critical", "sessions=info")
        let last = try scene.workers.begin(over: connection)
        try end(last, scene, over: connection)
        #expect(try ends(scene, last) == 1)
    }

    @Test("log: one worker, and the change is told even in a silent log")
    func oneWorker() throws {
        let scene = try RenewalScene(workers: 1, flags: ["--log-level", "critical"])
        _ = try log(scene, "critical", "sessions=info")
        #expect(
            try scene.daemon.errors.contains(
                "notice admin: the levels of the log were changed levels=\"critical sessions=info\""))
        let connection = try scene.daemon.connect()
        let member = try scene.workers.begin(over: connection)
        try end(member, scene, over: connection)
        #expect(try ends(scene, member) == 1)
    }

    @Test("log: a program without a supervisor takes log and reopen, and says of the other commands why not")
    func alone() throws {
        let path = "/tmp/holdfast-control-\(UInt64.random(in: 0 ... .max))"
        let daemon = try Daemon(
            ["--upstream", "127.0.0.1:5222", "--control", "unix:\(path)", "--log-level", "critical"],
            environment: ["HOLDFAST_WORKERS": "none"])
        func give(_ words: String...) throws -> (exit: Daemon.Exit, output: String, errors: String) {
            try Daemon.run(words + ["--control", "unix:\(path)"])
        }
        var file = stat()
        #expect(stat(path, &file) == 0 && file.st_mode & 0o777 == 0o600)
        #expect(try give("log").output == "holdfast: the log has the level critical of the settings\n")
        let answer = "holdfast: the log has the level critical clients=notice until the program ends\n"
        #expect(try give("log", "critical", "clients=notice").output == answer)
        #expect(try daemon.errors.contains("notice admin: the levels of the log were changed"))
        #expect(try daemon.connect().get("/nowhere").status == 404)
        try daemon.settle()
        #expect(try daemon.errors.contains("notice clients: a request was for a path where nothing is"))
        for command in ["reload", "upgrade"] {
            let result = try give(command)
            #expect(result.exit == .code(1) && result.output == "")
            #expect(result.errors.hasPrefix("holdfast: with workers = none the program reads its configuration at"))
        }
        #expect(try give("reopen").errors == "holdfast: access-log names no file\n")
        // Those who connect and say nothing do not keep others away.
        let silent = try (0..<20).map { _ in try ByteStream(path: path) }
        #expect(try give("log").output == answer)
        #expect(silent.count == 20)
        let junk = try ByteStream(path: path)
        try junk.send(String(repeating: "x", count: 100))
        #expect(try give("log", "critical").exit == .code(0))
        daemon.send(SIGTERM)
        #expect(try daemon.waitUntilEnded() == .code(0))
        #expect(!Files.exists(path))
    }

    @Test("log: levels that do not exist change nothing and are explained")
    func refused() throws {
        let scene = try RenewalScene(workers: 1)
        let result = try Daemon.run(["log", "info", "client=debug", "--control", scene.control])
        #expect(result.exit == .code(64))
        #expect(result.errors.hasPrefix("holdfast: 'info client=debug' is not a level (trace, debug, "))
        #expect(result.errors.hasSuffix("; did you mean 'clients'?\n"))
        #expect(try log(scene) == "holdfast: the log has the level debug of the settings\n")
    }
}
