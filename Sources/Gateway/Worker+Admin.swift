import FoundationEssentials
import HTTPWire
import Settings
import StreamCore

/// Health and statistics, on a listener of their own.
extension Worker {
    /// The answer to a request of the operator's.
    func operatorResource(_ head: RequestHead) -> HTTPResponse {
        switch head.method {
        case .get, .head: resource(head)
        case .unknown: HTTPResponse(status: .notImplemented)
        case .post, .options, .put, .delete, .patch, .trace, .connect:
            HTTPResponse(status: .methodNotAllowed, fields: [("Allow", "GET, HEAD")])
        }
    }

    private func resource(_ head: RequestHead) -> HTTPResponse {
        if head.isFor("/healthz") {
            // That it is answered at all says that the loop turns.
            return HTTPResponse(status: .ok, contentType: .plain, body: Array("ok\n".utf8))
        } else if head.isFor("/readyz") {
            if loop.isStopping {
                return HTTPResponse(status: .serviceUnavailable, contentType: .plain, body: Array("stopping\n".utf8))
            }
            return HTTPResponse(status: .ok, contentType: .plain, body: Array("ready\n".utf8))
        } else if head.isFor("/stats") {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            encoder.keyEncodingStrategy = .convertToSnakeCase
            guard let json = try? encoder.encode(Statistics(of: self)) else {
                return HTTPResponse(status: .internalServerError)
            }
            return HTTPResponse(status: .ok, contentType: .json, body: Array(json) + [0x0A])
        } else {
            return HTTPResponse(
                status: .notFound, contentType: .plain, body: Array("/healthz /readyz /stats\n".utf8))
        }
    }
}
