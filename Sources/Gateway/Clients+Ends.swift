import BOSHCore
import HTTPWire
import Reactor

/// How the connections of clients end.
extension Clients {
    /// The client sends no more, or hears no more. What it waits for counts as lost (`P-13`), but not before all that came
    /// whole was served (`H-27`): each flush takes the next step towards that, see `step(towardsEndOf:)`.
    func clientEnded(_ connection: ClientConnection, _ end: ClientConnection.ClientEnd) {
        guard connection.ending == .none else {
            close(connection)
            return
        }
        guard connection.clientEnd < end else { return }
        connection.clientEnd = end
        countInput(of: connection)
        // Nobody hears an answer, so no payload is spent on one.
        if end == .deaf { abortWaiting(on: connection) }
        updateInterest(of: connection)
        markDirty(connection)
    }

    /// Nothing more is to be read of a connection although more was expected.
    func inputEnded(of connection: ClientConnection) {
        connection.http.closeAfterAnswers(behind: connection.backlog.count)
        markDirty(connection)
    }

    /// Tells the connection's machine how much input it has to expect.
    private func countInput(of connection: ClientConnection) {
        let unread: Int
        switch connection.clientEnd {
        case .none, .deaf: unread = connection.channel.unreadCount
        // What is there is read up to its end.
        case .announced: unread = .max / 2
        case .read: unread = 0
        }
        connection.http.closeAfterAnswers(behind: connection.backlog.count + unread)
    }

    /// Takes the next step on a connection whose client sends or hears no more, and of which all answers have left.
    func step(towardsEndOf connection: ClientConnection) {
        switch connection.http.lastStep(isBusy: connection.isBodyWaiting) {
        case .wait:
            updateInterest(of: connection)
        case .takeIn:
            updateInterest(of: connection)
            goOn(with: connection)
        case .release:
            let owed = connection.http.owed
            abortWaiting(on: connection)
            // Whatever is open waits for some session, or the connection would be busy.
            if connection.http.owed == owed { close(connection) }
        case .end:
            abortWaiting(on: connection)
            guard !connection.http.hasOutput else { return }
            // Closing with input unread would destroy answers that the client has not read.
            if connection.clientEnd == .announced { linger(connection) } else { close(connection) }
        }
    }

    /// Lets a connection end in good order, behind the answers to what has come by now (`T-08`). What one read brings is taken
    /// in at once, while there are sessions that it can be for.
    func windUp(_ connection: ClientConnection) {
        guard connection.clientEnd == .none, connection.ending == .none else { return }
        countInput(of: connection)
        let hadPrelude = connection.prelude != nil
        if connection.channel.isReading { read(from: connection) }
        // A PROXY header was counted, but is no request.
        if hadPrelude, connection.clientEnd == .none { countInput(of: connection) }
        markDirty(connection)
    }

    /// Tells the sessions whose requests wait on this connection that no answer will reach the client (`P-13`).
    func abortWaiting(on connection: ClientConnection) {
        for waiting in connection.waiting { sessions.abort(waiting, on: connection.token) }
    }

    /// Closes our side and reads on for a moment, so that the client gets the answer before the reset (RFC 9112 §9.6).
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

    /// Closes a connection at once.
    func close(_ connection: ClientConnection) {
        guard connection.ending != .closed else { return }
        connection.ending = .closed
        abortWaiting(on: connection)
        connection.channel.close(in: loop.poller, to: &loop.pool)
        settle(connection)
        release(connection)
        forget(connection)
    }
}
