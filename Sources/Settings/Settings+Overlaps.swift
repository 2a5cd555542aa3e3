extension ListenAddress {
    /// Whether the kernel lets only one of the two be listened on: they are equal, or one stands for all addresses of this
    /// machine. Port 0 never overlaps, because the kernel chooses two different ports.
    func overlaps(_ other: ListenAddress) -> Bool {
        guard case .tcp(let host, let port) = self, case .tcp(let otherHost, let otherPort) = other else {
            return self == other
        }
        guard port != 0, port == otherPort else { return false }
        return host == otherHost || host.isWildcard(for: otherHost) || otherHost.isWildcard(for: host)
    }
}

extension String {
    /// Whether this address means all addresses of the family of the other one.
    fileprivate func isWildcard(for other: String) -> Bool {
        self == (other.contains(":") ? "::" : "0.0.0.0")
    }
}

extension Settings {
    /// Checks that everything that is listened on has an address of its own.
    ///
    /// - Throws: for the second of two addresses of which only one can be listened on. The same address twice in one
    ///   setting counts once.
    static func checkOverlaps(
        _ scope: SettingsScope, _ addresses: [(row: SettingRow, addresses: [ListenAddress])]
    ) throws(SettingsError) {
        var earlier: [(row: SettingRow, address: ListenAddress)] = []
        for (row, addresses) in addresses {
            for address in addresses {
                if let other = earlier.first(where: { $0.address.overlaps(address) }) {
                    let reason =
                        other.address == address
                        ? "is an address of \(other.row.name) too"
                        : "takes the same port as \(other.row.name) '\(other.address)'"
                    throw scope.conflict(row, value: address.description, reason)
                }
                earlier.append((row, address))
            }
        }
    }
}
