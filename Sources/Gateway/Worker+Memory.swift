import BOSHCore
import HTTPWire
import Primitives
import Reactor
import Settings

/// What all peers have this worker hold, and what is done when it is much.
///
/// Whatever changed is settled where it changed: what it holds now is compared with what it was charged for. Nothing goes
/// through all connections or sessions.
extension Worker {
    /// A body that is half read, by when its request began.
    struct UnfinishedBody {
        let connection: Token
        let since: MonotonicInstant
    }

    /// Takes in what a connection holds now. The operator's own are exempt.
    func settle(_ connection: ClientConnection) {
        guard connection.role == .bosh else { return }
        let isClosed = if case .closed = connection.ending { true } else { false }
        let isReading = !isClosed && connection.http.phase == .readingBody
        if !isReading { bodyEnded(on: connection) }
        let (body, answers) = (Int(connection.chargedBody), Int(connection.chargedAnswers))
        memory.settle(
            .bodies, isClosed ? 0 : connection.http.unfinishedBytes + connection.backlog.heldBytes,
            charged: &connection.chargedBody)
        memory.settle(
            .answers, isClosed ? 0 : connection.http.answerBytes + connection.output.heldBytes,
            charged: &connection.chargedAnswers)
        let change = Int(connection.chargedBody) - body
        addresses.note(change + Int(connection.chargedAnswers) - answers, of: connection.account)
        addresses.note(change, of: connection.bodyAccount)
        if isReading { bodyBegan(on: connection) }
    }

    /// Takes in what a session holds now.
    func settle(_ driver: SessionDriver) {
        let isGone = sessions[Int(driver.slot)] !== driver
        let held = isGone ? Session.HeldBytes.nothing : driver.ask { $0.heldBytes }
        let before = driver.charged
        memory.settle(.requests, held.requests, charged: &driver.chargedRequests)
        memory.settle(.stanzas, held.stanzas, charged: &driver.chargedStanzas)
        memory.settle(.replays, held.replays, charged: &driver.chargedReplays)
        addresses.note(driver.charged - before, of: driver.account)
        if !isGone { stanzaHolders.set(driver.slot, to: driver.ask { $0.isDraining } ? 0 : held.stanzas) }
    }

    /// Takes in what a link holds now.
    func settle(_ link: UpstreamLink) {
        memory.settle(.upstream, link.isClosed ? 0 : link.heldBytes, charged: &link.charged)
    }

    /// Makes room where the account asks for it, and gives back what is free; once in each turn of the loop.
    func relieve() {
        memory.settle(.bodies, largeBodies.byteCount, charged: &chargedLargeBodies)
        memory.settle(.names, resolver.heldBytes, charged: &chargedNames)
        upstreamReader.shortageBound =
            switch memory.pressure {
            case .none: nil
            case .high: Self.mostWhenHigh
            case .full: Self.mostWhenFull
            }
        if memory.pressure >= .high { drainLargest() }
        while memory.pressure == .full, refuseNewestBody() {}
        let peak = max(memoryPeak, memory.total)
        memoryPeak = peak
        if givesBackAt == nil, peak - memory.total >= Self.worthGivingBack {
            givesBackAt = now.advanced(by: .seconds(1))
        }
    }

    /// Gives free memory back to the system, when its time has come.
    func giveBackMemory() {
        guard let givesBackAt, givesBackAt <= now else { return }
        self.givesBackAt = nil
        memoryPeak = memory.total
        ProcessMemory.giveBack()
    }

    /// Whether nothing new may begin.
    var isOutOfMemory: Bool {
        guard memory.pressure == .full else { return false }
        reached(.memoryLimit, "a session was refused")
        return true
    }

    /// The servers of the sessions that hold most are read no more until their clients have fetched what is there, and
    /// responses that need not be kept are not.
    private func drainLargest() {
        for _ in 0..<Self.drainedAtOnce {
            guard memory.pressure >= .high, let slot = stanzaHolders.largest,
                stanzaHolders.size(of: slot) >= Self.worthDraining
            else { break }
            stanzaHolders.set(slot, to: 0)
            reached(.memoryLimit, "a server is not read until its client has fetched what waits")
            handle(.memoryShort, session: slot)
        }
        for _ in 0..<Self.drainedAtOnce where memory.pressure >= .high {
            guard evictSpareResponse() else { break }
        }
    }

    /// Keeps the unfinished bodies in order, and charges one that a proxy passes on to whom it names. Above the first mark none
    /// is begun: one that was begun is never starved, since it would stay for ever.
    private func bodyBegan(on connection: ClientConnection) {
        guard !connection.isUnfinished else { return }
        connection.isUnfinished = true
        unfinishedCount += 1
        if !connection.account.isLimited {
            let client = client(forwarded: connection.http.pendingForwarded, on: connection)
            connection.bodyAccount = addresses.openBody(from: limitedAddress(of: client), now: planTime)
            addresses.note(Int(connection.chargedBody), of: connection.bodyAccount)
        }
        let isAddressFull = addresses.isFull(connection.account) || addresses.isFull(connection.bodyAccount)
        if isAddressFull { reached(.addressMemory, "client \(connection.peer)") }
        guard memory.pressure == .none, !isAddressFull else {
            refuseBody(of: connection)
            return
        }
        if unfinishedBodies.count > 2 * unfinishedCount + 32 { unfinishedBodies.removeAll { isDone($0) } }
        unfinishedBodies.append(UnfinishedBody(connection: connection.token, since: connection.requestSince))
    }

    /// The body that was half read has come whole, or does not come any more; nothing to do where none was.
    func bodyEnded(on connection: ClientConnection) {
        guard connection.isUnfinished else { return }
        connection.isUnfinished = false
        unfinishedCount -= 1
        addresses.note(-Int(connection.chargedBody), of: connection.bodyAccount)
        addresses.closeBody(of: connection.bodyAccount, now: planTime)
        connection.bodyAccount = .unlimited
    }

    private func isDone(_ body: UnfinishedBody) -> Bool {
        guard let connection = connections[body.connection] else { return true }
        return !connection.isUnfinished || connection.requestSince != body.since
    }

    /// Refuses the body that began last, so that those before it can end; false when there is none.
    private func refuseNewestBody() -> Bool {
        while let newest = unfinishedBodies.popLast() {
            guard !isDone(newest), let connection = connections[newest.connection] else { continue }
            refuseBody(of: connection)
            return true
        }
        return false
    }

    private func refuseBody(of connection: ClientConnection) {
        if memory.pressure > .none { reached(.memoryLimit, "a request body was refused") }
        counters.requestsRefused &+= 1
        connection.http.encodeOverload(date: date.current())
        connection.backlog = []
        markDirty(connection)
        settle(connection)
    }

    /// What all peers may have a worker hold.
    static func memoryLimit(_ limit: ByteLimit) -> Int {
        switch limit {
        case .auto: ProcessMemory.available / 2
        case .bytes(let bytes): bytes
        }
    }

    /// How large an element from a server is kept above each mark. One that has begun cannot wait for better times: its
    /// beginning is what takes the memory. So it is skipped, and its sender is told.
    private static let mostWhenHigh = 1_048_576
    private static let mostWhenFull = 65_536

    /// A fall of the account by this many bytes is worth looking for free pages.
    private static let worthGivingBack = 8 * 1_048_576

    /// A session that holds less is not worth stopping.
    private static let worthDraining = 4_096

    /// How many sessions are stopped, and how many responses given up, in one turn of the loop.
    private static let drainedAtOnce = 32
}
