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

    /// Notes that a request is about to be answered although its client sends no more. A client that has gone looks like one
    /// that still reads, until its kernel refuses the answer.
    func noteDoubt(about exchange: UInt64, on connection: ClientConnection) {
        loop.accessLog?.doubt(ExchangeID(connection: connection.token.raw, number: exchange))
    }

    /// Whether it is in doubt who reads the answers that were given on a connection.
    func hasDoubts(about connection: ClientConnection) -> Bool {
        loop.accessLog?.hasDoubts(about: connection.token.raw) ?? false
    }

    /// Whether the end of a connection has to wait, because the client's kernel has neither taken nor refused the last
    /// answers. The kernel reports no event when it has, so the connection ends by its deadline.
    func waitsForVerdict(on connection: ClientConnection) -> Bool {
        guard hasDoubts(about: connection) else { return false }
        if connection.channel.takeBreak() {
            connection.clientEnd = .deaf
            return false
        }
        guard connection.channel.unacknowledgedCount != 0 else { return false }
        connection.channel.lookAway(in: loop.poller)
        return true
    }

    /// Ends the lines of requests that are answered no more: their client has gone, or another worker answers them.
    func endAccess(on connection: ClientConnection) {
        guard let log = loop.accessLog, log.hasOpenLines, connection.role == .bosh else { return }
        let raw = connection.token.raw
        if log.hasDoubts(about: raw) {
            let isGone = connection.clientEnd == .deaf || connection.channel.takeBreak()
            log.settle(raw, gone: isGone ? Self.clientHasGone : nil)
        }
        for number in connection.http.openExchanges {
            let exchange = ExchangeID(connection: raw, number: number)
            if connection.move == .none {
                log.end(exchange, status: Self.clientHasGone, bodyCount: 0, now: loop.now)
            } else {
                log.forget(exchange)
            }
        }
    }
}
