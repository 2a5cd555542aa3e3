import FoundationEssentials
import Glibc
import Settings
import Testing

@testable import holdfast

/// Files and folders that settings name. The certificates were made once with openssl; `expired` has been invalid since
/// 2020.
@Suite struct MachineCheckTests {
    /// A folder that is removed with the value.
    final class Folder {
        let path: String

        init() throws {
            path = FileManager.default.temporaryDirectory.appendingPathComponent("holdfast-\(UUID().uuidString)").path
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }

        deinit {
            do { try FileManager.default.removeItem(atPath: path) } catch { Issue.record(error) }
        }

        /// A file in the folder.
        func file(_ name: String, _ text: String) throws -> String {
            try Data(text.utf8).write(to: URL(fileURLWithPath: path + "/" + name))
            return path + "/" + name
        }
    }

    /// `NAME VALUE`, in the order of the lines of a file.
    private func entries(_ lines: [String]) -> [SettingEntry] {
        lines.enumerated().map { index, line in
            let words = line.split(separator: " ", maxSplits: 1).map(String.init)
            return SettingEntry(words[0], words[1], origin: .file(path: "f", line: index + 1, column: 1))
        }
    }

    private func check(_ lines: String...) -> MachineCheck { MachineCheck(entries(lines), for: nil) }

    private func faults(_ lines: String...) -> [String] {
        MachineCheck(entries(lines), for: nil).faults.map(\.description)
    }

    @Test func `Files that are there are read`() throws {
        let folder = try Folder()
        let ca = try folder.file("ca.pem", Certificates.valid)
        let certificate = try folder.file("c.pem", Certificates.valid)
        let key = try folder.file("k.pem", Certificates.validKey)
        let machine = check("upstream-ca \(ca)", "upstream-certificate \(certificate)", "upstream-key \(key)")
        #expect(machine.faults == [] && machine.warnings == [])
        #expect(machine.files.paths == [ca, certificate, key].sorted())
        #expect(machine.files[key] == Array(Certificates.validKey.utf8))
    }

    @Test func `What cannot be read is told at the line of its setting`() throws {
        let folder = try Folder()
        #expect(
            faults("upstream-ca /nowhere/ca.pem", "upstream-certificate \(folder.path)", "upstream-key /dev/zero") == [
                "f:1:1: upstream-ca: '/nowhere/ca.pem' does not exist",
                "f:2:1: upstream-certificate: '\(folder.path)' is a folder, not a file",
                "f:3:1: upstream-key: '/dev/zero' is too long: the files of all settings have at most 8 MiB",
            ])
    }

    @Test func `What is in a file is judged, and no byte of it is shown`() throws {
        let folder = try Folder()
        let text = try folder.file("text", "secret\n")
        let certificate = try folder.file("c.pem", Certificates.valid)
        let other = try folder.file("other.pem", Certificates.expiredKey)
        #expect(
            faults("upstream-ca \(text)", "upstream-certificate \(text)", "upstream-key \(text)") == [
                "f:1:1: upstream-ca: CA file '\(text)' holds no PEM certificate",
                "f:2:1: upstream-certificate: certificate file '\(text)' holds no PEM certificate",
                "f:3:1: upstream-key: key file '\(text)' holds no PEM private key",
            ])
        #expect(
            faults("upstream-certificate \(certificate)", "upstream-key \(other)") == [
                "f:2:1: upstream-key: the key in '\(other)' is not that of the certificate in '\(certificate)'"
            ])
    }

    @Test func `A certificate that has expired is a warning`() throws {
        let folder = try Folder()
        let certificate = try folder.file("c.pem", Certificates.expired)
        let key = try folder.file("k.pem", Certificates.expiredKey)
        let machine = check("upstream-certificate \(certificate)", "upstream-key \(key)")
        #expect(machine.faults == [])
        #expect(
            machine.warnings.map(\.description) == [
                "f:1:1: upstream-certificate: the certificate in '\(certificate)' has expired on 2020-01-02: servers refuse it"
            ])
    }

    @Test func `A token that every user can read is a warning, and what is no token is a fault; neither shows it`()
        throws
    {
        let folder = try Folder()
        let good = try folder.file("token", "a-token-of-many-letters\n")
        chmod(good, 0o640)
        let machine = check("admin-token-file \(good)")
        #expect(machine.faults == [] && machine.warnings == [])
        #expect(machine.files[good] == Array("a-token-of-many-letters\n".utf8))
        chmod(good, 0o644)
        #expect(
            check("admin-token-file \(good)").warnings.map(\.description) == [
                "f:1:1: admin-token-file: the token in '\(good)' can be read by every user: chmod o-r it"
            ])
        let short = try folder.file("short", "secret\n")
        #expect(
            faults("admin-token-file \(short)", "admin-token-file /nowhere/token").allSatisfy { !$0.contains("secret") }
        )
        #expect(
            faults("admin-token-file \(short)") == [
                "f:1:1: admin-token-file: '\(short)' has a token of 6 characters: it needs at least 16"
            ])
    }

    @Test func `A Unix socket needs its folder`() throws {
        let folder = try Folder()
        #expect(
            faults(
                "listen unix:/nowhere/at/all.sock", "control unix:/nowhere/c.sock",
                "listen-proxy unix:\(folder.path)/s", "admin unix:/nowhere/a.sock"
            )
                == [
                    "f:1:1: listen: 'unix:/nowhere/at/all.sock' is in a folder that is not there",
                    "f:2:1: control: 'unix:/nowhere/c.sock' is in a folder that is not there",
                    "f:4:1: admin: 'unix:/nowhere/a.sock' is in a folder that is not there",
                ])
        #expect(faults("listen unix:/s", "listen 127.0.0.1:1") == [])
    }

    @Test func `Only what counts is looked at`() throws {
        var all = entries(["upstream-ca /nowhere/1.pem", "domain a.example", "upstream x:1"])
        all.append(SettingEntry("upstream-tls", "none", origin: .flag, domain: nil))
        all[0].origin = .environment
        all.append(SettingEntry("upstream-ca", "/nowhere/2.pem", origin: .flag))
        #expect(
            MachineCheck(all, for: nil).faults.map(\.description) == ["--upstream-ca: '/nowhere/2.pem' does not exist"])
    }

    @Test func `They are told together with all other faults`() throws {
        let file = try TemporaryFile(
            "max-wait = 0\n[domains.'a.example']\nupstream-ca = '/nowhere.pem'\nupstream = 'x'\n")
        defer { file.remove() }
        guard
            case .exit(78, "", let error) = HoldfastCommand.parse(
                ["check", "--config", file.path], environment: [:], version: "1")
        else {
            Issue.record("no fault")
            return
        }
        let lines = error.split(separator: "\n").map { $0.dropFirst("holdfast: \(file.path):".count) }
        #expect(lines.count == 3)
        #expect(lines.first?.hasPrefix("1:1: max-wait: '0'") == true)
        #expect(lines.dropFirst().first == "3:1: domains.\"a.example\".upstream-ca: '/nowhere.pem' does not exist")
        #expect(lines.last?.hasSuffix("; the port is missing: x:5222") == true)
    }
}
