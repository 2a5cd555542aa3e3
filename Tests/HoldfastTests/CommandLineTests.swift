import Settings
import Testing

@testable import holdfast

@Suite struct CommandLineTests {
    private static let required = ["run", "--domain", "example.org", "--upstream", "127.0.0.1:5222"]

    private func parse(_ arguments: [String]) -> Invocation {
        HoldfastCommand.parse(arguments, environment: [:], version: "1.2.3")
    }

    private func settings(_ arguments: [String]) throws -> Settings {
        guard case .run(let settings) = parse(arguments) else {
            Issue.record("not a run: \(parse(arguments))")
            throw NotARun()
        }
        return settings
    }

    private struct NotARun: Error {}

    /// The line on standard error for a wrong command line.
    private func complaint(_ arguments: [String]) -> String? {
        guard case .exit(code: 64, standardOutput: "", standardError: let text) = parse(arguments) else { return nil }
        #expect(text.hasPrefix("holdfast: ") && text.hasSuffix("\n"))
        #expect(text.filter(\.isNewline).count == 1, "\(text)")
        return String(text.dropFirst("holdfast: ".count).dropLast())
    }

    @Test func `run with what is needed`() throws {
        let settings = try settings(Self.required)
        let domain = try #require(settings.domains.first)
        #expect(settings.domains.count == 1)
        #expect(domain.name == "example.org")
        #expect(domain.upstream == .fixed([try #require(UpstreamAddress("127.0.0.1:5222"))]))
        #expect(domain.tls == .starttls)
    }

