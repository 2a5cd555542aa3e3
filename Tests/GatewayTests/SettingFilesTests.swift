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

    /// The line with which a start with these files ends; nil when it does not end.
    private func line(_ files: [String: String]) throws -> String? {
        let settings = try settings(files)
        do throws(StartError) {
            try Worker.check(settings, files: SettingFiles(reading: settings))
            return nil
        } catch {
            return error.line
        }
    }

    // MARK: Reading

    @Test func `each file is read, byte by byte, and no other`() throws {
        let authority = try TemporaryFile(Array(0...255))
        let both = try TemporaryFile([])
        let files = try SettingFiles(
            reading: settings([
                "upstream-ca": authority.path, "upstream-certificate": both.path, "upstream-key": both.path,
            ]))
        #expect(files.paths == [authority.path, both.path].sorted())
        #expect(files[authority.path] == Array(0...255))
        #expect(files[both.path] == [])
        #expect(try SettingFiles(reading: settings([:])).paths == [])
    }

    @Test func `a file that has changed has other contents the next time`() throws {
        let file = try TemporaryFile([1])
        let settings = try settings(["upstream-ca": file.path])
        let before = try SettingFiles(reading: settings)
        let descriptor = open(file.path, O_WRONLY | O_TRUNC)
        #expect(write(descriptor, [2, 3] as [UInt8], 2) == 2)
        close(descriptor)
        let after = try SettingFiles(reading: settings)
        #expect(before[file.path] == [1])
        #expect(after[file.path] == [2, 3])
    }

    @Test func `a file that cannot be read is one line`() throws {
        #expect(
            try line(["upstream-ca": "/nowhere/ca.pem"])
                == "upstream-ca of example.org: CA file '/nowhere/ca.pem' cannot be read: No such file or directory")
        #expect(
            try line(["upstream-ca": "/tmp"])
                == "upstream-ca of example.org: CA file '/tmp' cannot be read: Is a directory")
        #expect(
            try line(["upstream-certificate": "/nowhere/c.pem", "upstream-key": "/nowhere/k.pem"])
                == "upstream-certificate of example.org: certificate file '/nowhere/c.pem' cannot be read: "
                + "No such file or directory")
        let certificate = try TemporaryFile(TLSIdentity.authority().pem)
        #expect(
            try line(["upstream-certificate": certificate.path, "upstream-key": "/nowhere/k.pem"])
                == "upstream-certificate of example.org: key file '/nowhere/k.pem' cannot be read: "
                + "No such file or directory")
    }

    @Test func `files that are too long together are one line`() throws {
        let half = try TemporaryFile([UInt8](repeating: 10, count: SettingFiles.mostBytes / 2))
        let rest = try TemporaryFile([UInt8](repeating: 10, count: SettingFiles.mostBytes / 2 + 1))
        #expect(
            try line(["upstream-certificate": half.path, "upstream-key": rest.path])
                == "upstream-certificate of example.org: key file '\(rest.path)' is too long: the files of all settings "
                + "have more than 8 MiB")
        #expect(
            try line(["upstream-ca": "/dev/zero"])
                == "upstream-ca of example.org: CA file '/dev/zero' is too long: the files of all settings have more "
                + "than 8 MiB")
    }

    // MARK: What was read

    @Test func `files that hold something else are one line, which shows no byte of them`() throws {
        let identity = try TLSIdentity.authority()
        let other = try TemporaryFile(TLSIdentity.authority().keyPEM)
        let certificate = try TemporaryFile(identity.pem)
        let key = try TemporaryFile(identity.keyPEM)
        let text = try TemporaryFile(Array("secret\n".utf8))
        #expect(try line(["upstream-ca": certificate.path]) == nil)
        #expect(try line(["upstream-certificate": certificate.path, "upstream-key": key.path]) == nil)
        #expect(
            try line(["upstream-ca": text.path])
                == "upstream-ca of example.org: CA file '\(text.path)' holds no PEM certificate")
        #expect(
            try line(["upstream-certificate": text.path, "upstream-key": key.path])
                == "upstream-certificate of example.org: certificate file '\(text.path)' holds no PEM certificate")
        #expect(
            try line(["upstream-certificate": certificate.path, "upstream-key": text.path])
                == "upstream-certificate of example.org: key file '\(text.path)' holds no PEM private key")
        #expect(
            try line(["upstream-certificate": certificate.path, "upstream-key": other.path])
                == "upstream-certificate of example.org: the key in '\(other.path)' is not that of the certificate in "
                + "'\(certificate.path)'")
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
            (["HOLDFAST_UPSTREAM_CA": "/nowhere/ca.pem"], "cannot be read: No such file or directory"),
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
        for _ in 0..<Int(Patience.milliseconds / 10) {
            let found = try daemon.children().filter { !gone.contains($0) }
            if found.count == count { return }
            Patience.pause()
        }
        throw TestFault("not all workers run")
    }
}
