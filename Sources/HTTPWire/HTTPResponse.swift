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

/// An answer. What every answer carries is not named here: `Content-Length`, `Cache-Control: no-store` (H-25),
/// `X-Content-Type-Options: nosniff` (H-07), `Connection`, `Date` and the CORS fields are the connection's business.
package struct HTTPResponse: Sendable {
    package var status: HTTPStatus
    /// Of the body; nil for a body that needs none.
    package var contentType: HTTPContentType?
    /// Further fields, such as `Allow` with a 405 (H-19). A name that is no token drops the field, control bytes in a
    /// value are sent as spaces: no value can begin a field of its own.
    package var fields: [(String, String)]
    package var body: [UInt8]
    /// What follows `body`: bytes that others keep too, and that are not copied before they leave.
    package var shared: [UInt8] = []
    /// What follows `shared`.
    package var end: [UInt8] = []
    /// How `body` is coded already.
    package var coding: ContentCoding = .identity
    /// The request's `Accept-Encoding` had a say in `coding`, so caches are told that it varies (RFC 9110 §12.5.5).
    package var variesByCoding = false
    /// Every page may read it, whichever origins are listed: a document that is the same for all and says nothing secret.
    package var isForEveryPage = false
    /// The connection ends behind this answer whatever the client asked for. Requests behind it go unanswered.
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

    /// How long the body is, in all its parts.
    package var bodyCount: Int { body.count + shared.count + end.count }

    /// Makes one array of the body, for whoever has to change it.
    package mutating func joinBody() {
        guard !shared.isEmpty || !end.isEmpty else { return }
        body.reserveCapacity(bodyCount)
        body.append(contentsOf: shared)
        body.append(contentsOf: end)
        shared = []
        end = []
    }

    /// Whether there is a body to be sent that stands apart.
    func sharesBody(_ terms: AnswerTerms) -> Bool {
        status.hasContent && !terms.withholdsBody && !(shared.isEmpty && end.isEmpty)
    }

    /// The answer to input that was refused: the status line's text again as its body, for people and logs.
    init(_ fault: HTTPFault) {
        self.init(status: fault.status, contentType: .plain, body: Array((fault.status.line + "\n").utf8))
    }

    /// Appends the answer, head and body in one piece so that they leave in one write (H-30); what is shared, or follows
    /// that, is for the caller to put behind it. It is always framed
    /// by its length, never chunked (H-05), and always says HTTP/1.1, the highest version this server conforms to (RFC 9110 §6.2).
    func encode(_ terms: AnswerTerms, policy: CrossOriginPolicy, date: HTTPDate?, into output: inout [UInt8]) {
        let policy = isForEveryPage ? policy.forEveryPage : policy
        // Exactly so much is set aside, so behind other answers it would be set aside and copied anew for each of them.
        if output.isEmpty { output.reserveCapacity(Self.usualHead + body.count) }
        output.append(contentsOf: "HTTP/1.1 ".utf8)
        output.append(contentsOf: status.line.utf8)
        output.append(contentsOf: "\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n".utf8)
        if let date {
            output.append(contentsOf: "Date: ".utf8)
            output.append(contentsOf: date.bytes)
            output.append(contentsOf: "\r\n".utf8)
        }
        if status.hasContent {
            output.append(contentsOf: "Content-Length: ".utf8)
            output.append(decimal: bodyCount)
            output.append(contentsOf: "\r\n".utf8)
            if let contentType { output.append(field: "Content-Type", contentType.text) }
            if coding != .identity { output.append(field: "Content-Encoding", coding.token) }
        }
        switch (policy.variesByOrigin, variesByCoding) {
        case (true, true): output.append(contentsOf: "Vary: Origin, Accept-Encoding\r\n".utf8)
        case (true, false): output.append(contentsOf: "Vary: Origin\r\n".utf8)
        case (false, true): output.append(contentsOf: "Vary: Accept-Encoding\r\n".utf8)
        case (false, false): break
        }
        for (name, value) in fields { output.append(field: name, value) }
        policy.encode(terms.grant, into: &output)
        switch terms.persistence {
        case .implied: break
        case .stated: output.append(contentsOf: "Connection: keep-alive\r\n".utf8)
        case .ends: output.append(contentsOf: "Connection: close\r\n".utf8)
        }
        output.append(contentsOf: "\r\n".utf8)
        if status.hasContent, !terms.withholdsBody { output.append(contentsOf: body) }
    }

    /// Room for the head of an ordinary answer, so that it is encoded without growing twice.
    private static let usualHead = 320
}

/// What a request said about its answer; kept while the answer is owed.
struct AnswerTerms: Sendable, Equatable {
    enum Persistence: UInt8, Sendable {
        /// HTTP/1.1 goes on without a word.
        case implied
        /// HTTP/1.0 with `Connection: keep-alive`: the answer must say so too (H-14).
        case stated
        case ends
    }

    var grant = CrossOriginGrant()
    var persistence = Persistence.ends
    /// HEAD: all the fields of GET and no body (RFC 9110 §9.3.2, H-20).
    var withholdsBody = false
    /// The coding that the answer's body may have and would best have.
    var coding = ContentCoding.identity
}

extension [UInt8] {
    /// Appends `name: value CRLF`; nothing if `name` is no token. Control bytes of the value become spaces.
    mutating func append(field name: String, _ value: String) {
        guard !name.isEmpty, name.utf8.allSatisfy(\.isTokenByte) else { return }
        append(contentsOf: name.utf8)
        append(contentsOf: ": ".utf8)
        let start = count
        append(contentsOf: value.utf8)
        for index in start..<count where !ByteClass.isFieldContent(self[index]) { self[index] = ByteClass.space }
        append(contentsOf: "\r\n".utf8)
    }
}
