import Glibc
import TestSupport
import Testing

/// Requests that a page could make an operator's browser send, and the traces of a crash.
@Suite struct AdminAccessTests {
    @Test("admin-host: names that are not listed, and pages from elsewhere, get 403")
    func refusesOthers() throws {
        let admin = try Daemon(upstream: 1).connectToAdmin()
        for fields in [
            "Host: evil.example", "Host: localhost\r\nOrigin: http://localhost",
            "Host: localhost\r\nSec-Fetch-Site: cross-site",
        ] {
            #expect(try admin.exchange("GET /stats HTTP/1.1\r\n\(fields)\r\n\r\n").status == 403, "\(fields)")
        }
        let own = "GET /stats HTTP/1.1\r\nHost: 127.0.0.1:80\r\nSec-Fetch-Site: none\r\n\r\n"
        #expect(try admin.exchange(own).status == 200)
    }

    @Test("admin: a Unix socket serves operators and no clients, and goes with the program", arguments: ["none", "2"])
    func unixSocket(workers: String) throws {
        let path = "/tmp/holdfast-admin-\(UInt64.random(in: 0 ... .max))"
        let daemon = try Daemon(
            ["--upstream", "127.0.0.1:1", "--admin", "unix:\(path)"], environment: ["HOLDFAST_WORKERS": workers])
        let admin = try daemon.connect(path: path)
        #expect(try admin.get("/healthz").status == 200)
        #expect(try admin.get("/metrics").body.contains("holdfast_sessions 0\n"))
        #expect(try admin.get("/http-bind").status == 404)
        // A page cannot reach a socket, but the rules are the same.
        #expect(try admin.exchange("GET /stats HTTP/1.1\r\nHost: evil.example\r\n\r\n").status == 403)
        let status = try Daemon.run(["status", "--admin", "unix:\(path)"])
        #expect(status.exit == .code(0) && status.output.contains("sessions    0 now"))
        daemon.send(SIGTERM)
        #expect(try daemon.waitUntilEnded() == .code(0))
        try Files.wait(untilGone: path)
    }

    @Test(
        "admin-token-file: without the token only probes are answered, and the log never has it",
        arguments: ["none", "2"])
    func token(workers: String) throws {
        let secret = "a-token-of-many-letters"
        let file = try TemporaryFile(Array((secret + "\n").utf8))
        let daemon = try Daemon(
            ["--upstream", "127.0.0.1:1"],
            environment: ["HOLDFAST_ADMIN_TOKEN_FILE": file.path, "HOLDFAST_WORKERS": workers])
        let admin = try daemon.connectToAdmin()
        func ask(_ path: String, _ fields: String = "", method: String = "GET") throws -> HTTPAnswer {
            try admin.exchange("\(method) \(path) HTTP/1.1\r\nHost: localhost\r\n\(fields)\r\n")
        }
        for path in ["/healthz", "/readyz", "/lbcheck"] { #expect(try ask(path).status != 401) }
        for path in ["/stats", "/metrics", "/", "/status.js", "/status.css", "/sessions", "/version", "/nothing"] {
            let refused = try ask(path)
            #expect(refused.status == 401, "\(path)")
            #expect(refused.field("WWW-Authenticate")?.hasPrefix("Basic realm=\"holdfast\"") == true)
            #expect(!refused.body.contains("token-of"))
            #expect(try ask(path, "Authorization: Bearer \(secret)\r\n").status == (path == "/nothing" ? 404 : 200))
        }
        #expect(try ask("/sessions/01234567", method: "DELETE").status == 401)
        #expect(try ask("/stats", "Authorization: Bearer \(secret)x\r\n").status == 401)
        // user:a-token-of-many-letters
        #expect(try ask("/stats", "Authorization: Basic dXNlcjphLXRva2VuLW9mLW1hbnktbGV0dGVycw==\r\n").status == 200)
        #expect(try ask("/stats", "Authorization: Bearer \(secret)\r\nOrigin: http://x\r\n").status == 403)
        let metrics = try ask("/metrics", "Authorization: Bearer \(secret)\r\n").body
        #expect(metrics.contains("holdfast_operators_refused_total"))
        if workers == "none" { #expect(metrics.contains("holdfast_operators_refused_total 10\n")) }
        let log = try daemon.errors
        #expect(log.contains("shows a wrong token") && !log.contains(secret))
    }

    @Test("core-dumps: the daemon leaves no core")
    func forbidsCores() throws {
        let daemon = try Daemon(upstream: 1)
        try expectNoCore(of: daemon.processID)
    }

    @Test("core-dumps: nor do the processes that it starts, which names are sent to that clients came with")
    func forbidsCoresOfChildren() throws {
        let daemon = try Daemon(["--upstream", "nowhere.invalid:5222"])
        #expect(try BOSHClient(daemon).create().isTurnedAway())
        let children = try daemon.children()
        #expect(!children.isEmpty)
        for child in children { try expectNoCore(of: child) }
    }

    private func expectNoCore(of process: Int32) throws {
        let limits = try Files.read("/proc/\(process)/limits")
        let line = try #require(limits.split(separator: "\n").first { $0.hasPrefix("Max core file size") })
        let numbers = line.split(separator: " ").compactMap { Int($0) }
        #expect(numbers.count == 2 && numbers.allSatisfy { $0 <= 1 })
    }
}
