import Settings
import Testing

@Suite struct PublicURLTests {
    @Test(
        "D-03: https URLs, host and scheme in lower case",
        arguments: [
            ("https://example.org/http-bind", "https://example.org/http-bind"),
            ("HTTPS://Example.ORG/HTTP-Bind/", "https://example.org/HTTP-Bind/"), ("https://a", "https://a"),
            ("https://a.example:5443/x?a=1&b='2'", "https://a.example:5443/x?a=1&b='2'"),
            ("https://a?q=:/@", "https://a?q=:/@"), ("https://192.0.2.1:1/", "https://192.0.2.1:1/"),
            ("https://[2001:DB8::1]/b", "https://[2001:db8::1]/b"), ("https://[::1]:8443", "https://[::1]:8443"),
            ("https://xn--bcher-kva.example/%7Ea//b", "https://xn--bcher-kva.example/%7Ea//b"),
        ])
    func accepted(text: String, url: String) {
        #expect(SettingsTable.publicURL.parse(text) == url)
    }

    @Test(
        "D-03: nothing that is not https, nothing that is no URL",
        arguments: [
            "http://example.org/http-bind", "wss://example.org/ws", "ws://a/", "//example.org/x", "/http-bind",
            "example.org", "https:/example.org", "https:example.org", "https://", "https:///x", "https://?x",
            " https://a",
            "https://a ", "https://a/b c", "https://a/<b>", "https://a/\"", "https://a/\\", "https://a/#x",
            "https://a#x",
            "https://user@example.org/", "https://user:pw@example.org/", "https://a:0/", "https://a:65536/",
            "https://a:/",
            "https://a:b/", "https://a:1:2/", "https://b\u{FC}cher.example/", "https://a/\u{E4}", "https://-a/",
            "https://a..b/",
            "https://1.2.3/", "https://[::1/", "https://::1/", "https://[fe80::1%25eth0]/", "https://a/\r\nX: y",
            "javascript:alert(1)", "https://a/" + String(repeating: "x", count: 2048),
        ])
    func refused(text: String) {
        #expect(SettingsTable.publicURL.parse(text) == nil)
    }

    @Test func `The message says what is allowed`() {
        let entries = [
            SettingEntry("domain", "a", origin: .flag), SettingEntry("upstream", "b:1", origin: .flag),
            SettingEntry("public-url", "http://a/", origin: .flag),
        ]
        #expect(throws: SettingsError.self) { try Settings.resolve(entries: entries) }
        #expect(SettingsTable.publicURL.row.flag == "--public-url")
        #expect(SettingsTable.publicURL.row.allowed == "an https URL such as https://example.org/http-bind")
    }
}
