import Settings
import Testing

@Suite struct XMPPDomainTests {
    @Test(arguments: [
        ("example.org", "example.org"), ("Example.ORG", "example.org"), ("example.org.", "example.org"),
        ("localhost", "localhost"), ("chat.example.org", "chat.example.org"), ("my_host.example", "my_host.example"),
        ("bücher.example", "bücher.example"), ("BÜCHER.example", "bücher.example"), ("例え.テスト", "例え.テスト"),
        ("l·l.example", "l·l.example"), ("xn--bcher-kva.example", "xn--bcher-kva.example"), ("1.example", "1.example"),
        ("192.0.2.1", "192.0.2.1"), ("[2001:DB8::1]", "[2001:db8::1]"), ("हिन्दी.भारत", "हिन्दी.भारत"),
    ])
    func `A domain`(text: String, domain: String) {
        #expect(SettingsTable.domain.parse(text) == domain)
    }

    @Test(arguments: [
        "", ".", "..", ".example.org", "a..b", "a b", " a", "a ", "a\tb", "a\nb", "a\u{0}", "a\u{7F}", "a\u{85}b",
        "a\u{A0}b", "a\u{2028}b", "a\u{202E}b", "a\u{200B}b", "-a", "a-", "a.-b", "user@example.org", "example.org/x",
        "example.org:5222", "*.example.org", "a,b", "a;b", "<a>", "\"a\"", "a'b", "a&b", "a\\b", "a%b",
        "\u{301}a.example",
        "[::1", "[example]", "[127.0.0.1]", "::1", "😀.example", "½.example", "a。b",
        String(repeating: "a", count: 64) + ".example", String(repeating: "a.", count: 600) + "a",
    ])
    func `No domain`(text: String) {
        #expect(SettingsTable.domain.parse(text) == nil)
    }
}
