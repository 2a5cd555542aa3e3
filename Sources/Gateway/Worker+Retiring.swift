import Handover
import LogLines
import Reactor

/// A worker of an old generation: it keeps its sessions, takes no new ones, and ends when the last one has ended.
extension Worker {
    /// Takes no new sessions from now on, and accepts at no listener but those without these numbers. The supervisor says
    /// it again with each generation.
    func retire(leaving numbers: [UInt32]) {
        doors.leave(numbers)
        supervisor?.tell(.retired)
        guard !loop.fellows.isRetired else { return }
        loop.fellows.retire()
        loop.logs.process.info("this worker takes no new sessions", metadata: ["sessions": .number(sides.count)])
    }

    /// Whether the worker ends because the whole program does, not because its generation has lingered long enough.
    var endsWithProgram: Bool { loop.isStopping && !(loop.fellows.isRetired && loop.fellows.hasSuccessor) }

    /// Sends the connections of a retired worker away once it has no session. Runs before the last writes of each turn.
    func moveOn() {
        guard loop.fellows.isRetired, sides.count == 0, case .none = stopping else { return }
        guard loop.fellows.hasSuccessor else {
            // All workers end.
            if loop.isStopping { end() }
            return
        }
        clients.sendIdleAway()
    }

    /// Tells the supervisor that this worker has nothing more to do, once. Runs at the end of each turn.
    func sayGoodbye() {
        guard hasMovedOn, let supervision, !supervision.hasSaidGoodbye else { return }
        supervision.hasSaidGoodbye = true
        supervision.link?.tell(.drained)
    }

    /// Whether a retired worker has neither a session nor a connection.
    var hasMovedOn: Bool {
        guard loop.fellows.isRetired, sides.count == 0, case .none = stopping else { return false }
        return upstreams.count == 0 && upstreams.raceCount == 0 && clients.bodies.large.isEmpty
            && mailboxes.waitingCount == 0 && clients.count == 0 && webSockets.socketCount == 0
    }
}
