import Addresses
import BOSHCore
import HTTPWire
import LogLines
import Primitives
import Reactor
import Settings

extension Clients {
    /// Handles an event of a client's connection.
    func handle(_ event: PollEvent, on connection: ClientConnection) {
        if connection.move == .underway { return }
        // The present interest decides, because an earlier event of the batch may have changed it.
        if connection.channel.isReading {
            if event.isReadable || event.isHangup {
                if connection.isTakingBulk { readInTurn(connection) } else { read(from: connection) }
            }
        } else if event.isHangup || event.isPeerClosed {
            // The connection is not being read, because too many requests are open or answers wait. The client's end
            // comes after what it has sent.
            clientEnded(connection, .announced)
        }
        if event.isWritable { markDirty(connection) }
    }

    /// Reads once and handles the input.
    func read(from connection: ClientConnection) {
        switch connection.channel.read(into: &loop.readBuffer) {
        case .bytes(let count):
            loop.counters.bytesFromClients &+= UInt64(count)
            connection.pace.rate.note(count)
            if case .lingering = connection.ending { return }
            loop.readBuffer.withBytes { bytes in
                if connection.prelude == nil {
                    consume(bytes, on: connection)
                } else {
                    readPrelude(bytes, on: connection)
                }
            }
        case .wouldBlock:
            if connection.clientEnd != .none { inputEnded(of: connection) }
        case .end:
            if connection.clientEnd == .deaf { inputEnded(of: connection) } else { clientEnded(connection, .read) }
        case .failed:
            if connection.clientEnd == .deaf { inputEnded(of: connection) } else { clientEnded(connection, .deaf) }
        }
    }

    /// Reads the header of the PROXY protocol, and goes on with the bytes after it.
    private func readPrelude(_ bytes: Span<UInt8>, on connection: ClientConnection) {
        var offset = 0
        switch connection.prelude?.value.receive(bytes, offset: &offset) {
        case nil, .needMore:
            return
        case .complete(let source):
            connection.scheme = connection.prelude?.value.scheme ?? .unknown
            connection.prelude = nil
            if let source { connection.peer = SocketAddress(source) } else { connection.isClientUnknown = true }
            guard source == nil || admit(connection) else {
                close(connection)
                return
            }
            if offset < bytes.count { consume(bytes.extracting(droppingFirst: offset), on: connection) }
        case .invalid:
            loop.counters.requestsRefused &+= 1
            loop.logs.clients.debug("no PROXY header", metadata: ["peer": "\(connection.peer)"])
            close(connection)
        }
    }

    /// The sender of a request: the address that a trusted proxy names in the configured field (`H-28`), or else the
    /// connection's other end. Nil for a client on a Unix socket about which nothing more is known.
    func client(of request: borrowing HTTPRequest, on connection: ClientConnection) -> Endpoint? {
        client(forwarded: request.head.forwarded, on: connection)
    }

    /// The sender of a request whose captured field says `forwarded`.
    ///
    /// - Parameter isWhole: whether the head was read to its end; otherwise the field may still have been to come.
    func client(forwarded: [UInt8], isWhole: Bool = true, on connection: ClientConnection) -> Endpoint? {
        // A balancer that names no client adds no field either, so the field comes from the client itself.
        guard !connection.isClientUnknown else { return nil }
        let peer = connection.peer.ipAddress
        let header = loop.settings.clientAddressFrom
        if isWhole, header != .none, connection.isFromProxy, rules.trustedProxies.trusts(peer),
            rules.trustedProxies.namesNobody(header, forwarded.span)
        {
            noteUnnamedClient(header, forwarded.isEmpty, on: connection)
        }
        guard !forwarded.isEmpty else {
            return peer.map { Endpoint(address: $0.unmapped, port: connection.peer.port ?? 0) }
        }
        let client = rules.trustedProxies.client(peer: peer, header, forwarded.span)
        // The field contains no port.
        return client.map { Endpoint(address: $0, port: $0 == peer?.unmapped ? connection.peer.port ?? 0 : 0) }
    }

    /// Feeds bytes to the connection's machine and acts on each complete request.
    private func consume(_ bytes: Span<UInt8>, on connection: ClientConnection) {
        if !connection.backlog.isEmpty {
            connection.backlog.append(copying: bytes)
            consumeBacklog(of: connection)
            return
        }
        let used = takeRequests(from: bytes, on: connection)
        if used < bytes.count, connection.ending == .none, !connection.http.closesWhenDrained {
            connection.backlog.append(copying: bytes.extracting(droppingFirst: used))
        }
        afterReading(connection)
    }

