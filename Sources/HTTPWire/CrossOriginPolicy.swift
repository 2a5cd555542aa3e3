/// Which web pages of other origins may read the answers (the CORS protocol of the Fetch standard, H-21).
///
/// The connection puts the fields into every answer, refusals included: a page that may not read an error sees a bare
/// network failure. `*` is never sent together with credentials.
package enum CrossOriginPolicy: Sendable, Equatable {
    /// No page: no CORS field is sent.
    case off
    /// Every page, without credentials.
    case any
    /// The pages of these origins (`https://host[:port]`, compared byte by byte as browsers send them), with cookies and
    /// HTTP authentication when `credentials` is set. The answer names the origin, so caches are told that it varies.
    case list([String], credentials: Bool)

    /// The answer to a preflight: an OPTIONS request that asks what a later request may be like. `Access-Control-
    /// Allow-Origin` is added when it is sent, as to any answer.
    package var preflight: HTTPResponse {
        var fields = [("Allow", Self.methods)]
        if self != .off {
            fields.append(("Access-Control-Allow-Methods", Self.methods))
            fields.append(("Access-Control-Allow-Headers", "Content-Type, Authorization, Accept, X-Requested-With"))
            fields.append(("Access-Control-Max-Age", "7200"))
        }
        return HTTPResponse(status: .noContent, fields: fields)
    }

    private static let methods = "GET, HEAD, POST, OPTIONS"

    /// What a request from `origin` may read; a small value to keep while it is held.
    func grant(_ origin: String?) -> CrossOriginGrant {
        guard case .list(let origins, _) = self, let origin,
            let index = origins.firstIndex(where: { $0.utf8.elementsEqual(origin.utf8) })
        else {
            return CrossOriginGrant()
        }
        return CrossOriginGrant(index: index)
    }

    /// Whether answers differ by the request's origin; the encoder of the answer says so in `Vary`.
    var variesByOrigin: Bool {
        if case .list = self { true } else { false }
    }

    /// Appends the CORS fields of an answer.
    func encode(_ grant: CrossOriginGrant, into output: inout [UInt8]) {
        switch self {
        case .off:
            break
        case .any:
            output.append(contentsOf: "Access-Control-Allow-Origin: *\r\n".utf8)
        case .list(let origins, let credentials):
            guard let index = grant.index, origins.indices.contains(index) else { return }
            output.append(field: "Access-Control-Allow-Origin", origins[index])
            if credentials { output.append(contentsOf: "Access-Control-Allow-Credentials: true\r\n".utf8) }
        }
    }
}

/// The origin that an exchange's answer names, as its place in the policy's list: what is echoed is the operator's text,
/// never the client's.
struct CrossOriginGrant: Sendable, Equatable {
    private var stored: Int16 = -1

    init() {}

    /// An index past what fits is no grant; nobody lists 32,768 origins.
    init(index: Int) {
        stored = Int16(exactly: index) ?? -1
    }

    var index: Int? { stored < 0 ? nil : Int(stored) }
}
