import Primitives

/// The field values by which a head is judged. Each function reads one value, which is known to have no control bytes.
enum FieldValue {
    /// Reads `1*DIGIT` that fits an `Int` (RFC 9112 §6.3); nil for anything else: signs, lists, white space, overflow.
    static func contentLength(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int? {
        guard !range.isEmpty else { return nil }
        var length = 0
        for index in range {
            guard bytes[index].isASCIIDigit else { return nil }
            let (tenfold, overflow) = length.multipliedReportingOverflow(by: 10)
            let (sum, carry) = tenfold.addingReportingOverflow(Int(bytes[index] &- 0x30))
            if overflow || carry { return nil }
            length = sum
        }
        return length
    }

    /// `uri-host [ ":" port ]` (RFC 9110 §7.2). An empty value is valid, for a target without authority.
    static func isHost(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        var index = range.lowerBound
        if index < range.upperBound, bytes[index] == UInt8(ascii: "[") {
            index += 1
            let literal = index
            while index < range.upperBound, isInsideBrackets(bytes[index]) { index += 1 }
            guard index > literal, index < range.upperBound, bytes[index] == UInt8(ascii: "]") else { return false }
            index += 1
        } else {
            while index < range.upperBound, ByteClass.isHostName(bytes[index]) { index += 1 }
        }
        guard index < range.upperBound else { return true }
        guard bytes[index] == ByteClass.colon else { return false }
        for port in (index + 1)..<range.upperBound {
            guard bytes[port].isASCIIDigit else { return false }
        }
        return true
    }

    /// Whether a byte belongs to the alphabet of an IP literal (RFC 3986 §3.2.2): `::1`, `fe80::1%25eth0`, `v1.x`.
    private static func isInsideBrackets(_ byte: UInt8) -> Bool {
        byte == ByteClass.colon || ByteClass.isHostName(byte)
    }

    /// Calls `body` with each element of a comma-separated list (RFC 9110 §5.6.1) and skips empty elements.
    @inline(__always)
    static func eachElement(_ bytes: Span<UInt8>, _ range: Range<Int>, _ body: (Range<Int>) -> Void) {
        var start = range.lowerBound
        while start < range.upperBound {
            var end = start
            while end < range.upperBound, bytes[end] != UInt8(ascii: ",") { end += 1 }
            let element = bytes.trimmed(start..<end)
            if !element.isEmpty { body(element) }
            start = end + 1
        }
    }
}

/// The names and values that the parser looks for, in lower case.
enum FieldText {
    static let host = Array("host".utf8)
    static let origin = Array("origin".utf8)
    static let authorization = Array("authorization".utf8)
    static let expect = Array("expect".utf8)
    static let connection = Array("connection".utf8)
    static let upgrade = Array("upgrade".utf8)
    static let referer = Array("referer".utf8)
    static let userAgent = Array("user-agent".utf8)
    static let socketKey = Array("sec-websocket-key".utf8)
    static let socketVersion = Array("sec-websocket-version".utf8)
    static let socketProtocol = Array("sec-websocket-protocol".utf8)
    static let secFetchSite = Array("sec-fetch-site".utf8)
    static let contentLength = Array("content-length".utf8)
    static let acceptEncoding = Array("accept-encoding".utf8)
    static let contentEncoding = Array("content-encoding".utf8)
    static let transferEncoding = Array("transfer-encoding".utf8)
    static let xForwardedFor = Array("x-forwarded-for".utf8)
    static let forwarded = Array("forwarded".utf8)
    static let xRealIP = Array("x-real-ip".utf8)
    static let xForwardedProto = Array("x-forwarded-proto".utf8)
    static let requestedHeaders = Array("access-control-request-headers".utf8)

    static let http = Array("http://".utf8)
    static let https = Array("https://".utf8)
    static let httpPort = Array(":80".utf8)
    static let httpsPort = Array(":443".utf8)
    static let sameOrigin = Array("same-origin".utf8)
    static let userAsked = Array("none".utf8)
    static let close = Array("close".utf8)
    static let keepAlive = Array("keep-alive".utf8)
    static let chunked = Array("chunked".utf8)
    static let continueExpectation = Array("100-continue".utf8)
    static let listSeparator = Array(", ".utf8)

    static let gzip = Array("gzip".utf8)
    static let xGzip = Array("x-gzip".utf8)
    static let deflate = Array("deflate".utf8)
    static let identity = Array("identity".utf8)
    /// The rest of IANA's registry of content codings.
    static let otherCodings = [
        "aes128gcm", "br", "compress", "dcb", "dcz", "exi", "pack200-gzip", "x-compress", "zstd",
    ].map { Array($0.utf8) }
}
