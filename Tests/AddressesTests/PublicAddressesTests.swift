import Testing

@testable import Addresses

/// Which addresses a name in a request may lead to (IANA special-purpose registries, RFC 6890).
struct PublicAddressesTests {
    @Test(
        "the first and the last address of each special block are not public",
        arguments: [
            "0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.127.255.255", "127.0.0.0",
            "127.0.0.1", "127.255.255.255", "169.254.0.0", "169.254.169.254", "169.254.255.255", "172.16.0.0",
            "172.31.255.255", "192.0.0.0", "192.0.0.8", "192.0.0.255", "192.0.2.0", "192.0.2.255", "192.88.99.0",
            "192.88.99.255", "192.168.0.0", "192.168.255.255", "198.18.0.0", "198.19.255.255", "198.51.100.0",
            "198.51.100.255", "203.0.113.0", "203.0.113.255", "224.0.0.0", "239.255.255.255", "240.0.0.0",
            "255.255.255.254", "255.255.255.255",
            "::", "::1", "::2", "::7f00:1", "::ffff:ffff", "::ffff:0:127.0.0.1", "64:ff9b:1::", "64:ff9b:1:ffff::1",
            "64:ff9b:1::8.8.8.8", "64:ff9b::1:808:808", "100::", "100::1", "100:0:0:1::", "2001::", "2001::8.8.8.8",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:1::1", "2001:2::", "2001:10::", "2001:20::", "2001:2f::",
            "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "3fff::",
            "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "5f00::", "5f00:ffff::", "fc00::", "fd00::1", "fdff:ffff::",
            "fe00::", "fe80::", "fe80::1", "febf::", "fec0::", "feff::", "ff00::", "ff02::1", "ffff::", "1fff:ffff::",
            "4000::", "8000::",
        ])
    func isNotPublic(text: String) throws {
        #expect(try !#require(IPAddress(text)).isPublic)
    }

    @Test(
        "their neighbours, and addresses in use, are",
        arguments: [
            "1.0.0.0", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
            "128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "191.255.255.255",
            "192.0.1.0",
            "192.0.1.255", "192.0.3.0", "192.31.196.1", "192.88.98.255", "192.88.100.0", "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255", "198.20.0.0", "198.51.99.255", "198.51.101.0", "203.0.112.255", "203.0.114.0",
            "223.255.255.255",
            "2000::", "2000:ffff::1", "2001:200::", "2001:db7:ffff::1", "2001:db9::", "2001:4860:4860::8888",
            "2003::1", "2600::", "2620:4f:8000::1", "2a00:1450:4001:81a::200e", "3ffe:ffff::", "3fff:1000::",
            "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        ])
    func isPublic(text: String) throws {
        #expect(try #require(IPAddress(text)).isPublic)
    }

    @Test("an address with an IPv4 address in it is judged by that one", arguments: ["::ffff:", "64:ff9b::"])
    func isJudgedByTheEmbedded(prefix: String) throws {
        for (text, expected) in [
            ("8.8.8.8", true), ("127.0.0.1", false), ("10.1.2.3", false), ("169.254.169.254", false),
            ("0.0.0.0", false),
            ("223.255.255.255", true), ("255.255.255.255", false),
        ] {
            let address = try #require(IPAddress(prefix + text))
            #expect(address.isPublic == expected, "\(address)")
        }
    }

    @Test(
        "6to4 is judged by the IPv4 address behind 2002",
        arguments: [
            ("2002:808:808::1", true), ("2002:7f00:1::", false), ("2002:a00:1::1", false),
            ("2002:c0a8:101:5::9", false),
            ("2002:a9fe:a9fe::", false), ("2002:cb00:7200:ffff::", true), ("2002::", false),
        ])
    func sixToFour(text: String, expected: Bool) throws {
        #expect(try #require(IPAddress(text)).isPublic == expected)
    }

    @Test("each block is written with its first address, and no block is inside another")
    func tables() {
        for (index, block) in IPAddress.specialV4.enumerated() {
            #expect(block.prefix << UInt32(block.length) == 0)
            for other in IPAddress.specialV4.dropFirst(index + 1) {
                #expect(!block.contains(other.prefix) && !other.contains(block.prefix))
            }
        }
        for (index, block) in IPAddress.specialV6.enumerated() {
            #expect(block.prefix << UInt128(block.length) == 0)
            #expect(block.prefix >> 125 == 1)
            for other in IPAddress.specialV6.dropFirst(index + 1) {
                #expect(!block.contains(other.prefix) && !other.contains(block.prefix))
            }
        }
    }

    @Test("everything in a special block is refused, everything in an ordinary one is not")
    func insides() throws {
        let start = Chance.firstSeed("addresses of blocks")
        for (text, isInside) in [
            ("10.0.0.0/8", false), ("100.64.0.0/10", false), ("172.16.0.0/12", false), ("198.18.0.0/15", false),
            ("224.0.0.0/4", false), ("240.0.0.0/4", false), ("8.0.0.0/8", true), ("2001::/23", false),
            ("3fff::/20", false),
            ("2400::/12", true),
        ] {
            let network = try #require(IPNetwork(text))
            for seed in start..<start + 200 {
                var chance = Chance(seed: seed)
                let address = chance.address(in: text)
                #expect(network.contains(address))
                #expect(address.isPublic == isInside, "HOLDFAST_SEED=\(seed): \(address)")
            }
        }
    }
}

extension Chance {
    /// Any address of a network given as text.
    mutating func address(in network: String) -> IPAddress {
        let parts = network.split(separator: "/")
        let length = parts.count > 1 ? Int(parts[1]) ?? 0 : 128
        switch IPAddress(parts[0]) {
        case .v4(let prefix):
            return .v4(prefix | UInt32(truncatingIfNeeded: next()) & ~(UInt32.max << UInt32(32 - length)))
        case .v6(let prefix):
            let bits = UInt128(next()) << 64 | UInt128(next())
            return .v6(prefix | bits & ~(UInt128.max << UInt128(128 - length)))
        case nil:
            return .v4(0)
        }
    }
}
