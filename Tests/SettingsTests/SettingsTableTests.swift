import Settings
import Testing

@Suite struct SettingsTableTests {
    /// Entries for the settings without a default, so that one further entry can be tested alone.
    private static let required = [
        SettingEntry("domain", "example.org", origin: .environment),
        SettingEntry("upstream", "127.0.0.1:5222", origin: .environment),
    ]

    /// The error for `value` in `row`; `nil` when it is accepted.
    private func refusal(of value: String, for row: SettingRow) -> SettingsError? {
        let origin: SettingOrigin = row.hasFlag ? .flag : .file(path: "holdfast.toml", line: 3, column: 7)
        do throws(SettingsError) {
            _ = try Settings.resolve(entries: Self.required + [SettingEntry(row.name, value, origin: origin)])
            return nil
        } catch {
            return error
        }
    }

    private func expectInvalid(_ value: String, for row: SettingRow) {
        #expect(
            refusal(of: value, for: row)?.problem == .invalid(value: value, allowed: row.allowed),
            "\(row.name) = '\(value)'")
    }

    @Test func `The table holds every setting once`() {
        #expect(Set(SettingsTable.rows.map(\.name)).count == SettingsTable.rows.count)
        #expect(SettingsTable.rows.count == 101)
        for row in SettingsTable.rows { #expect(SettingsTable.row(named: row.name) == row) }
        #expect(SettingsTable.row(named: "maxwait") == nil)
    }

    @Test func `The flags are the command line's contract`() {
        #expect(
            SettingsTable.rows.compactMap(\.flag).sorted() == [
                "--admin", "--control", "--domain", "--inactivity", "--listen", "--log-format", "--log-level",
                "--max-body", "--max-hold",
                "--max-wait", "--path", "--public-url", "--public-websocket-url", "--upstream", "--upstream-ca",
                "--upstream-tls", "--websocket-path", "--workers",
            ])
        #expect(
            SettingsTable.rows.filter(\.isRepeatable).map(\.name) == [
                "listen", "listen-proxy", "public-url", "trusted-proxy", "websocket-path", "public-websocket-url",
                "cors-origin", "cors-header", "admin-host", "domain", "route", "upstream", "upstream-pin",
            ])
        #expect(SettingsTable.rows.filter(\.isRequired).map(\.name) == ["domain", "upstream"])
        #expect(
            SettingsTable.rows.filter(\.isPerDomain).map(\.name) == [
                "upstream", "upstream-tls", "upstream-ca", "upstream-pin", "upstream-certificate", "upstream-key",
                "upstream-tls-minimum", "upstream-ciphers", "upstream-compression", "upstream-from",
                "upstream-proxy-protocol",
            ])
    }

    @Test(arguments: SettingsTable.rows)
    func `A row is fit for documentation`(row: SettingRow) {
        #expect(row.name.utf8.allSatisfy { (0x61...0x7A).contains($0) || $0 == 0x2D })
        #expect(!row.doc.isEmpty && !row.doc.hasSuffix("."))
        #expect(!row.doc.contains { $0.isNewline })
        #expect(!row.allowed.isEmpty && !row.valueName.isEmpty)
        #expect(!(row.isRequired && !row.defaults.isEmpty))
        #expect(!row.example.isEmpty && (row.isRepeatable || row.example.count == 1))
        #expect(row.example != row.defaults, "an example that is the default shows nothing")
    }

    @Test(arguments: SettingsTable.rows)
    func `Every example is allowed`(row: SettingRow) {
        for value in row.example {
            #expect(Settings.faults(in: [SettingEntry(row.name, value, origin: .environment)]).isEmpty, "\(row.name)")
        }
    }

    @Test(arguments: SettingsTable.rows)
    func `Every default is allowed`(row: SettingRow) {
        for value in row.defaults { #expect(refusal(of: value, for: row) == nil, "\(row.name) = '\(value)'") }
    }

    @Test func `A section has settings, and every setting is in one`() {
        #expect(SettingsSection.all.flatMap(\.rows) == SettingsTable.rows)
        #expect(SettingsSection.all.allSatisfy { !$0.rows.isEmpty && !$0.title.isEmpty })
    }

    @Test(arguments: SettingsTable.rows)
    func `The range is what is accepted`(row: SettingRow) {
        switch row.kind {
        case .seconds(let range), .milliseconds(let range), .count(let range), .bytes(let range):
            for value in [range.lowerBound, range.upperBound] {
                #expect(refusal(of: String(value), for: row) == nil, "\(row.name) = \(value)")
                // A decimal has ten digits at most.
                guard value < 1_000_000_000 else { continue }
                #expect(refusal(of: "0" + String(value), for: row) == nil, "\(row.name) = 0\(value)")
            }
            for value in [range.lowerBound - 1, range.upperBound + 1, -range.upperBound] {
                expectInvalid(String(value), for: row)
            }
        case .choice(let words):
            // These are only allowed together with others: see `CrossOriginSettingsTests` and `SettingsTests`.
            let isAllowedAlone = { word in
                (row.name != "cors-credentials" || word == "off")
                    && (row.name != "client-scheme-from" || word != "forwarded")
            }
            for word in words where isAllowedAlone(word) {
                #expect(refusal(of: word, for: row) == nil, "\(row.name) = \(word)")
                if word.uppercased() != word { expectInvalid(word.uppercased(), for: row) }
                expectInvalid(word + " ", for: row)
            }
        case .numberOrWord, .text:
            break
        }
    }

    @Test(arguments: SettingsTable.rows)
    func `Garbage is refused`(row: SettingRow) {
        expectInvalid("", for: row)
        expectInvalid("a\nb", for: row)
        expectInvalid("\u{0}", for: row)
        // Any name is a path, and many names are also domains, ciphers or fields: see `XMPPDomainTests`.
        let takesMost = [
            "admin-token-file", "upstream-ca", "upstream-certificate", "upstream-key", "upstream-ciphers",
            "cors-header",
        ]
        guard !takesMost.contains(row.name), row.name != "admin-host", row.name != "domain",
            row.name != "default-domain", row.name != "node"
        else { return }
        for value in [
            " ", "-", "1.5", "+5", "5 s", "0x10", "99999999999999999999999999", "٣", "５", "1e3", "nonsense!", "5,5",
        ] {
            expectInvalid(value, for: row)
        }
    }

    @Test(arguments: [
        ("1024", 1024), ("2k", 2000), ("2 k", 2000), ("1 MiB", 1_048_576), ("2KiB", 2048), ("1M", 1_000_000),
        ("1MiB", 1_048_576), ("8MiB", 8_388_608),
    ])
    func `Bytes may have a unit`(text: String, bytes: Int) throws {
        let entries = Self.required + [SettingEntry("max-body", text, origin: .flag)]
        #expect(try Settings.resolve(entries: entries).maxBody == bytes)
    }

    @Test(arguments: [
        "1023", "9MiB", "2  k", " 2k", "2k ", "2 ", "2048 ", "2\tk", "2kb", "2K", "2m", "2mib", "k", "MiB", "1.5MiB",
        "9999999999MiB", "1Mi",
    ])
    func `Bytes with another unit are refused`(text: String) {
        expectInvalid(text, for: SettingsTable.maxBody.row)
    }

    @Test(arguments: [
        ("/", "/"), ("/http-bind", "/http-bind"), ("/http-bind/", "/http-bind"), ("/a/b//", "/a/b"), ("//", "/"),
        ("/%7Ebosh", "/%7Ebosh"), ("//http-bind", "/http-bind"), ("///a//b/", "/a//b"),
    ])
    func `A path has one slash in front and none at its end`(text: String, path: String) throws {
        let entries = Self.required + [SettingEntry("path", text, origin: .flag)]
        #expect(try Settings.resolve(entries: entries).path == path)
    }

    @Test(arguments: [
        "http-bind", "/a?b", "/a#b", "/a b", "/ä", "http://example.org/http-bind", "/a\\b",
        "/" + String(repeating: "a", count: 1024),
    ])
    func `What is no path is refused`(text: String) {
        expectInvalid(text, for: SettingsTable.path.row)
    }

    @Test(arguments: [
        ("Holdfast.Example.org", "holdfast.example.org"), ("stats", "stats"), ("10-a.b", "10-a.b"),
        ("a.example.", "a.example"),
    ])
    func `A host name is kept in lower case`(text: String, name: String) throws {
        let file = SettingOrigin.file(path: "f", line: 1, column: 1)
        let entries = Self.required + [SettingEntry("admin-host", text, origin: file)]
        #expect(try Settings.resolve(entries: entries).adminHosts == [name])
    }

    @Test(arguments: ["-a", "a-", "a..b", ".a", "a..", "ä.example", "a b", "a:80", String(repeating: "a", count: 64)])
    func `What is no host name is refused`(text: String) {
        expectInvalid(text, for: SettingsTable.adminHost.row)
    }

    @Test(arguments: [("auto", ByteLimit.auto), ("16 MiB", .bytes(16_777_216)), ("20M", .bytes(20_000_000))])
    func `The limit on memory is a size or the machine's`(text: String, limit: ByteLimit) throws {
        let file = SettingOrigin.file(path: "f", line: 1, column: 1)
        let entries = Self.required + [SettingEntry("memory-limit", text, origin: file)]
        #expect(try Settings.resolve(entries: entries).memoryLimit == limit)
    }

    @Test(arguments: ["Auto", "0", "16777215", "15 MiB", "none"])
    func `A limit on memory that leaves no room is refused`(text: String) {
        expectInvalid(text, for: SettingsTable.memoryLimit.row)
    }

    @Test(arguments: ["holdfast", "_chrony", "www-data", "a", "u1.x", String(repeating: "a", count: 32)])
    func `The user has a name`(text: String) throws {
        let file = SettingOrigin.file(path: "f", line: 1, column: 1)
        let entries = Self.required + [SettingEntry("user", text, origin: file)]
        #expect(try Settings.resolve(entries: entries).user == text)
    }

    @Test(arguments: ["", "-a", "1a", "a b", "a:b", "a/b", "ä", String(repeating: "a", count: 33)])
    func `What is no name of a user is refused`(text: String) {
        expectInvalid(text, for: SettingsTable.user.row)
        expectInvalid(text, for: SettingsTable.group.row)
    }

    @Test(arguments: [("auto", WorkerCount.auto), ("1", .number(1)), ("64", .number(64)), ("none", .none)])
    func `The number of workers is a number or that of the cores`(text: String, count: WorkerCount) throws {
        let file = SettingOrigin.file(path: "f", line: 1, column: 1)
        let entries = Self.required + [SettingEntry("workers", text, origin: file)]
        #expect(try Settings.resolve(entries: entries).workers == count)
    }

    @Test(arguments: ["0", "65", "-1", "Auto", "two", "1.5", ""])
    func `A number of workers that no machine needs is refused`(text: String) {
        expectInvalid(text, for: SettingsTable.workers.row)
    }

    @Test(arguments: ["127.0.0.1:5282", "/run/c", "unix:", "on"])
    func `Commands are taken at a path alone`(text: String) {
        expectInvalid(text, for: SettingsTable.control.row)
    }

    @Test func `Commands have a place of their own, and somebody who takes them`() throws {
        let control = SettingEntry("control", "unix:/run/c", origin: .flag)
        let none = SettingEntry("workers", "none", origin: .flag)
        #expect(try Settings.resolve(entries: Self.required + [control, none]).control != nil)
        let workers = SettingEntry("workers", "2", origin: .flag)
        #expect(try Settings.resolve(entries: Self.required + [control, workers]).control != nil)
        for name in ["listen", "listen-proxy"] {
            let same = SettingEntry(name, "unix:/run/c", origin: .flag)
            #expect(throws: SettingsError.self) {
                try Settings.resolve(entries: Self.required + [control, workers, same])
            }
        }
    }

    @Test(arguments: ["Web1", "web-1", "abcdefghijklmnop", "web 1", ""])
    func `A name that cannot stand in a sid is no node`(text: String) {
        expectInvalid(text, for: SettingsTable.node.row)
    }

    @Test func `The number of workers follows the cores only if it is to`() {
        #expect(WorkerCount.auto.number(cores: 3) == 3)
        #expect(WorkerCount.auto.number(cores: 0) == 1)
        #expect(WorkerCount.auto.number(cores: 1_000) == 64)
        #expect(WorkerCount.number(5).number(cores: 3) == 5)
        #expect(WorkerCount.none.number(cores: 3) == 0)
    }

    @Test func `Environment names follow from the names`() {
        #expect(SettingRow.environmentName(of: "max-wait") == "HOLDFAST_MAX_WAIT")
        #expect(SettingRow.environmentName(of: "path") == "HOLDFAST_PATH")
    }
}
