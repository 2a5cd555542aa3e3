import BOSHCore
import HTTPWire
import Reactor

/// How the connections of clients end.
extension Clients {
    /// Notes that the client sends no more, or reads no more. The requests that it waits for count as lost (`P-13`),
    /// but only after all complete requests were served (`H-27`). Each flush takes the next step, see
    /// `step(towardsEndOf:)`.
    func clientEnded(_ connection: ClientConnection, _ end: ClientConnection.ClientEnd) {
        guard connection.ending == .none else {
            if end == .read, waitsForVerdict(on: connection) { return }
            connection.clientEnd = max(connection.clientEnd, end)
            close(connection)
            return
        }
        guard connection.clientEnd < end else { return }
        let wasIdle = connection.isIdle
        connection.clientEnd = end
        countInput(of: connection)
        // The client reads no answer, so none of its requests may use up a payload.
        if end == .deaf {
            countUntaken(of: connection)
            abortWaiting(on: connection)
        }
        // The next flush closes an idle connection, so there is nothing to be watched meanwhile.
        if !wasIdle { updateInterest(of: connection) }
        markDirty(connection)
    }

    /// Notes that no more input of a connection is read although more was expected.
    func inputEnded(of connection: ClientConnection) {
        connection.http.closeAfterAnswers(behind: connection.backlog.count)
        markDirty(connection)
    }

    /// Tells the connection's machine how much input still has to be handled.
    private func countInput(of connection: ClientConnection) {
        let unread: Int
        switch connection.clientEnd {
        case .none, .deaf: unread = connection.channel.unreadCount
        // All input is read up to its end.
        case .announced: unread = .max / 2
        case .read: unread = 0
        }
        connection.http.closeAfterAnswers(behind: connection.backlog.count + unread)
    }

    /// Takes the next step on a connection whose client sends or reads no more, once all its answers have been sent.
    func step(towardsEndOf connection: ClientConnection) {
        switch connection.http.lastStep(isBusy: connection.isOccupied) {
        case .wait:
            updateInterest(of: connection)
        case .takeIn:
            updateInterest(of: connection)
            goOn(with: connection)
        case .release:
            let owed = connection.http.owed
            abortWaiting(on: connection)
            // The open requests wait for sessions; otherwise the connection would be busy.
            if connection.http.owed == owed { close(connection) }
        case .end:
            abortWaiting(on: connection)
            guard !connection.http.hasOutput else { return }
            // Closing with unread input would destroy answers that the client has not read.
            if connection.clientEnd == .announced || hasDoubts(about: connection) {
                linger(connection)
            } else {
                close(connection)
            }
        }
    }

    /// Ends a connection in order, after the answers to what has come by now (`T-08`). It reads once at once, while the
    /// sessions for the requests still exist.
    func windUp(_ connection: ClientConnection) {
        guard connection.clientEnd == .none, connection.ending == .none, connection.move != .underway else { return }
        countInput(of: connection)
        let hadPrelude = connection.prelude != nil
        if connection.channel.isReading { read(from: connection) }
        // The bytes of a PROXY header were counted as input, but contain no request.
        if hadPrelude, connection.clientEnd == .none { countInput(of: connection) }
        markDirty(connection)
    }

    /// Tells the sessions whose requests wait on this connection that no answer will reach the client (`P-13`).
    func abortWaiting(on connection: ClientConnection) {
        for waiting in connection.waiting {
            switch connection.clientEnd {
            case .announced, .read: noteDoubt(about: waiting.exchange, on: connection)
            case .none, .deaf:
                noteAnswer(to: waiting.exchange, on: connection, status: Self.clientHasGone, bodyCount: 0)
            }
            abort(waiting, on: connection.token)
        }
    }

    /// Closes this side and reads on for a moment, so that the client gets the answer before a reset (RFC 9112 §9.6).
    func linger(_ connection: ClientConnection) {
        guard case .none = connection.ending else { return }
        connection.ending = .lingering
        connection.backlog = []
        connection.pace.phaseSince = loop.now
        do throws(SystemError) {
            try connection.channel.shutdownWrite()
        } catch {
            close(connection)
            return
        }
        updateInterest(of: connection)
        armDeadline(of: connection)
    }

    /// Counts answers that do not leave any more, once for each connection: they are dropped from then on.
    private func countUntaken(of connection: ClientConnection) {
        guard connection.role == .bosh, connection.http.hasOutput || connection.hasUnwritten else { return }
        loop.counters.answersUntaken &+= 1
    }

    /// Closes a connection at once.
    func close(_ connection: ClientConnection) {
        guard connection.ending != .closed else { return }
        connection.ending = .closed
        countUntaken(of: connection)
        endAccess(on: connection)
        abortWaiting(on: connection)
        connection.channel.close(in: loop.poller, to: &loop.pool)
        settle(connection)
        release(connection)
        forget(connection)
    }
}
