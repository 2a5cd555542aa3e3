extension IPAddress {
    /// Whether the address is unicast and globally reachable.
    ///
    /// False for everything that the IANA special-purpose registries (RFC 6890) do not call globally reachable, for
    /// multicast, and for IPv6 outside 2000::/3. An address that embeds an IPv4 address (mapped, 6to4, NAT64) is judged
    /// by that one. In doubt the answer is false, because it decides where a client's request may make this program
    /// connect to.
    package var isPublic: Bool {
        switch unmapped {
        case .v4(let number):
            !Self.specialV4.contains { $0.contains(number) }
        case .v6(let number):
            if number >> 32 == Self.nat64 {
                IPAddress.v4(UInt32(truncatingIfNeeded: number)).isPublic
            } else if number >> 112 == Self.sixToFour {
                IPAddress.v4(UInt32(truncatingIfNeeded: number >> 80)).isPublic
            } else {
                number >> 125 == 1 && !Self.specialV6.contains { $0.contains(number) }
            }
        }
    }

    /// The addresses whose first `length` bits are those of `prefix`.
    struct Block<Number: FixedWidthInteger & UnsignedInteger & Sendable>: Sendable {
        let prefix: Number
        let length: Int

        init(_ prefix: Number, _ length: Int) {
            self.prefix = prefix
            self.length = length
        }

        func contains(_ number: Number) -> Bool {
            (number ^ prefix) >> Number(Number.bitWidth - length) == 0
        }
    }

    /// 64:ff9b::/96, NAT64 (RFC 6052). 64:ff9b:1::/48, its local counterpart (RFC 8215), is outside 2000::/3.
    private static let nat64: UInt128 = 0x0064_FF9B << 64
    /// 2002::/16 (RFC 3056).
    private static let sixToFour: UInt128 = 0x2002

    static let specialV4: [Block<UInt32>] = [
        Block(0x0000_0000, 8),  // 0.0.0.0/8: this network (RFC 791)
        Block(0x0A00_0000, 8),  // 10.0.0.0/8: private use (RFC 1918)
        Block(0x6440_0000, 10),  // 100.64.0.0/10: shared address space (RFC 6598)
        Block(0x7F00_0000, 8),  // 127.0.0.0/8: loopback (RFC 1122)
        Block(0xA9FE_0000, 16),  // 169.254.0.0/16: link-local (RFC 3927); cloud metadata services
        Block(0xAC10_0000, 12),  // 172.16.0.0/12: private use (RFC 1918)
        Block(0xC000_0000, 24),  // 192.0.0.0/24: protocol assignments (RFC 6890)
        Block(0xC000_0200, 24),  // 192.0.2.0/24: documentation (RFC 5737)
        Block(0xC058_6300, 24),  // 192.88.99.0/24: 6to4 relays, withdrawn (RFC 7526)
        Block(0xC0A8_0000, 16),  // 192.168.0.0/16: private use (RFC 1918)
        Block(0xC612_0000, 15),  // 198.18.0.0/15: benchmarks (RFC 2544)
        Block(0xC633_6400, 24),  // 198.51.100.0/24: documentation (RFC 5737)
        Block(0xCB00_7100, 24),  // 203.0.113.0/24: documentation (RFC 5737)
        Block(0xE000_0000, 4),  // 224.0.0.0/4: multicast (RFC 1112)
        Block(0xF000_0000, 4),  // 240.0.0.0/4: reserved, and the broadcast address (RFC 1112, RFC 919)
    ]

    /// The special blocks within 2000::/3. Nothing outside it is public: `::`, `::1`, 100::/64, 5f00::/16, fc00::/7,
    /// fe80::/10, fec0::/10, ff00::/8.
    static let specialV6: [Block<UInt128>] = [
        Block(0x2001 << 112, 23),  // 2001::/23: protocol assignments, Teredo and ORCHID among them (RFC 2928)
        Block(0x2001_0DB8 << 96, 32),  // 2001:db8::/32: documentation (RFC 3849)
        Block(0x3FFF << 112, 20),  // 3fff::/20: documentation (RFC 9637)
    ]
}
