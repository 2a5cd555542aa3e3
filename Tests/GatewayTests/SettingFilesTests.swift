import COpenSSL
import Glibc
import Settings
import TestSupport
import Testing

@testable import Gateway

/// The files that settings name are read once, before anybody serves.
@Suite struct SettingFilesTests {
    private static let site = ["domain": "example.org", "upstream": "127.0.0.1:5222"]

    private func settings(_ files: [String: String]) throws -> Settings {
        try Settings.resolve(
            entries: Self.site.merging(files) { $1 }.map { SettingEntry($0.key, $0.value, origin: .environment) })
    }

    @Test func `a worker that was not given a file does not begin`() throws {
        let settings = try settings(["upstream-ca": "/etc/ca.pem"])
        do throws(StartError) {
            try Worker.check(settings, files: SettingFiles())
            Issue.record("it began")
        } catch {
            #expect(error.line == "upstream-ca of example.org: CA file '/etc/ca.pem' was not read")
        }
    }

    // MARK: The program

    @Test func `a check, one worker and several workers have the same lines`() throws {
        let identity = try TLSIdentity.authority()
        let certificate = try TemporaryFile(identity.pem)
        let text = try TemporaryFile(Array("secret\n".utf8))
        let other = try TemporaryFile(TLSIdentity.authority().keyPEM)
        let faults = [
            (["HOLDFAST_UPSTREAM_CA": "/nowhere/ca.pem"], "HOLDFAST_UPSTREAM_CA: '/nowhere/ca.pem' does not exist"),
            (["HOLDFAST_UPSTREAM_CA": text.path], "holds no PEM certificate"),
            (
                ["HOLDFAST_UPSTREAM_CERTIFICATE": certificate.path, "HOLDFAST_UPSTREAM_KEY": other.path],
                "is not that of the certificate"
            ),
        ]
        for (environment, words) in faults {
            let common = ["--domain", "example.org", "--upstream", "127.0.0.1:5222", "--admin", "off"]
            let runs = try [["--check-config"], ["--workers", "none"], ["--workers", "2"]].map { flags in
                try Daemon.run(
                    ["run", "--listen", "127.0.0.1:0"] + common + flags, environment: environment)
            }
            #expect(runs.map(\.exit) == [.code(78), .code(1), .code(1)])
            #expect(Set(runs.map(\.errors)).count == 1, "\(runs.map(\.errors))")
            #expect(runs[0].errors.contains(words))
            #expect(!runs[0].errors.contains("secret"))
        }
    }

    @Test(arguments: [0, 2])
    func `workers read no file, and one that starts later has the contents of the start`(workers: Int) throws {
        let authority = try TLSIdentity.authority()
        let own = try TLSIdentity(issuedBy: authority)
        let server = try ScriptedUpstream()
        let files = [
            try TemporaryFile(authority.pem), try TemporaryFile(own.pem), try TemporaryFile(own.keyPEM),
        ]
        let daemon = try Daemon(
            [
                "--upstream", "127.0.0.1:\(server.port)", "--upstream-tls", "direct", "--max-wait", "60",
                "--upstream-ca", files[0].path,
            ],
            environment: [
                "HOLDFAST_WORKERS": workers == 0 ? "none" : "\(workers)",
                "HOLDFAST_UPSTREAM_CERTIFICATE": files[1].path,
                "HOLDFAST_UPSTREAM_KEY": files[2].path,
            ])
        for file in files { try Files.remove(file.path) }
        let before = try daemon.children()
        #expect(before.count == workers)
        for round in 0..<max(before.count, 1) {
            if workers > 1 {
                kill(before[round], SIGKILL)
                try daemon.wait(until: "supervisor.deaths", is: round + 1)
                try waitForWorkers(workers, of: daemon, without: before[...round])
            }
            // With two workers, the next session goes to one of both; behind the last round both are new.
            for _ in 0..<2 { try openSession(daemon, server, as: TLSIdentity(issuedBy: authority)) }
        }
        #expect(daemon.isRunning)
    }

    private func openSession(_ daemon: Daemon, _ server: ScriptedUpstream, as identity: TLSIdentity) throws {
        let request = try BOSHClient(daemon).create()
        let stream = try server.accept().secure(as: identity)
        try stream.send(ScriptedStream.header() + ScriptedStream.features)
        #expect(try !request.answer().isTerminal)
    }

    /// Waits until there are as many workers as there shall be, without those that are named.
    private func waitForWorkers(_ count: Int, of daemon: Daemon, without gone: ArraySlice<Int32>) throws {
        try Patience.wait("all workers run") {
            try daemon.children().filter { !gone.contains($0) }.count == count
        }
    }
}
