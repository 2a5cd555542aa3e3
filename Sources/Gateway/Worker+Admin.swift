import HTTPWire
import Settings
import StreamCore

/// Health and statistics, on a separate listener.
extension Worker {
    /// The answer to a request on the operator's listener.
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
            // An answer at all shows that the loop runs.
            return HTTPResponse(status: .ok, contentType: .plain, body: Array("ok\n".utf8))
        } else if head.isFor("/readyz") {
            if endsWithProgram {
                return HTTPResponse(status: .serviceUnavailable, contentType: .plain, body: Array("stopping\n".utf8))
            }
            return HTTPResponse(status: .ok, contentType: .plain, body: Array("ready\n".utf8))
        } else if head.isFor("/lbcheck") {
            // A balancer with "disable-on-404" sends no new sessions here, and still those that are here. After 503 it
            // would send these elsewhere too.
            if endsWithProgram {
                return HTTPResponse(status: .notFound, contentType: .plain, body: Array("draining\n".utf8))
            }
            return HTTPResponse(status: .ok, contentType: .plain, body: Array("accepting\n".utf8))
        } else if head.isFor("/stats") {
            do {
                let json = try StatisticsJSON.text(Statistics.ofAll(self))
                return HTTPResponse(status: .ok, contentType: .json, body: json)
            } catch {
                loop.logger.error("the statistics cannot be written", metadata: ["error": "\(error)"])
                return HTTPResponse(status: .internalServerError)
            }
        } else {
            return HTTPResponse(
                status: .notFound, contentType: .plain, body: Array("/healthz /lbcheck /readyz /stats\n".utf8))
        }
    }
}
