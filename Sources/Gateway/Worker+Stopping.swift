import BOSHCore
import Primitives
import Reactor

/// Signals, and the end of the process: everybody is told, and what was taken is written.
extension Worker {
    /// How far the end of the process is.
    enum Stopping {
        case none
        /// Sessions have ended; answers and farewells are being written, until the first instant, or as long as servers go on
        /// accepting what was taken for them, until the second one at the latest.
        case draining(until: MonotonicInstant, atLast: MonotonicInstant)
    }

    /// Whether the end of the process has begun: then no session is known or begins any more.
    var isStopping: Bool {
        if case .draining = stopping { true } else { false }
    }

    /// Whether nothing is left to do, or no time for it.
    func isDone() -> Bool {
        guard case .draining(let until, let atLast) = stopping else { return false }
        let isAllSaid =
            links.count == 0 && largeBodies.isEmpty
            && connections.all.allSatisfy { !$0.hasUnwritten && !$0.http.expectsInput }
        if isAllSaid { return true }
        guard now >= until else { return false }
        guard now < atLast, links.all.contains(where: { isAccepting($0) }) else { return true }
        stopping = .draining(until: min(now.advanced(by: Self.drainTime), atLast), atLast: atLast)
        return false
    }

    /// Whether a server has lately accepted some of what still waits for it here.
    private func isAccepting(_ link: UpstreamLink) -> Bool {
        guard link.hasUnwritten else { return false }
        lookAtAcceptance(of: link)
        return link.acceptance.deadline(Self.drainTime).map { now < $0 } ?? true
    }

    /// Does what a signal asks for.
    func handle(_ signal: Signal) {
        switch signal {
        case .terminate, .interrupt, .quit:
            if isStopping {
                logger.notice("second signal: leaving at once")
                CurrentProcess.exit(0)
            }
            shutDown()
        case .hangup:
            logger.notice("SIGHUP: the configuration is read at the start only")
        case .user1:
            logger.notice("SIGUSR1: there is no log file to open again, the log goes to standard error")
        case .user2:
            logger.notice("SIGUSR2 has no meaning here")
        case .child, .kill:
            break
        }
    }

    /// Tells every client and every upstream, and lets the loop end when they have been told (`T-08`).
    private func shutDown() {
        logger.notice("shutting down", metadata: ["sessions": "\(sessionTable.count)"])
        let atLast = now.advanced(by: max(Self.drainTime, settings.upstreamWriteTimeout))
        stopping = .draining(until: now.advanced(by: Self.drainTime), atLast: atLast)
        closeListeners()
        for connection in connections.all { windUp(connection) }
        for slot in sessions.indices where sessions[slot] != nil {
            handle(.shutdownRequested, session: UInt32(slot))
        }
    }

    /// How long clients and servers may take to be told, and a server to accept something more.
    private static let drainTime = Duration.seconds(3)
}
