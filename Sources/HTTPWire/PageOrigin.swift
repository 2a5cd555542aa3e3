import Primitives

/// Whether a request comes from a page of another origin, by `Origin`, `Sec-Fetch-Site` and `Host`.
struct PageOrigin: Sendable {
    /// The values of all lines of `Sec-Fetch-Site`.
    private struct Sites: OptionSet, Sendable {
        let rawValue: UInt8
        static let sameOrigin = Sites(rawValue: 1)
        /// `none`: the user asked, not a page.
        static let userAsked = Sites(rawValue: 2)
        /// `cross-site`, `same-site`, and values that no browser sends.
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

    /// Whether the page is of another origin than the resource that it asks for.
    ///
    /// A browser that sends `Sec-Fetch-Site` knows, whatever a proxy has done to `Host`. An older browser sends the
    /// page's origin. When both have one origin, its host and port equal `Host`; the scheme is not visible behind a
    /// proxy. A request that names no page comes from a program.
    func isElsewhere(_ bytes: Span<UInt8>, origin: Range<Int>?, host: Range<Int>?) -> Bool {
        if sites.contains(.elsewhere) { return true }
        guard let origin else { return false }
        if !sites.isEmpty { return sites != .sameOrigin }
        return !Self.isSame(bytes, origin: origin, host: host)
    }

    private static func isSame(_ bytes: Span<UInt8>, origin: Range<Int>, host: Range<Int>?) -> Bool {
        guard let host, !host.isEmpty else { return false }
        guard let (authority, port) = authority(bytes, origin: origin) else { return false }
        return isSame(bytes, authority, without(port, bytes, host))
    }

    /// A `Host` that is the same as an origin's; nil for an origin that has none.
    static func host(of origin: Span<UInt8>) -> String? {
        guard let (authority, _) = authority(origin, origin: 0..<origin.count), !authority.isEmpty,
            FieldValue.isHost(origin, authority)
        else { return nil }
        return origin.string(authority)
    }

    /// The host and port of an origin without the default port, and that port.
    private static func authority(
        _ bytes: Span<UInt8>, origin: Range<Int>
    ) -> (authority: Range<Int>, port: [UInt8])? {
        for (scheme, port) in [(FieldText.https, FieldText.httpsPort), (FieldText.http, FieldText.httpPort)]
        where origin.count > scheme.count {
            let authority = origin.lowerBound + scheme.count
            guard bytes.isEqual(origin.lowerBound..<authority, ignoringCase: scheme) else { continue }
            return (without(port, bytes, authority..<origin.upperBound), port)
        }
        return nil
    }

    /// `authority` without the default port of its scheme, which a proxy may have added.
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
