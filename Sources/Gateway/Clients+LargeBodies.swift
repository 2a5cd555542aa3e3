import Addresses
import BOSHCore
import HTTPWire
import XMLCodec

extension Clients {
    /// Serves a body, at once or after those that are waiting.
    func serve(_ request: borrowing HTTPRequest, _ coding: ContentCoding, on connection: ClientConnection) {
        let most = coding == .identity ? request.body.count : expansionBounds.bytes(from: request.body.count)
        guard most > LargeBodies.step else {
            if coding == .identity {
                serveBody(request, on: connection)
            } else {
                serveCoded(request, coding, on: connection)
            }
            return
        }
        // The start tag of a plain body is there already; of a coded one it is seen once that is expanded.
        guard coding != .identity || admits(request, on: connection) else { return }
        connection.isBodyWaiting = true
        let account = loop.addresses.openBody(
            from: limitedAddress(of: client(of: request, on: connection)), now: loop.now)
        loop.addresses.note(request.body.count, of: account)
        bodies.large.append(
            .init(
                request: copy request, connection: connection, coding: coding, wireCount: request.body.count,
                account: account))
    }

    /// Goes on with the first of the large bodies.
    func workOnLargeBodies() {
        if let waiting = bodies.large.expandedBody {
            guard !admits(waiting.request, on: waiting.connection) else {
                bodies.large.admit()
                return
            }
            bodies.large.drop()
            release(waiting)
            bodyServed(on: waiting.connection)
            return
        }
        guard let (waiting, outcome) = bodies.large.step(expansionBounds) else { return }
        let connection = waiting.connection
        release(waiting)
        switch outcome {
        case .parsed(let parse):
            let exchange = ExchangeID(connection: connection.token.raw, number: waiting.request.exchange)
            sessions.act(on: parse, of: exchange, from: requester(of: waiting.request, on: connection))
        case .refused(let refusal): refuse(waiting.request, refusal, on: connection)
        }
        bodyServed(on: connection)
    }

    /// Whether a session takes a body of this size; if not, the request is answered.
    private func admits(_ request: borrowing HTTPRequest, on connection: ClientConnection) -> Bool {
        sessions.admits(
            request.body, ExchangeID(connection: connection.token.raw, number: request.exchange),
            from: requester(of: request, on: connection))
    }

    /// A body is here no more: its connection may send the next one.
    private func release(_ waiting: LargeBodies.Waiting) {
        waiting.connection.isBodyWaiting = false
        loop.addresses.note(-waiting.wireCount, of: waiting.account)
        loop.addresses.closeBody(of: waiting.account, now: loop.now)
    }

    /// What was worked on belonged to this connection: its next requests are taken from now on, or it ends if that was put off.
    private func bodyServed(on connection: ClientConnection) {
        guard connection.ending != .closed else {
            // The request has come, but nobody is there any more for its answer.
            abortWaiting(on: connection)
            return
        }
        // What it sent behind the body waits for the next turn: what the body led to is written first.
        afterReading(connection)
        markDirty(connection)
    }
}