    /// Goes on with bytes that had to wait until fewer requests were open.
    func consumeBacklog(of connection: ClientConnection) {
        guard !connection.backlog.isEmpty, connection.http.mayRead, !connection.isOccupied else { return }
        let waiting = connection.backlog
        connection.backlog = []
        let used = takeRequests(from: waiting.span, on: connection)
        if used < waiting.count, connection.ending == .none, !connection.http.closesWhenDrained {
            connection.backlog = Array(waiting[used...])
        }
        afterReading(connection)
    }

    private func takeRequests(from bytes: Span<UInt8>, on connection: ClientConnection) -> Int {
        var offset = 0
        // A request's deadlines count from its first byte, however slowly the rest comes.
        if connection.http.phase == .idle || connection.http.phase == .owingContinue {
            connection.pace.requestSince = loop.now
        }
        // The work and the answers of one read are limited. The remaining requests wait until these answers are
        // written.
        var work = 0
        while connection.ending == .none, !connection.isOccupied, work < Self.workBound,
            connection.http.outputCount < Self.answersBound,
            let event = connection.http.next(
                bytes, offset: &offset, date: loop.date.current(), room: &loop.bodyRoom)
        {
            switch consume event {
            case .request(let request):
                // The worker that sent it here has counted it.
                if connection.move != .placed { loop.counters.requests &+= 1 }
                // The next request may come from another client, with a body of its own.
                bodyEnded(on: connection)
                connection.pace.requestSince = loop.now
                work += request.body.count + Self.requestWork
                serve(request, on: connection)
                // The next body uses the storage again, if nobody has kept this one.
                if request.body.capacity <= Self.largestRoom { loop.bodyRoom = request.body }
            case .continueExpected:
                tellOfAwaitedAnswers(on: connection)
                markDirty(connection)
            case .refused(let fault):
                loop.counters.requestsRefused &+= 1
                let client = client(forwarded: connection.http.pendingForwarded, isWhole: false, on: connection)
                loop.logs.clients.debug(
                    "request refused",
                    metadata: Requester(peer: connection.peer, client: client, scheme: connection.scheme).fields([
                        "status": .number(fault.status.rawValue), "fault": "\(fault)",
                    ]))
                noteRefusal(fault, on: connection)
                markDirty(connection)
            }
        }
        return offset
    }

    /// The client sends nothing more before it has `100 Continue`, which comes after the answers to these requests
    /// (`H-18`).
    private func tellOfAwaitedAnswers(on connection: ClientConnection) {
        for waiting in connection.waiting { awaitAnswer(to: waiting, on: connection.token) }
    }

    /// Updates a connection after some of its requests were taken.
    func afterReading(_ connection: ClientConnection) {
        guard connection.ending == .none else { return }
        // It leaves with the next flush, and the other worker goes on with it.
        if connection.move == .due, connection.mayLeave { return }
        if !connection.hasUnwritten {
            if connection.http.phase == .readingBody {
                connection.pace.rate.begin(now: loop.now)
            } else {
                connection.pace.rate.end()
            }
        }
        if connection.http.isFullOfAnswers { loop.reached(.connectionBuffer, "client \(connection.peer)") }
        settle(connection)
        // A client that sends more does not show by this that it reads.
        if !connection.hasUnwritten { connection.pace.phaseSince = loop.now }
        armDeadline(of: connection)
        updateInterest(of: connection)
        if connection.http.hasOutput || connection.http.closesWhenDrained || connection.clientEnd != .none {
            markDirty(connection)
        }
    }

    /// Writes the waiting answers and decides how the connection goes on.
    func flush(_ connection: ClientConnection) {
        guard connection.ending != .closed, connection.move != .underway else { return }
        defer { settle(connection) }
        if connection.clientEnd == .deaf { dropOutput(of: connection) }
        if connection.http.hasOutput {
            // The deadline for a client that does not read starts here, however long the request was held.
            if !connection.hasUnwritten { connection.pace.phaseSince = loop.now }
            takeOutput(of: connection)
        }
        while connection.hasUnwritten {
            switch connection.channel.write() {
            case .wrote(let count):
                connection.pace.phaseSince = loop.now
                connection.pace.rate.note(count)
                if !connection.hasUnwritten, connection.http.hasOutput { takeOutput(of: connection) }
                loop.counters.bytesToClients &+= UInt64(count)
            case .wouldBlock:
                connection.pace.rate.begin(now: loop.now)
                updateInterest(of: connection)
                armDeadline(of: connection)
                return
            case .failed:
                clientEnded(connection, .deaf)
                return
            }
        }
        if connection.channel.release(to: &loop.pool) { connection.pace.rate.end() }
        if connection.move == .due {
            leave(connection)
            return
        }
        if connection.move == .upgrading {
            upgrade(connection)
            return
        }
        if connection.clientEnd != .none, connection.ending == .none {
            step(towardsEndOf: connection)
            return
        }
        if connection.http.closesWhenDrained, connection.http.owed == 0 {
            linger(connection)
            return
        }
        if connection.ending == .none {
            updateInterest(of: connection)
            armDeadline(of: connection)
        }
    }

