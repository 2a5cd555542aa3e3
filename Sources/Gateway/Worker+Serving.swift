import HTTPWire
import Reactor

extension Worker {
    /// Finds out what a request is for and answers it, or hands it to its session.
    func serve(_ request: borrowing HTTPRequest, on connection: ClientConnection) {
        switch connection.role {
        case .bosh: serveBOSH(request, on: connection)
        case .admin: serveAdmin(request, on: connection)
        }
    }

    /// Every page may use the endpoint, without credentials: Holdfast knows no cookies (`H-21`).
    static let crossOrigin = CrossOriginPolicy.any

    /// Queues an answer on its connection.
    func respond(to exchange: UInt64, on connection: ClientConnection, _ response: consuming HTTPResponse) {
        _ = connection.http.respond(to: exchange, with: response, date: date.current())
        markDirty(connection)
    }

    private func serveBOSH(_ request: borrowing HTTPRequest, on connection: ClientConnection) {
        guard isBOSHPath(request.head.path) else {
            let isPreflight = request.head.method == .options
            respond(
                to: request.exchange, on: connection,
                isPreflight ? Self.crossOrigin.preflight : HTTPResponse(status: .notFound))
            return
        }
        switch request.head.method {
        case .post:
            guard request.head.framing != .none else {
                respond(to: request.exchange, on: connection, HTTPResponse(status: .lengthRequired))
                return
            }
            guard !isCompressed(request.head.contentEncoding) else {
                respond(to: request.exchange, on: connection, HTTPResponse(status: .unsupportedMediaType))
                return
            }
            serveBody(request, on: connection)
        case .get, .head:
            respond(to: request.exchange, on: connection, HumanPage.response(path: settings.path, policy: policy))
        case .options:
            respond(to: request.exchange, on: connection, Self.crossOrigin.preflight)
        case .unknown:
            respond(to: request.exchange, on: connection, HTTPResponse(status: .notImplemented))
        case .put, .delete, .patch, .trace, .connect:
            respond(
                to: request.exchange, on: connection,
                HTTPResponse(status: .methodNotAllowed, fields: [("Allow", "GET, HEAD, POST, OPTIONS")]))
        }
    }

    /// The configured path, with or without one slash behind it (`H-22`).
    private func isBOSHPath(_ path: String) -> Bool {
        if path == settings.path { return true }
        return path.utf8.count == settings.path.utf8.count + 1 && path.utf8.last == UInt8(ascii: "/")
            && path.hasPrefix(settings.path)
    }

    /// Whether a body is coded in a way that would have to be undone first. libpurple writes a media type into
    /// `Content-Encoding`, so only names of real codings count (`H-09`).
    private func isCompressed(_ contentEncoding: String?) -> Bool {
        guard let contentEncoding else { return false }
        let codings: Set<String> = ["gzip", "x-gzip", "deflate", "compress", "x-compress", "br", "zstd"]
        return contentEncoding.lowercased().split(separator: ",").contains { coding in
            codings.contains(String(coding.drop { $0 == " " }.prefix { $0 != " " }))
        }
    }
}
