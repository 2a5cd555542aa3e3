import Settings
import TOMLCodec
import Testing

@testable import holdfast

@Suite struct ConfigurationFileTests {
    private func file(_ text: String) throws(ConfigurationFileError) -> ConfigurationFile {
        try ConfigurationFile(path: "f", text: Array(text.utf8))
    }

    /// All errors in the text, one a line.
    private func faults(_ text: String) -> [String] {
        do throws(ConfigurationFileError) {
            return try file(text).allFaults.map(\.description)
        } catch {
            return [error.description]
        }
    }

    /// `NAME=VALUE@LINE:COLUMN` of each entry, with `DOMAIN/` before those of a domain's table.
    private func entries(_ text: String) throws -> [String] {
        try file(text).entries.map { entry in
            guard case .file("f", let line, let column) = entry.origin else { return "elsewhere" }
            let value = entry.isEmptyList ? "[]" : entry.value
            return (entry.domain.map { $0 + "/" } ?? "") + "\(entry.name)=\(value)@\(line):\(column)"
        }
    }

    @Test func `Values of all types`() throws {
        let text = """
            max-wait = 50
            max-hold = 0x3
            inactivity = "90"
            max-body = "2 MiB"
            session-buffer = 300_000
            path = '/bosh'
            compress-responses = false
            open-proxy = true
            log-level = "debug"
            listen = "127.0.0.1:1"
            domain = ["a.example", "b.example"]
            trusted-proxy = []
            """
        #expect(
            try entries(text) == [
                "max-wait=50@1:1", "max-hold=3@2:1", "inactivity=90@3:1", "max-body=2 MiB@4:1",
                "session-buffer=300000@5:1", "path=/bosh@6:1", "compress-responses=off@7:1", "open-proxy=on@8:1",
                "log-level=debug@9:1", "listen=127.0.0.1:1@10:1", "domain=a.example@11:11", "domain=b.example@11:24",
                "trusted-proxy=[]@12:1",
            ])
        #expect(faults(text) == [])
    }

    @Test func `Tables of domains, in the order of the file`() throws {
        let text = """
            upstream-tls = "direct"
            [domains."z.example"]
            upstream = [
                "x:1",  # the first
                "y:2 priority=5",
            ]
            [domains."a.example"]
            upstream = "dns"
            [domains]
            "m.example" = { upstream = "u:1", upstream-pin = [] }
            "d.example".upstream-tls = "none"
            localhost.upstream = "v:1"
            """
        #expect(
            try entries(text) == [
                "upstream-tls=direct@1:1", "domains=z.example@2:1", "z.example/upstream=x:1@4:5",
                "z.example/upstream=y:2 priority=5@5:5", "domains=a.example@7:1", "a.example/upstream=dns@8:1",
                "domains=m.example@10:1", "m.example/upstream=u:1@10:17", "m.example/upstream-pin=[]@10:35",
                "domains=d.example@11:1", "d.example/upstream-tls=none@11:13", "domains=localhost@12:1",
                "localhost/upstream=v:1@12:11",
            ])
        #expect(faults(text) == [])
    }

    @Test(arguments: [
        ("max-wiat = 5", "f:1:1: max-wiat: there is no such setting; did you mean 'max-wait'?"),
        ("\n  max-wait = 0", "f:2:3: max-wait: '0' is not a number of seconds from 1 to 3600"),
        ("max-wait = -5", "f:1:1: max-wait: '-5' is not a number of seconds from 1 to 3600"),
        ("max-wait = 1.5", "f:1:1: max-wait: this is a number with a fraction, not a number of seconds from 1 to 3600"),
        ("max-wait = true", "f:1:1: max-wait: this is a boolean, not a number of seconds from 1 to 3600"),
        ("max-wait = [5]", "f:1:1: max-wait: this is an array, not a number of seconds from 1 to 3600"),
        ("max-wait = 07:32:00", "f:1:1: max-wait: this is a time, not a number of seconds from 1 to 3600"),
        ("max-wait = 1979-05-27", "f:1:1: max-wait: this is a date, not a number of seconds from 1 to 3600"),
        ("max-wait = '5 s'", "f:1:1: max-wait: '5 s' is not a number of seconds from 1 to 3600"),
        ("[max-wait]", "f:1:1: max-wait: this is a table, not a number of seconds from 1 to 3600"),
        ("path = 5", "f:1:1: path: this is a whole number, not a path that begins with / and has no query, in quotes"),
        (
            "upstream-tls-minimum = 1.2",
            "f:1:1: upstream-tls-minimum: this is a number with a fraction, not one of 1.2, 1.3, in quotes"
        ),
        (
            "upstream-compression = false",
            "f:1:1: upstream-compression: this is a boolean, not one of off, zlib, in quotes"
        ),
        ("open-proxy = 1", "f:1:1: open-proxy: this is a whole number, not one of on, off, true, false"),
        ("open-proxy = 'yes'", "f:1:1: open-proxy: 'yes' is not one of on, off"),
        (
            "domain = [\n  'a', [ 'b' ]\n]",
            "f:2:8: domain: this is an array, not a domain name such as example.org, in quotes"
        ),
        (
            "listen = ['127.0.0.1:1',\n'80']",
            "f:2:1: listen: '80' is not ADDR:PORT, [IPV6]:PORT or unix:/PATH; this is a port without an address: "
                + "127.0.0.1:80"
        ),
        ("[domain]\na = 1", "f:1:1: domain: this is a table, not a domain name such as example.org, in quotes"),
        ("[tls]\na = 1", "f:1:1: tls: there is no such table"),
        ("[domian.a]", "f:1:1: domian: there is no such table; did you mean 'domains'?"),
        (
            "[[domains]]",
            #"f:1:1: domains: this is an array, not tables such as [domains."example.org"]; a list is domain = [...]"#
        ),
        (
            "domains = 'a'",
            #"f:1:1: domains: this is a string, not tables such as [domains."example.org"]; a list is domain = [...]"#
        ),
        (
            "[domains]\na = 'b:1'",
            #"f:2:1: domains.a: this is a string, not a table of a domain such as [domains."example.org"]"#
        ),
        (
            "[domains.example.org]\nupstream = 'a:1'",
            #"f:1:1: domains: a domain's name has to stand in quotes: [domains."example.org"]"#
        ),
        ("[domains.a.b.c.d]", #"f:1:1: domains: a domain's name has to stand in quotes: [domains."a.b.c.d"]"#),
        ("[domains.'a b']", "f:1:1: domains: 'a b' is not a domain name such as example.org"),
        (
            "[domains.'a.b']\nupstrem = 1",
            #"f:2:1: domains."a.b".upstrem: there is no such setting; did you mean 'upstream'?"#
        ),
        ("[domains.'a.b'.c]\nx = 1", #"f:1:1: domains."a.b".c: there is no such setting"#),
        (
            "[domains.'a.b']\nmax-wait = 5",
            #"f:2:1: domains."a.b".max-wait: this holds for all domains and has to stand above the first [table]"#
        ),
        (
            "[domains.'a.b']\nupstream-tls = 1",
            #"f:2:1: domains."a.b".upstream-tls: this is a whole number, not one of none, starttls, direct, in quotes"#
        ),
        (#"path = "/a\u0000b""#, "f:1:1: path: '/a?b' is not a path that begins with / and has no query"),
        ("x = 1\npath = \"/a\u{0}b\"", "f:2:11: this is a NUL byte, which no text has"),
        (
            "max-wait = 1e3",
            "f:1:1: max-wait: this is a number with an exponent, not a number of seconds from 1 to 3600; write 1000"
        ),
        (
            "max-wait = 1e-3",
            "f:1:1: max-wait: this is a number with an exponent, not a number of seconds from 1 to 3600"
        ),
        (
            "[domain.\"x.test\"]\nupstream = 'a:1'",
            #"f:1:1: domain: there is no such table; did you mean [domains."x.test"]?"#
        ),
        (
            "[domain.x.test]\nupstream = 'a:1'",
            #"f:1:1: domain: there is no such table; did you mean [domains."x.test"]?"#
        ),
        (
            "[\"one.test\"]\nupstream = 'a:1'",
            #"f:1:1: one.test: there is no such table; did you mean [domains."one.test"]?"#
        ),
        (
            "[one.test]\nupstream = 'a:1'", #"f:1:1: one: there is no such table; did you mean [domains."one.test"]?"#
        ),
    ])
    func `What is wrong is one line with its place`(text: String, fault: String) {
        #expect(faults(text) == [fault])
    }

    @Test func `All that is wrong, in the order of the file`() {
        let text = """
            polling = 9
            [domains."b"]
            upstream = 5
            upstream-tls = "no"
            [foo]
            """
        #expect(
            faults(text) == [
                "f:1:1: polling: '9' is not a number of seconds from 2 to 5",
                #"f:3:1: domains."b".upstream: this is a whole number, not \#(SettingsTable.upstream.row.allowed), in quotes"#,
                #"f:4:1: domains."b".upstream-tls: 'no' is not one of none, starttls, direct"#,
                "f:5:1: foo: there is no such table",
            ])
    }

    @Test func `What is no text`() {
        let latin1: [UInt8] = Array("x = 1\npath = \"é".utf8) + [0xE4] + Array("\"".utf8)
        #expect(
            throws: ConfigurationFileError(
                path: "f", position: TOMLPosition(line: 2, column: 10),
                reason: "this is not UTF-8 (the byte 0xE4): save the file as UTF-8")
        ) { try ConfigurationFile(path: "f", text: latin1) }
        #expect(throws: ConfigurationFileError.self) { try ConfigurationFile(path: "f", text: [0x61, 0xFF]) }
        let large = [UInt8](repeating: UInt8(ascii: "\n"), count: ConfigurationFile.largestSize)
        #expect(throws: Never.self) { try ConfigurationFile(path: "f", text: large) }
        #expect(throws: ConfigurationFileError.self) { try ConfigurationFile(path: "f", text: large + [0x0A]) }
    }

    @Test(arguments: ["\u{FEFF}", ""], ["\n", "\r\n"])
    func `A byte order mark and ends of lines`(mark: String, end: String) throws {
        let text = mark + ["# x", "max-wait = 50", "[domains.'a']", "upstream = 'b:1'"].joined(separator: end)
        #expect(try entries(text) == ["max-wait=50@2:1", "domains=a@3:1", "a/upstream=b:1@4:1"])
    }

    @Test func `An empty file says nothing`() throws {
        #expect(try entries("") == [])
        #expect(try entries("# only this") == [])
        #expect(try entries("[domains]") == [])
    }

    @Test func `A file that is not there`() {
        for (path, reason) in [
            ("/nowhere/at/all.toml", "there is no such file"), ("", "there is no such file"),
            ("/", "this is a folder, not a file"),
        ] {
            #expect(throws: ConfigurationFileError(path: path, reason: reason)) { try ConfigurationFile(path: path) }
        }
    }

    @Test func `A hostile path cannot break the line`() {
        let error = ConfigurationFileError(path: "a\nb", position: nil, reason: "x\ny")
        #expect(error.description == "a?b: x?y")
    }
}
