import Settings
import Testing

@Suite struct AddressesTests {
    @Test(arguments: [
        ("127.0.0.1:5280", ListenAddress.tcp(host: "127.0.0.1", port: 5280)),
        ("0.0.0.0:0", .tcp(host: "0.0.0.0", port: 0)),
        ("255.255.255.255:65535", .tcp(host: "255.255.255.255", port: 65535)),
        ("localhost:80", .tcp(host: "127.0.0.1", port: 80)),
        ("[::1]:5280", .tcp(host: "::1", port: 5280)),
        ("[::]:5280", .tcp(host: "::", port: 5280)),
        ("[2001:DB8::1]:5280", .tcp(host: "2001:db8::1", port: 5280)),
        ("[1:2:3:4:5:6:7:8]:1", .tcp(host: "1:2:3:4:5:6:7:8", port: 1)),
        ("[::ffff:192.0.2.1]:1", .tcp(host: "::ffff:192.0.2.1", port: 1)),
        ("[1:2:3:4:5:6:7::]:1", .tcp(host: "1:2:3:4:5:6:7::", port: 1)),
        ("[fe80::]:1", .tcp(host: "fe80::", port: 1)),
        ("unix:/run/holdfast/http.sock", .unix(path: "/run/holdfast/http.sock")),
        ("unix:/a:1", .unix(path: "/a:1")),
    ])
    func `A listen address`(text: String, address: ListenAddress) {
        #expect(ListenAddress(text) == address)
        #expect(ListenAddress(address.description) == address)
    }

    @Test(arguments: [
        "", ":", ":5280", "5280", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:+80",
        "127.0.0.1: 80", " 127.0.0.1:80", "127.0.0.1:80 ", "127.0.0.1:8o", "127.1:80", "256.0.0.1:80", "1.2.3.4.5:80",
        "01.2.3.4:80", "1.2.3.04:80", "1.2..4:80", "*:80", "example.org:80", "::1:5280", "[::1]", "[::1]:", "[::1]5280",
        "[127.0.0.1]:80", "[]:80", "[:]:80", "[:::]:80", "[1::2::3]:80", "[1:2:3:4:5:6:7]:80", "[1:2:3:4:5:6:7:8:9]:80",
        "[::12345]:80", "[::g]:80", "[1:2:3:4:5:6:7:1.2.3.4]:80", "[::1.2.3]:80", "[1.2.3.4::]:80", "[:1::2]:80",
        "[1::2:]:80", "[fe80::1%eth0]:80", "[1:2:3:4:5:6:7:8::]:80", "unix:", "unix:/", "unix:relative",
        "unix:@abstract",
        "unix:/a\u{0}b", "unix:/a\nb", "unix:/" + String(repeating: "a", count: 107), "UNIX:/a",
        String(repeating: "1", count: 400) + ":80",
    ])
    func `No listen address`(text: String) {
        #expect(ListenAddress(text) == nil)
    }

    @Test func `A Unix path may fill sun_path`() {
        let path = "/" + String(repeating: "a", count: 106)
        #expect(ListenAddress("unix:" + path) == .unix(path: path))
    }

    @Test(arguments: [
        ("127.0.0.1:5222", "127.0.0.1", 5222, "127.0.0.1:5222"),
        ("[::1]:5222", "::1", 5222, "[::1]:5222"),
        ("XMPP.example.org:5223", "xmpp.example.org", 5223, "xmpp.example.org:5223"),
        ("localhost:1", "localhost", 1, "localhost:1"),
        ("my_server-1:65535", "my_server-1", 65535, "my_server-1:65535"),
        ("4chan.example:1", "4chan.example", 1, "4chan.example:1"),
        ("xmpp.example.org.:5222", "xmpp.example.org", 5222, "xmpp.example.org:5222"),
        ("xn--bcher-kva.example:5222", "xn--bcher-kva.example", 5222, "xn--bcher-kva.example:5222"),
    ])
    func `An upstream address`(text: String, host: String, port: UInt16, description: String) throws {
        let address = try #require(UpstreamAddress(text))
        #expect(address.host == host)
        #expect(address.port == port)
        #expect(address.description == description)
    }

    @Test(arguments: [
        "", "localhost", "localhost:", "localhost:0", "localhost:65536", ":5222", "::1:5222", "a b:1", "a..b:1", ".a:1",
        "a..:1", "-a:1", "a-:1", "a.-b:1", "http://localhost:5222", "localhost/x:1", "user@host:1", "bücher.example:1",
        "1.2.3:1", "300.1.1.1:1", "1:1", "a:b:1", "unix:/run/x", "\(String(repeating: "a", count: 64)).example:1",
    ])
    func `No upstream address`(text: String) {
        #expect(UpstreamAddress(text) == nil)
    }

    @Test(arguments: [
        ("a.example:1", 0, 0), ("a.example:1 priority=10", 10, 0), ("a.example:1 weight=5", 0, 5),
        ("a.example:1 priority=65535 weight=0", 65535, 0), ("a.example:1  weight=1  priority=2", 2, 1),
    ])
    func `An upstream address with priority and weight`(text: String, priority: UInt16, weight: UInt16) throws {
        let address = try #require(UpstreamAddress(weighted: text))
        #expect(address.host == "a.example" && address.port == 1)
        #expect(address.priority == priority)
        #expect(address.weight == weight)
    }

    @Test(arguments: [
        "", " ", "a.example", "a.example:1 5", "a.example:1 priority", "a.example:1 priority=",
        "a.example:1 priority=65536",
        "a.example:1 priority=-1", "a.example:1 priority=1=2", "a.example:1 priority=1 priority=2",
        "a.example:1 weight=1 weight=1", "a.example:1 Priority=1", "a.example:1 order=1", "priority=1 a.example:1",
        "a.example:1,priority=1", "a.example:1 priority=1 weight=2 weight=3", "a.example:1\tpriority=1",
    ])
    func `No upstream address with priority and weight`(text: String) {
        #expect(UpstreamAddress(weighted: text) == nil)
    }

    @Test(arguments: [("127.0.0.1:53", "127.0.0.1:53"), ("[2001:DB8::1]:5353", "[2001:db8::1]:5353")])
    func `A name server`(text: String, address: String) {
        #expect(SettingsTable.nameserver.parse(text) == address)
    }

    @Test(arguments: ["", "127.0.0.1", "127.0.0.1:0", "localhost:53", "ns.example.org:53", "::1:53", "[::1]"])
    func `No name server`(text: String) {
        #expect(SettingsTable.nameserver.parse(text) == nil)
    }
}
