import FoundationEssentials
import Settings
import Testing

@testable import holdfast

@Suite struct ConfigurationOutputTests {
    private func parse(
        _ arguments: [String], environment: [String: String] = [:], usual: String? = nil
    ) -> Invocation {
        HoldfastCommand.parse(arguments, environment: environment, version: "1", usual: usual)
    }

    /// What a command prints when it succeeds.
    private func output(
        _ arguments: [String], environment: [String: String] = [:], usual: String? = nil
    ) throws -> String {
        guard
            case .exit(code: 0, standardOutput: let text, standardError: "") = parse(
                arguments, environment: environment, usual: usual)
        else {
            Issue.record("\(parse(arguments, environment: environment, usual: usual))")
            return ""
        }
        return text
    }

    private static let site = """
        upstream-tls = "direct"
        max-wait = 50
        inactivity = 80
        [domains."a.example"]
        upstream = ["x:1", "y:2 priority=5"]
        upstream-pin = []
        """

    // MARK: The settings in force

    @Test func `Each setting has its origin`() throws {
        let file = try TemporaryFile(Self.site)
        defer { file.remove() }
        let text = try output(
            ["run", "--config", file.path, "--print-config", "--max-hold", "3"],
            environment: ["HOLDFAST_INACTIVITY": "70", "HOLDFAST_TRUSTED_PROXY": ""])
        let lines = text.split(separator: "\n").map(String.init)
        #expect(lines.first == "# The settings in force with \(file.path).")
        for line in [
            "max-wait = 50  # \(file.path):2", "inactivity = 70  # HOLDFAST_INACTIVITY", "max-hold = 3  # --max-hold",
            "path = \"/http-bind\"  # default", "# nameserver is not set",
            "trusted-proxy = []  # HOLDFAST_TRUSTED_PROXY",
            "[domains.\"a.example\"]  # \(file.path):4", "upstream = [\"x:1\", \"y:2 priority=5\"]  # \(file.path):5",
            "upstream-pin = []  # \(file.path):6", "# upstream is not set",
        ] {
            #expect(lines.contains(line), "\(line)")
        }
        for row in SettingsTable.rows { #expect(text.contains(row.name)) }
    }

    @Test func `What is printed makes equal settings`() throws {
        for text in [Self.site, SettingsDocument.completeExample] {
            let file = try TemporaryFile(text)
            defer { file.remove() }
            guard case .run(let first) = parse(["run", "--config", file.path]) else {
                Issue.record("no run")
                return
            }
            let printed = try TemporaryFile(try output(["run", "--config", file.path, "--print-config"]))
            defer { printed.remove() }
            guard case .run(let second) = parse(["run", "--config", printed.path]) else {
                Issue.record("\(parse(["run", "--config", printed.path]))")
                return
            }
            #expect(first.domains == second.domains)
            #expect(first.effective.common.map(\.values) == second.effective.common.map(\.values))
        }
    }

    @Test func `Wrong settings are told instead`() {
        guard case .exit(64, "", let error) = parse(["run", "--print-config", "--max-wait", "0"]) else {
            Issue.record("printed")
            return
        }
        #expect(error.hasPrefix("holdfast: --max-wait: '0'"))
    }

    // MARK: The defaults

    @Test func `Every setting is in the default file as a comment`() throws {
        let text = try output(["run", "--print-default-config"])
        #expect(text == ConfigurationOutput.defaults)
        for row in SettingsTable.rows { #expect(text.contains("\n#\(row.name) = "), "\(row.name)") }
        #expect(text.split(separator: "\n").allSatisfy { $0.hasPrefix("#") && $0.count <= 200 })
        #expect(try ConfigurationFile(path: "f", text: Array(text.utf8)).entries == [])
    }

    /// A line behind `#` without a space is a setting or a table.
    @Test func `Without the signs of comments the default file is valid, and changes nothing`() throws {
        let lines = ConfigurationOutput.defaults.split(separator: "\n").map(String.init)
        let settings = lines.filter { $0.hasPrefix("#") && !$0.hasPrefix("# ") }.map { String($0.dropFirst()) }
        let file = try ConfigurationFile(path: "f", text: Array(settings.joined(separator: "\n").utf8))
        #expect(file.allFaults == [])
        for row in SettingsTable.rows where !row.defaults.isEmpty {
            let given = file.entries.filter { $0.name == row.name && $0.domain == nil }
            #expect(given.map(\.value) == row.defaults, "\(row.name)")
        }
    }

    @Test func `The shortest file serves`() throws {
        let file = try TemporaryFile(ConfigurationOutput.shortest)
        defer { file.remove() }
        guard case .run(let settings) = parse(["run"], usual: file.path) else {
            Issue.record("no run")
            return
        }
        #expect(settings.domains.map(\.name) == ["example.org"])
    }

    // MARK: The usual place

    @Test func `Without a file and a domain it says what to write`() {
        #expect(
            parse(["run"])
                == .exit(
                    code: 64, standardOutput: "",
                    standardError: """
                        holdfast: no domain is given: begin with 'holdfast run --domain example.org --upstream \
                        127.0.0.1:5222', or write /etc/holdfast/holdfast.toml, for which this is enough:
                        holdfast:     domain = "example.org"
                        holdfast:     upstream = "127.0.0.1:5222"

                        """))
    }

    @Test func `The usual file is read when none is named`() throws {
        let usual = try TemporaryFile(
            "domain = 'usual.example'\nupstream = 'x:1'\nadmin = '127.0.0.1:7'\ncontrol = 'unix:/c'\n")
        let other = try TemporaryFile("domain = 'other.example'\nupstream = 'x:1'\n")
        defer {
            usual.remove()
            other.remove()
        }
        func domains(_ arguments: [String]) -> [String]? {
            switch parse(arguments, usual: usual.path) {
            case .run(let settings), .check(let settings, file: _): settings.domains.map(\.name)
            default: nil
            }
        }
        #expect(domains(["run"]) == ["usual.example"])
        #expect(domains(["check"]) == ["usual.example"])
        #expect(domains(["run", "--domain", "flag.example"]) == ["flag.example"])
        #expect(domains(["run", "--config", other.path]) == ["other.example"])
        #expect(
            domains(["run", "--config", "/dev/null", "--domain", "d.example", "--upstream", "y:1"]) == ["d.example"])
        #expect(parse(["status"], usual: usual.path) == .status(.tcp(host: "127.0.0.1", port: 7)))
        #expect(
            parse(["status", "--config", other.path], usual: usual.path) == .status(.tcp(host: "127.0.0.1", port: 5281))
        )
        #expect(parse(["reload"], usual: usual.path) == .command(.reload, .unix(path: "/c")))
    }

    @Test func `A usual file that cannot be read matters only to who needs it`() {
        let missing = "/nowhere/holdfast.toml"
        #expect(
            parse(["status", "--admin", "127.0.0.1:8"], usual: missing) == .status(.tcp(host: "127.0.0.1", port: 8)))
        for command in ["run", "status"] {
            #expect(
                parse([command], usual: missing)
                    == .exit(
                        code: 78, standardOutput: "", standardError: "holdfast: \(missing): there is no such file\n"))
        }
    }

    @Test func `check is run with --check-config`() throws {
        let flags = ["--domain", "a.example", "--upstream", "x:1"]
        #expect(parse(["check"] + flags) == parse(["run", "--check-config"] + flags))
        #expect(
            parse(["check", "--max-wait", "0"] + flags) == parse(["run", "--check-config", "--max-wait", "0"] + flags))
        guard case .exit(64, "", let error) = parse(["check", "--lisen", "x"]) else {
            Issue.record("accepted")
            return
        }
        #expect(error == "holdfast: unknown flag '--lisen'; did you mean '--listen'? see 'holdfast check --help'\n")
    }
}
