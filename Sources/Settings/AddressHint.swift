import Primitives

/// Says which part of a text keeps it from being an address with a port.
struct AddressHint: Sendable {
    /// Whether a host name may stand for the address.
    var allowsNames = false
    /// Whether a Unix socket may stand here.
    var allowsSockets = false
    /// The port of the advice.
    var port: Int

    /// Completes "'TEXT' is not …; "; nil when nothing in particular is known.
    func words(_ text: String) -> String? {
        guard !text.isEmpty, text.utf8.count <= 300, isPrintable(text) else { return nil }
        if let scheme = text.firstRange(of: "://") {
            let rest = text[scheme.upperBound...].prefix { $0 != "/" }
            return "leave out '\(text[..<scheme.upperBound])': \(complete(String(rest)))"
        }
        if text.hasPrefix("unix:") || text.hasPrefix("/") { return socketWords(text) }
        if let slash = text.firstIndex(of: "/") { return "leave out '\(text[slash...])'" }
        if text.contains(" ") { return nil }
        return portWords(text) ?? hostWords(text)
    }

    private func socketWords(_ text: String) -> String? {
        guard allowsSockets else { return "a Unix socket is not possible here" }
        guard text.hasPrefix("unix:") else { return "a Unix socket is written unix:\(text)" }
        let path = text.dropFirst(5)
        if !path.hasPrefix("/") { return "the path of a Unix socket begins with a /" }
        return path.utf8.count > 107 ? "the path of a Unix socket has at most 107 bytes" : nil
    }

    private func portWords(_ text: String) -> String? {
        if text.allSatisfy(\.isNumber) { return "this is a port without an address: \(complete(":" + text))" }
        if text.hasSuffix("]") { return "the port is missing: \(text):\(port)" }
        guard let colon = text.lastIndex(of: ":") else { return "the port is missing: \(text):\(port)" }
        let host = text[..<colon]
        let written = text[text.index(after: colon)...]
        if !text.hasPrefix("["), host.contains(":") {
            // `::1:5222` is an IPv6 address too, but a port at its end is meant.
            if isIPv6(host), written.count >= 4 { return "an IPv6 address stands in brackets: [\(host)]:\(written)" }
            return isIPv6(text) ? "an IPv6 address stands in brackets, and the port is missing: [\(text)]:\(port)" : nil
        }
        if host.isEmpty { return "the address is missing: \(complete(text))" }
        if written.isEmpty { return "the port is missing behind the colon" }
        guard written.allSatisfy({ $0.isASCII && $0.isNumber }) else {
            return "'\(written)' is not a port, which is a number"
        }
        let isPort = decimal(written).map { ($0 > 0 || allowsSockets) && $0 <= 65535 } ?? false
        return isPort ? nil : "a port is a number from 1 to 65535"
    }

    private func hostWords(_ text: String) -> String? {
        let host = text.prefix(upTo: text.lastIndex(of: ":") ?? text.endIndex)
        if host == "*" {
            return "all addresses of this machine are 0.0.0.0\(text.dropFirst()) and [::]\(text.dropFirst())"
        }
        if host.hasPrefix("[") { return "\(host) is no IPv6 address" }
        if host.allSatisfy({ $0.isASCII && ($0.isNumber || $0 == ".") }) { return "\(host) is no IPv4 address" }
        return allowsNames ? nil : "an address is needed here, not a name"
    }

    /// What is missing in the text, filled in.
    private func complete(_ text: String) -> String {
        let host = text.hasPrefix(":") ? (allowsNames ? "example.org" : "127.0.0.1") + text : text
        return host.contains(":") ? host : "\(host):\(port)"
    }
}
