import Reactor

extension WebSockets {
    /// The invariant of the clients over WebSocket that is broken, in words; nil when all hold.
    func brokenInvariant(watched: (Int32) -> UInt32?) -> String? {
        for client in all {
            if let fault = broken(client, watched) { return "WebSocket \(client.name): \(fault)" }
        }
        let sessions = all.count { !$0.isOver }
        return sessions == count ? nil : "\(count) sessions over WebSocket are counted, not \(sessions)"
    }

    private func broken(_ client: WebSocketClient, _ watched: (Int32) -> UInt32?) -> String? {
        if client.isDirty { return "it waits to be written behind the end of the turn" }
        let (descriptor, interest) = client.channel.watching
        if let fault = Interest.disagreement(interest, watched(descriptor)) { return fault }
        if interest != wantedInterest(of: client) { return "it is watched for something else than it needs" }
        if let deadline = deadline(of: client) {
            guard let due = due(client), due <= deadline else { return "its deadline does not stand" }
        } else if !client.isOver {
            return "it waits without a deadline"
        }
        let held = client.heldBytes
        let charged = (Int(client.chargedBodies), Int(client.chargedAnswers), Int(client.chargedStanzas))
        return charged == (held.bodies, held.answers, held.stanzas) ? nil : "holds \(held) and is charged \(charged)"
    }
}
