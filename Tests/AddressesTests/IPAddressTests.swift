import Effort
import Glibc
import Testing

@testable import Addresses

/// Texts of addresses: read as in RFC 4291, written as in RFC 5952.
struct IPAddressTests {
    @Test(
        "IPv4 is four octets",
        arguments: [
            ("0.0.0.0", 0), ("127.0.0.1", 0x7F00_0001), ("192.0.2.255", 0xC000_02FF), ("255.255.255.255", 0xFFFF_FFFF),
        ] as [(String, UInt32)])
    func readsV4(text: String, number: UInt32) {
        #expect(IPAddress(text) == .v4(number))
        #expect(IPAddress.v4(number).description == text)
    }

    @Test(
        "IPv6 in the forms of RFC 4291 §2.2, and its text by RFC 5952 §4",
        arguments: [
            ("::", 0, "::"),
            ("::1", 1, "::1"),
            ("1::", 1 << 112, "1::"),
            ("0:0:0:0:0:0:0:0", 0, "::"),
            ("0000:0000:0000:0000:0000:0000:0000:0001", 1, "::1"),
            (
                "ABCD:EF01:2345:6789:ABCD:EF01:2345:6789", 0xABCD_EF01_2345_6789_ABCD_EF01_2345_6789,
                "abcd:ef01:2345:6789:abcd:ef01:2345:6789"
            ),
            ("2001:DB8::8:800:200C:417A", 0x2001_0DB8_0000_0000_0008_0800_200C_417A, "2001:db8::8:800:200c:417a"),
            ("FF01::101", 0xFF01 << 112 | 0x101, "ff01::101"),
            ("2001:db8:0:1:1:1:1:1", 0x2001_0DB8_0000_0001_0001_0001_0001_0001, "2001:db8:0:1:1:1:1:1"),
            ("2001:db8::1:1:1:1:1", 0x2001_0DB8_0000_0001_0001_0001_0001_0001, "2001:db8:0:1:1:1:1:1"),
            ("2001:0:0:1:0:0:0:1", 0x2001_0000_0000_0001_0000_0000_0000_0001, "2001:0:0:1::1"),
            ("2001:db8:0:0:1:0:0:1", 0x2001_0DB8_0000_0000_0001_0000_0000_0001, "2001:db8::1:0:0:1"),
            ("1:2:3:4:5:6:7::", 0x0001_0002_0003_0004_0005_0006_0007_0000, "1:2:3:4:5:6:7:0"),
            ("::2:3:4:5:6:7:8", 0x0000_0002_0003_0004_0005_0006_0007_0008, "0:2:3:4:5:6:7:8"),
            ("1:2:3:4:5:6:0:0", 0x0001_0002_0003_0004_0005_0006_0000_0000, "1:2:3:4:5:6::"),
            ("::13.1.68.3", 0x0D01_4403, "::d01:4403"),
            ("::FFFF:129.144.52.38", 0xFFFF_8190_3426, "::ffff:129.144.52.38"),
            ("::ffff:0:0", 0xFFFF_0000_0000, "::ffff:0.0.0.0"),
            ("0:0:0:0:0:ffff:c000:201", 0xFFFF_C000_0201, "::ffff:192.0.2.1"),
            ("64:ff9b::192.0.2.33", 0x0064_FF9B << 96 | 0xC000_0221, "64:ff9b::c000:221"),
            ("1:2:3:4:5:6:255.255.255.255", 0x0001_0002_0003_0004_0005_0006_FFFF_FFFF, "1:2:3:4:5:6:ffff:ffff"),
            ("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", UInt128.max, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ] as [(String, UInt128, String)])
    func readsV6(text: String, number: UInt128, canonical: String) {
        #expect(IPAddress(text) == .v6(number))
        #expect(IPAddress.v6(number).description == canonical)
    }

    @Test(
        "everything else is no address",
        arguments: [
            "", " ", "1", "127.1", "1.2.3", "1.2.3.", ".1.2.3", "1.2.3.4.", "1.2.3.4.5", "1..2.3", "256.0.0.1",
            "1.2.3.256",
            "01.2.3.4", "1.2.3.00", "1.2.3.4 ", " 1.2.3.4", "1.2.3.4\n", "1.2.3.4\0", "+1.2.3.4", "-1.2.3.4",
            "0x7f.0.0.1",
            "2130706433", "1.2.3.4:80", "1.2.3.4/8", "１.2.3.4", "a.b.c.d", "1.2.3.99999999999999999999", "localhost",
            ":", ":::", "::1:", ":1", "1:", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::",
            "::1:2:3:4:5:6:7:8", "1:2:3:4::5:6:7:8", "12345::", "00001::", "g::", "::g", "[::1]", "::1%eth0",
            "fe80::1%1",
            "::1/128", "::1.2.3", "::1.2.3.4.5", "::1.2.3.4:5", "::01.2.3.4", "::256.1.1.1", "1.2.3.4::",
            "::ffff:1.2.3.4:",
            "1:2:3:4:5:6:7:1.2.3.4", "::1 ", " ::1", "1:::2", "-1::", "+1::", "0x1::", "::1\0",
            "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.2555", "0000000000000000000000000000000000000000000000000001",
        ])
    func refuses(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test("a part of a longer text is read as it stands")
    func readsSubstrings() {
        #expect(IPAddress("[::1]:80".dropFirst().prefix(3)) == .v6(1))
    }

    @Test(
        "mapped addresses are unmapped, others are left alone",
        arguments: [
            ("::ffff:192.0.2.1", "192.0.2.1"), ("::ffff:0.0.0.0", "0.0.0.0"), ("192.0.2.1", "192.0.2.1"),
            ("::192.0.2.1", "::c000:201"), ("64:ff9b::192.0.2.1", "64:ff9b::c000:201"), ("::fffe:0:1", "::fffe:0:1"),
            ("1::ffff:192.0.2.1", "1::ffff:c000:201"), ("::1", "::1"),
        ])
    func unmaps(text: String, expected: String) throws {
        #expect(try #require(IPAddress(text)).unmapped.description == expected)
    }

    @Test("what is printed is read again as the same, and the system reads it so too")
    func roundTrip() throws {
        let start = Chance.firstSeed("texts of addresses")
        for seed in start..<start + Effort.cases(4_000) {
            var chance = Chance(seed: seed)
            let address = chance.address()
            let text = address.description
            #expect(IPAddress(text) == address, "HOLDFAST_SEED=\(seed): \(text)")
            #expect(IPAddress(text.uppercased()) == address, "HOLDFAST_SEED=\(seed): \(text)")
            #expect(Self.systemReads(text) == address, "HOLDFAST_SEED=\(seed): \(text)")
        }
    }

    @Test("damaged texts are read as inet_pton reads them")
    func agreesWithTheSystem() {
        let start = Chance.firstSeed("damaged addresses")
        let telling = Array(":::..0019afFg%/ ".utf8)
        for seed in start..<start + Effort.cases(10_000) {
            var chance = Chance(seed: seed)
            var bytes = Array(chance.address().description.utf8)
            for _ in 0..<Int.random(in: 1...4, using: &chance) { chance.mutate(&bytes, telling: telling) }
            let text = String(decoding: bytes, as: UTF8.self)
            #expect(IPAddress(text) == Self.systemReads(text), "HOLDFAST_SEED=\(seed): \(text)")
        }
    }

    @Test("random bytes are no trap")
    func anything() {
        let start = Chance.firstSeed("anything as an address")
        for seed in start..<start + Effort.cases(5_000) {
            var chance = Chance(seed: seed)
            let text = String(decoding: chance.bytes(0..<50), as: UTF8.self)
            guard let address = IPAddress(text) else { continue }
            #expect(IPAddress(address.description) == address, "HOLDFAST_SEED=\(seed)")
        }
    }

    private static func systemReads(_ text: String) -> IPAddress? {
        var four = in_addr()
        if inet_pton(AF_INET, text, &four) == 1 { return .v4(UInt32(bigEndian: four.s_addr)) }
        var six = in6_addr()
        guard inet_pton(AF_INET6, text, &six) == 1 else { return nil }
        return withUnsafeBytes(of: &six) { .v6($0.reduce(0) { $0 << 8 | UInt128($1) }) }
    }
}
