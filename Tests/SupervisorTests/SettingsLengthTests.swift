import Handover
import LogLines
import Logging
import ProcessLinks
import Settings
import Supervisor
import Testing

/// Settings that no worker could be told.
@Suite struct SettingsLengthTests {
    private func settings() throws -> Settings {
        try Settings.resolve(
            entries: [("domain", "example.org"), ("upstream", "127.0.0.1:1"), ("listen", "127.0.0.1:0")].map {
                SettingEntry($0.0, $0.1, origin: .flag)
            })
    }

    @Test func `settings and files that are too long for a worker are one line before anything starts`() throws {
        var files = SettingFiles()
        files["/etc/ca.pem"] = [UInt8](repeating: 10, count: FrameSocket.standardBound)
        let settings = try settings()
        do throws(SupervisorError) {
            let program = Program(
                arguments: ["holdfast"], version: "0", load: { .failure(SupervisorError(line: "")) }
            )
            _ = try Supervisor(
                program, LoadedConfiguration(settings, files), workers: 2, node: "n", memory: nil,
                logs: Logs(alike: Logger(label: "none") { _ in SwiftLogNoOpLogHandler() }))
            Issue.record("it would start")
        } catch {
            #expect(
                error.line == "the settings and the files that they name are too long: a worker takes 16 MiB")
        }
    }
}
