import Glibc
import TestSupport
import Testing

/// Sessions, clients and operators while the program gets another configuration.
@Suite struct ReloadTests {
    @Test("a session goes on with its settings, new ones have the new settings, and its worker ends with it")
    func session() throws {
        let scene = try RenewalScene()
        let connection = try scene.daemon.connect()
        let (first, second) = try scene.twoOwners(over: connection)
        try scene.reload("max-wait = 20\n")
        try scene.daemon.wait(until: "supervisor.reloads", is: 1)
        // The same connection, and one that no worker has seen before.
        try scene.chat(first, over: connection, "one")
        try scene.chat(second, over: try scene.daemon.connect(), "two")
        let new = try scene.workers.begin(over: connection)
        #expect(new.created["wait"] == "20")
        #expect(first.created["wait"] == "60")
        #expect(![first.worker, second.worker].contains(new.worker))
        try scene.chat(new, over: connection, "three")
        try scene.waitForWorkers(4)
        try scene.workers.waitUntil("it shows who is old") {
            let statistics = try scene.daemon.statistics()
            return try [(first, 1, 1), (new, 2, 0)].allSatisfy { member, generation, retired in
                try statistics.number("workers.\(member.worker).generation") == generation
                    && statistics.number("workers.\(member.worker).retired") == retired
            }
        }
        try scene.end(first, over: connection)
        try scene.waitForWorkers(3)
        try scene.chat(second, over: connection, "four")
        try scene.end(second, over: connection)
        try scene.waitForWorkers(2)
        try scene.chat(new, over: connection, "five")
        #expect(try scene.daemon.statistics().number("supervisor.deaths") == 0)
    }

    @Test("admin-token-file: a reload takes the new token, also for connections that are there")
    func token() throws {
        let file = try TemporaryFile(Array("the-first-token-of-all\n".utf8))
        let setting = "admin-token-file = \"\(file.path)\"\n"
        let scene = try RenewalScene(setting)
        func status(_ admin: RawClient, _ token: String) throws -> Int {
            let fields = "Host: localhost\r\nAuthorization: Bearer \(token)"
            return try admin.exchange("GET /stats HTTP/1.1\r\n\(fields)\r\n\r\n").status
        }
        let old = try scene.daemon.connectToAdmin()
        #expect(try status(old, "the-first-token-of-all") == 200)
        try Files.write("another-token-of-all", to: file.path)
        #expect(try status(old, "another-token-of-all") == 401)
        try scene.reload(setting + "max-wait = 20\n")
        for admin in [old, try scene.daemon.connectToAdmin()] {
            #expect(try status(admin, "another-token-of-all") == 200)
            #expect(try status(admin, "the-first-token-of-all") == 401)
        }
    }

    @Test("a held poll is answered by the old worker, however long it was held")
    func heldPoll() throws {
        let scene = try RenewalScene()
        let connection = try scene.daemon.connect()
        let member = try scene.workers.begin(over: connection)
        try connection.send(RawClient.post(member.client.nextBody()))
        try scene.daemon.wait(until: "sessions.held_requests", is: 1)
        try scene.reload("max-wait = 20\n")
        try member.stream.send("<message xmlns='jabber:client' id='late'/>")
        #expect(try BOSHBody(try connection.answer().body).payload.contains("id='late'"))
        try scene.chat(member, over: connection, "next")
    }

