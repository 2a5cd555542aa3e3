/// What the limits count as one client address: an IPv4 address, or all IPv6 addresses with the same prefix, because
/// whoever has one of these has the others too (RFC 6177 §2).
package struct AddressKey: Sendable, Hashable {
    /// The address as IPv6, an IPv4 address mapped; all bits after the prefix are zero.
    private let number: UInt128

    /// Both halves of the number.
    var halves: (high: UInt64, low: UInt64) {
        (UInt64(truncatingIfNeeded: number >> 64), UInt64(truncatingIfNeeded: number))
    }

    /// The key of an address; of an IPv6 address the first `prefix` bits, 0...128, count.
    package init(_ address: IPAddress, prefix: Int) {
        switch address.unmapped {
        case .v4(let number): self.number = IPAddress.v4(number).mapped
        case .v6(let number): self.number = number & (UInt128.max << UInt128(128 - min(max(prefix, 0), 128)))
        }
    }
}
