import CLinux
import TestSupport
import Testing

/// How the process begins and ends.
@Suite struct ProcessTests {
    @Test("start: one line of the log says where it listens")
    func announces() throws {
        let daemon = try Daemon(upstream: 5_222, "--domain", "example.org", "--domain", "example.net")
        #expect(daemon.startLine.hasPrefix("holdfast serves places=\"BOSH on "))
        #expect(daemon.startLine.contains("http://127.0.0.1:\(daemon.port)/http-bind"))
        #expect(daemon.startLine.contains("http://127.0.0.1:\(daemon.adminPort)/stats"))
        #expect(daemon.startLine.contains("example.org, example.net -> 127.0.0.1:5222 (TLS: none)"))
    }

    @Test("admin: off is said at the start, and serves nothing")
    func announcesNoAdmin() throws {
        let daemon = try Daemon(upstream: 5_222, "--admin", "off")
        #expect(daemon.startLine.contains("; admin off; example.org -> "))
        #expect(daemon.adminPort == 0)
        #expect(try daemon.connect().get("/http-bind").status == 200)
    }

    @Test("listen: [::] is IPv6 alone")
    func listensOnIPv6Alone() throws {
        let daemon = try Daemon(upstream: 5_222, "--listen", "[::]:0")
        #expect(daemon.startLine.contains("BOSH on http://[::]:\(daemon.port)/http-bind;"))
        #expect(try daemon.connectToAdmin().get("/healthz").status == 200)
        #expect(throws: TestFault.self) { try daemon.connect() }
        // This shows that the same port of IPv4 is free.
        let both = try Daemon(upstream: 5_222, "--listen", "0.0.0.0:\(daemon.port)")
        #expect(both.port == daemon.port)
        #expect(try both.connect().get("/http-bind").status == 200)
    }

    @Test("start: a port in use is one line and exit 1")
    func refusesPortInUse() throws {
        let other = try ScriptedUpstream()
        for flag in ["--listen", "--admin"] {
            let free = flag == "--listen" ? "--admin" : "--listen"
            let run = try Daemon.run([
                "run", flag, "127.0.0.1:\(other.port)", free, "127.0.0.1:0", "--domain", "example.org", "--upstream",
                "127.0.0.1:5222",
            ])
            #expect(run.exit == .code(1))
            #expect(run.output == "")
            #expect(run.errors.split(separator: "\n").count == 1)
            #expect(run.errors.contains("127.0.0.1:\(other.port)"))
        }
    }

    @Test("start: a CA file that does not exist is one line and exit 1")
    func refusesMissingCA() throws {
        let run = try Daemon.run([
            "run", "--listen", "127.0.0.1:0", "--admin", "off", "--domain", "example.org", "--upstream",
            "127.0.0.1:5222", "--upstream-ca", "/nonexistent/ca.pem",
        ])
        #expect(run.exit == .code(1))
        #expect(run.errors.split(separator: "\n").count == 1)
        #expect(run.errors == "holdfast: --upstream-ca: '/nonexistent/ca.pem' does not exist\n")
    }

    @Test("start: a wrong command line is one line and exit 64")
    func refusesWrongFlags() throws {
        for arguments in [[], ["run", "--domain", "x"], ["run", "--nonsense"], ["serve"]] {
            let run = try Daemon.run(arguments)
            #expect(run.exit == .code(64), "\(arguments)")
            #expect(run.errors.split(separator: "\n").count == 1, "\(run.errors)")
        }
    }

    @Test("start: --version and --help go to standard output")
    func tells() throws {
        let version = try Daemon.run(["--version"])
        #expect(version.exit == .code(0))
        #expect(version.output.hasPrefix("holdfast "))
        let help = try Daemon.run(["run", "--help"])
        #expect(help.exit == .code(0))
        #expect(help.output.contains("--upstream"))
        #expect(help.errors == "")
    }

