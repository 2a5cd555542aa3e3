/// Reads the URL under which clients reach an endpoint: `https://HOST[:PORT][/PATH][?QUERY]`. Clients must only be sent
/// to https and wss (XEP-0156 §3, D-03, `W-58`).
///
/// - Returns: the URL with scheme and host in lower case; `nil` for another scheme, for user information or a fragment,
///   and for characters that no URL has (RFC 3986 §2).
func parsePublicURL(_ text: String, scheme name: String = "https") -> String? {
    let scheme = name + "://"
    guard text.utf8.count <= 2048, text.utf8.allSatisfy(isURLByte), text.prefix(scheme.count).lowercased() == scheme
    else { return nil }
    let rest = text.dropFirst(scheme.count)
    let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
    guard let authority = parseAuthority(String(rest[..<end])) else { return nil }
    return scheme + authority + rest[end...]
}

/// Unreserved and reserved characters and `%`, except `#`, which begins a fragment.
private func isURLByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
    default: "-._~:/?[]@!$&'()*+,;=%".utf8.contains(byte)
    }
}
