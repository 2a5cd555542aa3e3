import Addresses
import Primitives

/// Who may use the admin listener: programs, and the listener's own pages, but no other page in an operator's browser.
///
/// An attacker's DNS server can point a name to the listener (DNS rebinding). The browser then takes the attacker's
/// page for one of the listener's own, and only `Host` shows the difference. So the host must be an address,
/// `localhost`, or a configured name. Requests of HTTP/1.0 may have no host; no browser sends them.
package struct AdminAccess: Sendable, Equatable {
    /// Names in lower case.
    private let names: Set<[UInt8]>

    /// What a request says about its page and its target. Anybody may have written these bytes.
    package struct Request: Sendable, Equatable {
        /// `Host`; nil without one.
        package var host: [UInt8]?
        /// Whether the request has an `Origin`: browsers send it with requests that write or cross origins.
        package var hasOrigin: Bool
        /// All values of `Sec-Fetch-Site`; a browser sends one.
        package var fetchSites: [[UInt8]]

        /// A request made of its parts.
        package init(host: [UInt8]?, hasOrigin: Bool = false, fetchSites: [[UInt8]] = []) {
            self.host = host
            self.hasOrigin = hasOrigin
            self.fetchSites = fetchSites
        }
    }

    /// - Parameter names: The listener's names, besides its addresses and `localhost`.
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

    /// More than any name with a port has.
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

    /// Whether a text is empty, or a colon and digits (RFC 9110 §7.2).
    private static func isPort(_ text: ArraySlice<UInt8>) -> Bool {
        text.isEmpty
            || (text.first == UInt8(ascii: ":")
                && text.dropFirst().allSatisfy(\.isASCIIDigit))
    }
}
