import FoundationEssentials
import Settings
import Testing

@testable import holdfast

/// File, environment and flags together: from a real file to the settings, or to the line on standard error.
@Suite struct ConfigurationTests {
    private func parse(
        _ text: String, _ flags: [String] = [], environment: [String: String] = [:]
    ) throws -> (Invocation, path: String) {
        let file = try TemporaryFile(text)
        defer { file.remove() }
        let arguments = ["run", "--config", file.path] + flags
        return (HoldfastCommand.parse(arguments, environment: environment, version: "1"), file.path)
    }

    private func settings(
        _ text: String, _ flags: [String] = [], environment: [String: String] = [:]
    ) throws -> Settings {
        let (invocation, _) = try parse(text, flags, environment: environment)
        guard case .run(let settings) = invocation else {
            Issue.record("not a run: \(invocation)")
            throw CancellationError()
        }
        return settings
    }

    /// The lines on standard error, with `FILE` for the file's path, and the exit code.
    private func complaint(
        _ text: String, _ flags: [String] = [], environment: [String: String] = [:]
    ) throws -> String {
        let (invocation, path) = try parse(text, flags, environment: environment)
        guard case .exit(let code, "", let error) = invocation else { return "\(invocation)" }
        let lines = error.split(separator: path, omittingEmptySubsequences: false).joined(separator: "FILE")
        return "\(code) \(lines)"
    }

    private static let site = """
        domain = "a.example"
        upstream = "x:1"
        max-wait = 11
        inactivity = 11
        path = "/file"
        [domains."b.example"]
        upstream = "y:1"
        """

    @Test func `A flag wins over the environment, that over the file`() throws {
        let environment = [
            "HOLDFAST_INACTIVITY": "22", "HOLDFAST_PATH": "/environment", "HOLDFAST_DOMAIN": "c.example,d.example",
        ]
        let settings = try settings(Self.site, ["--path", "/flag"], environment: environment)
        #expect(settings.maxWait == .seconds(11))
        #expect(settings.inactivity == .seconds(22))
        #expect(settings.path == "/flag")
        #expect(settings.domains.map(\.name) == ["c.example", "d.example", "b.example"])
        #expect(settings.origins["path"] == .flag)
        #expect(settings.origins["inactivity"] == .environment)
        let flags = try self.settings(
            Self.site, ["--domain", "e.example", "--upstream", "z:1"], environment: environment)
        #expect(flags.domains.map(\.name) == ["e.example", "b.example"])
        #expect(
            flags.domains.map(\.upstream)
                == [.fixed([try #require(UpstreamAddress("z:1"))]), .fixed([try #require(UpstreamAddress("y:1"))])])
    }

    @Test func `The environment without a file`() {
        let environment = ["HOLDFAST_DOMAIN": "a.example", "HOLDFAST_UPSTREAM": "x:1"]
        guard case .run(let settings) = HoldfastCommand.parse(["run"], environment: environment, version: "1") else {
            Issue.record("not a run")
            return
        }
        #expect(settings.domains.map(\.name) == ["a.example"])
    }

    @Test func `A check says of which file`() throws {
        let (invocation, path) = try parse(Self.site, ["--check-config"])
        guard case .check(let settings, let file) = invocation else {
            Issue.record("not a check: \(invocation)")
            return
        }
        #expect(file == path)
        #expect(settings.path == "/file")
        #expect(
            try complaint("polling = 1", ["--check-config"]).hasPrefix("78 holdfast: FILE:1:1: polling: '1' is not"))
    }

    @Test(arguments: [
        ("max-wiat = 5", [], "78 holdfast: FILE:1:1: max-wiat: there is no such setting; did you mean 'max-wait'?\n"),
        ("", [], "78 holdfast: FILE: domain is missing: give a domain name such as example.org\n"),
        ("domain = 'a'", [], "78 holdfast: FILE: upstream is missing: give \(SettingsTable.upstream.row.allowed)\n"),
        (site, ["--max-wait", "0"], "64 holdfast: --max-wait: '0' is not a number of seconds from 1 to 3600\n"),
        (
            "max-hold = 0", ["--max-wait", "0"],
            """
            78 holdfast: FILE:1:1: max-hold: '0' is not a number from 1 to 10
            holdfast: --max-wait: '0' is not a number of seconds from 1 to 3600

            """
        ),
        (
            site, ["--upstream-tls", "none", "--upstream-ca", "c"],
            """
            64 holdfast: --upstream-ca: 'c' has no use with upstream-tls none
            holdfast: --upstream-ca: 'c' does not exist

            """
        ),
    ])
    func `The exit code tells whose fault it is`(text: String, flags: [String], complaint: String) throws {
        #expect(try self.complaint(text, flags) == complaint)
    }

    @Test func `A wrong variable is a wrong configuration`() throws {
        #expect(
            try complaint(Self.site, environment: ["HOLDFAST_MAX_WAIT": "0"])
                == "78 holdfast: HOLDFAST_MAX_WAIT: '0' is not a number of seconds from 1 to 3600\n")
        #expect(
            HoldfastCommand.parse(["run"], environment: ["HOLDFAST_POLING": "3"], version: "1")
                == .exit(
                    code: 78, standardOutput: "",
                    standardError:
                        "holdfast: HOLDFAST_POLING: there is no such setting; did you mean 'HOLDFAST_POLLING'?\n"))
    }

    @Test func `The number of lines is bounded`() throws {
        let text = (1...30).map { "unknown-\($0) = 1\n" }.joined()
        let lines = try complaint(text).split(separator: "\n")
        #expect(lines.count == 21)
        #expect(lines.last == "holdfast: … and 10 more")
    }

    @Test func `A file that is not there`() {
        #expect(
            HoldfastCommand.parse(["run", "--config", "/nowhere.toml"], environment: [:], version: "1")
                == .exit(
                    code: 78, standardOutput: "", standardError: "holdfast: /nowhere.toml: there is no such file\n"))
    }
}
