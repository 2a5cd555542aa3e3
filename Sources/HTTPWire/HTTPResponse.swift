import Primitives

/// The media type of an answer's body.
package enum HTTPContentType: Sendable, Equatable {
    /// `text/xml; charset=utf-8`, the default of BOSH (XEP-0124 §7.1, H-06).
    case xml
    case html
    case json
    case plain
    /// A session's `content` value (H-07). Control bytes in it are sent as spaces.
    case other(String)

    var text: String {
        switch self {
        case .xml: "text/xml; charset=utf-8"
        case .html: "text/html; charset=utf-8"
        case .json: "application/json"
        case .plain: "text/plain; charset=utf-8"
        case .other(let text): text
        }
    }
}

/// An answer. The connection adds what every answer has: `Content-Length`, `Cache-Control: no-store` (H-25),
/// `X-Content-Type-Options: nosniff` (H-07), `Connection`, `Date` and the CORS fields.
package struct HTTPResponse: Sendable {
    package var status: HTTPStatus
    /// The type of the body; nil for a body that needs none.
    package var contentType: HTTPContentType?
    /// Further fields, such as `Allow` with a 405 (H-19). A field whose name is no token is dropped. Control bytes in a
    /// value are sent as spaces, so no value can begin another field.
    package var fields: [(String, String)]
    package var body: [UInt8]
    /// The part of the body after `body`: bytes that others keep too, not copied before they leave.
    package var shared: [UInt8] = []
    /// The part of the body after `shared`.
    package var end: [UInt8] = []
    /// The coding that `body` already has.
    package var coding: ContentCoding = .identity
    /// Whether `coding` depends on the request's `Accept-Encoding`, so that caches are told (RFC 9110 §12.5.5).
    package var variesByCoding = false
    /// Whether every page may read the answer, whichever origins are listed: the document is the same for all and has
    /// no secrets.
    package var isForEveryPage = false
    /// Whether the answer is for programs alone: no page may read it, whatever its origin, and it is sent as it is.
    package var isForPrograms = false
    /// Whether the connection ends after this answer, whatever the client asked for. Later requests go unanswered.
    package var closesConnection: Bool

    package init(
        status: HTTPStatus,
        contentType: HTTPContentType? = nil,
        fields: [(String, String)] = [],
        body: [UInt8] = [],
        closesConnection: Bool = false
    ) {
        self.status = status
        self.contentType = contentType
        self.fields = fields
        self.body = body
        self.closesConnection = closesConnection
    }

    /// The length of the body, all parts together.
    package var bodyCount: Int { body.count + shared.count + end.count }

    /// Joins the parts of the body into `body`, for a caller that has to change it.
    package mutating func joinBody() {
        guard !shared.isEmpty || !end.isEmpty else { return }
        body.reserveCapacity(bodyCount)
        body.append(contentsOf: shared)
        body.append(contentsOf: end)
        shared = []
        end = []
    }

    /// Whether a body is to be sent that has shared parts.
    func sharesBody(_ terms: AnswerTerms) -> Bool {
        status.hasContent && !terms.withholdsBody && !(shared.isEmpty && end.isEmpty)
    }

    /// The answer to refused input. Its body repeats the status line's text, for people and logs.
    init(_ fault: HTTPFault) {
        self.init(status: fault.status, contentType: .plain, body: Array((fault.status.line + "\n").utf8))
    }

    /// Appends the answer, head and body in one piece, so that they leave in one write (H-30). The caller adds `shared`
    /// and `end`. The answer is always framed by its length, never chunked (H-05), and always says HTTP/1.1, the
    /// highest version that this server conforms to (RFC 9110 §6.2).
    func encode(_ terms: AnswerTerms, policy: CrossOriginPolicy, date: HTTPDate?, into output: inout [UInt8]) {
        let policy = isForPrograms ? .off : isForEveryPage ? policy.forEveryPage : policy
        // This reserves exactly this size. After other answers it would reserve and copy anew for each of them.
        if output.isEmpty { output.reserveCapacity(Self.usualHead + body.count) }
        output.append(text: "HTTP/1.1 ")
        output.append(text: status.line)
        output.append(text: "\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n")
        if let date {
            output.append(text: "Date: ")
            output.append(contentsOf: date.bytes)
            output.append(text: "\r\n")
        }
        if status.hasContent {
            output.append(text: "Content-Length: ")
            output.append(decimal: bodyCount)
            output.append(text: "\r\n")
            if let contentType { output.append(field: "Content-Type", contentType.text) }
            if coding != .identity { output.append(field: "Content-Encoding", coding.token) }
        }
        switch (policy.variesByOrigin, variesByCoding) {
        case (true, true): output.append(text: "Vary: Origin, Accept-Encoding\r\n")
        case (true, false): output.append(text: "Vary: Origin\r\n")
        case (false, true): output.append(text: "Vary: Accept-Encoding\r\n")
        case (false, false): break
        }
        for (name, value) in fields { output.append(field: name, value) }
        policy.encode(terms.grant, into: &output)
        switch terms.persistence {
        case .implied: break
        case .stated: output.append(text: "Connection: keep-alive\r\n")
        case .ends: output.append(text: "Connection: close\r\n")
        }
        output.append(text: "\r\n")
        if status.hasContent, !terms.withholdsBody { output.append(contentsOf: body) }
    }

    /// Room for an ordinary answer's head, so that encoding does not grow the buffer twice.
    private static let usualHead = 320
}

/// What a request determines about its answer; kept while the answer is owed.
struct AnswerTerms: Sendable, Equatable {
    enum Persistence: UInt8, Sendable {
        /// HTTP/1.1: the connection persists without a field.
        case implied
        /// HTTP/1.0 with `Connection: keep-alive`: the answer must say so too (H-14).
        case stated
        case ends
    }

    var grant = CrossOriginGrant()
    var persistence = Persistence.ends
    /// HEAD: all the fields of GET and no body (RFC 9110 §9.3.2, H-20).
    var withholdsBody = false
    /// The coding that the client accepts and prefers for the answer's body.
    var coding = ContentCoding.identity
}

extension [UInt8] {
    /// Appends `name: value CRLF`; nothing if `name` is no token. Control bytes of the value become spaces.
    mutating func append(field name: String, _ value: String) {
        guard !name.isEmpty, name.utf8.allSatisfy(\.isTokenByte) else { return }
        append(text: name)
        append(text: ": ")
        let start = count
        append(text: value)
        for index in start..<count where !ByteClass.isFieldContent(self[index]) { self[index] = ByteClass.space }
        append(text: "\r\n")
    }
}
