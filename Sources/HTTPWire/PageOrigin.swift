import Primitives

/// What a browser says of the page that a request is from: `Origin`, `Sec-Fetch-Site` and `Host` held against each other.
struct PageOrigin: Sendable {
    /// What `Sec-Fetch-Site` said, each line of it.
    private struct Sites: OptionSet, Sendable {
        let rawValue: UInt8
        static let sameOrigin = Sites(rawValue: 1)
        /// The user asked, not a page.
        static let userAsked = Sites(rawValue: 2)
        /// `cross-site`, `same-site`, and what no browser says.
        static let elsewhere = Sites(rawValue: 4)
    }

    private var sites: Sites = []

    /// Takes in one line of `Sec-Fetch-Site`.
    mutating func read(_ bytes: Span<UInt8>, _ value: Range<Int>) {
        if bytes.isEqual(value, ignoringCase: FieldText.sameOrigin) {
            sites.insert(.sameOrigin)
        } else {
            sites.insert(bytes.isEqual(value, ignoringCase: FieldText.userAsked) ? .userAsked : .elsewhere)
        }
    }

    /// Whether the page is of another origin than the resource it asks for.
    ///
    /// A browser that sends `Sec-Fetch-Site` knows, whatever a proxy has made of `Host`. An older one names the page's origin,
    /// whose host and port are those of `Host` when both are of one origin; the scheme is not to be seen behind a proxy.
    /// What names no page is a program's.
    func isElsewhere(_ bytes: Span<UInt8>, origin: Range<Int>?, host: Range<Int>?) -> Bool {
        if sites.contains(.elsewhere) { return true }
        guard let origin else { return false }
        if !sites.isEmpty { return sites != .sameOrigin }
        return !Self.isSame(bytes, origin: origin, host: host)
    }

    private static func isSame(_ bytes: Span<UInt8>, origin: Range<Int>, host: Range<Int>?) -> Bool {
        guard let host, !host.isEmpty else { return false }
        for (scheme, port) in [(FieldText.https, FieldText.httpsPort), (FieldText.http, FieldText.httpPort)]
        where origin.count > scheme.count {
            let authority = origin.lowerBound + scheme.count
            guard bytes.isEqual(origin.lowerBound..<authority, ignoringCase: scheme) else { continue }
            return isSame(
                bytes, without(port, bytes, authority..<origin.upperBound), without(port, bytes, host))
        }
        return false
    }

    /// `authority` without the port that its scheme implies, which a proxy may have written out.
    private static func without(_ port: [UInt8], _ bytes: Span<UInt8>, _ authority: Range<Int>) -> Range<Int> {
        guard authority.count > port.count else { return authority }
        let end = authority.upperBound - port.count
        return bytes.isEqual(end..<authority.upperBound, ignoringCase: port) ? authority.lowerBound..<end : authority
    }

    private static func isSame(_ bytes: Span<UInt8>, _ one: Range<Int>, _ other: Range<Int>) -> Bool {
        one.count == other.count
            && zip(one, other).allSatisfy { bytes[$0].asciiLowercased == bytes[$1].asciiLowercased }
    }
}
