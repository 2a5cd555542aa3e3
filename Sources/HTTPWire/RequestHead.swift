/// The method of a request; names are case-sensitive (RFC 9110 §9.1).
package enum HTTPMethod: UInt8, Sendable, Equatable, CaseIterable {
    case get, head, post, options
    /// Known to HTTP, never allowed here: the answer is 405 (H-19).
    case put, delete, patch, trace, connect
    /// A well-formed method name that is none of the others: the answer is 501 (H-19).
    case unknown
}

/// The version of a request. Others are refused before they become a request.
package enum HTTPVersion: UInt8, Sendable, Equatable {
    case http10, http11
}

/// How the body of a request is delimited (RFC 9112 §6.3).
package enum HTTPFraming: Sendable, Equatable {
    /// Neither length nor coding was given: the body is empty, and a POST may be answered with 411 (H-17).
    case none
    /// `Content-Length`, already checked against the body limit.
    case length(Int)
    /// `Transfer-Encoding: chunked`.
    case chunked
}

/// The field that names the client a proxy forwards for: one is kept for the owner to judge, or none.
package enum CapturedField: UInt8, Sendable, Equatable, CaseIterable {
    case none
    /// `X-Forwarded-For`
    case xForwardedFor
    /// `Forwarded` (RFC 7239)
    case forwarded
    /// `Host` and `Sec-Fetch-Site`, by which a listener knows pages from elsewhere; see `RequestHead.provenance`.
    case provenance
}

/// What a request says before its body: the target and the few fields that a BOSH server acts on (H-03).
package struct RequestHead: Sendable, Equatable {
    package var method: HTTPMethod
    package var version: HTTPVersion
    /// The target's path as it came, not percent-decoded and without the query. It begins with `/`, except for
    /// `OPTIONS *` (`*`) and CONNECT (the authority). An absolute-form target gives the path within it.
    package var path: String
    /// What follows the first `?` of the target; nil without one.
    package var query: String?
    /// `Origin`; nil when absent or not UTF-8. Of several the last one stands.
    package var origin: String?
    /// The coding of the answer's body that `Accept-Encoding` allows and prefers; identity when it names none of ours.
    package var acceptedCoding: ContentCoding
    /// How the body is coded, by `Content-Encoding`; nil for a coding that this server cannot undo (415, H-09). libpurple
    /// puts a media type here: what is no coding is passed over.
    package var coding: ContentCoding?
    package var framing: HTTPFraming
    /// The client waits for `100 Continue` before it sends the body. False for HTTP/1.0 and for an empty body.
    package var expectsContinue: Bool
    /// The connection persists after the answer, by version and `Connection` options (RFC 9112 §9.3, H-13, H-14).
    package var keepAlive: Bool
    /// The captured field: the content of its lines in order, joined by `, ` (RFC 9110 §5.3). Bytes as they came, free of
    /// control bytes but HTAB, bounded by the head; anybody may have written them. Empty when there is none or when the
    /// connection captures none.
    package var forwarded: [UInt8] = []
    /// What an OPTIONS request asks for in `Access-Control-Request-Headers`: its valid names, parted by `, `, 1024 bytes at
    /// most; nil when there are none.
    package var requestedHeaders: String?
    /// Whether a browser sent it for a page of another origin; see `CrossOriginPolicy.admits`. Not looked at, and false,
    /// unless the policy lists origins.
    package var isFromElsewhere = false
}

extension RequestHead {
    /// `Host`, nil without one, and each `Sec-Fetch-Site`: for a listener that captures `.provenance`.
    package var provenance: (host: [UInt8]?, fetchSites: [[UInt8]]) {
        var host: [UInt8]?
        var sites: [[UInt8]] = []
        // Each is a mark, the value, and an LF, which no value has in it.
        for line in forwarded.split(separator: ByteClass.lf) {
            switch line.first {
            case Self.hostMark: host = Array(line.dropFirst())
            case Self.fetchSiteMark: sites.append(Array(line.dropFirst()))
            default: continue
            }
        }
        return (host, sites)
    }

    static let hostMark = UInt8(ascii: "h")
    static let fetchSiteMark = UInt8(ascii: "s")
}

/// One complete request.
package struct HTTPRequest: Sendable, Equatable {
    /// Counts up from 1 on each connection; `HTTPConnection.respond(to:with:)` takes it back.
    package var exchange: UInt64
    package var head: RequestHead
    /// The body with any chunked coding taken off.
    package var body: [UInt8]
}
