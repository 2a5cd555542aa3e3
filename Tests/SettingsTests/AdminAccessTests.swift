import Settings
import Testing

/// Who may ask the admin listener (`admin-host`).
@Suite struct AdminAccessTests {
    private static let access = AdminAccess(names: ["stats.example"])

    private static func admits(_ host: String?, origin: Bool = false, sites: [String] = []) -> Bool {
        access.admits(
            AdminAccess.Request(
                host: host.map { Array($0.utf8) }, hasOrigin: origin, fetchSites: sites.map { Array($0.utf8) }))
    }

    @Test(
        "admin-host: addresses, localhost and listed names are asked by",
        arguments: [
            "127.0.0.1", "10.0.0.1:5281", "[::1]", "[2001:db8::1]:80", "localhost", "LOCALHOST:1", "localhost.",
            "stats.example.:9", "Stats.example:9",
        ])
    func admits(host: String) { #expect(Self.admits(host)) }

    @Test(
        "admin-host: any other name may be an attacker's",
        arguments: [
            "evil.example", "", ":80", "127.0.0.1.evil.example", "localhost.evil.example", "stats.example..", ".",
            "[::1",
            "[127.0.0.1]", "::1", "localhost:x", "127.0.0.1:80:80", String(repeating: "1", count: 100_000),
        ])
    func refuses(host: String) { #expect(!Self.admits(host)) }

    @Test("admin-host: no page from elsewhere asks, whatever the host; HTTP/1.0 needs no host")
    func refusesPages() {
        #expect(Self.admits(nil))
        #expect(!Self.admits(nil, origin: true))
        #expect(!Self.admits("localhost", origin: true))
        #expect(Self.admits("localhost", sites: ["none"]))
        #expect(Self.admits("localhost", sites: ["same-origin"]))
        for site in ["cross-site", "same-site", "", "None"] { #expect(!Self.admits("localhost", sites: [site])) }
        #expect(!Self.admits("localhost", sites: ["none", "cross-site"]))
    }
}