    @Test func `run with everything`() throws {
        let settings = try settings([
            "run", "--listen", "127.0.0.1:1", "--listen=unix:/run/h", "--admin", "[::1]:2", "--domain", "a.example",
            "--domain", "b.example", "--upstream=xmpp.example:5223", "--upstream", "x2.example:5223 priority=7",
            "--upstream-tls", "direct", "--upstream-ca",
            "ca.pem", "--path", "/b", "--max-wait", "3", "--inactivity=40", "--max-hold", "5", "--max-body", "64KiB",
            "--log-level", "debug",
        ])
        #expect(settings.listen == [.tcp(host: "127.0.0.1", port: 1), .unix(path: "/run/h")])
        #expect(settings.admin == .tcp(host: "::1", port: 2))
        #expect(settings.domains.map(\.name) == ["a.example", "b.example"])
        for domain in settings.domains {
            #expect(
                domain.upstream
                    == .fixed([
                        try #require(UpstreamAddress("xmpp.example:5223")),
                        try #require(UpstreamAddress(weighted: "x2.example:5223 priority=7")),
                    ]))
            #expect(domain.tls == .direct)
            #expect(domain.ca == "ca.pem")
        }
        #expect(settings.path == "/b")
        #expect(settings.maxWait == .seconds(3))
        #expect(settings.inactivity == .seconds(40))
        #expect(settings.maxHold == 5)
        #expect(settings.maxBody == 65536)
        #expect(settings.logLevel == LogLevels(.debug))
    }

    @Test func `--check-config checks flags without a file`() throws {
        guard case .check(let settings, file: nil) = parse(Self.required + ["--check-config", "--max-wait", "7"]) else {
            Issue.record("not a check: \(parse(Self.required + ["--check-config"]))")
            return
        }
        #expect(settings.maxWait == .seconds(7))
        #expect(complaint(Self.required + ["--check-config", "--max-wait", "0"])?.hasPrefix("--max-wait: '0'") == true)
    }

    @Test(arguments: SettingsTable.rows.filter(\.hasFlag))
    func `Every row of the table with a flag is a flag of run`(row: SettingRow) throws {
        let flag = try #require(row.flag)
        #expect(complaint(["run", flag]) == "\(flag) needs a value: \(row.allowed)")
        #expect(complaint(["run", flag, "--no-such"]) != nil)
        guard case .exit(code: 0, standardOutput: let help, standardError: "") = parse(["run", "--help"]) else {
            Issue.record("no help")
            return
        }
        #expect(help.contains("\(flag) <\(row.valueName)>"))
    }

    @Test(arguments: SettingsTable.rows.filter(\.hasFlag))
    func `A wrong value names the flag, the value and what is allowed`(row: SettingRow) throws {
        let flag = try #require(row.flag)
        // The error must not be about other flags.
        var arguments = ["run", flag, "a\nb"]
        for (name, value) in [("--domain", "example.org"), ("--upstream", "b:1")] where name != flag {
            arguments += [name, value]
        }
        #expect(complaint(arguments) == "\(flag): 'a?b' is not \(row.allowed)")
    }

    @Test(arguments: SettingsTable.rows.filter { !$0.hasFlag })
    func `A row without a flag is an unknown flag`(row: SettingRow) {
        #expect(complaint(["run", "--" + row.name, "5"])?.hasPrefix("unknown flag '--\(row.name)'") == true)
    }

    @Test(arguments: [
        (["run", "--foo"], "unknown flag '--foo'; see 'holdfast run --help'"),
        (["run", "--foo=1"], "unknown flag '--foo'; see 'holdfast run --help'"),
        (["run", "-x"], "unknown flag '-x'; see 'holdfast run --help'"),
        (["run", "--lisen", "x"], "unknown flag '--lisen'; did you mean '--listen'? see 'holdfast run --help'"),
        (["--foo"], "unknown flag '--foo'; see 'holdfast --help'"),
        (["--listen", "127.0.0.1:1"], "'--listen' has to stand behind 'run': holdfast run --listen …"),
        (["--print-config"], "'--print-config' has to stand behind 'run': holdfast run --print-config …"),
        (["--config", "x"], "'--config' has to stand behind 'run': holdfast run --config …"),
        (["run", "extra"], "unexpected argument 'extra'; see 'holdfast run --help'"),
        (["status", "extra"], "unexpected argument 'extra'; see 'holdfast status --help'"),
        (["print-proxy-config"], "Missing expected argument '<proxy>'; see 'holdfast print-proxy-config --help'"),
        (
            ["print-proxy-config", "traefik"],
            "'traefik' is not nginx, haproxy, apache or caddy; see 'holdfast print-proxy-config --help'"
        ),
        (
            ["print-proxy-config", "ngin\u{1B}x"],
            "'ngin?x' is not nginx, haproxy, apache or caddy; did you mean 'nginx'? "
                + "see 'holdfast print-proxy-config --help'"
        ),
        (
            ["print-proxy-config", "nginx", "--multi=x"],
            "The option '--multi' does not take any value, but 'x' was specified; "
                + "see 'holdfast print-proxy-config --help'"
        ),
        (["frobnicate"], "unknown command 'frobnicate'; see 'holdfast --help'"),
        ([], "a command is missing; see 'holdfast --help', or begin with 'holdfast run'"),
        (["run", "--max-wait", "-5"], "--max-wait: '-5' is not a number of seconds from 1 to 3600"),
        (["run", "--max-wait"], "--max-wait needs a value: a number of seconds from 1 to 3600"),
        (["run", "--max-wait="], "--max-wait needs a value: a number of seconds from 1 to 3600"),
        (["run", "--max-wait", "--domain", "a"], "--max-wait needs a value: a number of seconds from 1 to 3600"),
        (["run", "--config"], "--config needs a value: the path of a configuration file"),
        (["run", "--config", "a", "--config", "b"], "--config: 'b' is a second value, only one is allowed"),
        (["resolver", "--nameserver", "ns"], "--nameserver: 'ns' is not ADDR:PORT or [IPV6]:PORT"),
        (["run", "--f\u{1B}o\no"], "unknown flag '--f?o?o'; see 'holdfast run --help'"),
    ])
    func `A wrong command line is one line`(arguments: [String], line: String) {
        #expect(complaint(arguments) == line)
    }

    @Test(arguments: [
        ["run", "--print-config=x"], ["check", "a", "b"], ["print-proxy-config", "nginx", "caddy"],
        ["log", "--control"],
        ["status", "--admin"], ["drain", "--token-file="], ["settings-doc", "x"],
        ["resolver", "--shared=1"],
        ["print-proxy-config", "a'. Please provide one of 'b"], ["print-proxy-config", "."],
        ["print-proxy-config", ""],
    ])
    func `No line has two signs at the end of a sentence`(arguments: [String]) throws {
        guard case .exit(code: 64, standardOutput: "", standardError: let text) = parse(arguments) else {
            Issue.record("\(arguments) is right")
            return
        }
        #expect(text.split(separator: "\n").count == 1)
        let signs: Set<Character> = [".", ",", ";", ":", "?", "!"]
        let unquoted = text.split(separator: "'", omittingEmptySubsequences: false).enumerated()
            .filter { $0.offset % 2 == 0 }.map { $0.element.filter { $0 != " " } }
        for part in unquoted {
            let hasTwo = zip(part, part.dropFirst()).contains { signs.contains($0) && signs.contains($1) }
            #expect(!hasTwo, "\(text)")
        }
    }

    @Test func `A flag given twice is named`() {
        #expect(
            complaint(Self.required + ["--max-wait", "5", "--max-wait=6"])
                == "--max-wait: '6' is a second value, only one is allowed")
    }

    @Test func `An empty value is a wrong one`() {
        #expect(
            complaint(["run", "--domain", "", "--upstream", "b:1"])
                == "--domain: '' is not a domain name such as example.org")
    }

    @Test(arguments: [["--version"], ["run", "--version"], ["--version", "run"]])
    func `The version`(arguments: [String]) {
        #expect(parse(arguments) == .exit(code: 0, standardOutput: "holdfast 1.2.3\n", standardError: ""))
    }

    @Test(arguments: [["--help"], ["-h"], ["help"]])
    func `Help names the commands but not the hidden one`(arguments: [String]) {
        guard case .exit(code: 0, standardOutput: let text, standardError: "") = parse(arguments) else {
            Issue.record("no help")
            return
        }
        #expect(text.contains("holdfast run --domain DOMAIN --upstream HOST:PORT"))
        #expect(text.contains("--version"))
        #expect(!text.contains("resolver"))
        #expect(!text.contains("Serve clients for a supervisor"))
        #expect(text.hasSuffix("\n"))
    }

    @Test(arguments: [["run", "--help"], ["run", "-h"], ["help", "run"], Self.required + ["--help"]])
    func `Help of run names defaults and ranges`(arguments: [String]) {
        guard case .exit(code: 0, standardOutput: let text, standardError: "") = parse(arguments) else {
            Issue.record("no help")
            return
        }
        let words = text.split { $0.isWhitespace }.joined(separator: " ")
        for row in SettingsTable.rows where row.hasFlag {
            for value in row.defaults { #expect(words.contains("(default: \(value))"), "\(row.name)") }
        }
        #expect(words.contains("1 to 3600 seconds"))
        #expect(words.contains("none, starttls, direct"))
    }

    @Test func `Several faults are told at once`() {
        #expect(
            parse(["run", "--max-wait", "0", "--max-hold", "x"])
                == .exit(
                    code: 64, standardOutput: "",
                    standardError: """
                        holdfast: --max-wait: '0' is not a number of seconds from 1 to 3600
                        holdfast: --max-hold: 'x' is not a number from 1 to 10

                        """))
    }

    @Test func `A worker's role`() {
        #expect(parse(["worker"]) == .worker)
        #expect(complaint(["worker", "--listen", "127.0.0.1:1"]) != nil)
    }

    @Test func `The number of workers`() throws {
        #expect(try settings(Self.required).workers == .auto)
        #expect(try settings(Self.required + ["--workers", "auto"]).workers == .auto)
        #expect(try settings(Self.required + ["--workers=7"]).workers == .number(7))
        #expect(
            complaint(Self.required + ["--workers", "65"])
                == "--workers: '65' is not a number from 1 to 64, auto or none")
    }

    @Test func `The resolver's role`() {
        #expect(parse(["resolver"]) == .resolver(nameserver: nil, isShared: false))
        #expect(
            parse(["resolver", "--nameserver", "[::1]:5353"]) == .resolver(nameserver: "[::1]:5353", isShared: false))
        #expect(parse(["resolver", "--shared"]) == .resolver(nameserver: nil, isShared: true))
    }
}
