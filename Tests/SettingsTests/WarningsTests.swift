import Settings
import Testing

@Suite struct WarningsTests {
    private static let file = SettingOrigin.file(path: "f", line: 1, column: 1)

    /// `NAME VALUE` and, before them, `DOMAIN/` for one of a domain's table. `[DOMAIN]` is a table.
    private func entries(_ lines: [String]) -> [SettingEntry] {
        lines.enumerated().map { index, line in
            let origin = SettingOrigin.file(path: "f", line: index + 1, column: 1)
            if line.hasPrefix("[") {
                return SettingEntry("domains", String(line.dropFirst().dropLast()), origin: origin)
            }
            let words = line.split(separator: " ", maxSplits: 1).map(String.init)
            let place = words[0].split(separator: "/").map(String.init)
            return SettingEntry(
                place.last ?? "", words[1], origin: origin, domain: place.count > 1 ? place.first : nil)
        }
    }

    private func warnings(_ lines: String...) throws -> [String] {
        try Settings.resolve(entries: entries(lines)).warnings.map(\.description)
    }

    @Test func `Usual settings need none`() throws {
        #expect(try warnings("domain a.example", "upstream x:1", "max-wait 59", "listen 127.0.0.1:1") == [])
    }

    @Test func `A value that is there twice`() throws {
        #expect(
            try warnings(
                "domain a.example", "upstream x:1", "listen 127.0.0.1:1", "listen 127.0.0.1:2", "listen 127.0.0.1:1")
                == ["f:5:1: listen: '127.0.0.1:1' is there twice"])
        #expect(
            try warnings("[a.example]", "a.example/upstream x:1", "a.example/upstream x:1")
                == ["f:3:1: domains.\"a.example\".upstream: 'x:1' is there twice"])
        #expect(try warnings("[a.example]", "[b.example]", "upstream x:1", "upstream x:1").count == 1)
    }

    @Test(arguments: [("60", true), ("600", true), ("59", false)])
    func `A wait beyond that of usual proxies`(wait: String, isTold: Bool) throws {
        let told = try warnings("domain a.example", "upstream x:1", "max-wait \(wait)")
        #expect(
            told
                == (isTold
                    ? [
                        "f:3:1: max-wait: '\(wait)' is as long as most proxies wait for an answer (60 s) or longer: "
                            + "the proxy needs a longer read timeout"
                    ] : []))
    }

    @Test func `What each domain's table overrides`() throws {
        let unused = "f:1:1: upstream: 'x:1' is not used: the table of each domain has its own upstream"
        let one = ["upstream x:1", "[a.example]", "a.example/upstream y:1"]
        #expect(try Settings.resolve(entries: entries(one)).warnings.map(\.description) == [unused])
        let two = one + ["[b.example]"]
        #expect(try Settings.resolve(entries: entries(two)).warnings == [])
        #expect(try Settings.resolve(entries: entries(two + ["b.example/upstream z:1"])).warnings.count == 1)
        #expect(try Settings.resolve(entries: entries(one + ["domain c.example"])).warnings == [])
        // The open proxy has the other settings of the top, so it may need them.
        #expect(try Settings.resolve(entries: entries(one + ["open-proxy on"])).warnings == [])
    }

    @Test(arguments: [
        (["listen 0.0.0.0:5281"], "--admin: '127.0.0.1:5281' takes the same port as listen '0.0.0.0:5281'"),
        (
            ["listen 127.0.0.1:9", "admin 0.0.0.0:9"],
            "f:4:1: admin: '0.0.0.0:9' takes the same port as listen '127.0.0.1:9'"
        ),
        (
            ["listen [::]:9", "listen [::1]:9"], "f:4:1: listen: '[::1]:9' takes the same port as listen '[::]:9'"
        ),
        (
            ["listen 127.0.0.1:9", "listen-proxy 127.0.0.1:9"],
            "f:4:1: listen-proxy: '127.0.0.1:9' is an address of listen too"
        ),
        (["listen [::]:9", "admin 127.0.0.1:9"], nil), (["listen 0.0.0.0:0", "admin 127.0.0.1:0"], nil),
        (["listen 0.0.0.0:9", "admin 127.0.0.1:8"], nil),
    ])
    func `Addresses of which only one can be listened on`(lines: [String], fault: String?) {
        do throws(SettingsError) {
            _ = try Settings.resolve(entries: entries(["domain a.example", "upstream x:1"] + lines))
            #expect(fault == nil)
        } catch {
            #expect(error.description == fault)
        }
    }
}
