import Bridge
import Primitives

/// A media type as the `content` attribute names it: `type/subtype` and parameters (RFC 9110 §8.3.1).
package struct MediaType: Sendable, Equatable {
    /// The Content-Type of all responses when the client did not ask for another (XEP-0124 §7.1, `H-06`).
    package static let standard = "text/xml; charset=utf-8"

    /// `type/subtype` in lower case.
    package let essence: String
    /// The value of `charset` in lower case; nil without one.
    package let charset: String?

    /// Reads a media type; nil for anything else, and for a text that could not stand in a header field as it is.
    package init?(_ written: PeerText) {
        guard written.count <= AttributeBound.content, written.bytes.allSatisfy({ (0x20...0x7E).contains($0) }) else {
            return nil
        }
        let text = written.text
        let parts = text.split(separator: ";", omittingEmptySubsequences: false).map { Self.trimmed($0) }
        let names = parts[0].split(separator: "/", omittingEmptySubsequences: false)
        guard names.count == 2, names.allSatisfy({ Self.isToken($0) }) else { return nil }
        var charset: String?
        for part in parts.dropFirst() where !part.isEmpty {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2, Self.isToken(pair[0]) else { return nil }
            var value = pair[1]
            if value.hasPrefix("\""), value.hasSuffix("\""), value.utf8.count >= 2 {
                value = value.dropFirst().dropLast()
            }
            guard Self.isToken(value) else { return nil }
            if pair[0].lowercased() == "charset" { charset = value.lowercased() }
        }
        essence = parts[0].lowercased()
        self.charset = charset
    }

    /// Whether a reader that follows this type decodes UTF-8, which is what all responses are.
    package var isUTF8: Bool { charset == nil || charset == "utf-8" || charset == "utf8" }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return text
    }

    /// RFC 9110 §5.6.2.
    private static func isToken(_ text: Substring) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy(\.isTokenByte)
    }
}
