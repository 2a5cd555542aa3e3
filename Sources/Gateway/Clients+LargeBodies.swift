import Addresses
import BOSHCore
import HTTPWire
import XMLCodec

extension Clients {
    /// Serves a body at once, or puts a large one into the queue.
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
        // The start tag of a plain body can be checked now; that of a coded body only after it is expanded.
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

    /// Does one step of work on the first of the large bodies.
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

    /// Notes that a large body is done, so that its connection may send the next one.
    private func release(_ waiting: LargeBodies.Waiting) {
        waiting.connection.isBodyWaiting = false
        loop.addresses.note(-waiting.wireCount, of: waiting.account)
        loop.addresses.closeBody(of: waiting.account, now: loop.now)
    }

    /// Goes on with the connection of a finished large body: takes its next requests, or ends it if that was put off.
    private func bodyServed(on connection: ClientConnection) {
        guard connection.ending != .closed else {
            // The request has come, but nobody is left to receive its answer.
            abortWaiting(on: connection)
            return
        }
        // The input after the body waits for the next turn: the answer to the body is written first.
        afterReading(connection)
        markDirty(connection)
    }
}
