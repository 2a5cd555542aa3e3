import BOSHCore
import Primitives
import Reactor

/// Handles signals and the end of the process: everybody is told, and what was taken is written.
extension Worker {
    /// How far the end of the process is.
    enum Stopping {
        case none
        /// Sessions have ended, and answers and farewells are being written. This lasts until the first instant, and
        /// longer while servers accept what was taken for them, but never beyond the second.
        case draining(until: MonotonicInstant, atLast: MonotonicInstant)
    }

    /// Whether nothing is left to do, or the time for it is over.
    func isDone() -> Bool {
        guard case .draining(let until, let atLast) = stopping else { return false }
        let isAllSaid =
            upstreams.count == 0 && clients.bodies.large.isEmpty && mailboxes.waitingCount == 0
            && clients.all.allSatisfy { !$0.hasUnwritten && !$0.http.expectsInput }
        if isAllSaid { return true }
        guard loop.now >= until else { return false }
        guard loop.now < atLast, upstreams.all.contains(where: { upstreams.isAccepting($0, within: Self.drainTime) })
        else { return true }
        stopping = .draining(until: min(loop.now.advanced(by: Self.drainTime), atLast), atLast: atLast)
        return false
    }

    /// Does what a signal asks for.
    func handle(_ signal: Signal) {
        switch signal {
        case .terminate, .interrupt, .quit:
            if loop.isStopping {
                loop.logger.notice("second signal: exiting at once")
                CurrentProcess.exit(0)
            }
            shutDown()
        case .hangup:
            loop.logger.notice("SIGHUP is ignored: the configuration is only read at the start")
        case .user1:
            loop.logger.notice("SIGUSR1 is ignored: there is no log file to reopen, the log goes to standard error")
        case .user2:
            loop.logger.notice("SIGUSR2 is ignored")
        case .child, .kill:
            break
        }
    }

    /// Tells every client and every upstream, and lets the loop end once they have been told (`T-08`).
    func shutDown() {
        guard !loop.isStopping else { return }
        loop.logger.notice("shutting down", metadata: ["sessions": "\(sessions.count)"])
        let atLast = loop.now.advanced(by: max(Self.drainTime, loop.settings.upstreamWriteTimeout))
        stopping = .draining(until: loop.now.advanced(by: Self.drainTime), atLast: atLast)
        loop.isStopping = true
        doors.close()
        for connection in clients.all { clients.windUp(connection) }
        sessions.shutDown()
    }

    /// How long clients and servers have to be told, and how long a server may take to accept more.
    private static let drainTime = Duration.seconds(3)
}
