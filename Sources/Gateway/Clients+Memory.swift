import BOSHCore
import HTTPWire

/// What connections hold, and what half-read bodies cost.
///
/// Whatever changed is settled where it changed: what it holds now is compared with what it was charged for. Nothing goes
/// through all connections.
extension Clients {
    /// Takes in what a connection holds now. The operator's own are exempt.
    func settle(_ connection: ClientConnection) {
        guard connection.role == .bosh else { return }
        let isClosed = if case .closed = connection.ending { true } else { false }
        let isReading = !isClosed && connection.http.phase == .readingBody
        if !isReading { bodyEnded(on: connection) }
        let (body, answers) = (Int(connection.chargedBody), Int(connection.chargedAnswers))
        loop.memory.settle(
            .bodies, isClosed ? 0 : connection.http.unfinishedBytes + connection.backlog.heldBytes,
            charged: &connection.chargedBody)
        loop.memory.settle(
            .answers, isClosed ? 0 : connection.http.answerBytes + connection.channel.heldBytes,
            charged: &connection.chargedAnswers)
        let change = Int(connection.chargedBody) - body
        loop.addresses.note(change + Int(connection.chargedAnswers) - answers, of: connection.account)
        loop.addresses.note(change, of: connection.bodyAccount)
        if isReading { bodyBegan(on: connection) }
    }

    /// Keeps the unfinished bodies in order, and charges one that a proxy passes on to whom it names. Above the first mark none
    /// is begun: one that was begun is never starved, since it would stay for ever.
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

    /// The body that was half read has come whole, or does not come any more; nothing to do where none was.
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
