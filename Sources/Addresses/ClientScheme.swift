import Primitives

/// Over which scheme a client reaches the proxy in front, as far as a trusted proxy says it.
package enum ClientScheme: UInt8, Sendable, Equatable, CaseIterable {
    /// Nobody says it.
    case unknown
    case http
    case https

    /// The scheme of this name, in any case: `https`, or `wss` as some proxies write for a WebSocket, and `http` or `ws`.
    init(_ name: Span<UInt8>) {
        if name.isWord("https") || name.isWord("wss") {
            self = .https
        } else if name.isWord("http") || name.isWord("ws") {
            self = .http
        } else {
            self = .unknown
        }
    }
}

/// The request field in which a proxy says over which scheme its client came. As with the address, the configuration chooses
/// one.
package enum SchemeHeader: String, Sendable, Equatable, CaseIterable {
    /// No field: only a PROXY header says it.
    case none
    /// `X-Forwarded-Proto: https`
    case xForwardedProto = "x-forwarded-proto"
    /// `proto` in the element of `Forwarded` that names the client.
    case forwarded
}

extension Span<UInt8> {
    /// Whether the bytes are this word of small ASCII letters, in any case.
    func isWord(_ word: String) -> Bool {
        guard count == word.utf8.count else { return false }
        var index = 0
        for letter in word.utf8 {
            if self[index] | 0x20 != letter { return false }
            index += 1
        }
        return true
    }
}
