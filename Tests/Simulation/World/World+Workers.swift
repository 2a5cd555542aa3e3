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
        for (client, _) in clientsThatMayBe(at: tag) { client.explain(["system-shutdown", "item-not-found"]) }
    }

    /// The clients that may have a session at a worker, and whether they know that.
    private func clientsThatMayBe(at tag: UInt32) -> [(client: BOSHClient, isIts: Bool)] {
        clients.filter { $0.begins <= kernel.now }.compactMap { client in
            let isIts = client.sid.split(separator: ".").dropFirst().first.map { $0 == "\(tag)" } ?? false
            // Nobody knows where a session is being begun.
            return isIts || client.sid.isEmpty ? (client, isIts) : nil
        }
    }

    /// Notes what the death of a worker explains: its sessions are gone, and whoever asks for one is told so.
    func workerDied(_ tag: UInt32) {
        hasLostWorkers = true
        for (client, isIts) in clientsThatMayBe(at: tag) {
            client.explain(["item-not-found"])
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
