/// What several workers change for the others in the world.
extension World {
    /// Whether a request may be lost or refused unread although its connection was accepted.
    var mayLoseRequests: Bool {
        scenario.world["workers"] > 1
            && (scenario.world["toomany"] + scenario.world["descriptors"] > 0
                || scenario.faults.contains { $0.kind == "kill" || $0["dies"] > 0 })
    }

    /// Whether all workers have ended, and others are not there yet.
    var isDeserted: Bool { crew?.isDeserted ?? false }

    /// Notes what the order to end the sessions of a worker explains: they are told, and whoever asks again does not
    /// find them.
    func workerDrains(_ tag: UInt32) {
        for (client, _) in clientsThatMayBe(at: tag, isAlive: true) {
            client.explain(["system-shutdown", "item-not-found"])
        }
    }

    /// The clients that may have a session at a worker, and whether they know that.
    private func clientsThatMayBe(at tag: UInt32, isAlive: Bool) -> [(client: any Client, isIts: Bool)] {
        clients.filter { $0.begins <= kernel.now }.compactMap { client in
            switch client.presence(at: tag, isAlive: isAlive) {
            case .elsewhere: nil
            case .uncertain: (client, false)
            case .there: (client, true)
            }
        }
    }

    /// Notes what the death of a worker explains: its sessions are gone, and whoever asks for one is told so.
    func workerDied(_ tag: UInt32) {
        hasLostWorkers = true
        for (client, isIts) in clientsThatMayBe(at: tag, isAlive: false) {
            client.explain(["item-not-found", WebSocketClient.lostConnection])
            // A client that has left may have a session for a while.
            for ledger in client.ledgers where ledger.end == nil || !ledger.hasSeenClose {
                // A stream that can be resumed loses nothing with its session.
                if let managed = client.managed, !managed.isOver {
                    ledger.hasFaulted = true
                } else {
                    ledger.serverFails()
                }
                if isIts, client.managed == nil, ledger.end == nil { ledger.serverGoneAt = kernel.now }
            }
        }
    }
}
