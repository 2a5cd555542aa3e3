import BOSHCore
import HTTPWire
import Primitives
import Reactor

/// What is true of a worker whenever a turn of its loop has ended: nothing waits that nothing will wake, the kernel watches
/// what the worker takes it to watch, and the account has what is there.
///
/// Nothing in the product asks: it goes through everything that the worker holds. Whoever runs a worker in a world of its own
/// asks after each turn.
extension Worker {
    /// What is not as it has to be, in words; nil when all is.
    ///
    /// - Parameter watched: what the kernel watches a descriptor for, as bits of an `Interest`; nil where it does not.
    package func brokenInvariant(watched: (Int32) -> UInt32?) -> String? {
        for link in links.all {
            if let fault = brokenWatch(of: link, watched) ?? brokenWait(of: link) {
                return "stream \(link.stream) of \(link.sessionName): \(fault)"
            }
        }
        for race in races.all {
            guard let (descriptor, interest) = race.socket?.watching else { return "a race has no socket" }
            if let fault = disagreement(interest, watched(descriptor)) { return "race to \(race.address): \(fault)" }
            if linkDeadlines.due(race.link.token.slot) == nil { return "race to \(race.address): it has no deadline" }
        }
        for connection in connections.all {
            if let fault = brokenWatch(of: connection, watched) ?? brokenWait(of: connection) {
                return "connection of \(connection.peer): \(fault)"
            }
        }
        for case let driver? in sessions {
            if let fault = brokenWait(of: driver) { return "session \(driver.session.id.short): \(fault)" }
        }
        return brokenAccount
    }

    // MARK: Streams

    private func brokenWatch(of link: UpstreamLink, _ watched: (Int32) -> UInt32?) -> String? {
        if link.isDirty { return "it waits to be written behind the end of the turn" }
        guard let (descriptor, interest) = link.socket?.watching else { return nil }
        if let fault = disagreement(interest, watched(descriptor)) { return fault }
        let wanted = wantedInterest(of: link)
        if wanted.contains(.readable), interest?.contains(.readable) != true {
            return "it is to be read and nobody watches"
        }
        let isWatchedForRoom = interest?.contains(.writable) == true
        // A connection that is broken is not watched, and the deadline on a server that accepts nothing stands.
        if wanted.contains(.writable), !isWatchedForRoom, link.acceptance.waitingSince.instant == nil {
            return "bytes wait for room and nobody watches"
        }
        return nil
    }

    private func brokenWait(of link: UpstreamLink) -> String? {
        if link.backlog != nil, link.mayGoOn, !link.isWaiting { return "it has read something and has no turn" }
        let due = linkDeadlines.due(link.token.slot)
        if link.session == nil, link.attempt == nil, link.leavingSince.instant == nil { return "nobody has it" }
        if link.leavingSince.instant != nil || link.attempt != nil {
            return due == nil ? "it leaves or opens without a deadline" : nil
        }
        let mayStall = link.acceptance.waitingSince.instant != nil || link.restartSince.instant != nil
        if mayStall, due == nil { return "its server may be silent for ever" }
        return nil
    }

    // MARK: Clients

    private func brokenWatch(of connection: ClientConnection, _ watched: (Int32) -> UInt32?) -> String? {
        if connection.isDirty { return "it waits to be written behind the end of the turn" }
        let (descriptor, interest) = connection.socket.watching
        if let fault = disagreement(interest, watched(descriptor)) { return fault }
        guard let interest else { return "nobody watches it" }
        if !interest.isSuperset(of: wantedInterest(of: connection)) { return "it is not watched for what is wanted" }
        return nil
    }

    private func brokenWait(of connection: ClientConnection) -> String? {
        if mayGoOn(connection), !connection.isInTurn {
            return "it has read something and has no turn"
        }
        // One that has a turn goes on by itself.
        if connection.isInTurn || connection.isReadInTurn { return nil }
        if let deadline = deadline(of: connection) {
            guard let due = connectionDeadlines.due(connection.token.slot), due <= deadline else {
                return "its deadline of \(deadline.elapsed(since: now)) does not stand (\(state(of: connection)))"
            }
        }
        let isOwed = connection.ending == .none && connection.http.owed > 0
        guard isOwed, !connection.hasUnwritten, !connection.isBodyWaiting, !connection.http.hasOutput else {
            return nil
        }
        let hasSession = connection.waiting.all.contains { sessions[Int($0.session)]?.session.id.low == $0.mark }
        return hasSession ? nil : "it is owed an answer by nobody (\(state(of: connection)))"
    }

    private func state(of connection: ClientConnection) -> String {
        "\(connection.http.phase), owed \(connection.http.owed), client's end \(connection.clientEnd), "
            + "ending \(connection.ending), unwritten \(connection.hasUnwritten)"
    }

    // MARK: Sessions

    private func brokenWait(of driver: SessionDriver) -> String? {
        if let deadline = driver.ask({ $0.nextDeadline }) {
            guard let due = sessionDeadlines.due(driver.slot), due <= deadline else {
                return "its deadline does not stand"
            }
        }
        let held = driver.ask { $0.heldBytes }
        let charged = (Int(driver.chargedRequests), Int(driver.chargedStanzas), Int(driver.chargedReplays))
        if charged != (held.requests, held.stanzas, held.replays) { return "holds \(held) and is charged \(charged)" }
        return nil
    }

    // MARK: The account

    private var brokenAccount: String? {
        var sums = [Int](repeating: 0, count: ByteAccount.Kind.allCases.count)
        func add(_ bytes: UInt32, _ kind: ByteAccount.Kind) { sums[kind.rawValue] += Int(bytes) }
        for connection in connections.all {
            add(connection.chargedBody, .bodies)
            add(connection.chargedAnswers, .answers)
        }
        for case let driver? in sessions {
            add(driver.chargedRequests, .requests)
            add(driver.chargedStanzas, .stanzas)
            add(driver.chargedReplays, .replays)
        }
        for link in links.all {
            if Int(link.charged) != link.heldBytes {
                return "a stream holds \(link.heldBytes) and is charged \(link.charged)"
            }
            add(link.charged, .upstream)
        }
        add(chargedLargeBodies, .bodies)
        add(chargedNames, .names)
        for kind in ByteAccount.Kind.allCases where memory.held(kind) != sums[kind.rawValue] {
            return "the account has \(memory.held(kind)) bytes of \(kind), and their owners \(sums[kind.rawValue])"
        }
        return nil
    }

    private func disagreement(_ known: Interest?, _ watched: UInt32?) -> String? {
        guard let watched else { return known == nil ? nil : "the kernel does not watch it" }
        guard let known else { return "the kernel watches it, and the worker does not know" }
        return known.rawValue == watched ? nil : "the kernel watches it for something else"
    }
}
