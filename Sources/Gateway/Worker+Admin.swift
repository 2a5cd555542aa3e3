import BOSHCore
import HTTPWire
import Settings
import StreamCore

/// Health, statistics and the page for people, on a separate listener.
extension Worker {
    /// The answer to a request on the operator's listener; nil when it comes later, because other workers are asked.
    func operatorResource(_ head: RequestHead, _ exchange: ExchangeID) -> HTTPResponse? {
        if let rest = Self.rest(of: head.path, behind: "/sessions") { return sessionsResource(head, rest, exchange) }
        switch head.method {
        case .get, .head: return resource(head)
        case .unknown: return HTTPResponse(status: .notImplemented)
        case .post, .options, .put, .delete, .patch, .trace, .connect:
            return HTTPResponse(status: .methodNotAllowed, fields: [("Allow", "GET, HEAD")])
        }
    }

    /// The sessions of all workers, and the end of one: `/sessions`, `/sessions/SID8`.
    private func sessionsResource(_ head: RequestHead, _ name: String, _ exchange: ExchangeID) -> HTTPResponse? {
        switch head.method {
        case .get, .head:
            do throws(SessionFilter.Fault) {
                var query = head.query ?? ""
                if !name.isEmpty { query += "&sid8=\(name)&state=all" }
                let filter = try SessionFilter(query: query)
                inquiries.ask(.list, query, limit: filter.limit, for: exchange)
                return nil
            } catch {
                return HTTPResponse(status: .badRequest, contentType: .plain, body: Array("\(error.line)\n".utf8))
            }
        case .delete:
            guard name.count == 8 else {
                return HTTPResponse(
                    status: .badRequest, contentType: .plain,
                    body: Array("name one session by the eight digits of its sid8: DELETE /sessions/SID8\n".utf8))
            }
            inquiries.ask(.end, name.lowercased(), for: exchange)
            return nil
        case .unknown: return HTTPResponse(status: .notImplemented)
        case .post, .options, .put, .patch, .trace, .connect:
            return HTTPResponse(status: .methodNotAllowed, fields: [("Allow", "GET, HEAD, DELETE")])
        }
    }

    /// What follows a folder in a path, without slashes at its ends; nil when the path is elsewhere.
    private static func rest(of path: String, behind folder: String) -> String? {
        guard path.hasPrefix(folder) else { return nil }
        let rest = path.dropFirst(folder.count)
        guard rest.isEmpty || rest.first == "/" else { return nil }
        return rest.split(separator: "/").joined(separator: "/")
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
                body: Array("/ /healthz /lbcheck /metrics /readyz /sessions /stats /version\n".utf8))
        }
    }
}
