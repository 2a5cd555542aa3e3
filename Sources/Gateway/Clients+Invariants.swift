import Primitives
import Reactor

extension Clients {
    /// The invariant of the connections that is broken, in words; nil when all hold.
    func brokenInvariant(isAsked: (Token) -> Bool, watched: (Int32) -> UInt32?) -> String? {
        for connection in all {
            if let fault = brokenWatch(of: connection, watched) ?? brokenWait(of: connection, isAsked)
                ?? brokenMove(of: connection)
            {
                return "connection of \(connection.peer): \(fault)"
            }
        }
        return nil
    }

    private func brokenWatch(of connection: ClientConnection, _ watched: (Int32) -> UInt32?) -> String? {
        if connection.isDirty { return "it waits to be written behind the end of the turn" }
        let (descriptor, interest) = connection.channel.watching
        if connection.move == .underway { return interest == nil ? nil : "it was sent away and is watched" }
        if let fault = Interest.disagreement(interest, watched(descriptor)) { return fault }
        guard let interest else { return "nobody watches it" }
        if !interest.isSuperset(of: wantedInterest(of: connection)) { return "it is not watched for what is wanted" }
        return nil
    }

    private func brokenWait(of connection: ClientConnection, _ isAsked: (Token) -> Bool) -> String? {
        if mayGoOn(connection), !connection.isInTurn {
            return "it has read something and has no turn"
        }
        // A connection in one of the lists goes on without an event.
        if connection.isInTurn || connection.isReadInTurn { return nil }
        if let deadline = deadline(of: connection) {
            guard let due = self.due(connection), due <= deadline else {
                return "its deadline of \(deadline.elapsed(since: loop.now)) does not stand (\(state(of: connection)))"
            }
        }
        let isOwed = connection.ending == .none && connection.http.owed > 0
        guard isOwed, !connection.hasUnwritten, !connection.isOccupied, !connection.http.hasOutput else {
            return nil
        }
        let hasSession = connection.waiting.contains { isWaiting($0) }
        return hasSession || isAsked(connection.token)
            ? nil : "it is owed an answer by nobody (\(state(of: connection)))"
    }

    /// Somebody has to finish each move.
    private func brokenMove(of connection: ClientConnection) -> String? {
        switch connection.move {
        case .none, .placed: moves.isReceipting(connection) ? "it is served, and its sender may serve it too" : nil
        case .due: moves.departure(of: connection) == nil ? "it is to leave, and its request is gone" : nil
        case .underway: moves.isSending(connection) ? nil : "it was sent away, and nobody waits for its receipt"
        case .upgrading: hasUpgrade(connection) ? nil : "it is to become a WebSocket, and its request is gone"
        case .arriving: moves.isReceipting(connection) ? nil : "it has come, and its receipt is not to be sent"
        }
    }

    private func state(of connection: ClientConnection) -> String {
        "\(connection.http.phase), owed \(connection.http.owed), client's end \(connection.clientEnd), "
            + "ending \(connection.ending), unwritten \(connection.hasUnwritten)"
    }
}
