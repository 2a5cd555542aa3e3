import Addresses
import Primitives

/// Who may ask the admin listener: programs, and pages of its own; never a page from elsewhere in an operator's browser.
///
/// A name that an attacker's DNS server points to the listener (DNS rebinding) makes the attacker's page one of the listener's
/// own to a browser, and only `Host` gives it away. So the host must be an address, `localhost`, or a name of the settings.
/// HTTP/1.0 has requests without a host, and no browser sends them.
package struct AdminAccess: Sendable, Equatable {
    /// Names in lower case.
    private let names: Set<[UInt8]>

    /// What a request says of where it comes from and where it was meant to go; bytes that anybody may have written.
    package struct Request: Sendable, Equatable {
        /// `Host`; nil without one.
        package var host: [UInt8]?
        /// Whether there is an `Origin`: a browser tells where a page is from that writes or that crosses origins.
        package var hasOrigin: Bool
        /// Each `Sec-Fetch-Site`, of which browsers send one.
        package var fetchSites: [[UInt8]]

        /// A request of its parts.
        package init(host: [UInt8]?, hasOrigin: Bool = false, fetchSites: [[UInt8]] = []) {
            self.host = host
            self.hasOrigin = hasOrigin
            self.fetchSites = fetchSites
        }
    }

    /// - Parameter names: What the listener is called, beside its addresses and `localhost`.
    package init(names: [String]) {
        self.names = Set((names + ["localhost"]).map { $0.utf8.map(\.asciiLowercased) })
    }

    /// Whether the request may be served.
    package func admits(_ request: Request) -> Bool {
        guard !request.hasOrigin, request.fetchSites.allSatisfy(Self.isOwn) else { return false }
        guard let host = request.host else { return true }
        return isOwnHost(host)
    }

    private static func isOwn(_ site: [UInt8]) -> Bool {
        site.elementsEqual("none".utf8) || site.elementsEqual("same-origin".utf8)
    }

    /// Longer than any name with a port.
    private static let longestHost = 300

    private func isOwnHost(_ field: [UInt8]) -> Bool {
        guard field.count <= Self.longestHost else { return false }
        if field.first == UInt8(ascii: "[") {
            guard let end = field.firstIndex(of: UInt8(ascii: "]")), Self.isPort(field[(end + 1)...]) else {
                return false
            }
            if case .v6? = IPAddress(String(decoding: field[1..<end], as: UTF8.self)) { return true }
            return false
        }
        let end = field.firstIndex(of: UInt8(ascii: ":")) ?? field.endIndex
        guard Self.isPort(field[end...]) else { return false }
        let isComplete = end > 1 && field[end - 1] == UInt8(ascii: ".")
        let name = field[..<(isComplete ? end - 1 : end)].map(\.asciiLowercased)
        if case .v4? = IPAddress(String(decoding: name, as: UTF8.self)) { return true }
        return names.contains(name)
    }

    /// Nothing, or a colon and digits (RFC 9110 §7.2).
    private static func isPort(_ text: ArraySlice<UInt8>) -> Bool {
        text.isEmpty
            || (text.first == UInt8(ascii: ":")
                && text.dropFirst().allSatisfy(\.isASCIIDigit))
    }
}
