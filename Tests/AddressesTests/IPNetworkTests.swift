import Effort
import Testing

@testable import Addresses

/// Networks as a setting names them.
struct IPNetworkTests {
    @Test(
        "texts, and how they are printed",
        arguments: [
            ("10.0.0.0/8", "10.0.0.0/8"), ("0.0.0.0/0", "0.0.0.0/0"), ("192.0.2.1", "192.0.2.1"),
            ("192.0.2.1/32", "192.0.2.1"), ("127.0.0.0/8", "127.0.0.0/8"), ("192.0.2.128/25", "192.0.2.128/25"),
            ("::/0", "::/0"), ("::1", "::1"), ("::1/128", "::1"), ("FE80::/10", "fe80::/10"),
            ("2001:db8:0:0::/32", "2001:db8::/32"), ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
            ("::ffff:0:0/96", "0.0.0.0/0"), ("::ffff:192.0.2.1", "192.0.2.1"), ("::fffe:0:0/95", "::fffe:0:0/95"),
        ])
    func reads(text: String, printed: String) throws {
        let network = try #require(IPNetwork(text))
        #expect(network.description == printed)
        #expect(IPNetwork(printed) == network)
    }

    @Test(
        "everything else is no network",
        arguments: [
            "", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/08", "10.0.0.0/+8", "10.0.0.0/-1", "10.0.0.0/8 ",
            "10.0.0.0 /8", "10.0.0.0/8/8", "10.0.0.0/255.0.0.0", "10.0.0.0/4294967304", "10/8", "10.0.0/24", "::/129",
            "::/0x1", "fe80::%eth0/10", "[::]/0", "localhost", "10.0.0.0/8,", "::1/",
        ])
    func refuses(text: String) {
        #expect(IPNetwork(text) == nil)
    }

    @Test(
        "a bit behind the prefix is a mistake",
        arguments: [
            "10.0.0.1/8", "10.0.0.1/31", "0.0.0.1/0", "128.0.0.0/0", "::1/127", "::1/0", "2001:db8::1/64", "8000::/0",
            "::ffff:10.0.0.1/104",
        ])
    func refusesHostBits(text: String) {
        #expect(IPNetwork(text) == nil)
    }

    @Test(
        "membership",
        arguments: [
            ("10.0.0.0/8", "10.0.0.0", true), ("10.0.0.0/8", "10.255.255.255", true), ("10.0.0.0/8", "11.0.0.0", false),
            ("10.0.0.0/8", "9.255.255.255", false), ("192.0.2.1", "192.0.2.1", true), ("192.0.2.1", "192.0.2.0", false),
            ("192.0.2.0/31", "192.0.2.1", true), ("192.0.2.0/31", "192.0.2.2", false), ("0.0.0.0/0", "8.8.8.8", true),
            ("0.0.0.0/0", "::1", false), ("0.0.0.0/0", "::", false), ("::/0", "::1", true), ("::/0", "0.0.0.0", false),
            ("2001:db8::/32", "2001:db8:ffff::1", true), ("2001:db8::/32", "2001:db9::", false), ("::1", "::1", true),
            ("::1", "::2", false), ("::2/127", "::3", true), ("::2/127", "::4", false),
            // mapped on either side
            ("10.0.0.0/8", "::ffff:10.1.2.3", true), ("10.0.0.0/8", "::ffff:11.1.2.3", false),
            ("::ffff:10.0.0.0/104", "10.1.2.3", true), ("::ffff:10.0.0.0/104", "::ffff:10.1.2.3", true),
            ("::ffff:10.0.0.0/104", "11.1.2.3", false), ("::/0", "::ffff:10.1.2.3", false),
            ("10.0.0.0/8", "::10.1.2.3", false),
        ])
    func contains(network: String, address: String, expected: Bool) throws {
        #expect(try #require(IPNetwork(network)).contains(#require(IPAddress(address))) == expected)
    }

    @Test("a network holds the addresses that share its bits, and no other")
    func membershipProperty() throws {
        let start = Chance.firstSeed("members of networks")
        var tried = 0
        for seed in start..<start + Effort.cases(3_000) {
            var chance = Chance(seed: seed)
            let address = chance.address().unmapped
            guard case .v4(let number) = address else { continue }
            tried += 1
            let length = Int.random(in: 0...32, using: &chance)
            let mask: UInt32 = length == 0 ? 0 : ~0 << UInt32(32 - length)
            let network = try #require(IPNetwork("\(IPAddress.v4(number & mask))/\(length)"), "HOLDFAST_SEED=\(seed)")
            #expect(IPNetwork(network.description) == network, "HOLDFAST_SEED=\(seed)")
            #expect(network.contains(address), "HOLDFAST_SEED=\(seed)")
            let bit = Int.random(in: 0..<32, using: &chance)
            #expect(network.contains(.v4(number ^ (1 << UInt32(bit)))) == (bit < 32 - length), "HOLDFAST_SEED=\(seed)")
        }
        #expect(tried > Effort.cases(300))
    }

    @Test("the same for IPv6")
    func membershipPropertyV6() throws {
        let start = Chance.firstSeed("members of IPv6 networks")
        for seed in start..<start + Effort.cases(3_000) {
            var chance = Chance(seed: seed)
            let number = UInt128(chance.next()) << 64 | UInt128(chance.next())
            let length = Int.random(in: 0...128, using: &chance)
            let mask: UInt128 = length == 0 ? 0 : ~0 << UInt128(128 - length)
            let network = try #require(IPNetwork("\(IPAddress.v6(number & mask))/\(length)"), "HOLDFAST_SEED=\(seed)")
            #expect(IPNetwork(network.description) == network, "HOLDFAST_SEED=\(seed)")
            let bit = Int.random(in: 0..<128, using: &chance)
            let other = IPAddress.v6(number ^ (1 << UInt128(bit)))
            guard other == other.unmapped else { continue }
            #expect(network.contains(other) == (bit < 128 - length), "HOLDFAST_SEED=\(seed)")
        }
    }

    @Test(
        "the network around an address that has bits behind the prefix",
        arguments: [
            ("10.1.2.3/8", "10.0.0.0/8"), ("192.0.2.1/31", "192.0.2.0/31"), ("10.1.2.3/0", "0.0.0.0/0"),
            ("2001:db8::1/32", "2001:db8::/32"), ("::1/0", "::/0"), ("10.0.0.0/8", nil), ("10.1.2.3", nil),
            ("10.1.2.3/33", nil), ("10.1.2.3/-1", nil), ("10.1.2.3/8/8", nil), ("a/8", nil), ("", nil),
        ])
    func around(text: String, network: String?) {
        #expect(IPNetwork(around: text)?.description == network)
    }
}
