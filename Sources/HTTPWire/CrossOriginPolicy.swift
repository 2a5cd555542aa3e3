/// Which web pages of other origins may read the answers (the CORS protocol of the Fetch standard, H-21).
///
/// The connection adds the fields to every answer, refusals included: a page that may not read an error sees only a
/// network failure. `*` is never sent with credentials.
package enum CrossOriginPolicy: Sendable, Equatable {
    /// No CORS field is sent and no page is refused: the proxy in front does that.
    case off
    /// Every page, without credentials.
    case any
    /// The pages of these origins (`https://host[:port]`, compared byte by byte, as browsers send them), with cookies
    /// and HTTP authentication if `credentials` is set. The answer names the origin, so it tells caches that it varies.
    case list([String], credentials: Bool)

    /// The answer to a preflight, an OPTIONS request that asks what a later request may have. The connection adds
    /// `Access-Control-Allow-Origin`, as to any answer.
    ///
    /// - Parameter headers: The fields that a page may send, each a token. Empty for all that the preflight asks for,
    ///   if they are tokens and fit (`RequestHead.requestedHeaders`).
    package func preflight(for head: RequestHead, headers: [String]) -> HTTPResponse {
        var fields = [("Allow", Self.methods)]
        if grants(head.origin) {
            fields.append(("Access-Control-Allow-Methods", Self.methods))
            if headers.isEmpty {
                fields.append(("Access-Control-Allow-Headers", head.requestedHeaders ?? Self.usualHeaders))
                fields.append(("Vary", "Access-Control-Request-Headers"))
            } else {
                fields.append(("Access-Control-Allow-Headers", headers.joined(separator: ", ")))
            }
            fields.append(("Access-Control-Max-Age", "7200"))
        }
        return HTTPResponse(status: .noContent, fields: fields)
    }

    /// Whether a request that changes something is accepted. A page may send a POST without a preflight and not read
    /// the answer. So when origins are listed, pages of other origins are refused. Pages of the endpoint's own origin
    /// are accepted, and so are programs, which name no page.
    package func admits(_ head: RequestHead) -> Bool {
        !head.isFromElsewhere || grants(head.origin)
    }

    /// The policy for answers that every page may read, whichever origins are listed.
    package var forEveryPage: CrossOriginPolicy { self == .off ? .off : .any }

    /// The policy with further listed origins behind the own ones; this one if it keeps no list.
    package func allowing(_ others: [String]) -> CrossOriginPolicy {
        guard case .list(let origins, let credentials) = self else { return self }
        return .list(origins + others.filter { !origins.contains($0) }, credentials: credentials)
    }

    private func grants(_ origin: String?) -> Bool {
        switch self {
        case .off: false
        case .any: true
        case .list: grant(origin).index != nil
        }
    }

    private static let methods = "GET, HEAD, POST, OPTIONS"

    /// The answer to a preflight that asks for no fields: those that clients are known to send.
    private static let usualHeaders = "Content-Type, Authorization, Accept, X-Requested-With"

    /// What a request from `origin` may read: a small value, kept while the request is held.
    func grant(_ origin: String?) -> CrossOriginGrant {
        guard case .list(let origins, _) = self, let origin,
            let index = origins.firstIndex(where: { $0.utf8.elementsEqual(origin.utf8) })
        else {
            return CrossOriginGrant()
        }
        return CrossOriginGrant(index: index)
    }

    /// Whether answers differ by the request's origin; the encoder then says so in `Vary`.
    var variesByOrigin: Bool {
        if case .list = self { true } else { false }
    }

    /// Appends the CORS fields of an answer.
    func encode(_ grant: CrossOriginGrant, into output: inout [UInt8]) {
        switch self {
        case .off:
            break
        case .any:
            output.append(text: "Access-Control-Allow-Origin: *\r\n")
        case .list(let origins, let credentials):
            guard let index = grant.index, origins.indices.contains(index) else { return }
            output.append(field: "Access-Control-Allow-Origin", origins[index])
            if credentials { output.append(text: "Access-Control-Allow-Credentials: true\r\n") }
        }
    }
}

/// The origin that an answer names, as an index into the policy's list. The answer repeats the operator's text, never
/// the client's.
struct CrossOriginGrant: Sendable, Equatable {
    private var stored: Int16 = -1

    init() {}

    /// A grant of the origin at `index`. An index that does not fit is no grant: nobody lists 32,768 origins.
    init(index: Int) {
        stored = Int16(exactly: index) ?? -1
    }

    var index: Int? { stored < 0 ? nil : Int(stored) }
}
