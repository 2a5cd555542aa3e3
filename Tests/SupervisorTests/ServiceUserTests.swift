import CLinux
import Glibc
import TestSupport
import Testing

/// The program that root has started, with a user to serve as.
@Suite(.enabled(if: geteuid() == 0)) struct ServiceUserTests {
    /// The numbers of a line in /proc/PID/status.
    private func numbers(_ name: String, of process: Int32, radix: Int = 10) throws -> [UInt64] {
        let line = try Files.read("/proc/\(process)/status").split(separator: "\n").first { $0.hasPrefix(name + ":") }
        return (line ?? "").split(whereSeparator: { " \t".contains($0) }).dropFirst().compactMap {
            UInt64($0, radix: radix)
        }
    }

    private static let nobody = UInt64(getpwnam("nobody").pointee.pw_uid)
    private static let daemons = UInt64(getgrnam("daemon").pointee.gr_gid)

    private func expectServiceUser(_ process: Int32, capabilities: UInt64) throws {
        #expect(try numbers("Uid", of: process) == [UInt64](repeating: Self.nobody, count: 4))
        #expect(try numbers("Gid", of: process) == [UInt64](repeating: Self.daemons, count: 4))
        #expect(try !numbers("Groups", of: process).contains(0))
        for set in ["CapPrm", "CapEff"] { #expect(try numbers(set, of: process, radix: 16) == [capabilities]) }
        for set in ["CapInh", "CapAmb"] { #expect(try numbers(set, of: process, radix: 16) == [0]) }
    }

    private func daemon(workers: String, path: String) throws -> Daemon {
        try Daemon(
            upstream: 5_222, "--workers", workers, "--listen", "127.0.0.1:0", "--listen", "unix:\(path)",
            environment: ["HOLDFAST_USER": "nobody", "HOLDFAST_GROUP": "daemon"])
    }

    @Test func `a supervisor keeps the right to bind ports and nothing else, and its workers keep nothing`() throws {
        let path = "/tmp/holdfast-\(UInt64.random(in: 0 ... .max)).sock"
        defer { unlink(path) }
        let daemon = try daemon(workers: "2", path: path)
        try expectServiceUser(daemon.processID, capabilities: 1 << 10)
        let workers = try daemon.children()
        #expect(workers.count == 2)
        for worker in workers { try expectServiceUser(worker, capabilities: 0) }
        #expect(try daemon.connect().get("/http-bind").status == 200)
        #expect(try daemon.connect(path: path).get("/http-bind").status == 200)
        kill(workers[0], SIGKILL)
        try Patience.wait("the worker is gone") { try !Set(daemon.children()).isSuperset(of: workers) }
        for worker in try daemon.children() { try expectServiceUser(worker, capabilities: 0) }
    }

    @Test func `after a reload and an upgrade it is the same, and commands are still taken`() throws {
        let path = "/tmp/holdfast-\(UInt64.random(in: 0 ... .max))"
        defer { for name in [path, "\(path).sock"] { unlink(name) } }
        let daemon = try Daemon(
            upstream: 5_222, "--workers", "2", "--control", "unix:\(path)",
            environment: ["HOLDFAST_USER": "nobody", "HOLDFAST_GROUP": "daemon"])
        for command in ["reload", "upgrade", "upgrade", "reload"] {
            let result = try Daemon.run([command, "--control", "unix:\(path)"])
            #expect(result.exit == .code(0), "\(result.errors)")
            try expectServiceUser(daemon.processID, capabilities: 1 << 10)
            for worker in try daemon.children() where Files.exists("/proc/\(worker)/exe") {
                try expectServiceUser(worker, capabilities: 0)
            }
        }
        daemon.send(SIGTERM)
        #expect(try daemon.waitUntilEnded() == .code(0))
    }

    @Test func `a single process keeps nothing`() throws {
        let path = "/tmp/holdfast-\(UInt64.random(in: 0 ... .max)).sock"
        defer { unlink(path) }
        let daemon = try daemon(workers: "none", path: path)
        try expectServiceUser(daemon.processID, capabilities: 0)
        #expect(try daemon.connect().get("/http-bind").status == 200)
        #expect(try daemon.connect(path: path).get("/http-bind").status == 200)
        var status = stat()
        #expect(lstat(path, &status) == 0)
        #expect(UInt64(status.st_uid) == Self.nobody && UInt64(status.st_gid) == Self.daemons)
    }

    @Test(arguments: ["none", "2"]) func `a user that does not exist is one line`(workers: String) throws {
        let arguments = ["--workers", workers, "--domain", "example.org", "--upstream", "127.0.0.1:1"]
        let environment = ["HOLDFAST_USER": "no-such-user"]
        let run = try Daemon.run(["run"] + arguments, environment: environment)
        #expect(run.exit == .code(1))
        #expect(run.errors == "holdfast: there is no user 'no-such-user'\n")
        let check = try Daemon.run(["run", "--check-config"] + arguments, environment: environment)
        #expect(check.exit == .code(78))
        #expect(check.errors == run.errors)
    }
}
