import BOSHCore
import HTTPWire

/// Accounts for the memory that connections hold and that half-read bodies take.
///
/// Each change is settled where it happens: the bytes held now are compared with the bytes charged so far. Nothing goes
/// through all connections.
extension Clients {
    /// Updates the account with what a connection holds now. The operator's own connections are exempt.
    func settle(_ connection: ClientConnection) {
        guard connection.role == .bosh else { return }
        let isClosed = if case .closed = connection.ending { true } else { false }
        let isReading = !isClosed && connection.http.phase == .readingBody
        if !isReading { bodyEnded(on: connection) }
        let (body, answers) = (Int(connection.chargedBody), Int(connection.chargedAnswers))
        loop.memory.settle(
            .bodies,
            isClosed ? 0 : connection.http.unfinishedBytes + connection.backlog.heldBytes + movingBytes(of: connection),
            charged: &connection.chargedBody)
        loop.memory.settle(
            .answers,
            isClosed ? 0 : connection.http.answerBytes + connection.channel.heldBytes + lineBytes(of: connection),
            charged: &connection.chargedAnswers)
        let change = Int(connection.chargedBody) - body
        loop.addresses.note(change + Int(connection.chargedAnswers) - answers, of: connection.account)
        loop.addresses.note(change, of: connection.bodyAccount)
        if isReading { bodyBegan(on: connection) }
    }

    /// How many bytes the lines in the access log take of requests whose answers the connection is owed.
    private func lineBytes(of connection: ClientConnection) -> Int {
        loop.accessLog?.heldBytes(ofConnection: connection.token.raw) ?? 0
    }

    /// How many bytes the request takes that is on its way to another worker.
    private func movingBytes(of connection: ClientConnection) -> Int {
        connection.move == .due || connection.move == .underway ? moves.heldBytes(of: connection) : 0
    }

    /// Registers an unfinished body, and charges one that a proxy forwards to the client that the proxy names. Above
    /// the first mark of the memory account no new body is taken; a body that has begun is not stopped there, because
    /// it would stay half read for ever.
    private func bodyBegan(on connection: ClientConnection) {
        guard !connection.isUnfinished else { return }
        noteUnfinished(connection)
        if !connection.account.isLimited {
            let client = client(forwarded: connection.http.pendingForwarded, on: connection)
            connection.bodyAccount = loop.addresses.openBody(from: limitedAddress(of: client), now: loop.now)
            loop.addresses.note(Int(connection.chargedBody), of: connection.bodyAccount)
        }
        let isAddressFull = loop.addresses.isFull(connection.account) || loop.addresses.isFull(connection.bodyAccount)
        if isAddressFull { loop.reached(.addressMemory, "client \(connection.peer)") }
        guard loop.memory.pressure == .none, !isAddressFull else {
            refuseBody(of: connection)
            return
        }
        keepUnfinished(connection)
    }

    /// Notes that a half-read body is complete or will not come any more. Does nothing if there was none.
    func bodyEnded(on connection: ClientConnection) {
        guard connection.isUnfinished else { return }
        noteFinished(connection)
        loop.addresses.note(-Int(connection.chargedBody), of: connection.bodyAccount)
        loop.addresses.closeBody(of: connection.bodyAccount, now: loop.now)
        connection.bodyAccount = .unlimited
    }

    func refuseBody(of connection: ClientConnection) {
        if loop.memory.pressure > .none { loop.reached(.memoryLimit, "a request body was refused") }
        loop.counters.requestsRefused &+= 1
        connection.http.encodeOverload(date: loop.date.current())
        connection.backlog = []
        markDirty(connection)
        settle(connection)
    }
}
