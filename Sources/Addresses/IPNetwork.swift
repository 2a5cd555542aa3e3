/// The addresses that share a prefix (RFC 4632, RFC 4291 §2.3), as a setting names them.
///
/// A network of IPv4-mapped addresses is treated as the IPv4 network within it, so the family in which a socket reports
/// a peer makes no difference. For the same reason `::/0` holds no IPv4 address.
package struct IPNetwork: Sendable, Hashable {
    /// The first address: all bits after the prefix are zero. Never a mapped address.
    private let base: IPAddress
    private let length: Int

    /// Reads `ADDRESS/LENGTH`, or a single address, which is a network of one. Nil when the address or the length
    /// (plain decimal, 0...32 or 0...128) is not valid, or when a bit after the prefix is set: `10.0.0.1/8` is probably
    /// a mistake.
    package init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        let slash = bytes.firstIndex(of: Ascii.slash)
        guard let address = IPAddress(bytes.span.extracting(0..<(slash ?? bytes.count))) else { return nil }
        var width = 128
        if case .v4 = address { width = 32 }
        var length = width
        if let slash {
            var index = slash + 1
            guard let read = Decimal.read(bytes.span, at: &index, limit: UInt32(width)), index == bytes.count else {
                return nil
            }
            length = Int(read)
        }
        switch address {
        case .v4(let number):
            guard number << UInt32(length) == 0 else { return nil }
        case .v6(let number):
            guard number << UInt128(length) == 0 else { return nil }
        }
        if width == 128, length >= 96, case .v4(let number) = address.unmapped {
            base = .v4(number)
            self.length = length - 96
        } else {
            base = address
            self.length = length
        }
    }

    /// The network around an address that has bits set behind the prefix: `10.0.0.0/8` for `10.1.2.3/8`. Nil for all else,
    /// networks among it.
    package init?(around text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, IPNetwork(text) == nil, let address = IPAddress(parts[0]), let length = Int(parts[1])
        else {
            return nil
        }
        let base: IPAddress
        switch address {
        case .v4(let number):
            guard (0...32).contains(length) else { return nil }
            base = .v4((number >> UInt32(32 - length)) << UInt32(32 - length))
        case .v6(let number):
            guard (0...128).contains(length) else { return nil }
            base = .v6((number >> UInt128(128 - length)) << UInt128(128 - length))
        }
        self.init("\(base)/\(parts[1])")
    }

    /// Whether the network holds the address; a mapped address counts as its IPv4 address.
    package func contains(_ address: IPAddress) -> Bool {
        switch (base, address.unmapped) {
        case (.v4(let prefix), .v4(let number)): (number ^ prefix) >> UInt32(32 - length) == 0
        case (.v6(let prefix), .v6(let number)): (number ^ prefix) >> UInt128(128 - length) == 0
        case (.v4, .v6), (.v6, .v4): false
        }
    }
}

extension IPNetwork: CustomStringConvertible {
    /// The form that `init(_:)` reads: `10.0.0.0/8`; a single address has no length.
    package var description: String {
        switch base {
        case .v4: length == 32 ? "\(base)" : "\(base)/\(length)"
        case .v6: length == 128 ? "\(base)" : "\(base)/\(length)"
        }
    }
}
