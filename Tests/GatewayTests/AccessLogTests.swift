import Glibc
import TestSupport
import Testing

/// What the running program writes of its clients' requests.
@Suite struct AccessLogTests {
    /// A folder with a log, which goes with the test.
    private final class Folder {
        let path = "/tmp/holdfast-access-\(UInt64.random(in: 0 ... .max))"
        var file: String { "\(path)/access.log" }

        init() throws {
            guard mkdir(path, 0o700) == 0 else { throw TestFault("mkdir \(path)") }
        }

        deinit {
            for name in ["access.log", "access.log.1"] { unlink("\(path)/\(name)") }
            rmdir(path)
        }

        /// Moves the log away, as logrotate does.
        func rotate() throws {
            guard rename(file, "\(file).1") == 0 else { throw TestFault("rename \(file)") }
        }

        func lines(_ name: String = "access.log") throws -> [Substring] {
            try Files.read("\(path)/\(name)").split(separator: "\n")
        }
    }

    private static let server = ["--upstream", "127.0.0.1:5222"]

    private func daemon(_ log: String, _ more: [String: String] = [:]) throws -> Daemon {
        try Daemon(Self.server, environment: more.merging(["HOLDFAST_ACCESS_LOG": log]) { given, _ in given })
    }

    /// The line without its time and the time taken, which are no test's choice.
    private func essence(_ line: Substring) -> String {
        let parts = line.split(separator: "[", maxSplits: 1).flatMap { $0.split(separator: "]", maxSplits: 1) }
        return parts.count == 3
            ? String(parts[0] + parts[2].prefix(upTo: parts[2].lastIndex(of: " ") ?? parts[2].endIndex)) : String(line)
    }

    @Test("access-log: one POST, one WebSocket and one refused request are three lines")
    func lines() throws {
        let folder = try Folder()
        let daemon = try daemon(folder.file)
        let post = try daemon.connect().exchange(
            RawClient.post(
                "no XML", "User-Agent: a\"b", "Referer: https://a.example/x?token=1", to: "/http-bind?sid=secret"))
        _ = try WebSocketPeer(daemon)
        let refused = try daemon.connect().exchange("NO REQUEST\r\n\r\n")
        #expect(refused.status == 400)
        try daemon.settle()
        let expected = [
            "127.0.0.1 - -  \"POST /http-bind HTTP/1.1\" \(post.status) \(post.body.utf8.count) \"https://a.example/x\" \"a\\x22b\"",
            "127.0.0.1 - -  \"GET /xmpp-websocket HTTP/1.1\" 101 0 \"-\" \"-\"",
            "127.0.0.1 - -  \"-\" 400 \(refused.body.utf8.count) \"-\" \"-\"",
        ]
        #expect(try folder.lines().map(essence) == expected)
        #expect(try daemon.statistics().number("access_log.written") == 3)
    }

    @Test("access-log: a held poll has its line with its answer, and 499 when its client has gone")
    func held() throws {
        let folder = try Folder()
        let session = try OpenSession(environment: ["HOLDFAST_ACCESS_LOG": folder.file])
        try session.daemon.settle()
        #expect(try folder.lines().count == 1)
        let poll = try session.client.send()
        try session.daemon.wait(until: "sessions.held_requests", is: 1)
        #expect(try folder.lines().count == 1)
        try session.stream.send("<message xmlns='jabber:client' id='a'/>")
        _ = try poll.answer()
        try session.daemon.settle()
        #expect(try folder.lines().count == 2)
        let line = RawClient.post(session.client.nextBody())
        do {
            let gone = try session.daemon.connect()
            try gone.send(line)
            try session.daemon.wait(until: "sessions.held_requests", is: 1)
        }
        try session.daemon.wait(until: "sessions.held_requests", is: 0)
        try session.daemon.settle()
        #expect(try folder.lines().last?.contains(" HTTP/1.1\" 499 0 ") == true)
    }

