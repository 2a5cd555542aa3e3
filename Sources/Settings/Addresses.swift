import Addresses
import Primitives

/// Where the program listens.
package enum ListenAddress: Hashable, Sendable {
    /// An IPv4 or IPv6 address, without brackets, and a port; port 0 lets the kernel choose one.
    case tcp(host: String, port: UInt16)
    /// The absolute path of a Unix socket, at most 107 bytes.
    case unix(path: String)

    /// Reads `ADDR:PORT`, `[IPV6]:PORT`, `localhost:PORT` (127.0.0.1) or `unix:PATH`; `nil` for all else.
    package init?(_ text: String) {
        if text.hasPrefix("unix:") {
            let path = text.dropFirst(5)
            // sun_path holds 108 bytes with the final NUL.
            guard path.hasPrefix("/"), path.utf8.count > 1, path.utf8.count <= 107, isPrintable(path) else {
                return nil
            }
            self = .unix(path: String(path))
            return
        }
        guard let (host, port) = splitHostPort(text) else { return nil }
        switch host {
        case .ipv4(let address), .ipv6(let address): self = .tcp(host: address, port: port)
        case .name(let name) where name == "localhost": self = .tcp(host: "127.0.0.1", port: port)
        case .name: return nil
        }
    }
}

extension ListenAddress: CustomStringConvertible {
    /// The form that `init(_:)` reads.
    package var description: String {
        switch self {
        case .tcp(let host, let port): hostPortText(host, port)
        case .unix(let path): "unix:\(path)"
        }
    }
}

/// The client port of an XMPP server.
package struct UpstreamAddress: Hashable, Sendable {
    /// An IPv4 address, an IPv6 address without brackets, or a host name in lower case.
    package let host: String
    /// 1...65535.
    package let port: UInt16
    /// Servers with the lowest priority are tried first; 0 by default.
    package let priority: UInt16
    /// The share among servers of one priority (RFC 2782); 0 by default.
    package let weight: UInt16

    /// Reads `HOST:PORT`, where HOST is a name, an IPv4 address or an IPv6 address in brackets; `nil` for all else.
    package init?(_ text: String) {
        self.init(text, priority: 0, weight: 0)
    }

    /// Reads `HOST:PORT`, which `priority=N` and `weight=N` may follow, each 0...65535 and at most once.
    package init?(weighted text: String) {
        let words = text.split(separator: " ")
        guard let address = words.first, words.count <= 3 else { return nil }
        var numbers: [Substring: UInt16] = [:]
        for word in words.dropFirst() {
            let parts = word.split(separator: "=", omittingEmptySubsequences: false)
            guard parts.count == 2, parts[0] == "priority" || parts[0] == "weight", numbers[parts[0]] == nil,
                let number = decimal(parts[1]).flatMap({ UInt16(exactly: $0) })
            else { return nil }
            numbers[parts[0]] = number
        }
        self.init(String(address), priority: numbers["priority"] ?? 0, weight: numbers["weight"] ?? 0)
    }

    private init?(_ text: String, priority: UInt16, weight: UInt16) {
        guard let (host, port) = splitHostPort(text), port > 0 else { return nil }
        switch host {
        case .ipv4(let host), .ipv6(let host), .name(let host): self.host = host
        }
        self.port = port
        self.priority = priority
        self.weight = weight
    }
}

extension UpstreamAddress: CustomStringConvertible {
    /// `HOST:PORT`, the form that `init(_:)` reads.
    package var description: String { hostPortText(host, port) }
}

/// Reads the address and port of a name server, `ADDR:PORT` with an IPv6 address in brackets.
///
/// - Returns: the address in lower case; `nil` for a host name, for port 0 and for all else.
func nameserverAddress(_ text: String) -> String? {
    guard let (host, port) = splitHostPort(text), port > 0 else { return nil }
    switch host {
    case .ipv4(let address), .ipv6(let address): return hostPortText(address, port)
    case .name: return nil
    }
}

/// Whether every character can stand in one line of text.
func isPrintable(_ text: some StringProtocol) -> Bool {
    text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F && !(0x80...0x9F).contains($0.value) }
}

/// Reads a decimal number of 1 to 10 digits without sign or space.
func decimal(_ text: some StringProtocol) -> Int? {
    guard (1...10).contains(text.utf8.count), text.utf8.allSatisfy(\.isASCIIDigit) else { return nil }
    return Int(text)
}

private enum Host {
    case ipv4(String), ipv6(String), name(String)
}

private func splitHostPort(_ text: String) -> (Host, UInt16)? {
    guard let colon = text.lastIndex(of: ":"), text.utf8.count <= 300 else { return nil }
    guard let number = decimal(text[text.index(after: colon)...]), let port = UInt16(exactly: number) else {
        return nil
    }
    let host = text[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") {
        let address = host.dropFirst().dropLast().lowercased()
        return isIPv6(address) ? (.ipv6(address), port) : nil
    }
    if isIPv4(host) { return (.ipv4(String(host)), port) }
    let name = withoutFinalStop(host.lowercased())
    return isHostName(name) ? (.name(name), port) : nil
}

/// Reads `HOST` or `HOST:PORT` of a URL, with an IPv6 address in brackets (RFC 3986 §3.2).
///
/// - Returns: the authority in lower case; `nil` for all else.
func parseAuthority(_ text: String) -> String? {
    if let (host, port) = splitHostPort(text) { return port > 0 ? urlText(host) + ":\(port)" : nil }
    // A host alone is valid if it is valid with a port.
    return splitHostPort(text + ":1").map { urlText($0.0) }
}

private func urlText(_ host: Host) -> String {
    switch host {
    case .ipv4(let address), .name(let address): address
    case .ipv6(let address): "[\(address)]"
    }
}

private func hostPortText(_ host: String, _ port: UInt16) -> String {
    host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)"
}

/// Four decimal numbers up to 255 without leading zeros, which some readers take for octal.
func isIPv4(_ text: some StringProtocol) -> Bool {
    if case .v4 = IPAddress(text) { true } else { false }
}

/// All three forms of RFC 4291 §2.2, without a zone.
func isIPv6(_ text: some StringProtocol) -> Bool {
    if case .v6 = IPAddress(text) { true } else { false }
}

/// A name without the final full stop of a complete DNS name: it is the same name, kept in one form.
func withoutFinalStop(_ name: String) -> String {
    name.utf8.count > 1 && name.utf8.last == UInt8(ascii: ".") ? String(name.dropLast()) : name
}

/// RFC 1123 §2.1, and `_`, which real zones use. The last label has a letter, so a mistyped address is no name.
private func isHostName(_ name: String) -> Bool {
    let last = name.utf8.lastIndex(of: UInt8(ascii: ".")).map { name.utf8[$0...].dropFirst() } ?? name.utf8[...]
    return last.contains { $0 > 0x39 } && HostName.isValid(name.utf8, underscores: true)
}
