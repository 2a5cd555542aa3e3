import Settings
import Testing

/// `polling-path`.
@Suite struct PollingSettingsTests {
    private func settings(_ entries: (String, String)...) throws(SettingsError) -> Settings {
        let file = SettingOrigin.file(path: "f", line: 1, column: 1)
        let required = [
            SettingEntry("domain", "a.example", origin: .flag),
            SettingEntry("upstream", "127.0.0.1:5222", origin: .flag),
        ]
        return try Settings.resolve(entries: required + entries.map { SettingEntry($0.0, $0.1, origin: file) })
    }

    @Test("Q-01 Q-02 the path is read like that of BOSH, and no other endpoint has it")
    func readsPath() throws {
        #expect(try settings(("polling-path", "//http-poll///")).pollingPath == "/http-poll")
        #expect(try settings(("polling-path", "off")).pollingPath == nil)
        for path in ["poll", "/a?b", "OFF", "/http-bind", "/xmpp-websocket/"] {
            #expect(throws: SettingsError.self) { try settings(("polling-path", path)).pollingPath }
        }
    }
}
