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
        guard coding != .identity || isAdmitted(request, on: connection) else { return }
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
            let connection = waiting.connection
            let admission = admission(of: waiting.request, on: connection)
            guard admission != .admitted else {
                bodies.large.admit()
                return
            }
            bodies.large.drop()
            release(waiting)
            if case .elsewhere(let tag) = admission { send(waiting.request, on: connection, to: .elsewhere(tag)) }
            bodyServed(on: connection)
            return
        }
        guard let (waiting, outcome) = bodies.large.step(expansionBounds) else { return }
        let connection = waiting.connection
        release(waiting)
        switch outcome {
        case .parsed(let parse):
            let exchange = ExchangeID(connection: connection.token.raw, number: waiting.request.exchange)
            let placement = sessions.act(
                on: parse, of: exchange, from: requester(of: waiting.request, on: connection),
                mobility(of: connection))
            send(waiting.request, on: connection, to: placement)
        case .refused(let refusal): refuse(waiting.request, refusal, on: connection)
        }
        bodyServed(on: connection)
    }

    /// Whether a session of this worker takes a body of this size. If not, the request is answered or sent to the owner
    /// of its session.
    private func isAdmitted(_ request: borrowing HTTPRequest, on connection: ClientConnection) -> Bool {
        let admission = admission(of: request, on: connection)
        if case .elsewhere(let tag) = admission { send(request, on: connection, to: .elsewhere(tag)) }
        return admission == .admitted
    }

    private func admission(of request: borrowing HTTPRequest, on connection: ClientConnection) -> Sessions.Admission {
        if request.body.count > loop.settings.maxBody {
            // The session of another generation may take it.
            if !goesElsewhere(request, on: connection) {
                respond(to: request.exchange, on: connection, HTTPResponse(status: .contentTooLarge))
            }
            return .answered
        }
        return sessions.admission(
            of: request.body, ExchangeID(connection: connection.token.raw, number: request.exchange),
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
