import Settings
import Testing

/// `websocket-path`, `public-websocket-url`, `websocket-ping` and `require-origin`.
@Suite struct WebSocketSettingsTests {
    private func settings(_ entries: (String, String)...) throws(SettingsError) -> Settings {
        let required = [
            SettingEntry("domain", "a.example", origin: .flag),
            SettingEntry("upstream", "127.0.0.1:5222", origin: .flag),
        ]
        return try Settings.resolve(entries: required + entries.map { SettingEntry($0.0, $0.1, origin: .flag) })
    }

    @Test("W-21 paths are read like that of BOSH; off stands alone")
    func readsPaths() throws {
        #expect(try settings(("websocket-path", "//ws///")).webSocketPaths == ["/ws"])
        #expect(try settings(("websocket-path", "/")).webSocketPaths == ["/"])
        #expect(try settings(("websocket-path", "off")).webSocketPaths.isEmpty)
        #expect(throws: SettingsError.self) {
            try settings(("websocket-path", "off"), ("websocket-path", "/ws")).webSocketPaths
        }
        for path in ["ws", "/a?b", "/a#b", "OFF", "/ü"] {
            #expect(throws: SettingsError.self) { try settings(("websocket-path", path)).webSocketPaths }
        }
        // One address may be the endpoint of both protocols.
        let shared = try settings(("websocket-path", "/http-bind"))
        #expect(shared.webSocketPaths == [shared.path])
    }

    @Test("W-58 a public address is a wss URL")
    func readsURLs() throws {
        let urls = try settings(
            ("public-websocket-url", "WSS://Example.ORG:443/ws?a=b"), ("public-websocket-url", "wss://b.example"))
        #expect(urls.publicWebSocketURLs == ["wss://example.org:443/ws?a=b", "wss://b.example"])
        for url in ["ws://a.example/ws", "https://a.example/ws", "wss://", "wss://u@a.example/", "wss://a.example/#x"] {
            #expect(throws: SettingsError.self) { try settings(("public-websocket-url", url)).publicWebSocketURLs }
        }
    }

    @Test(
        "W-20 origins are compared as browsers write them",
        arguments: [
            ("https://EXAMPLE.org:443", "https://example.org"), ("http://a.test:80", "http://a.test"),
            ("https://a.test:8443", "https://a.test:8443"), ("null", nil), ("", nil), ("https://a.test/", nil),
            ("https://example.org.evil.net", "https://example.org.evil.net"),
        ])
    func canonicalises(origin: String, expected: String?) {
        #expect(AllowedPages.canonical(origin) == expected)
    }
}
