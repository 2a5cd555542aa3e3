import StreamCore
import Testing

@Suite("RedirectAddress (RFC 6120 §4.9.3.19)")
struct RedirectAddressTests {
    @Test(
        "a host, an address, a port",
        arguments: [
            ("b.example", "b.example", nil as UInt16?), ("B.Example:5269", "b.example", 5269),
            ("192.0.2.7", "192.0.2.7", nil), ("192.0.2.7:1", "192.0.2.7", 1), ("[2001:DB8::9]", "2001:db8::9", nil),
            ("[2001:41D0:1:A49b::1]:9222", "2001:41d0:1:a49b::1", 9222),
            ("[::ffff:192.0.2.7]:5222", "::ffff:192.0.2.7", 5222),
            ("xn--bcher-kva.example:65535", "xn--bcher-kva.example", 65535), ("_a.b", "_a.b", nil),
            ("a:00080", "a", 80), ("b.example.", "b.example", nil), ("b.example.:1", "b.example", 1),
        ])
    func good(text: String, host: String, port: UInt16?) {
        let address = RedirectAddress(text)
        #expect(address?.host == host)
        #expect(address?.port == port)
    }

    @Test(
        "anything else is nothing",
        arguments: [
            "", ":", ":5222", "a:", "a:0", "a:65536", "a:99999", "a:000080", "a:-1", "a:+1", "a: 1", "a:1:2", "a b",
            "a/b",
            "a@b", "a\n", "\u{0}", "bücher.example", "a:\u{0661}", "[", "[]", "[]:1", "[::1", "[::1]x", "[::1]:",
            "[::1]:0",
            "[192.0.2.7]", "[a.example]", "[fe80::1%eth0]", "::1", "2001:db8::9", "[[::1]]", "%2e",
        ])
    func bad(text: String) {
        #expect(RedirectAddress(text) == nil)
    }

    @Test("a name has at most 255 bytes")
    func length() {
        #expect(RedirectAddress(String(repeating: "a", count: 255))?.host.utf8.count == 255)
        #expect(RedirectAddress(String(repeating: "a", count: 256)) == nil)
        #expect(RedirectAddress("[" + String(repeating: ":", count: 256) + "]") == nil)
    }
}
