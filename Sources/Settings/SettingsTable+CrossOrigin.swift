import HTTPWire
import Primitives

// Pages of other origins (CORS).
extension SettingsTable {
    /// The settings of this file, in the order of documentation.
    static let crossOrigin: [AnySetting] = [
        AnySetting(corsOrigin), AnySetting(corsCredentials), AnySetting(corsHeader),
    ]

    package static let corsOrigin = Setting<AllowedPages>.text(
        "cors-origin", valueName: "ORIGIN|any|off",
        allowed: "any, off, or an origin as browsers send it, such as https://chat.example.org", defaults: ["any"],
        example: ["https://chat.example.org", "https://example.org:8443"], isRepeatable: true,
        "The origins whose pages may use the endpoint: any, its own and those listed, or off to leave CORS to the proxy",
        parse: { AllowedPages($0) })

    package static let corsCredentials = Setting<Switch>.choice(
        "cors-credentials", valueName: "on|off", default: .off, example: .on,
        "Whether pages of listed origins may send cookies and HTTP authentication, for a proxy that needs them"
    )

    package static let corsHeader = Setting<String>.text(
        "cors-header", valueName: "NAME", allowed: "the name of a header field such as X-Api-Key",
        example: ["Authorization", "X-Api-Key"], isRepeatable: true,
        "A header field that pages may send besides Content-Type; if none is listed, they may send any field",
        parse: { headerName($0) })
}

/// One value of `cors-origin`.
package enum AllowedPages: Hashable, Sendable {
    case off
    case any
    /// `scheme://host` in small letters, with a port unless it is the scheme's default, as browsers write it.
    case origin(String)

    /// Reads `off`, `any`, or `SCHEME://HOST[:PORT]`; nil for all else. Apps in a browser engine have their own
    /// schemes.
    init?(_ text: String) {
        switch text {
        case "off": self = .off
        case "any": self = .any
        default:
            guard text.utf8.count <= 300, let colon = text.firstIndex(of: ":") else { return nil }
            let scheme = text[..<colon].lowercased()
            let rest = text[colon...]
            guard rest.hasPrefix("://"), let first = scheme.utf8.first, first.isASCIILetter,
                scheme.utf8.allSatisfy(isSchemeByte),
                var authority = parseAuthority(String(rest.dropFirst(3)))
            else { return nil }
            for (usual, port) in [("https", ":443"), ("http", ":80")] where scheme == usual {
                if authority.hasSuffix(port) { authority.removeLast(port.utf8.count) }
            }
            self = .origin("\(scheme)://\(authority)")
        }
    }
}

extension AllowedPages {
    /// An origin as browsers write it: in small letters, without the default port of its scheme; nil for a text that is
    /// no origin, such as `null`.
    package static func canonical(_ origin: String) -> String? {
        if case .origin(let text)? = AllowedPages(origin) { text } else { nil }
    }
}

extension Settings {
    /// Which pages may use the endpoint, and which fields they may send; no fields means those that browsers ask for.
    ///
    /// - Throws: for `any` or `off` together with other values, and for settings that have no use with them.
    static func readCrossOrigin(
        _ scope: SettingsScope
    ) throws(SettingsError) -> (policy: CrossOriginPolicy, headers: [String]) {
        let values = try scope.all(SettingsTable.corsOrigin)
        let wantsCredentials = try scope.one(SettingsTable.corsCredentials) == .on
        var headers = try scope.all(SettingsTable.corsHeader)
        // Without this field no page could post XML.
        let contentType = "Content-Type"
        if !headers.isEmpty, !headers.contains(where: { $0.lowercased() == contentType.lowercased() }) {
            headers.insert(contentType, at: 0)
        }
        var listed: [String] = []
        for case .origin(let origin) in values { listed.append(origin) }
        if listed.isEmpty, wantsCredentials {
            throw scope.conflict(
                SettingsTable.corsCredentials.row, "is only for origins that cors-origin lists by name")
        }
        if listed.count == values.count { return (.list(listed, credentials: wantsCredentials), headers) }
        guard values.count == 1 else {
            throw scope.conflict(
                SettingsTable.corsOrigin.row, value: values.contains(.any) ? "any" : "off",
                "is not for a list: it stands alone")
        }
        if values == [.any] { return (.any, headers) }
        guard headers.isEmpty else {
            throw scope.conflict(SettingsTable.corsHeader.row, "has no use with cors-origin off")
        }
        return (.off, headers)
    }
}

/// Reads the name of a header field (RFC 9110 §5.1). `*` is a valid name, but browsers take it for a wildcard, except
/// with credentials.
private func headerName(_ text: String) -> String? {
    (1...128).contains(text.utf8.count) && text.utf8.allSatisfy(\.isTokenByte) && text != "*" ? text : nil
}

/// A byte of a scheme after its first letter (RFC 3986 §3.1), in small letters.
private func isSchemeByte(_ byte: UInt8) -> Bool {
    byte.isASCIILetter || byte.isASCIIDigit || "+-.".utf8.contains(byte)
}