    /// Moves answers into the outgoing buffer, as many bytes as one write takes.
    private func takeOutput(of connection: ClientConnection) {
        // The bytes in the outgoing buffer are written first; large answers stay in their shared storage until then.
        let limit = connection.hasUnwritten ? 0 : Self.writtenAtOnce
        connection.channel.release(to: &loop.pool)
        connection.channel.fill { connection.http.takeOutput(into: &$0, limit: limit) }
    }

    /// Drops answers that do not reach the client.
    private func dropOutput(of connection: ClientConnection) {
        connection.http.dropOutput()
        connection.channel.drop(to: &loop.pool)
        connection.pace.rate.end()
    }

    /// The events that a connection is to be watched for now.
    func wantedInterest(of connection: ClientConnection) -> Interest {
        // An end that is known already would be reported for ever.
        var interest: Interest = connection.clientEnd == .none ? .peerClosed : []
        let isLingering = if case .lingering = connection.ending { true } else { false }
        // A client that does not read its answers is not read either: otherwise its requests would make them grow
        // without limit.
        let mayRead =
            connection.http.mayRead && connection.backlog.isEmpty && !connection.hasUnwritten
            && !connection.isOccupied && connection.clientEnd == .none
        if isLingering || mayRead { interest.insert(.readable) }
        if connection.hasUnwritten { interest.insert(.writable) }
        return interest
    }

    /// Whether requests that were read and had to wait can go on now.
    func mayGoOn(_ connection: ClientConnection) -> Bool {
        connection.ending == .none && !connection.backlog.isEmpty && connection.http.mayRead && !connection.hasUnwritten
            && !connection.isOccupied
    }

    /// Has the connection watched for the events it needs now, and gives it a turn if it can go on without an event.
    func updateInterest(of connection: ClientConnection) {
        // It leaves with the next flush, and is not watched then.
        if connection.move == .due || connection.move == .upgrading, connection.mayLeave { return }
        let interest = wantedInterest(of: connection)
        // It goes on with the next batch, after all others had their turn.
        if mayGoOn(connection) { goOn(with: connection) }
        do throws(SystemError) {
            try connection.channel.watch(for: interest, as: connection.token, in: loop.poller)
        } catch {
            loop.logPeer(.clients, .error, "watching a connection failed", ["error": "\(error)"])
            giveUp(connection)
        }
    }

    /// When something has to happen on this connection; nil while a session decides that.
    func deadline(of connection: ClientConnection) -> MonotonicInstant? {
        connection.pace.deadline(awaiting: connection.awaited, by: rules.patience)
    }

    func armDeadline(of connection: ClientConnection) {
        if let deadline = deadline(of: connection) { schedule(connection, at: deadline) }
    }

    /// Handles a deadline that may have passed: for a head or body that does not come, an idle connection, or a client
    /// that does not read.
    func handleDeadline(of connection: ClientConnection) {
        guard connection.ending != .closed, let deadline = deadline(of: connection) else { return }
        guard deadline <= loop.now else {
            schedule(connection, at: deadline)
            return
        }
        if connection.ending == .none, connection.channel.isReading, connection.channel.unreadCount > 0 {
            // Input that has arrived by now came in time; it only had not been read yet in this turn of the loop.
            read(from: connection)
            guard connection.ending == .none else { return }
            guard let deadline = self.deadline(of: connection), deadline <= loop.now else {
                armDeadline(of: connection)
                return
            }
        }
        switch connection.pace.judge(awaiting: connection.awaited, by: rules.patience, now: loop.now) {
        case .goesOn:
            armDeadline(of: connection)
        case .close:
            close(connection)
        case .deaf(let isSlow):
            if isSlow { loop.reached(.sendRate, "client \(connection.peer)") }
            clientEnded(connection, .deaf)
        case .timeOut(let isSlow):
            if isSlow { loop.reached(.bodyRate, "client \(connection.peer)") }
            // An answer of this batch is written first.
            if !connection.http.hasOutput { connection.http.encodeTimeout(date: loop.date.current()) }
            markDirty(connection)
        case .end:
            if connection.http.hasOutput { markDirty(connection) } else { linger(connection) }
        }
    }

    /// How much work one connection gets in one turn: in bytes of bodies, plus a fixed amount for each request.
    private static let workBound = 64 * 1024
    private static let requestWork = 1024

    /// The largest storage for bodies that is used again, in bytes.
    private static let largestRoom = 16 * 1024

    /// How many bytes of answers a connection may have before its further requests wait until those are written.
    private static let answersBound = 64 * 1024

    /// How many bytes of large answers are copied for one write.
    private static let writtenAtOnce = 64 * 1024
}
