/// What `X-Forwarded-Proto` says.
package enum ForwardedScheme: UInt8, Sendable, Equatable, CaseIterable {
    case http, https
}

extension ForwardedScheme {
    /// Reads the value of one line. Of a list the last element counts: proxies that keep what came append theirs. Nil for a
    /// word that is no scheme of the web; some proxies write `wss` and `ws` for a WebSocket.
    init?(_ bytes: Span<UInt8>, _ value: Range<Int>) {
        var last: Range<Int>?
        FieldValue.eachElement(bytes, value) { last = $0 }
        guard let last else { return nil }
        if Self.secure.contains(where: { bytes.isEqual(last, ignoringCase: $0) }) {
            self = .https
        } else if Self.plain.contains(where: { bytes.isEqual(last, ignoringCase: $0) }) {
            self = .http
        } else {
            return nil
        }
    }

    /// The shortest spelling, which a request has when it is written again.
    var token: String {
        switch self {
        case .http: "ws"
        case .https: "wss"
        }
    }

    private static let secure = ["https", "wss"].map { Array($0.utf8) }
    private static let plain = ["http", "ws"].map { Array($0.utf8) }
}
