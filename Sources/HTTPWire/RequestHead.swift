/// The method of a request; names are case-sensitive (RFC 9110 §9.1).
package enum HTTPMethod: UInt8, Sendable, Equatable, CaseIterable {
    case get, head, post, options
    /// Methods of HTTP that are never allowed here: the answer is 405 (H-19).
    case put, delete, patch, trace, connect
    /// Any other well-formed method name: the answer is 501 (H-19).
    case unknown
}

/// The version of a request. Requests of other versions are refused.
package enum HTTPVersion: UInt8, Sendable, Equatable {
    case http10, http11
}

/// How the body of a request is delimited (RFC 9112 §6.3).
package enum HTTPFraming: Sendable, Equatable {
    /// No length and no coding was given: the body is empty, and a POST may be answered with 411 (H-17).
    case none
    /// `Content-Length`, already checked against the body limit.
    case length(Int)
    /// `Transfer-Encoding: chunked`.
    case chunked
}

/// The field that names the client for whom a proxy forwards. One is kept for the owner to judge, or none.
package enum CapturedField: UInt8, Sendable, Equatable, CaseIterable {
    case none
    /// `X-Forwarded-For`
    case xForwardedFor
    /// `Forwarded` (RFC 7239)
    case forwarded
    /// `X-Real-IP`
    case xRealIP
    /// `Host` and `Sec-Fetch-Site`, by which a listener recognises pages of other origins, and `Authorization`; see
    /// `RequestHead.provenance`.
    case provenance
}

/// The request before its body: the target and the few fields that a BOSH server needs (H-03).
package struct RequestHead: Sendable, Equatable {
    package var method: HTTPMethod
    package var version: HTTPVersion
    /// The target's path as it came, not percent-decoded and without the query. It begins with `/`, except for
    /// `OPTIONS *` (`*`) and CONNECT (the authority). For an absolute-form target it is the path within.
    package var path: String
    /// The part after the first `?` of the target; nil without one.
    package var query: String?
    /// `Origin`; nil when absent or not UTF-8. The last one counts.
    package var origin: String?
    /// The coding for the answer's body that `Accept-Encoding` allows and prefers; identity when it names no supported
    /// one.
    package var acceptedCoding: ContentCoding
    /// The coding of the body by `Content-Encoding`; nil for one that this server cannot undo (415, H-09). libpurple
    /// writes a media type here, so unregistered names are ignored.
    package var coding: ContentCoding?
    package var framing: HTTPFraming
    /// Whether the client waits for `100 Continue` before it sends the body. False for HTTP/1.0 and for an empty body.
    package var expectsContinue: Bool
    /// Whether the connection persists after the answer, by version and `Connection` options (RFC 9112 §9.3, H-13,
    /// H-14).
    package var keepAlive: Bool
    /// The captured field: the values of its lines in order, joined by `, ` (RFC 9110 §5.3). The bytes are as they
    /// came, without control bytes except HTAB, and bounded by the head; anybody may have written them. Empty when the
    /// field is absent or nothing is captured.
    package var forwarded: [UInt8] = []
    /// The last word of `X-Forwarded-Proto`, which the proxy next to this server wrote; nil for another word, without the
    /// field, and where it is not captured. Anybody may have written it.
    package var forwardedScheme: ForwardedScheme?
    /// The valid names in an OPTIONS request's `Access-Control-Request-Headers`, separated by `, `, at most 1024 bytes;
    /// nil when there are none.
    package var requestedHeaders: String?
    /// Whether a browser sent the request for a page of another origin; see `CrossOriginPolicy.admits`. Always false
    /// unless the policy lists origins.
    package var isFromElsewhere = false
    /// The fields by which a GET request asks for another protocol; see `eachUpgradeField`.
    var upgradeLines: [UInt8] = []
    /// `Referer` and `User-Agent` as they came, bounded by the head; empty when absent, or when they are not kept. The last
    /// line of each counts.
    package var referer: [UInt8] = []
    package var agent: [UInt8] = []
}

extension RequestHead {
    /// What is left of a head that was refused: the captured field, as far as it had come.
    init(refusedFrom forwarded: [UInt8]) {
        self.init(
            method: .unknown, version: .http11, path: "/", acceptedCoding: .identity, framing: .none,
            expectsContinue: false, keepAlive: false, forwarded: forwarded)
    }

    /// `Host` (nil without one), each `Sec-Fetch-Site` and each `Authorization`, for a listener that captures
    /// `.provenance`.
    package var provenance: (host: [UInt8]?, fetchSites: [[UInt8]], authorizations: [[UInt8]]) {
        var host: [UInt8]?
        var sites: [[UInt8]] = []
        var authorizations: [[UInt8]] = []
        // Each entry is a mark, the value, and an LF, which no value contains.
        for line in forwarded.split(separator: ByteClass.lf) {
            switch line.first {
            case Self.hostMark: host = Array(line.dropFirst())
            case Self.fetchSiteMark: sites.append(Array(line.dropFirst()))
            case Self.authorizationMark: authorizations.append(Array(line.dropFirst()))
            default: continue
            }
        }
        return (host, sites, authorizations)
    }

    static let hostMark = UInt8(ascii: "h")
    static let fetchSiteMark = UInt8(ascii: "s")
    static let authorizationMark = UInt8(ascii: "a")
}

/// One complete request.
package struct HTTPRequest: Sendable, Equatable {
    /// Counts up from 1 on each connection; `HTTPConnection.respond(to:with:)` takes it.
    package var exchange: UInt64
    package var head: RequestHead
    /// The body, with a chunked coding removed.
    package var body: [UInt8]
}
