/// An address to listen at or connect to: IPv4, IPv6 or a path in the file system.
package enum SocketAddress: Sendable, Hashable {
    /// The address as a number in host order (127.0.0.1 is 0x7F000001) and the port.
    case ipv4(UInt32, port: UInt16)
    /// The address as a 128-bit number in host order, the port, and the interface number of a link-local address (0 for
    /// none).
    case ipv6(UInt128, port: UInt16, scope: UInt32)
    /// A path of 1...107 bytes without NUL.
    case unix(String)

    /// The longest Unix path that fits `sockaddr_un` with its NUL.
    package static let maximumPathLength = 107

    /// Reads `ADDR:PORT`, `[V6]:PORT` or `unix:PATH`; names are not resolved. Nil for everything else.
    package init?(_ text: String) {
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst(5))
            guard (1...Self.maximumPathLength).contains(path.utf8.count), !path.utf8.contains(0) else { return nil }
            self = .unix(path)
            return
        }
        guard let colon = text.lastIndex(of: ":"), let port = Self.port(text[text.index(after: colon)...]) else {
            return nil
        }
        let host = text[..<colon]
        if host.hasPrefix("[") {
            guard host.hasSuffix("]"), host.contains(":") else { return nil }
            self.init(numericHost: String(host.dropFirst().dropLast()), port: port)
        } else {
            guard !host.contains(":") else { return nil }
            self.init(numericHost: String(host), port: port)
        }
    }

    /// The port; nil for a Unix path.
    package var port: UInt16? {
        switch self {
        case .ipv4(_, let port), .ipv6(_, let port, _): port
        case .unix: nil
        }
    }

    /// The same host with another port; a Unix path has no port and stays unchanged.
    package func with(port: UInt16) -> SocketAddress {
        switch self {
        case .ipv4(let address, _): .ipv4(address, port: port)
        case .ipv6(let address, _, let scope): .ipv6(address, port: port, scope: scope)
        case .unix: self
        }
    }

    /// Whether only this machine can reach the address: 127.0.0.0/8, `::1`, the same mapped into IPv6, and every path.
    package var isLoopback: Bool {
        switch self {
        case .ipv4(let address, _): address >> 24 == 127
        case .ipv6(let address, _, _): address == 1 || (address >> 32 == 0xFFFF && (address >> 24) & 0xFF == 127)
        case .unix: true
        }
    }

    private static func port(_ digits: Substring) -> UInt16? {
        guard (1...5).contains(digits.utf8.count), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return UInt16(digits)
    }
}

extension SocketAddress: CustomStringConvertible {
    /// The form that `init(_:)` reads.
    package var description: String {
        switch self {
        case .ipv4(_, let port): "\(numericHost):\(port)"
        case .ipv6(_, let port, _): "[\(numericHost)]:\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}