    @Test(
        "T-08: a signal answers what is held with system-shutdown and closes the streams",
        arguments: [SIGTERM, SIGINT, SIGQUIT])
    func shutsDown(signal: Int32) throws {
        let session = try OpenSession()
        let other = try OpenSession(on: session)
        let opening = try BOSHClient(session.daemon).create()
        let third = try session.server.accept()
        _ = try third.readHeader()
        let polls = try [session, other].map { try $0.client.send() }
        try session.daemon.settle()
        session.daemon.send(signal)
        for poll in polls + [opening] {
            let answer = try poll.answer()
            #expect(answer.condition == "system-shutdown")
            #expect(try poll.connection.wire.readToEnd() == "")
        }
        for stream in [session.stream, other.stream, third] {
            #expect(try stream.read(until: "</stream:stream>") == "</stream:stream>")
            stream.wire.close()
        }
        #expect(try session.daemon.waitUntilEnded() == .code(0))
    }

    @Test("T-08: payload of the last requests goes to the server before the end of its stream")
    func forwardsBeforeShutdown() throws {
        let session = try OpenSession()
        _ = try session.client.send("", "<message xmlns='jabber:client' id='m1'/>")
        try session.daemon.settle()
        session.daemon.send(SIGTERM)
        #expect(
            try session.stream.wire.readToEnd() == "<message xmlns='jabber:client' id='m1'/></stream:stream>")
        #expect(try session.daemon.waitUntilEnded() == .code(0))
    }

    @Test("T-08: idle connections are closed, and without sessions it ends at once")
    func closesIdleConnections() throws {
        let daemon = try Daemon(upstream: 1)
        let idle = try daemon.connect()
        #expect(try idle.get("/http-bind").status == 200)
        daemon.send(SIGTERM)
        #expect(try idle.wire.readToEnd() == "")
        #expect(try daemon.waitUntilEnded() == .code(0))
    }

    @Test("T-08: a server that does not answer the goodbye does not keep it from ending")
    func endsWithSilentServer() throws {
        let session = try OpenSession()
        session.daemon.send(SIGTERM)
        #expect(try session.daemon.waitUntilEnded() == .code(0))
        #expect(try session.stream.read(until: "</stream:stream>") == "</stream:stream>")
    }

    @Test("T-08: whoever the kernel has accepted before the listeners close is answered, on each of them")
    func answersQueuedConnections() throws {
        let path = "/tmp/holdfast-\(UInt64.random(in: 0 ... .max)).sock"
        let daemon = try Daemon(upstream: 1, "--listen", "127.0.0.1:0", "--listen", "unix:\(path)")
        // While the daemon is stopped, the signal comes first, and then more connections than one turn of the loop
        // accepts.
        var clients: [RawClient] = []
        var admin: RawClient?
        try daemon.standingStill {
            daemon.send(SIGTERM)
            clients =
                try (0..<100).map { _ in try daemon.connect() } + (0..<5).map { _ in try daemon.connect(path: path) }
            admin = try daemon.connectToAdmin()
            let creation = RawClient.post(BOSHClient(daemon).nextBody("to='example.org'"))
            for client in clients { try client.send(creation) }
            try admin?.send("GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        }
        for client in clients {
            let answer = try client.answer()
            #expect(try BOSHBody(answer.body).condition == "system-shutdown")
            #expect(answer.field("Connection") == "close")
            #expect(try client.wire.readToEnd() == "")
        }
        #expect(try admin?.answer().status == 503)
        #expect(try daemon.waitUntilEnded() == .code(0))
    }

    @Test("T-08: a successor listens at the same places while the old process still says its farewells")
    func makesRoomForSuccessor() throws {
        let path = "/tmp/holdfast-\(UInt64.random(in: 0 ... .max)).sock"
        let (port, adminPort) = (try KeptPort(), try KeptPort())
        let places = [
            "--listen", "127.0.0.1:\(port.number)", "--listen", "unix:\(path)", "--admin",
            "127.0.0.1:\(adminPort.number)",
        ]
        let session = try OpenSession(flags: places)
        let poll = try session.client.send()
        try session.daemon.settle()
        session.daemon.send(SIGTERM)
        #expect(try poll.answer().condition == "system-shutdown")
        let successor = try Daemon(places + ["--upstream", "127.0.0.1:1"])
        // The server has not closed the stream.
        #expect(session.daemon.isRunning)
        #expect(successor.port == port.number)
        session.stream.wire.close()
        #expect(try session.daemon.waitUntilEnded() == .code(0))
        #expect(try successor.connect().get("/http-bind").status == 200)
        #expect(try successor.connect(path: path).get("/http-bind").status == 200)
        successor.send(SIGTERM)
        #expect(try successor.waitUntilEnded() == .code(0))
        withExtendedLifetime((port, adminPort)) {}
    }

    @Test("T-08: readiness ends with the first signal, health does not")
    func isNotReadyWhileStopping() throws {
        let session = try OpenSession()
        let admin = try session.daemon.connectToAdmin()
        // A half-sent request keeps its connection.
        try admin.send("GET /readyz HTTP/1.1\r\nHost: localhost")
        try session.daemon.settle()
        session.daemon.send(SIGTERM)
        _ = try session.stream.read(until: "</stream:stream>")
        let answer = try admin.exchange("\r\n\r\n")
        #expect(answer.status == 503)
        #expect(answer.body == "stopping\n")
        session.stream.wire.close()
        #expect(try session.daemon.waitUntilEnded() == .code(0))
    }

    @Test("T-08: a session asked for while stopping is refused with system-shutdown")
    func refusesWhileStopping() throws {
        let session = try OpenSession()
        let late = try session.daemon.connect()
        let request = RawClient.post(BOSHClient(session.daemon).nextBody("to='example.org'"))
        try late.send(String(request.dropLast()))
        try session.daemon.settle()
        session.daemon.send(SIGTERM)
        _ = try session.stream.read(until: "</stream:stream>")
        let answer = try late.exchange(">")
        #expect(try BOSHBody(answer.body).condition == "system-shutdown")
        #expect(answer.field("Connection") == "close")
    }

    @Test("T-08: a second signal ends it at once, whatever is open")
    func endsAtOnce() throws {
        let session = try OpenSession()
        session.daemon.send(SIGTERM)
        _ = try session.stream.read(until: "</stream:stream>")
        session.daemon.send(SIGTERM)
        #expect(try session.daemon.waitUntilEnded() == .code(0))
        #expect(try session.daemon.errors.contains("second signal"))
    }

    @Test(
        "T-08: SIGHUP, SIGUSR1 and SIGUSR2 change nothing and are told in the log",
        arguments: [(SIGHUP, "SIGHUP"), (SIGUSR1, "SIGUSR1"), (SIGUSR2, "SIGUSR2")])
    func survives(signal: Int32, name: String) throws {
        let session = try OpenSession()
        let poll = try session.client.send()
        session.daemon.send(signal)
        try session.daemon.settle()
        #expect(session.daemon.isRunning)
        #expect(try session.daemon.errors.split(separator: "\n").filter { $0.contains(name) }.count == 1)
        #expect(try poll.isHeld)
        try session.stream.send("<message id='m1'/>")
        #expect(try poll.answer().payload.contains("id='m1'"))
    }

    @Test("H-30: a path at which another process listens by now is not removed at the end")
    func leavesPathOfAnother() throws {
        let path = "/tmp/holdfast-\(UInt64.random(in: 0 ... .max)).sock"
        let older = try Daemon(upstream: 1, "--listen", "unix:\(path)")
        try Files.remove(path)
        let newer = try Daemon(upstream: 1, "--listen", "unix:\(path)")
        older.send(SIGTERM)
        #expect(try older.waitUntilEnded() == .code(0))
        #expect(Files.exists(path))
        #expect(try newer.connect(path: path).get("/http-bind").status == 200)
        newer.send(SIGTERM)
        #expect(try newer.waitUntilEnded() == .code(0))
        #expect(!Files.exists(path))
    }

    @Test("start: the path of a Unix socket is there while it runs, also after one that was killed left it behind")
    func takesOverPath() throws {
        let path = "/tmp/holdfast-\(UInt64.random(in: 0 ... .max)).sock"
        let killed = try Daemon(upstream: 1, "--listen", "unix:\(path)")
        killed.send(SIGKILL)
        #expect(try killed.waitUntilEnded() == .signal(SIGKILL))
        #expect(Files.exists(path))
        let daemon = try Daemon(upstream: 1, "--listen", "unix:\(path)")
        #expect(try daemon.connect(path: path).get("/http-bind").status == 200)
        let second = try Daemon.run([
            "run", "--listen", "unix:\(path)", "--admin", "off", "--domain", "example.org", "--upstream", "127.0.0.1:1",
        ])
        #expect(second.exit == .code(1))
        #expect(try daemon.connect(path: path).get("/http-bind").status == 200)
        daemon.send(SIGTERM)
        #expect(try daemon.waitUntilEnded() == .code(0))
        #expect(!Files.exists(path))
    }
}
