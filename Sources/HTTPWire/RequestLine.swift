import Primitives

/// `method SP request-target SP HTTP-version CRLF` (RFC 9112 §3), read in one scan over the bytes.
struct RequestLine: Sendable {
    var method = HTTPMethod.unknown
    var version = HTTPVersion.http11
    /// The places of path and query, relative to the first byte of the request line. `pathStart == pathEnd` means an
    /// absolute-form target with an empty path.
    var pathStart = UInt32(0)
    var pathEnd = UInt32(0)
    /// The byte after the `?`; nil without one.
    var queryStart: UInt32?
    var targetEnd = UInt32(0)

    enum Outcome {
        /// The line is well-formed, with its LF at this index.
        case line(lineFeed: Int)
        /// The byte at this index is wrong or missing. The caller decides whether the line is complete.
        case flaw(HTTPFault, at: Int)
    }

    /// Reads the line that begins at `start`. Running out of bytes is a flaw at `bytes.count`.
    mutating func read(_ bytes: Span<UInt8>, from start: Int) -> Outcome {
        let end = bytes.count
        var index = start
        while index < end, bytes[index].isTokenByte { index &+= 1 }
        guard index < end, index > start, bytes[index] == ByteClass.space else {
            return .flaw(.badRequestLine, at: index)
        }
        method = Self.method(bytes, start..<index)

        let target = index + 1
        index = target
        while index < end, ByteClass.isTarget(bytes[index]) { index &+= 1 }
        guard index < end else { return .flaw(.badRequestLine, at: index) }
        guard bytes[index] == ByteClass.space, index > target else {
            return .flaw(bytes[index] == ByteClass.cr ? .badRequestLine : .badTarget, at: index)
        }
        let targetRange = target..<index

        let name = index + 1
        guard name + 10 <= end, bytes[name + 8] == ByteClass.cr, bytes[name + 9] == ByteClass.lf else {
            return .flaw(.badRequestLine, at: name)
        }
        guard bytes[name] == UInt8(ascii: "H"), bytes[name + 1] == UInt8(ascii: "T"),
            bytes[name + 2] == UInt8(ascii: "T"), bytes[name + 3] == UInt8(ascii: "P"),
            bytes[name + 4] == UInt8(ascii: "/"), bytes[name + 5].isASCIIDigit,
            bytes[name + 6] == UInt8(ascii: "."), bytes[name + 7].isASCIIDigit
        else { return .flaw(.badRequestLine, at: name) }
        switch (bytes[name + 5], bytes[name + 7]) {
        case (UInt8(ascii: "1"), UInt8(ascii: "1")): version = .http11
        case (UInt8(ascii: "1"), UInt8(ascii: "0")): version = .http10
        // HTTP/0.9 never had a version in its request line, so this is not a version.
        case (UInt8(ascii: "0"), _): return .flaw(.badRequestLine, at: name)
        default: return .flaw(.unsupportedVersion, at: name)
        }
        guard splitTarget(bytes, targetRange, base: start) else { return .flaw(.badTarget, at: name) }
        return .line(lineFeed: name + 9)
    }

    /// Recognises the four forms of RFC 9112 §3.2 and notes the places of path and query; false for anything else.
    private mutating func splitTarget(_ bytes: Span<UInt8>, _ target: Range<Int>, base: Int) -> Bool {
        var path = target.lowerBound
        if bytes[path] != UInt8(ascii: "/") {
            if method == .connect {
                // authority-form: never served, but a 405 says more than a 400
                guard FieldValue.isHost(bytes, target) else { return false }
            } else if method == .options, target.count == 1, bytes[path] == UInt8(ascii: "*") {
                // asterisk-form: kept as the path
            } else {
                guard let behindAuthority = Self.authorityEnd(bytes, target) else { return false }
                path = behindAuthority
            }
        }
        var mark: Int?
        for index in path..<target.upperBound {
            if bytes[index] == UInt8(ascii: "#") { return false }
            if bytes[index] == UInt8(ascii: "?"), mark == nil { mark = index }
        }
        pathStart = UInt32(truncatingIfNeeded: path - base)
        pathEnd = UInt32(truncatingIfNeeded: (mark ?? target.upperBound) - base)
        targetEnd = UInt32(truncatingIfNeeded: target.upperBound - base)
        queryStart = mark.map { UInt32(truncatingIfNeeded: $0 + 1 - base) }
        return true
    }

    /// The end of `http://authority` or `https://authority` at the beginning of an absolute-form target.
    private static func authorityEnd(_ bytes: Span<UInt8>, _ target: Range<Int>) -> Int? {
        var index = target.lowerBound
        for scheme in [FieldText.http, FieldText.https] where target.count > scheme.count {
            let end = target.lowerBound + scheme.count
            if bytes.isEqual(target.lowerBound..<end, ignoringCase: scheme) { index = end }
        }
        let authority = index
        guard authority > target.lowerBound else { return nil }
        while index < target.upperBound, bytes[index] != UInt8(ascii: "/"), bytes[index] != UInt8(ascii: "?") {
            index += 1
        }
        // No user information (RFC 9110 §4.2.4) and no empty host (§4.2.1).
        guard index > authority, bytes[authority] != ByteClass.colon, FieldValue.isHost(bytes, authority..<index)
        else { return nil }
        return index
    }

    private static func method(_ bytes: Span<UInt8>, _ name: Range<Int>) -> HTTPMethod {
        guard name.count <= 8 else { return .unknown }
        var packed: UInt64 = 0
        for index in name { packed = packed << 8 | UInt64(bytes[index]) }
        switch packed {
        case 0x50_4F53_54: return .post
        case 0x47_4554: return .get
        case 0x4845_4144: return .head
        case 0x4F_5054_494F_4E53: return .options
        case 0x50_5554: return .put
        case 0x4445_4C45_5445: return .delete
        case 0x50_4154_4348: return .patch
        case 0x54_5241_4345: return .trace
        case 0x43_4F4E_4E45_4354: return .connect
        default: return .unknown
        }
    }
}
