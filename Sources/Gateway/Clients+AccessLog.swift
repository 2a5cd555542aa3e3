import BOSHCore
import HTTPWire
import LogLines

/// The lines of clients' requests in the access log. Each function costs one branch when there is none.
extension Clients {
    /// Begins the line of a request that is about to be served.
    func noteAccess(_ request: borrowing HTTPRequest, on connection: ClientConnection) {
        guard let log = loop.accessLog, connection.role == .bosh else { return }
        let exchange = ExchangeID(connection: connection.token.raw, number: request.exchange)
        // A request that no other worker has taken comes a second time.
        guard !log.has(exchange), log.takesNext() else { return }
        let head = request.head
        log.begin(
            exchange,
            AccessedRequest(
                client: client(of: request, on: connection)?.address.description ?? "", method: head.method.name,
                path: head.path, version: head.version == .http11 ? "HTTP/1.1" : "HTTP/1.0", referer: head.referer,
                agent: head.agent), now: loop.now)
    }

    /// Writes the line of a request whose answer is given, or that becomes a WebSocket (101).
    func noteAnswer(to exchange: UInt64, on connection: ClientConnection, status: Int, bodyCount: Int) {
        loop.accessLog?.end(
            ExchangeID(connection: connection.token.raw, number: exchange), status: status, bodyCount: bodyCount,
            now: loop.now)
    }

    /// Writes the line of input that is no request.
    func noteRefusal(_ fault: HTTPFault, on connection: ClientConnection) {
        guard let log = loop.accessLog, connection.role == .bosh, log.takesNext() else { return }
        let client = client(forwarded: [], isWhole: false, on: connection)?.address.description ?? ""
        log.refuse(
            AccessedRequest(client: client), status: fault.status.rawValue,
            bodyCount: fault.status.line.utf8.count + 1, now: loop.now)
    }

    /// The status in the access log of a request whose client has gone before its answer, as nginx has it.
    static let clientHasGone = 499

    /// Ends the lines of requests that are answered no more: their client has gone, or another worker answers them.
    func endAccess(on connection: ClientConnection) {
        guard let log = loop.accessLog, log.count > 0, connection.role == .bosh else { return }
        for number in connection.http.openExchanges {
            let exchange = ExchangeID(connection: connection.token.raw, number: number)
            if connection.move == .none {
                log.end(exchange, status: Self.clientHasGone, bodyCount: 0, now: loop.now)
            } else {
                log.forget(exchange)
            }
        }
    }
}
