import Settings
import Testing

@Suite struct AddressHintTests {
    /// What stands behind "is not …" when a setting of a file has this value.
    private func hint(_ name: String, _ value: String) -> String? {
        let entry = SettingEntry(name, value, origin: .file(path: "f", line: 1, column: 1))
        guard let fault = Settings.faults(in: [entry]).first, let row = SettingsTable.row(named: name) else {
            return nil
        }
        let start = "f:1:1: \(name): '\(value)' is not \(row.allowed)"
        #expect(fault.description.hasPrefix(start))
        return String(fault.description.dropFirst(start.count))
    }

    @Test(arguments: [
        ("xmpp.example.org", "; the port is missing: xmpp.example.org:5222"),
        ("10.0.0.1", "; the port is missing: 10.0.0.1:5222"),
        ("5222", "; this is a port without an address: example.org:5222"),
        (":5222", "; the address is missing: example.org:5222"),
        ("a.example:", "; the port is missing behind the colon"),
        ("a.example:xmpp", "; 'xmpp' is not a port, which is a number"),
        ("a.example:0", "; a port is a number from 1 to 65535"),
        ("a.example:70000", "; a port is a number from 1 to 65535"),
        ("a.example:99999999999999999999", "; a port is a number from 1 to 65535"),
        ("::1", "; an IPv6 address stands in brackets, and the port is missing: [::1]:5222"),
        ("2001:db8::1:5222", "; an IPv6 address stands in brackets: [2001:db8::1]:5222"),
        ("[::1]", "; the port is missing: [::1]:5222"),
        ("[::g]:5222", "; [::g] is no IPv6 address"),
        ("300.1.1.1:5222", "; 300.1.1.1 is no IPv4 address"),
        ("http://a.example:5222", "; leave out 'http://': a.example:5222"),
        ("xmpp://a.example/x", "; leave out 'xmpp://': a.example:5222"),
        ("a.example:5222/x", "; leave out '/x'"),
        ("unix:/run/x", "; a Unix socket is not possible here"),
        ("a.example:5222 priority=x", ""), ("a b", "; the port is missing: a:5222"), ("a..b:5222", ""), ("", ""),
    ])
    func `The address of a server`(value: String, words: String) {
        #expect(hint("upstream", value) == words)
    }

    @Test(arguments: [
        ("80", "; this is a port without an address: 127.0.0.1:80"),
        (":80", "; the address is missing: 127.0.0.1:80"),
        ("127.0.0.1", "; the port is missing: 127.0.0.1:5280"),
        ("127.0.0.1:65536", "; a port is a number from 1 to 65535"),
        ("::1", "; an IPv6 address stands in brackets, and the port is missing: [::1]:5280"),
        ("*:5280", "; all addresses of this machine are 0.0.0.0:5280 and [::]:5280"),
        ("example.org:80", "; an address is needed here, not a name"),
        ("http://127.0.0.1:80", "; leave out 'http://': 127.0.0.1:80"),
        ("/run/x", "; a Unix socket is written unix:/run/x"),
        ("unix:run/x", "; the path of a Unix socket begins with a /"),
    ])
    func `An address to listen on`(value: String, words: String) {
        #expect(hint("listen", value) == words)
        #expect(hint("listen-proxy", value) == words)
    }

    @Test func `The path of a Unix socket is bounded`() {
        let path = "unix:/" + String(repeating: "x", count: 110)
        let entry = SettingEntry("listen", path, origin: .flag)
        #expect(
            Settings.faults(in: [entry]).first?.description.hasSuffix(
                "; the path of a Unix socket has at most 107 bytes")
                == true)
    }

    @Test(arguments: [
        ("admin", "unix:run/x", "; the path of a Unix socket begins with a /"),
        ("admin", "127.0.0.1", "; the port is missing: 127.0.0.1:5281"),
        ("nameserver", "ns.example", "; the port is missing: ns.example:53"),
        ("nameserver", "ns.example:53", "; an address is needed here, not a name"),
        ("route", "a.example", "; the port is missing: a.example:5222"),
        ("trusted-proxy", "10.1.2.3/8", "; bits are set behind the first 8: write 10.0.0.0/8"),
        ("trusted-proxy", "2001:db8::1/32", "; bits are set behind the first 32: write 2001:db8::/32"),
        ("trusted-proxy", "10.0.0.0/33", "; an IPv4 address has 32 bits"),
        ("trusted-proxy", "::/129", "; an IPv6 address has 128 bits"),
        ("trusted-proxy", "10.0.0.0/x", ""), ("trusted-proxy", "10.0.0/8", ""), ("trusted-proxy", "a/8", ""),
    ])
    func `Other settings with an address`(name: String, value: String, words: String) {
        #expect(hint(name, value) == words)
    }
}
