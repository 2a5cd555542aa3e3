import HTTPWire
import Settings
import StreamCore

/// Health, statistics and the page for people, on a separate listener.
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
            let readiness = readiness
            return HTTPResponse(
                status: readiness.obstacle == nil ? .ok : .serviceUnavailable, contentType: .plain,
                body: Array(readiness.text.utf8))
        } else if head.isFor("/lbcheck") {
            // A balancer with "disable-on-404" sends no new sessions here, and still those that are here. After 503 it
            // would send these elsewhere too.
            if endsWithProgram {
                return HTTPResponse(status: .notFound, contentType: .plain, body: Array("draining\n".utf8))
            }
            return HTTPResponse(status: .ok, contentType: .plain, body: Array("accepting\n".utf8))
        } else if head.isFor("/stats") {
            let json = StatisticsJSON.text(Statistics.ofAll(self))
            return HTTPResponse(status: .ok, contentType: .json, body: json)
        } else if head.isFor("/metrics") {
            let text = MetricsText.text(Statistics.ofAll(self))
            return HTTPResponse(status: .ok, contentType: .other(MetricsText.contentType), body: text)
        } else if head.isFor("/version") {
            return HTTPResponse(status: .ok, contentType: .plain, body: Array("holdfast \(Version.text)\n".utf8))
        } else if head.isFor("/") {
            return StatusPage.response(Statistics.ofAll(self))
        } else if head.isFor(StatusPage.scriptPath) {
            return StatusPage.script
        } else if head.isFor(StatusPage.stylePath) {
            return StatusPage.style
        } else {
            return HTTPResponse(
                status: .notFound, contentType: .plain,
                body: Array("/ /healthz /lbcheck /metrics /readyz /stats /version\n".utf8))
        }
    }
}
