import Settings
import Testing

@Suite struct SuggestionTests {
    private func description(_ name: String, _ origin: SettingOrigin, domain: String? = nil) -> String {
        SettingsError(name: name, domain: domain, origin: origin, problem: .unknown).description
    }

    private static let file = SettingOrigin.file(path: "f", line: 1, column: 2)

    @Test(arguments: [
        ("max-wiat", "max-wait"), ("maxwait", "max-wait"), ("max_wait", "max-wait"), ("MaxWait", "max-wait"),
        ("max-waits", "max-wait"), ("lisen", "listen"), ("upstream-tsl", "upstream-tls"),
        ("trusted-proxies", "trusted-proxy"),
        ("max-pause", "maxpause"), ("publicurl", "public-url"), ("xmldepth", "xml-depth"), ("polling-", "polling"),
    ])
    func `A near name is offered`(written: String, meant: String) {
        #expect(
            description(written, Self.file) == "f:1:2: \(written): there is no such setting; did you mean '\(meant)'?")
    }

    @Test(arguments: [
        "", "x", "frobnicate", "-", "___", "timeouts-of-all-kinds", String(repeating: "listen", count: 50),
    ])
    func `Nothing is offered for what is near to nothing`(written: String) {
        #expect(!description(written, Self.file).contains("did you mean"))
    }

    @Test func `What is offered can be written at this place`() {
        #expect(description("pollin", .flag) == "--pollin: there is no such setting")
        #expect(description("max-wiat", .flag) == "--max-wiat: there is no such setting; did you mean '--max-wait'?")
        #expect(
            description("max-wiat", .environment)
                == "HOLDFAST_MAX_WIAT: there is no such setting; did you mean 'HOLDFAST_MAX_WAIT'?")
        #expect(
            description("max-wiat", Self.file, domain: "a") == "f:1:2: domains.\"a\".max-wiat: there is no such setting"
        )
    }

    @Test func `A table`() {
        let error = SettingsError(name: "domians", origin: Self.file, problem: .unknownTable)
        #expect(error.description == "f:1:2: domians: there is no such table; did you mean 'domains'?")
        let other = SettingsError(name: "tls", origin: Self.file, problem: .unknownTable)
        #expect(other.description == "f:1:2: tls: there is no such table")
    }

    @Test func `A hostile domain cannot break the line`() {
        let text = description("x\ny", Self.file, domain: "a\"\n\u{202E}" + String(repeating: "b", count: 500))
        #expect(!text.contains { $0.isNewline })
        #expect(text.utf8.count < 300)
    }
}
