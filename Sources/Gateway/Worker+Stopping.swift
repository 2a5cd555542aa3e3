import BOSHCore
import LogLines
import Primitives
import Reactor

/// Handles signals and the end of the process: everybody is told, and what was taken is written.
extension Worker {
    /// How far the end of the process is.
    enum Stopping {
        case none
        /// Sessions are told, some at a time. They are served as before until then, and new ones are refused.
        case telling(Farewells)
        /// Sessions have ended, and answers and farewells are being written. This lasts until the first instant, and
        /// longer while servers accept what was taken for them, but never beyond the second.
        case draining(until: MonotonicInstant, atLast: MonotonicInstant)
    }

    /// Whether nothing is left to do, or the time for it is over. To be asked before each turn.
    package func isDone() -> Bool {
        if hasMovedOn { return true }
        guard case .draining(let until, let atLast) = stopping else { return false }
        let isAllSaid =
            upstreams.count == 0 && clients.bodies.large.isEmpty && mailboxes.waitingCount == 0
            && webSockets.socketCount == 0 && clients.all.allSatisfy { !$0.hasUnwritten && !$0.http.expectsInput }
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
            // A service manager sends the signal to all processes, and the supervisor passes it on besides.
            if loop.isStopping, supervisor?.isOpen ?? false { return }
            if loop.isStopping {
                loop.logs.process.notice("second signal: exiting at once")
                CurrentProcess.exit(0)
            }
            shutDown()
        case .hangup:
            loop.logs.process.notice("SIGHUP is ignored: the configuration is only read at the start")
        case .user1:
            reopenAccessLog()
        case .user2:
            loop.logs.process.notice("SIGUSR2 is ignored")
        case .child, .kill:
            break
        }
    }

    /// Opens the file of the access log again, if this worker has no supervisor that does.
    private func reopenAccessLog() {
        guard supervision == nil else { return }
        guard case .file = loop.settings.accessLog else {
            loop.logs.process.notice("SIGUSR1 is ignored: access-log names no file")
            return
        }
        do throws(StartError) {
            try openAccessLog()
        } catch {
            loop.logs.process.error("the access log goes on with the old file", metadata: ["reason": "\(error.line)"])
        }
    }

    /// When the next sessions are told, or when the process ends; nil while it does not stop.
    var stopsAt: MonotonicInstant? {
        switch stopping {
        case .none: nil
        case .telling(let farewells): farewells.next(after: loop.now)
        case .draining(let until, _): until
        }
    }

    /// Tells every client and every upstream, and lets the loop end once they have been told (`T-08`).
    func shutDown() {
        guard !loop.isStopping else { return }
        loop.logs.process.notice("shutting down", metadata: ["sessions": .number(sides.count)])
        loop.isStopping = true
        supervisor?.tell(.draining)
        stopping = .telling(Farewells(sessions: sides.count, over: loop.settings.drain, now: loop.now))
        tellSessions()
    }

    /// Tells the sessions whose time has come. With the last ones, the listeners close and the connections end.
    func tellSessions() {
        guard case .telling(var farewells) = stopping else { return }
        guard farewells.isLast(now: loop.now) || sides.count == 0 else {
            sides.shutDown(atMost: farewells.takeDue(now: loop.now))
            stopping = .telling(farewells)
            return
        }
        if loop.fellows.isRetired, loop.fellows.hasSuccessor {
            // The connections move on, and none is closed.
            stopping = .none
            sides.shutDown()
            return
        }
        end()
    }

    /// Ends the connections, and the sessions that are left.
    func end() {
        let atLast = loop.now.advanced(by: max(Self.drainTime, loop.settings.upstreamWriteTimeout))
        stopping = .draining(until: loop.now.advanced(by: Self.drainTime), atLast: atLast)
        doors.close()
        commands?.close()
        supervisor?.tell(.drained)
        for connection in clients.all { clients.windUp(connection) }
        sides.shutDown()
    }

    /// How long clients and servers have to be told, and how long a server may take to accept more.
    private static let drainTime = Duration.seconds(3)
}