    @Test("memory-limit: lines that wait count for the connections of their requests, and only while they wait")
    func account() throws {
        let folder = try Folder()
        let session = try OpenSession(environment: ["HOLDFAST_ACCESS_LOG": folder.file])
        func answers() throws -> Int {
            try session.daemon.settle()
            return try session.daemon.statistics().number("memory.answers")
        }
        let before = try answers()
        var used: [Int] = []
        for length in [0, 600, 0] {
            let connection = try session.daemon.connect()
            try connection.send(
                RawClient.post(session.client.nextBody(), "User-Agent: \(String(repeating: "a", count: length))"))
            try session.daemon.wait(until: "sessions.held_requests", is: 1)
            used.append(try answers() - before)
            try session.stream.send("<message/>")
            #expect(try connection.answer().status == 200)
            #expect(try answers() == before)
        }
        #expect(used[0] > 100 && used[0] < 700 && used[1] >= used[0] + 500 && used[1] < 2_048, "\(used)")
        // The short line may lie in storage that a longer one had, and is charged for all of it.
        #expect(used[2] >= used[0] && used[2] < 2_048, "\(used)")
        // A client that goes away owes nothing either.
        do {
            let gone = try session.daemon.connect()
            try gone.send(RawClient.post(session.client.nextBody()))
            try session.daemon.wait(until: "sessions.held_requests", is: 1)
        }
        try session.daemon.wait(until: "sessions.held_requests", is: 0)
        #expect(try answers() == before)
    }

    @Test("access-log: a client that closes its sending side alone has the status of the answer that it reads")
    func halfClosed() throws {
        let folder = try Folder()
        let session = try OpenSession(environment: ["HOLDFAST_ACCESS_LOG": folder.file])
        // Its end comes while the poll is held, and then together with the poll.
        for isHeldBefore in [true, false] {
            let client = try session.daemon.connect()
            try client.send(RawClient.post(session.client.nextBody()))
            if isHeldBefore { try session.daemon.wait(until: "sessions.held_requests", is: 1) }
            let before = try session.daemon.statistics().number("access_log.written")
            try client.wire.shutdownWrite()
            let answer = try client.answer()
            #expect(answer.status == 200 && answer.body.utf8.count > 0)
            #expect(try client.wire.readToEnd() == "")
            try session.daemon.wait(until: "access_log.written", is: before + 1)
            #expect(try folder.lines().last?.contains(" HTTP/1.1\" 200 \(answer.body.utf8.count) ") == true)
        }
    }

