import BOSHCore
import HTTPWire
import Logging
import Primitives
import Reactor
import Settings

/// One worker: a thread, an epoll loop, and everything that lives in it.
///
/// It starts and ends its parts, and has them do their share of each turn: listeners, clients, sessions, upstreams. What one
/// part has is the others' business only by what it offers.
/// All state is confined to the thread that calls `run`.
package final class Worker {
    let loop: Loop
    let signals: SignalSource
    let doors: Doors
    let clients: Clients
    let sessions: Sessions
    let upstreams: Upstreams
    var stopping = Stopping.none
    /// The most that was held since memory was given back.
    private var memoryPeak = 0
    /// When free memory is given back to the system.
    private var givesBackAt: MonotonicInstant?

    /// Opens the listeners and all else that can fail at the start.
    ///
    /// - Throws: `StartError` with one line for the operator: a port in use, a CA file that cannot be read.
    package init(settings: Settings, logger: Logger) throws(StartError) {
        ProcessMemory.prepare()
        if !settings.coreDumps {
            do throws(SystemError) {
                try CoreDump.forbid()
            } catch {
                throw StartError("cannot switch core dumps off: \(error)")
            }
        }
        do throws(SystemError) {
            loop = try Loop(settings: settings, logger: logger)
            signals = try SignalSource()
            try loop.poller.register(signals.descriptor, token: Token(.signals).raw, interest: .readable)
        } catch {
            throw StartError("cannot start: \(error)")
        }
        sessions = Sessions(loop)
        upstreams = try Upstreams(loop, sessions: sessions)
        let board = OperatorBoard()
        clients = Clients(loop, sessions: sessions, answerOperator: { board.answer($0) })
        sessions.connect(clients: clients, upstreams: upstreams)
        do throws(SystemError) {
            doors = try Doors(loop, clients: clients)
        } catch {
            throw StartError("cannot start: \(error)")
        }
        board.worker = self
        for address in settings.listen { try doors.listen(on: address, role: .bosh) }
        for address in settings.listenProxy { try doors.listen(on: address, role: .bosh, expectsProxyHeader: true) }
        if let admin = settings.admin { try doors.listen(on: admin, role: .admin) }
    }

    /// What listens where and which domain goes where, in one line; with the port the kernel chose where 0 was asked for.
    package var announcement: String {
        let listeners = doors.listeners
        let bosh = listeners.filter { $0.role == .bosh }.map { Self.url($0.listener.address, loop.settings.path) }
        let admin = listeners.filter { $0.role == .admin }.map { Self.url($0.listener.address, "/stats") }
        let places = [("BOSH", bosh), ("admin", admin)].map { what, urls in
            urls.isEmpty ? "\(what) off" : "\(what) on \(urls.joined(separator: ", "))"
        }
        return (places + [upstreams.sites.summary]).joined(separator: "; ")
    }

    /// Checks what can be checked without listening: the files that the settings name.
    ///
    /// - Throws: the `StartError` that a start with these settings would end with.
    package static func check(_ settings: Settings) throws(StartError) {
        _ = try UpstreamSites(settings)
    }

    /// Serves until a signal ends it and everybody was told; false when the loop itself failed.
    package func run() -> Bool {
        while !isDone() {
            let wait = upstreams.hasTurns || clients.hasTurns ? .zero : timeToWake
            let count: Int
            do throws(SystemError) {
                count = try loop.poller.wait(timeout: wait)
            } catch {
                loop.logger.critical("waiting for events failed", metadata: ["error": "\(error)"])
                return false
            }
            loop.beginTurn()
            for index in 0..<count { dispatch(loop.poller[index]) }
            clients.readBodies()
            upstreams.workOnBacklogs()
            clients.workOnInput()
            clients.workOnLargeBodies()
            handleDeadlines()
            flushDirty()
            relieve()
            upstreams.endUnwatchable()
            clients.endUnwatchable()
            flushDirty()
        }
        return true
    }

    private var timeToWake: Duration? {
        nextWake.map { $0.elapsed(since: MonotonicClock.now) }
    }

    private var nextWake: MonotonicInstant? {
        var next: MonotonicInstant?
        var end: MonotonicInstant?
        if case .draining(let until, _) = stopping { end = until }
        for candidate in [
            sessions.nextDeadline, clients.nextDeadline, upstreams.nextDeadline, doors.acceptsAgainAt, givesBackAt, end,
        ] {
            guard let candidate else { continue }
            next = min(next ?? candidate, candidate)
        }
        return next
    }

    private func dispatch(_ event: PollEvent) {
        let token = Token(raw: event.token)
        switch token.kind {
        case .listener: doors.accept(on: Int(token.slot))
        case .client: clients.handle(event, of: token)
        case .link, .race, .resolver: upstreams.handle(event, of: token)
        case .signals: while let signal = signals.next() { handle(signal) }
        case nil: break
        }
    }

    private func handleDeadlines() {
        doors.resumeAccepting()
        giveBackMemory()
        upstreams.handleNameDeadlines()
        sessions.handleDeadlines()
        clients.handleDeadlines()
        upstreams.handleDeadlines()
    }

    /// Writes what the batch produced. Writing can end sessions, which answers other connections: it goes on until nothing is
    /// left.
    private func flushDirty() {
        while upstreams.hasDirty || clients.hasDirty {
            upstreams.flushDirty()
            clients.flushDirty()
        }
    }

    // MARK: Memory

    /// Makes room where the account asks for it, and gives back what is free; once in each turn of the loop.
    private func relieve() {
        clients.bodies.settle()
        upstreams.settleNames()
        upstreams.reader.shortageBound =
            switch loop.memory.pressure {
            case .none: nil
            case .high: Self.mostWhenHigh
            case .full: Self.mostWhenFull
            }
        if loop.memory.pressure >= .high { sessions.drainLargest() }
        while loop.memory.pressure == .full, clients.refuseNewestBody() {}
        let held = loop.memory.total
        memoryPeak = max(memoryPeak, held)
        if givesBackAt == nil, memoryPeak - held >= Self.worthGivingBack {
            givesBackAt = loop.now.advanced(by: .seconds(1))
        }
    }

    /// Gives free memory back to the system, when its time has come.
    private func giveBackMemory() {
        guard let givesBackAt, givesBackAt <= loop.now else { return }
        self.givesBackAt = nil
        memoryPeak = loop.memory.total
        ProcessMemory.giveBack()
    }

    private static func url(_ address: SocketAddress, _ path: String) -> String {
        if case .unix(let file) = address { return "unix:\(file)" }
        return "http://\(address)\(path)"
    }

    /// How large an element from a server is kept above each mark. One that has begun cannot wait for better times: its
    /// beginning is what takes the memory. So it is skipped, and its sender is told.
    private static let mostWhenHigh = 1_048_576
    private static let mostWhenFull = 65_536

    /// A fall of the account by this many bytes is worth looking for free pages.
    private static let worthGivingBack = 8 * 1_048_576
}

/// Answers for a worker on the operator's listener; made before the worker is whole.
private final class OperatorBoard {
    weak var worker: Worker?

    func answer(_ head: RequestHead) -> HTTPResponse {
        worker?.operatorResource(head) ?? HTTPResponse(status: .serviceUnavailable)
    }
}