    @Test("no connection is closed: idle ones, those of operators among them, serve on with a current worker")
    func idle() throws {
        let scene = try RenewalScene()
        let clients = try (0..<8).map { _ in try scene.daemon.connect() }
        let operators = try (0..<4).map { _ in try scene.daemon.connectToAdmin() }
        for client in clients { #expect(try client.get("/http-bind").status == 200) }
        for client in operators { #expect(try client.get("/healthz").status == 200) }
        let old = try scene.daemon.children()
        try scene.reload("path = \"/other\"\n")
        try scene.waitForWorkers(2)
        try scene.workers.waitUntil("the old workers are gone") {
            try Set(scene.daemon.children()).isDisjoint(with: old)
        }
        for client in clients {
            #expect(try client.get("/other").status == 200)
            #expect(try client.get("/http-bind").status == 404)
        }
        for client in operators { #expect(try client.get("/readyz").status == 200) }
    }

    @Test("while an old worker has a session, its other connections get the new answers")
    func otherRequests() throws {
        let scene = try RenewalScene(workers: 1)
        let connections = try (0..<3).map { _ in try scene.daemon.connect() }
        let member = try scene.workers.begin(over: connections[0])
        for connection in connections { #expect(try connection.get("/http-bind").status == 200) }
        try scene.reload("path = \"/other\"\n")
        for connection in connections { #expect(try connection.get("/other").status == 200) }
        // The old endpoint is still that of the old session.
        for connection in connections { try scene.chat(member, over: connection, "a") }
        #expect(try connections[1].get("/http-bind").status == 404)
    }

    @Test("until its owner is known, a request is read by the loosest rules, and the owner judges it by its own")
    func looseRules() throws {
        let scene = try RenewalScene(workers: 1, "path = \"/old\"\nmax-body = 200000\nlogin-body = 200000\n")
        let connection = try scene.daemon.connect()
        let old = try scene.workers.begin(over: connection, at: "/old")
        try scene.reload("path = \"/new\"\nmax-body = 70000\n")
        let new = try scene.workers.begin(over: try scene.daemon.connect(), at: "/new")
        let long = "<message xmlns='jabber:client'><body>\(String(repeating: "x", count: 100_000))</body></message>"
        func post(_ member: WorkersScene.Member, _ path: String, _ payload: String = "") throws -> RawClient {
            let client = try scene.daemon.connect()
            try client.send(RawClient.post(member.client.nextBody("", payload), to: path))
            return client
        }
        // The worker that accepts has the new rules, and the session the old ones.
        let waiting = try post(old, "/old", long)
        #expect(try old.stream.read(until: "</message>") == long)
        try old.stream.send("<message xmlns='jabber:client'/>")
        #expect(try waiting.answer().status == 200)
        // The owner refuses what its own rules do not allow.
        #expect(try post(new, "/new", long).answer().status == 413)
        #expect(try post(old, "/new").answer().status == 404)
        #expect(try post(new, "/old").answer().status == 404)
        // A request for no session of another generation is refused by the rules of the new one.
        let stranger = BOSHClient(scene.daemon)
        let fresh = try scene.daemon.connect()
        let creation = stranger.nextBody("to='example.org' wait='60' hold='1' ver='1.6'")
        #expect(try fresh.exchange(RawClient.post(creation, to: "/old")).status == 404)
        #expect(try fresh.get("/old").status == 404)
    }

    @Test("several generations live side by side")
    func generations() throws {
        let scene = try RenewalScene()
        let connection = try scene.daemon.connect()
        var members: [WorkersScene.Member] = []
        for wait in 0..<5 {
            members.append(try scene.workers.begin(over: connection))
            try scene.reload("max-wait = \(40 + wait)\n")
        }
        for member in members { try scene.chat(member, over: connection, "x") }
        #expect(members.map { $0.created["wait"] } == ["60", "40", "41", "42", "43"])
        #expect(Set(members.map(\.worker)).count == 5)
    }

    @Test("generations: with one more than may live, the sessions of the oldest are told to come back")
    func tooMany() throws {
        let settings = "generations = 2\ndrain = 0\n"
        let scene = try RenewalScene(settings)
        let connection = try scene.daemon.connect()
        let first = try scene.workers.begin(over: connection)
        try scene.reload(settings + "max-wait = 50\n")
        let second = try scene.workers.begin(over: connection)
        try connection.send(RawClient.post(first.client.nextBody()))
        try scene.daemon.wait(until: "sessions.held_requests", is: 1)
        try scene.reload(settings + "max-wait = 51\n")
        #expect(try BOSHBody(try connection.answer().body).condition == "system-shutdown")
        // The connection was not closed.
        try scene.chat(second, over: connection, "alive")
        try first.stream.wire.drain()
    }

    @Test("linger: when it is over, sessions are told to come back, over the same connection")
    func linger() throws {
        let settings = "linger = 0\ndrain = 0\n"
        let scene = try RenewalScene(settings)
        let connection = try scene.daemon.connect()
        let member = try scene.workers.begin(over: connection)
        try connection.send(RawClient.post(member.client.nextBody()))
        try scene.daemon.wait(until: "sessions.held_requests", is: 1)
        try scene.reload(settings + "max-wait = 50\n")
        #expect(try BOSHBody(try connection.answer().body).condition == "system-shutdown")
        let next = try scene.workers.begin(over: connection)
        #expect(next.created["wait"] == "50")
        try scene.chat(next, over: connection, "alive")
    }

    @Test("a removed listener stays open as long as a session may use it, and an added one opens at once")
    func listeners() throws {
        let scene = try RenewalScene(workers: 1, flags: ["--listen", "127.0.0.1:0"])
        let path = "\(scene.folder)/http"
        // Flags cannot be taken back, so the file of another program adds and removes the listener.
        let other = try RenewalScene(workers: 1, "listen-proxy = \"unix:\(path)\"\n")
        #expect(Files.exists(path))
        let member = try other.workers.begin(over: try other.daemon.connect())
        try other.reload("")
        #expect(Files.exists(path))
        let connection = try other.daemon.connect(path: path)
        try connection.send("PROXY UNKNOWN\r\n")
        try other.chat(member, over: connection, "behind")
        try other.end(member, over: connection)
        try Files.wait(untilGone: path)
        try other.reload("listen-proxy = \"unix:\(path)\"\n")
        #expect(Files.exists(path))
        #expect(try scene.daemon.connect().get("/http-bind").status == 200)
    }

    @Test("a session finds its worker at a removed listener, also when a later generation that had it is gone")
    func laterListeners() throws {
        let scene = try RenewalScene(workers: 1)
        let path = "\(scene.folder)/http"
        let listener = "listen-proxy = \"unix:\(path)\"\n"
        try scene.reload(listener)
        let member = try scene.workers.begin(over: try scene.daemon.connect())
        // The workers of the next two generations accept here in turn, and end, because they have no session.
        try scene.reload(listener + "max-wait = 50\n")
        try scene.reload(listener + "max-wait = 40\n")
        try scene.reload("")
        try scene.waitForWorkers(2)
        let connection = try scene.daemon.connect(path: path)
        try connection.send("PROXY UNKNOWN\r\n")
        try scene.chat(member, over: connection, "behind")
        // A generation that has it again does not take it from the old worker for ever.
        try scene.reload(listener)
        let again = try scene.daemon.connect(path: path)
        try again.send("PROXY UNKNOWN\r\n")
        try scene.chat(member, over: again, "again")
        try scene.end(member, over: again)
        try scene.waitForWorkers(1)
        let new = try scene.daemon.connect(path: path)
        try new.send("PROXY UNKNOWN\r\n")
        #expect(try new.get("/http-bind").status == 200)
    }

    // MARK: What cannot be used

    @Test("a configuration with a fault changes nothing, and whoever asked is told where it is")
    func fault() throws {
        let scene = try RenewalScene()
        let connection = try scene.daemon.connect()
        let member = try scene.workers.begin(over: connection)
        let before = try scene.daemon.children()
        try scene.write("max-wait = \"soon\"\ndrain = -1\n")
        let result = try scene.give("reload")
        #expect(result.exit == .code(1))
        let file = "\(scene.folder)/holdfast.toml"
        #expect(
            result.errors == "holdfast: \(file):1:1: max-wait: 'soon' is not a number of seconds from 1 to 3600\n"
                + "holdfast: \(file):2:1: drain: '-1' is not a number of seconds from 0 to 3600\n")
        // A signal does the same, and the log says why.
        scene.daemon.send(SIGHUP)
        try scene.daemon.wait(until: "supervisor.reloads_failed", is: 2)
        #expect(try scene.daemon.errors.contains("holdfast.toml:2:1: drain: '-1'"))
        #expect(try scene.daemon.children() == before)
        try scene.chat(member, over: connection, "alive")
        #expect(try scene.workers.begin(over: connection).created["wait"] == "60")
        let shown = "\(file):1:1: max-wait: 'soon' is not a number of seconds from 1 to 3600"
        try scene.workers.waitUntil("all workers show why") {
            try (0..<8).allSatisfy { _ in
                try scene.daemon.statistics().text("supervisor.refusal").hasPrefix(shown)
            }
        }
        try scene.reload("max-wait = 50\n")
        try scene.workers.waitUntil("it is over") {
            try scene.daemon.statistics().text("supervisor.refusal").isEmpty
        }
    }

    @Test("a place that is taken, a file that is missing, and what only a start can change are refused in words")
    func refused() throws {
        let scene = try RenewalScene(flags: ["--upstream-tls", "starttls"])
        let other = try ScriptedUpstream()
        for (text, words) in [
            (
                "listen-proxy = \"127.0.0.1:\(other.port)\"",
                "cannot listen on 127.0.0.1:\(other.port): Address already in use"
            ),
            ("upstream-ca = \"/no/such/file\"", ":1: upstream-ca: '/no/such/file' does not exist"),
            ("node = \"other\"", "node: a change needs another start of the program"),
            ("core-dumps = true", "core-dumps: a change needs another start of the program"),
            ("user = \"no-such-user\"", "there is no user 'no-such-user'"),
        ] {
            try scene.write(text + "\n")
            let result = try scene.give("reload")
            #expect(result.exit == .code(1))
            #expect(result.errors.contains(words), "\(result.errors)")
        }
        #expect(try scene.daemon.statistics().number("supervisor.reloads") == 0)
        try scene.reload("max-wait = 50\n")
    }

    @Test("a reload does what SIGHUP does, and nobody has to wait for the answer")
    func signal() throws {
        let scene = try RenewalScene()
        try scene.write("max-wait = 33\n")
        scene.daemon.send(SIGHUP)
        scene.daemon.send(SIGHUP)
        try scene.daemon.wait(until: "supervisor.reloads", is: 1)
        #expect(try scene.workers.begin(over: try scene.daemon.connect()).created["wait"] == "33")
    }

    @Test("commands are refused at the end, and where nobody takes any")
    func nobody() throws {
        let scene = try RenewalScene()
        try scene.endProgram()
        let result = try scene.give("reload")
        #expect(result.exit == .code(1))
        #expect(result.errors.contains("nobody takes commands at unix:"))
        let nowhere = try Daemon.run(["reload"])
        #expect(nowhere.exit != .code(0))
        #expect(nowhere.errors.contains("control is not set"))
    }

    @Test("descriptors are given back, however often it is reloaded")
    func descriptors() throws {
        let scene = try RenewalScene()
        try scene.reload("max-wait = 50\n")
        try scene.waitForWorkers(2)
        let before = try scene.daemon.descriptorCount()
        for wait in 51...55 { try scene.reload("max-wait = \(wait)\n") }
        try scene.waitForWorkers(2)
        try scene.workers.waitUntil("no descriptor is left over") { try scene.daemon.descriptorCount() <= before }
    }
}

/// What a service manager hears of all this.
@Suite struct ServiceManagerTests {
    @Test("it hears of the start, of each change from its beginning to its end, and of the end")
    func states() throws {
        let path = "/tmp/holdfast-manager-\(UInt64.random(in: 0 ... .max))"
        let manager = try DatagramSocket(path: path)
        let scene = try RenewalScene(environment: ["NOTIFY_SOCKET": path, "WATCHDOG_USEC": "2000000"])
        #expect(
            try manager.next(of: ["READY=1", "RELOADING=1", "STOPPING=1"]) == ["READY=1", "STATUS=2 workers serve"])
        let member = try scene.workers.begin(over: try scene.daemon.connect())
        // The number may be one of before.
        var alive: [String] = []
        while alive.last?.hasPrefix("STATUS=1 sessions; ") != true { alive = try manager.next(of: ["WATCHDOG=1"]) }
        #expect(alive.last == "STATUS=1 sessions; 2 workers serve")
        try scene.reload("max-wait = 50\n")
        #expect(try manager.next(of: ["READY=1", "RELOADING=1"]).first == "RELOADING=1")
        #expect(try manager.next(of: ["READY=1"]).last?.hasPrefix("STATUS=2 workers serve, ") ?? false)
        // A configuration that cannot be used is the end of the change as well.
        try scene.write("nonsense")
        #expect(try scene.give("reload").exit == .code(1))
        #expect(try manager.next(of: ["READY=1", "RELOADING=1"]).first == "RELOADING=1")
        #expect(try manager.next(of: ["READY=1", "RELOADING=1"]).first == "READY=1")
        try scene.write("")
        #expect(try scene.give("upgrade").exit == .code(0))
        #expect(try manager.next(of: ["READY=1", "RELOADING=1"]).first == "RELOADING=1")
        #expect(try manager.next(of: ["READY=1", "RELOADING=1"]).first == "READY=1")
        // The loops of the workers feed the watchdog, also after an upgrade.
        #expect(try manager.next(of: ["WATCHDOG=1"]).first == "WATCHDOG=1")
        try scene.end(member, over: try scene.daemon.connect())
        scene.daemon.send(SIGTERM)
        #expect(try manager.next(of: ["STOPPING=1", "READY=1"]).first == "STOPPING=1")
        #expect(try scene.daemon.waitUntilEnded() == .code(0))
    }
}

/// Sessions and operators while another program takes the place of this one, or another supervisor that of a dead one.
@Suite struct UpgradeTests {
    @Test("a session goes on, and the process keeps its number")
    func session() throws {
        let scene = try RenewalScene(hasOwnProgram: true)
        let connection = try scene.daemon.connect()
        let (first, second) = try scene.twoOwners(over: connection)
        let old = try scene.daemon.children()
        for round in 1...2 {
            try Files.copyProgram(Daemon.builtExecutable, to: scene.program)
            let result = try scene.give("upgrade")
            #expect(result.exit == .code(0), "\(result.errors)")
            #expect(result.output.contains("has taken the place of"))
            try scene.daemon.wait(until: "supervisor.upgrades", is: round)
            #expect(scene.daemon.isRunning)
            try scene.chat(first, over: connection, "one")
            try scene.chat(second, over: try scene.daemon.connect(), "two")
        }
        let new = try scene.workers.begin(over: connection)
        try scene.chat(new, over: connection, "three")
        // The new program collects the children of the old one.
        for member in [first, second] { try scene.end(member, over: connection) }
        try scene.waitForWorkers(2)
        try scene.workers.waitUntil("the old workers are gone") {
            try Set(scene.daemon.children()).isDisjoint(with: old)
        }
        #expect(try scene.daemon.statistics().number("supervisor.deaths") == 0)
        try scene.endProgram()
    }

    @Test("SIGUSR2 does the same, also when nobody can give commands")
    func signal() throws {
        let scene = try RenewalScene()
        let connection = try scene.daemon.connect()
        let member = try scene.workers.begin(over: connection)
        scene.daemon.send(SIGUSR2)
        try scene.daemon.wait(until: "supervisor.upgrades", is: 1)
        try scene.chat(member, over: connection, "one")
        scene.daemon.send(SIGHUP)
        try scene.daemon.wait(until: "supervisor.reloads", is: 1)
        try scene.chat(member, over: connection, "two")
    }

    @Test("a new program reads the configuration that is there now")
    func configuration() throws {
        let scene = try RenewalScene()
        let old = try scene.workers.begin(over: try scene.daemon.connect())
        try scene.write("max-wait = 44\n")
        #expect(try scene.give("upgrade").exit == .code(0))
        #expect(try scene.workers.begin(over: try scene.daemon.connect()).created["wait"] == "44")
        try scene.chat(old, over: try scene.daemon.connect(), "old")
    }

    @Test("a program that does not start, is none, or cannot use the configuration leaves everything as it was")
    func failing() throws {
        let scene = try RenewalScene(hasOwnProgram: true)
        let connection = try scene.daemon.connect()
        let member = try scene.workers.begin(over: connection)
        let before = try scene.daemon.children()
        func expectRefusal(_ words: String) throws {
            let result = try scene.give("upgrade")
            #expect(result.exit == .code(1))
            #expect(result.errors.contains(words), "\(result.errors)")
            #expect(try scene.daemon.children() == before)
            try scene.chat(member, over: connection, "alive")
        }
        try Files.write("#!/bin/sh\nexit 3\n", to: scene.program)
        try expectRefusal("the new program has ended without an answer")
        try Files.write("this is no program", to: scene.program)
        try expectRefusal("cannot be started: posix_spawn: Exec format error")
        try Files.remove(scene.program)
        try expectRefusal("cannot be started: posix_spawn: No such file or directory")
        try Files.copyProgram(Daemon.builtExecutable, to: scene.program)
        try scene.write("nonsense = 1\n")
        try expectRefusal("holdfast.toml:1:1: nonsense: there is no such setting")
        try scene.write("max-wait = 50\n")
        try scene.daemon.wait(until: "supervisor.upgrades_failed", is: 4)
        #expect(try scene.give("upgrade").exit == .code(0))
        try scene.chat(member, over: connection, "after")
    }

    @Test("a worker that dies after an upgrade is replaced, and takes its own sessions only")
    func death() throws {
        let scene = try RenewalScene()
        let connection = try scene.daemon.connect()
        let (first, second) = try scene.twoOwners(over: connection)
        #expect(try scene.give("upgrade").exit == .code(0))
        let new = try scene.workers.begin(over: connection)
        for member in [first, new] {
            try scene.killWorker(of: member)
        }
        try scene.chat(second, over: try scene.daemon.connect(), "alive")
        try scene.daemon.wait(until: "supervisor.deaths", is: 2)
        try scene.waitForWorkers(3)
    }

    // MARK: A supervisor that dies

    @Test("workers go on without their supervisor, and the next one takes them over")
    func adoption() throws {
        let scene = try RenewalScene()
        let connection = try scene.daemon.connect()
        let (first, second) = try scene.twoOwners(over: connection)
        let port = scene.daemon.port
        try scene.killSupervisor()
        try scene.chat(first, over: connection, "alone")
        // A command tells what to do.
        let result = try scene.give("reload")
        #expect(result.exit == .code(1))
        #expect(result.errors.contains("the supervisor has ended: start holdfast again, it finds its workers"))
        try scene.workers.startAgain()
        // The sockets are the same, although port 0 was asked for.
        #expect(scene.daemon.port == port)
        try scene.daemon.wait(until: "supervisor.adopted", is: 2)
        try scene.chat(first, over: connection, "one")
        try scene.chat(second, over: try scene.daemon.connect(), "two")
        let new = try scene.workers.begin(over: connection)
        #expect(![first.worker, second.worker].contains(new.worker))
        try scene.reload("max-wait = 50\n")
        for member in [first, second, new] {
            try scene.chat(member, over: connection, "three")
            try scene.end(member, over: connection)
        }
        try scene.waitForWorkers(2)
        #expect(try scene.daemon.statistics().number("supervisor.deaths") == 0)
        try scene.endProgram()
    }

    @Test("an upgrade after that goes on with workers that are no children, and the end leaves nothing")
    func upgradeAfterAdoption() throws {
        let scene = try RenewalScene()
        let connection = try scene.daemon.connect()
        let (first, second) = try scene.twoOwners(over: connection)
        try scene.killSupervisor()
        try scene.workers.startAgain()
        try scene.daemon.wait(until: "supervisor.adopted", is: 2)
        #expect(try scene.give("upgrade").exit == .code(0))
        try scene.waitForWorkers(4)
        for member in [first, second] {
            try scene.chat(member, over: connection, "one")
            try scene.end(member, over: connection)
        }
        try scene.waitForWorkers(2)
        try scene.reload("max-wait = 50\n")
        try scene.waitForWorkers(2)
        try scene.endProgram()
    }

    @Test("a supervisor that dies during a reload leaves what serves, and the next one finds all of it")
    func deathDuringReload() throws {
        let scene = try RenewalScene()
        let connection = try scene.daemon.connect()
        let (first, second) = try scene.twoOwners(over: connection)
        for round in 0..<4 {
            let before = Set(try scene.daemon.children())
            try scene.write("max-wait = \(40 + round)\n")
            scene.daemon.send(SIGHUP)
            try scene.workers.waitUntil("a new worker starts") {
                try !Set(scene.daemon.children()).isSubset(of: before)
            }
            try scene.killSupervisor()
            try scene.workers.startAgain()
            for member in [first, second] { try scene.chat(member, over: connection, "\(round)") }
            let new = try scene.workers.begin(over: try scene.daemon.connect())
            #expect(new.created["wait"] == "\(40 + round)")
        }
    }

    @Test("a worker that was taken over and dies takes its own sessions only")
    func deathOfAdopted() throws {
        let scene = try RenewalScene()
        let connection = try scene.daemon.connect()
        let (first, second) = try scene.twoOwners(over: connection)
        try scene.killSupervisor()
        try scene.workers.startAgain()
        try scene.daemon.wait(until: "supervisor.adopted", is: 2)
        try scene.killWorker(of: first)
        try scene.chat(second, over: try scene.daemon.connect(), "alive")
        try scene.daemon.wait(until: "supervisor.deaths", is: 1)
    }

    @Test("a second supervisor does not start beside one that lives")
    func second() throws {
        let scene = try RenewalScene()
        let result = try Daemon.run([
            "run", "--config", "\(scene.folder)/holdfast.toml", "--control", scene.control, "--domain", "example.org",
            "--upstream", "127.0.0.1:1", "--workers", "1", "--listen", "127.0.0.1:0", "--admin", "off",
        ])
        #expect(result.exit == .code(1))
        #expect(
            result.errors.contains(
                "holdfast runs already and takes commands at \(scene.control) (process \(scene.daemon.processID))"
            ))
        try scene.reload("max-wait = 50\n")
    }

    @Test("several supervisors may die, one after the other, while sessions live on")
    func again() throws {
        let scene = try RenewalScene()
        let connection = try scene.daemon.connect()
        let member = try scene.workers.begin(over: connection)
        for round in 0..<3 {
            try scene.killSupervisor()
            try scene.workers.startAgain()
            try scene.chat(member, over: connection, "\(round)")
        }
        #expect(try scene.daemon.statistics().number("sessions.now") == 1)
    }
}