    @Test("access-log: polls of more sessions than may be in doubt, on one connection, have a line each")
    func halfClosedMany() throws {
        let folder = try Folder()
        let first = try OpenSession(environment: ["HOLDFAST_ACCESS_LOG": folder.file])
        let sessions = try [first] + (0..<17).map { _ in try OpenSession(on: first) }
        let client = try first.daemon.connect()
        try client.send(sessions.map { RawClient.post($0.client.nextBody()) }.joined())
        try first.daemon.settle()
        let before = try first.daemon.statistics().number("access_log.written")
        try client.wire.shutdownWrite()
        for _ in sessions { #expect(try client.answer().status == 200) }
        #expect(try client.wire.readToEnd() == "")
        try first.daemon.wait(until: "access_log.written", is: before + sessions.count)
        #expect(try folder.lines().suffix(sessions.count).allSatisfy { $0.contains(" HTTP/1.1\" 200 ") })
    }

    @Test("access-log-sample: one of so many; access-log-format: json")
    func sample() throws {
        let folder = try Folder()
        let daemon = try daemon(folder.file, ["HOLDFAST_ACCESS_LOG_SAMPLE": "3", "HOLDFAST_ACCESS_LOG_FORMAT": "json"])
        let client = try daemon.connect()
        for _ in 0..<9 { _ = try client.get("/http-bind") }
        try daemon.settle()
        let lines = try folder.lines()
        #expect(lines.count == 3)
        for line in lines { #expect(line.hasPrefix("{\"ts\":\"") && line.contains(#""path":"/http-bind","#)) }
    }

    @Test("access-log: the client is the one that a trusted proxy names")
    func proxy() throws {
        let folder = try Folder()
        let daemon = try daemon(
            folder.file,
            ["HOLDFAST_TRUSTED_PROXY": "127.0.0.0/8", "HOLDFAST_CLIENT_ADDRESS_FROM": "x-forwarded-for"])
        _ = try daemon.connect().exchange(RawClient.post("no XML", "X-Forwarded-For: 203.0.113.9"))
        try daemon.settle()
        #expect(try folder.lines().first?.hasPrefix("203.0.113.9 - - [") == true)
    }

    @Test("access-log: input that is no request says nothing about the proxy that passed it on")
    func junkOfProxy() throws {
        let folder = try Folder()
        let daemon = try daemon(folder.file, ["HOLDFAST_CLIENT_ADDRESS_FROM": "x-forwarded-for"])
        #expect(try daemon.connect().exchange("NO REQUEST\r\n\r\n").status == 400)
        try daemon.settle()
        #expect(try folder.lines().count == 1)
        #expect(try !daemon.errors.contains("does not name its client"))
        // A whole request does.
        _ = try daemon.connect().exchange(RawClient.post("no XML"))
        try daemon.settle()
        #expect(try daemon.errors.contains("does not name its client"))
    }

    @Test("access-log: standard error, and nothing by default")
    func standardError() throws {
        let daemon = try daemon("stderr")
        _ = try daemon.connect().get("/http-bind")
        try daemon.settle()
        #expect(try daemon.errors.contains("\"GET /http-bind HTTP/1.1\" 200 "))
        let silent = try Daemon(Self.server)
        _ = try silent.connect().get("/http-bind")
        try silent.settle()
        #expect(try !silent.errors.contains("HTTP/1.1"))
    }

    @Test("access-log: lines for which the disk has no room are counted, and clients are served")
    func full() throws {
        let daemon = try daemon("/dev/full")
        let client = try daemon.connect()
        for _ in 0..<3 { #expect(try client.get("/http-bind").status == 200) }
        try daemon.settle()
        #expect(try daemon.statistics().number("access_log.dropped") == 3)
        #expect(try daemon.statistics().number("access_log.written") == 0)
    }

    @Test("access-log: a file that cannot be opened stops the start", arguments: ["none", "2"])
    func unusable(workers: String) throws {
        let run = try Daemon.run(
            ["run", "--listen", "127.0.0.1:0", "--admin", "off", "--domain", "example.org"] + Self.server,
            environment: ["HOLDFAST_ACCESS_LOG": "/no/such/folder/log", "HOLDFAST_WORKERS": workers])
        #expect(run.exit == .code(1))
        #expect(
            run.errors
                == "holdfast: access-log: '/no/such/folder/log' cannot be opened: No such file or directory\n")
    }

    @Test("SIGUSR1 has a process on its own open the file again")
    func signal() throws {
        let folder = try Folder()
        let daemon = try daemon(folder.file)
        let client = try daemon.connect()
        _ = try client.get("/http-bind")
        try daemon.settle()
        try folder.rotate()
        daemon.send(SIGUSR1)
        try Patience.wait("there is a new file") { Files.exists(folder.file) }
        _ = try client.get("/http-bind")
        try daemon.settle()
        #expect(try folder.lines("access.log.1").count == 1 && folder.lines().count == 1)
    }

    @Test("reopen: all workers, those with old sessions and those that start later, write to the new file")
    func reopen() throws {
        let folder = try Folder()
        let scene = try RenewalScene(environment: ["HOLDFAST_ACCESS_LOG": folder.file])
        let connection = try scene.daemon.connect()
        let (first, second) = try scene.twoOwners(over: connection)
        try scene.reload("max-wait = 20\n")
        let new = try scene.workers.begin(over: connection)
        try folder.rotate()
        let result = try scene.give("reopen")
        #expect(result.output == "holdfast: the access log was opened again\n" && result.exit == .code(0))
        // One turn each, in which the file has come.
        for member in [first, second, new] { try scene.chat(member, over: connection, "turn") }
        try scene.workers.waitUntil("each of the three has written") {
            try folder.lines().count >= 2
        }
        let before = try folder.lines("access.log.1").count
        for member in [first, second, new] { try scene.chat(member, over: connection, "line") }
        try scene.killWorker(of: new)
        try scene.workers.waitUntil("the one that started later writes") {
            let count = try folder.lines().count
            for _ in 0..<4 { _ = try scene.daemon.connect().get("/http-bind") }
            return try folder.lines().count >= count + 4
        }
        #expect(try folder.lines("access.log.1").count == before)
    }
}
