import Primitives

/// An IPv4 or IPv6 address, without a port and without a zone.
///
/// Addresses are compared as they are: `::ffff:192.0.2.1` is not equal to `192.0.2.1`. Code that compares clients or
/// hops compares `unmapped` addresses; `IPNetwork` and `TrustedProxies` do so themselves.
package enum IPAddress: Sendable, Hashable {
    /// The address as a number in host order: 127.0.0.1 is 0x7F000001.
    case v4(UInt32)
    /// The address as a number in host order: `::1` is 1.
    case v6(UInt128)

    /// Reads the text of an address: four decimal octets without leading zeros, or the forms of RFC 4291 §2.2 in any
    /// case. Nil for everything else: brackets, zones (`%eth0`), ports, shorthand such as `127.1`, white space.
    package init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        self.init(bytes.span)
    }

    /// The IPv4 address within an IPv4-mapped one (`::ffff:a.b.c.d`, RFC 4291 §2.5.5.2), which a socket for both
    /// families reports for an IPv4 peer. Every other address is unchanged.
    package var unmapped: IPAddress {
        guard case .v6(let number) = self, number >> 32 == 0xFFFF else { return self }
        return .v4(UInt32(truncatingIfNeeded: number))
    }

    /// The address as IPv6, an IPv4 address mapped.
    package var mapped: UInt128 {
        switch self {
        case .v4(let number): 0xFFFF << 32 | UInt128(number)
        case .v6(let number): number
        }
    }
}

extension IPAddress: CustomStringConvertible {
    /// The canonical text of RFC 5952: small letters, no leading zeros, the first longest run of two or more zero groups
    /// as `::`; IPv4-mapped addresses in mixed notation. `init(_:)` reads it.
    package var description: String {
        var text: [UInt8] = []
        switch self {
        case .v4(let number):
            Self.appendQuad(number, into: &text)
        case .v6(let number):
            if case .v4(let embedded) = unmapped {
                text.append(contentsOf: "::ffff:".utf8)
                Self.appendQuad(embedded, into: &text)
            } else {
                Self.appendGroups(number, into: &text)
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// `192.0.2.1`
    static func appendQuad(_ number: UInt32, into text: inout [UInt8]) {
        for shift in [24, 16, 8, 0] as [UInt32] {
            text.append(decimal: Int(number >> shift & 0xFF))
            if shift > 0 { text.append(Ascii.dot) }
        }
    }

    /// `2001:db8::1`, in hexadecimal groups only.
    static func appendGroups(_ number: UInt128, into text: inout [UInt8]) {
        let gap = longestZeros(number)
        var index = 0
        while index < 8 {
            if index == gap.lowerBound, !gap.isEmpty {
                text.append(Ascii.colon)
                text.append(Ascii.colon)
                index = gap.upperBound
                continue
            }
            if index > 0, index != gap.upperBound || gap.isEmpty { text.append(Ascii.colon) }
            text.append(contentsOf: String(group(index, of: number), radix: 16).utf8)
            index += 1
        }
    }

    private static func group(_ index: Int, of number: UInt128) -> UInt16 {
        UInt16(truncatingIfNeeded: number >> UInt128(16 * (7 - index)))
    }

    /// The groups that `::` stands for; empty when no two neighbours are zero (RFC 5952 §4.2.2).
    private static func longestZeros(_ number: UInt128) -> Range<Int> {
        var longest = 0..<0
        var start = 0
        for index in 0..<8 {
            guard group(index, of: number) == 0 else {
                start = index + 1
                continue
            }
            if index + 1 - start > max(longest.count, 1) { longest = start..<index + 1 }
        }
        return longest
    }
}
