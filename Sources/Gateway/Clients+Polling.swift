import Addresses
import BOSHCore
import HTTPWire
import PollingCore
import Reactor
import Settings

/// Requests for the endpoint of HTTP polling (XEP-0025).
extension Clients {
    /// Whether the request is for the endpoint, whatever its query (`Q-02`).
    func isForPolling(_ head: RequestHead) -> Bool { loop.settings.pollingPath.map(head.isFor) ?? false }

    /// Gives a request to its session, or sends it to the worker that has the session.
    func servePolling(_ request: borrowing HTTPRequest, on connection: ClientConnection) {
        switch request.head.method {
        case .post: break
        case .get, .head:
            respond(
                to: request.exchange, on: connection,
                HumanPage.response(loop.settings, scheme(of: request.head, on: connection)))
            return
        case .unknown:
            respond(to: request.exchange, on: connection, HTTPResponse(status: .notImplemented))
            return
        case .options, .put, .delete, .patch, .trace, .connect:
            respond(
                to: request.exchange, on: connection,
                HTTPResponse(status: .methodNotAllowed, fields: [("Allow", "GET, HEAD, POST")]))
            return
        }
        guard request.head.coding == .identity else {
            respond(
                to: request.exchange, on: connection,
                HTTPResponse(status: .unsupportedMediaType, fields: [("Accept-Encoding", "identity")]))
            return
        }
        guard request.body.count <= loop.settings.maxBody else {
            respond(to: request.exchange, on: connection, HTTPResponse(status: .contentTooLarge))
            return
        }
        let exchange = ExchangeID(connection: connection.token.raw, number: request.exchange)
        guard admitsPolling(request.head) else {
            loop.counters.requestsRefused &+= 1
            let requester = requester(of: request, on: connection)
            loop.logs.clients.debug("page refused", metadata: requester.fields)
            polling.refuse(exchange, .badRequest, over: requester.scheme)
            return
        }
        let placement = polling.serve(
            request.body, exchange, from: requester(of: request, on: connection), mobility(of: connection))
        send(request, on: connection, to: placement)
    }

    /// Whether a page of this origin may use the endpoint (`Q-42`): one of this program's own, or one that is listed. A
    /// page needs no preflight for such a request, so any page could open sessions for its visitors. A request without
    /// an origin comes from no page.
    private func admitsPolling(_ head: RequestHead) -> Bool {
        guard let origin = head.origin else { return !head.isFromElsewhere }
        switch loop.settings.crossOrigin {
        case .list: return loop.settings.crossOrigin.admits(head)
        case .any, .off: return loop.settings.publicURLs.contains { $0 == origin || $0.hasPrefix(origin + "/") }
        }
    }

    // MARK: Requests that wait, whatever their protocol

    /// Tells a session that the client will not get the answer to a waiting request.
    func abort(_ waiting: ClientConnection.Waiting, on connection: Token) {
        switch waiting.session.side {
        case .bosh: sessions.abort(waiting, on: connection)
        case .polling: polling.abort(waiting, on: connection)
        case .webSocket: break
        }
    }

    /// Tells a session that its client sends nothing more before it gets the answer to a request (`H-18`).
    func awaitAnswer(to waiting: ClientConnection.Waiting, on connection: Token) {
        switch waiting.session.side {
        case .bosh: sessions.awaitAnswer(to: waiting, on: connection)
        case .polling: polling.awaitAnswer(to: waiting, on: connection)
        case .webSocket: break
        }
    }

    /// Whether a session still has this request to answer.
    func isWaiting(_ waiting: ClientConnection.Waiting) -> Bool {
        switch waiting.session.side {
        case .bosh: sessions.isWaiting(waiting)
        case .polling: polling.waitingClient(waiting) != nil
        case .webSocket: false
        }
    }
}
