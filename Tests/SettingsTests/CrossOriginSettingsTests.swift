import HTTPWire
import Settings
import Testing

/// `cors-origin`, `cors-credentials` and `cors-header`.
@Suite struct CrossOriginSettingsTests {
    private func settings(_ entries: [SettingEntry]) throws(SettingsError) -> Settings {
        let site = [("domain", "example.org"), ("upstream", "localhost:5222")]
        return try Settings.resolve(entries: site.map { SettingEntry($0.0, $0.1, origin: .flag) } + entries)
    }

    private func settings(_ values: (String, String)...) throws(SettingsError) -> Settings {
        try settings(values.map { SettingEntry($0.0, $0.1, origin: .environment) })
    }

    private func fault(_ values: (String, String)...) -> String? {
        do throws(SettingsError) {
            _ = try settings(values.map { SettingEntry($0.0, $0.1, origin: .environment) })
            return nil
        } catch {
            return error.description
        }
    }

    @Test("cors-origin: any, off, or a list")
    func origins() throws {
        #expect(try settings().crossOrigin == .any)
        #expect(try settings(("cors-origin", "any")).crossOrigin == .any)
        #expect(try settings(("cors-origin", "off")).crossOrigin == .off)
        #expect(
            try settings(("cors-origin", "https://a.test"), ("cors-origin", "https://b.test:1")).crossOrigin
                == .list(["https://a.test", "https://b.test:1"], credentials: false))
        #expect(
            try settings([.emptyList("cors-origin", origin: .environment)]).crossOrigin
                == .list([], credentials: false))
    }

    @Test(
        "cors-origin: an origin is kept as browsers write it",
        arguments: [
            ("https://a.test", "https://a.test"), ("HTTPS://A.Test", "https://a.test"),
            ("https://a.test:443", "https://a.test"), ("http://a.test:80", "http://a.test"),
            ("http://a.test:443", "http://a.test:443"), ("https://a.test:80", "https://a.test:80"),
            ("http://localhost:8000", "http://localhost:8000"), ("http://127.0.0.1", "http://127.0.0.1"),
            ("https://[::1]:8443", "https://[::1]:8443"), ("https://[::443]", "https://[::443]"),
            ("capacitor://localhost", "capacitor://localhost"), ("chrome-extension://abc", "chrome-extension://abc"),
        ])
    func canonical(text: String, origin: String) throws {
        #expect(try settings(("cors-origin", text)).crossOrigin == .list([origin], credentials: false))
    }

    @Test(
        "cors-origin: what no browser sends is refused, and null, which any page can be",
        arguments: [
            "", "null", "*", "a.test", "https://", "https://a.test/", "https://a.test/chat", "https://a.test?x",
            "https://u@a.test", "https://*.a.test", "https://a.test:0", "https://a.test:65536", "https://a b",
            "https://a.test,https://b.test", "://a.test", "1x://a.test", "https:/a.test", "https://ä.test",
            "https://" + String(repeating: "a.", count: 200) + "test", "Any", "on",
        ])
    func refusesOrigin(text: String) {
        #expect(
            fault(("cors-origin", text))
                == "HOLDFAST_CORS_ORIGIN: '\(SettingsError.printable(text))' is not any, off, or an origin as browsers "
                + "send it, such as https://chat.example.org")
    }

    @Test("cors-origin: any and off stand alone")
    func standAlone() {
        for word in ["any", "off"] {
            let expected = "HOLDFAST_CORS_ORIGIN: '\(word)' is not for a list: it stands alone"
            #expect(fault(("cors-origin", "https://a.test"), ("cors-origin", word)) == expected)
            #expect(fault(("cors-origin", word), ("cors-origin", "https://a.test")) == expected)
        }
        #expect(fault(("cors-origin", "any"), ("cors-origin", "off")) != nil)
    }

    @Test("cors-credentials: only with a list")
    func credentials() throws {
        #expect(
            try settings(("cors-origin", "https://a.test"), ("cors-credentials", "on")).crossOrigin
                == .list(["https://a.test"], credentials: true))
        let expected = "HOLDFAST_CORS_CREDENTIALS: 'on' is only for origins that cors-origin lists by name"
        #expect(fault(("cors-credentials", "on")) == expected)
        for word in ["any", "off"] { #expect(fault(("cors-origin", word), ("cors-credentials", "on")) == expected) }
        #expect(try settings(("cors-credentials", "off")).crossOrigin == .any)
    }

    @Test("cors-header: a list, Content-Type always among it")
    func headers() throws {
        #expect(try settings().crossOriginHeaders == [])
        #expect(
            try settings(("cors-header", "X-Api-Key"), ("cors-header", "Cache-Control")).crossOriginHeaders
                == ["Content-Type", "X-Api-Key", "Cache-Control"])
        #expect(
            try settings(("cors-header", "x-a"), ("cors-header", "content-type")).crossOriginHeaders
                == ["x-a", "content-type"])
        for text in ["", "*", "a b", "a:", "a,b", "a\r\nb", "ä", String(repeating: "a", count: 129)] {
            #expect(
                fault(("cors-header", text))
                    == "HOLDFAST_CORS_HEADER: '\(SettingsError.printable(text))' is not the name of a header field such "
                    + "as X-Api-Key")
        }
        #expect(
            fault(("cors-origin", "off"), ("cors-header", "x-a"))
                == "HOLDFAST_CORS_HEADER: 'x-a' has no use with cors-origin off")
    }
}
