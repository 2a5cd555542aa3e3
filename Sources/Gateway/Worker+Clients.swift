import Addresses
import BOSHCore
import HTTPWire
import Reactor
import Settings

extension Worker {
    /// Takes the connections that wait on a listener.
    func accept(on index: Int) {
        guard index < listeners.count else { return }
        let socket = listeners[index]
        // A bound keeps a storm of new connections from starving those that exist; level-triggered, so nothing is lost.
        for _ in 0..<64 {
            switch socket.listener.accept() {
            case .accepted(let stream, let peer):
                _ = add(stream, peer: peer, from: socket)
            case .wouldBlock:
                return
            case .descriptorsExhausted:
                counters.connectionsTurnedAway += 1
                if !reserve.turnAway(socket.listener) {
                    pauseAccepting()
                    return
                }
            case .failed(let error):
                logger.error("accepting a connection failed", metadata: ["error": "\(error)"])
                pauseAccepting()
                return
            }
        }
    }

    /// Closes the listeners, so that a successor can listen there at once. Whoever has connected is accepted first and heard,
    /// for closing a listener resets those that wait.
    func closeListeners() {
        for socket in listeners {
            acceptAll(on: socket)
            socket.watched.end(of: socket.listener.descriptor, in: poller)
            socket.listener.removePath()
        }
        listeners = []
    }

    /// Accepts all that wait and takes in what they have sent: more than the queue holds cannot wait.
    private func acceptAll(on socket: ListeningSocket) {
        for _ in 0...Listener.backlog {
            switch socket.listener.accept() {
            case .accepted(let stream, let peer):
                if let connection = add(stream, peer: peer, from: socket) { read(from: connection) }
            case .descriptorsExhausted:
                counters.connectionsTurnedAway += 1
                guard reserve.turnAway(socket.listener) else { return }
            case .wouldBlock:
                return
            case .failed(let error):
                logger.error("accepting a connection failed", metadata: ["error": "\(error)"])
                return
            }
        }
    }

    /// Looks away from the listeners for a moment: who waits there would be reported for ever, and cannot be helped now.
    private func pauseAccepting() {
        guard acceptsAgainAt == nil else { return }
        acceptsAgainAt = now.advanced(by: Self.acceptingPause)
        for socket in listeners { socket.watched.end(of: socket.listener.descriptor, in: poller) }
    }

    private func add(
        _ stream: consuming StreamSocket, peer: SocketAddress, from listener: ListeningSocket
    ) -> ClientConnection? {
        let isTrusted = trustedProxies.trusts(peer.ipAddress)
        guard isTrusted || !listener.expectsProxyHeader else {
            // Whoever is not trusted could write any address into the header.
            counters.connectionsUntrusted += 1
            logger.debug("connection refused: not a trusted proxy", metadata: ["peer": "\(peer)"])
            return nil
        }
        let rules = listener.role == .admin ? adminRules : isTrusted ? proxyRules : httpRules
        let token = connections.nextToken()
        let connection = ClientConnection(
            token: token, role: listener.role, peer: peer, socket: stream, rules: rules,
            expectsProxyHeader: listener.expectsProxyHeader, now: now)
        guard admit(connection) else { return nil }
        connections.insert(connection, at: token)
        do throws(SystemError) {
            try connection.socket.watch(for: [.readable, .peerClosed], as: connection.token.raw, in: poller)
        } catch {
            logger.error("watching a connection failed", metadata: ["error": "\(error)"])
            release(connection)
            connections.remove(connection.token)
            return nil
        }
        counters.connectionsEver += 1
        armDeadline(of: connection)
        return connection
    }

    /// Takes in what happened on a client's connection.
    func handle(_ event: PollEvent, on connection: ClientConnection) {
        // What counts is what is wanted now: an event earlier in the batch may have changed it.
        if connection.socket.isReading {
            if event.isReadable || event.isHangup { read(from: connection) }
        } else if event.isHangup || event.isPeerClosed {
            // Not being read: either too many requests are open or it is at its end. Nothing more is owed to it.
            peerClosed(connection)
        }
        if event.isWritable, connection.ending != .closed {
            if !connection.hasUnwritten { consumeBacklog(of: connection) }
            markDirty(connection)
        }
    }

    private func read(from connection: ClientConnection) {
        switch connection.socket.read(into: &readBuffer) {
        case .bytes(let count):
            counters.bytesFromClients &+= UInt64(count)
            connection.rate.note(count)
            if case .lingering = connection.ending { return }
            readBuffer.withBytes { bytes in
                if connection.prelude == nil {
                    consume(bytes, on: connection)
                } else {
                    readPrelude(bytes, on: connection)
                }
            }
        case .wouldBlock:
            return
        case .end, .failed:
            peerClosed(connection)
        }
    }

    /// Reads the header of the PROXY protocol, and goes on with what stands behind it.
    private func readPrelude(_ bytes: Span<UInt8>, on connection: ClientConnection) {
        guard let prelude = connection.prelude else { return }
        var offset = 0
        switch prelude.reader.receive(bytes, offset: &offset) {
        case .needMore:
            return
        case .complete(let source):
            connection.prelude = nil
            if let source { connection.peer = SocketAddress(source) } else { connection.isClientUnknown = true }
            guard source == nil || admit(connection) else {
                close(connection)
                return
            }
            if offset < bytes.count { consume(bytes.extracting(droppingFirst: offset), on: connection) }
        case .invalid:
            counters.requestsRefused &+= 1
            logger.debug("no PROXY header", metadata: ["peer": "\(connection.peer)"])
            close(connection)
        }
    }

    /// Who sent a request: the address that a trusted proxy names in the field it was told to use (`H-28`), or else the
    /// connection's other end. Nil for a client on a Unix socket of which nothing more is known.
    func client(of request: borrowing HTTPRequest, on connection: ClientConnection) -> Endpoint? {
        // A balancer that names nobody adds no field either: what is there is the client's own word.
        guard !connection.isClientUnknown else { return nil }
        let peer = connection.peer.ipAddress
        guard !request.head.forwarded.isEmpty else {
            return peer.map { Endpoint(address: $0.unmapped, port: connection.peer.port ?? 0) }
        }
        let client = trustedProxies.client(peer: peer, settings.clientAddressFrom, request.head.forwarded.span)
        // The field tells no port.
        return client.map { Endpoint(address: $0, port: $0 == peer?.unmapped ? connection.peer.port ?? 0 : 0) }
    }

    /// Feeds bytes to the connection's machine and acts on each request that is complete.
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
        guard !connection.backlog.isEmpty, connection.http.mayRead, !connection.isBodyWaiting else { return }
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
        // A request's deadlines count from its first byte, however slowly the rest trickles in.
        if connection.http.phase == .idle { connection.requestSince = now }
        // What the answers to one read may take is bounded; the rest of the requests waits for them to be written.
        var work = 0
        while connection.ending == .none, !connection.isBodyWaiting, work < Self.workBound,
            connection.http.outputCount < Self.answersBound,
            let event = connection.http.next(bytes, offset: &offset, date: date.current())
        {
            switch event {
            case .request(let request):
                counters.requests &+= 1
                connection.requestSince = now
                work += request.body.count + Self.requestWork
                serve(request, on: connection)
            case .continueExpected:
                markDirty(connection)
            case .refused(let fault):
                counters.requestsRefused &+= 1
                logger.debug(
                    "request refused", metadata: ["peer": "\(connection.peer)", "status": "\(fault.status.rawValue)"])
                markDirty(connection)
            }
        }
        return offset
    }

    /// Looks at a connection anew after requests of it were taken.
    func afterReading(_ connection: ClientConnection) {
        guard connection.ending == .none else { return }
        if connection.isPeerGone, !isServing(connection) {
            peerClosed(connection)
            return
        }
        if !connection.hasUnwritten {
            if connection.http.phase == .readingBody {
                connection.rate.begin(now: now)
            } else {
                connection.rate.end()
            }
        }
        if connection.http.isFullOfAnswers { reached(.connectionBuffer, "client \(connection.peer)") }
        settle(connection)
        // Sending more is no sign that the client reads.
        if !connection.hasUnwritten { connection.phaseSince = now }
        armDeadline(of: connection)
        updateInterest(of: connection)
        if connection.http.hasOutput || connection.http.closesWhenDrained { markDirty(connection) }
    }

    /// The client closed its connection: what it waits for counts as lost (`P-13`).
    private func peerClosed(_ connection: ClientConnection) {
        guard connection.ending == .none else {
            close(connection)
            return
        }
        guard !isServing(connection) else {
            connection.isPeerGone = true
            updateInterest(of: connection)
            return
        }
        connection.isPeerClosed = true
        abortWaiting(on: connection)
        markDirty(connection)
    }

    /// Whether requests of this connection that have come whole wait for a turn of the loop, and for nothing else.
    private func isServing(_ connection: ClientConnection) -> Bool {
        connection.isBodyWaiting || (!connection.backlog.isEmpty && connection.http.mayRead)
    }

    /// Tells the sessions whose requests wait on this connection that no answer will reach the client (`P-13`).
    func abortWaiting(on connection: ClientConnection) {
        for waiting in connection.waiting.all {
            guard sessions[Int(waiting.session)]?.session.id.low == waiting.mark else { continue }
            let exchange = ExchangeID(connection: connection.token.raw, number: waiting.exchange)
            handle(.requestAborted(exchange), session: waiting.session)
        }
    }

    /// Puts a connection into the list of those that are written at the end of the batch.
    func markDirty(_ connection: ClientConnection) {
        guard !connection.isDirty, connection.ending != .closed else { return }
        connection.isDirty = true
        dirtyConnections.append(connection)
    }

    /// Writes what is there and decides how the connection goes on.
    func flush(_ connection: ClientConnection) {
        guard connection.ending != .closed else { return }
        defer { settle(connection) }
        if connection.http.hasOutput {
            // The deadline on a client that does not read counts from here, however long the request was held.
            if !connection.hasUnwritten { connection.phaseSince = now }
            takeOutput(of: connection)
        }
        while connection.hasUnwritten {
            switch connection.socket.write(connection.output, from: connection.written) {
            case .wrote(let count):
                connection.written += count
                connection.phaseSince = now
                connection.rate.note(count)
                if !connection.hasUnwritten, connection.http.hasOutput { takeOutput(of: connection) }
                counters.bytesToClients &+= UInt64(count)
            case .wouldBlock:
                if connection.isPeerClosed {
                    close(connection)
                } else {
                    connection.rate.begin(now: now)
                    updateInterest(of: connection)
                    armDeadline(of: connection)
                }
                return
            case .failed:
                connection.written = connection.output.count
                if !isServing(connection), connection.waiting.isEmpty || connection.isPeerClosed {
                    close(connection)
                } else {
                    peerClosed(connection)
                }
                return
            }
        }
        if connection.written > 0 {
            connection.written = 0
            connection.rate.end()
            pool.takeBack(&connection.output)
        }
        if connection.isPeerClosed {
            close(connection)
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

    /// Moves answers to where they are written from, as many bytes as leave in one write.
    private func takeOutput(of connection: ClientConnection) {
        if connection.hasUnwritten {
            // What is there is to be written first; large answers wait where they are shared.
            connection.http.takeOutput(into: &connection.output, limit: 0)
            return
        }
        connection.written = 0
        pool.takeBack(&connection.output)
        pool.lend(to: &connection.output)
        connection.http.takeOutput(into: &connection.output, limit: Self.writtenAtOnce)
    }

    /// Closes our side and reads on for a moment, so that the client gets the answer before the reset (RFC 9112 §9.6).
    private func linger(_ connection: ClientConnection) {
        guard case .none = connection.ending else { return }
        connection.ending = .lingering
        connection.backlog = []
        connection.phaseSince = now
        do throws(SystemError) {
            try connection.socket.shutdownWrite()
        } catch {
            close(connection)
            return
        }
        updateInterest(of: connection)
        armDeadline(of: connection)
    }

    func close(_ connection: ClientConnection) {
        guard connection.ending != .closed else { return }
        connection.ending = .closed
        abortWaiting(on: connection)
        pool.takeBack(&connection.output)
        settle(connection)
        release(connection)
        // The descriptor outlives this batch if somebody still holds the object, so it leaves the poller now.
        connection.socket.unwatch(in: poller)
        connections.remove(connection.token)
    }

    private func updateInterest(of connection: ClientConnection) {
        var interest: Interest = .peerClosed
        let isLingering = if case .lingering = connection.ending { true } else { false }
        // Who does not read its answers is not read either, or its requests would make them grow without bound.
        let mayRead =
            connection.http.mayRead && connection.backlog.isEmpty && !connection.hasUnwritten
            && !connection.isBodyWaiting && !connection.isPeerGone
        if isLingering || mayRead { interest.insert(.readable) }
        // Requests that were read and had to wait go on with the next batch, behind everybody else's turn.
        let mayGoOn =
            !connection.backlog.isEmpty && connection.http.mayRead && !isLingering && !connection.isBodyWaiting
        if connection.hasUnwritten || mayGoOn { interest.insert(.writable) }
        do throws(SystemError) {
            try connection.socket.watch(for: interest, as: connection.token.raw, in: poller)
        } catch {
            logger.error("watching a connection failed", metadata: ["error": "\(error)"])
            unwatchable.append(connection.token)
        }
    }

    /// When something has to happen on this connection; nil while a session decides that.
    private func deadline(of connection: ClientConnection) -> MonotonicInstant? {
        if case .lingering = connection.ending { return connection.phaseSince.advanced(by: .seconds(2)) }
        if connection.hasUnwritten {
            let silence = connection.phaseSince.advanced(by: settings.sendTimeout)
            let slow = connection.rate.windowEnd(settings.sendTimeout, least: settings.sendRate)
            return min(silence, slow ?? silence)
        }
        if connection.prelude != nil { return connection.requestSince.advanced(by: settings.headTimeout) }
        switch connection.http.phase {
        case .idle:
            return connection.http.owed > 0 ? nil : connection.phaseSince.advanced(by: settings.idleTimeout)
        case .readingHead: return connection.requestSince.advanced(by: settings.headTimeout)
        case .readingBody:
            let late = connection.requestSince.advanced(by: settings.bodyTimeout)
            return min(late, connection.rate.windowEnd(Self.bodyWindow, least: settings.bodyRate) ?? late)
        case .refusing, .closing:
            // A request on a connection that will not be kept alive may be held as long as any other.
            return connection.http.owed > 0 ? nil : connection.phaseSince.advanced(by: settings.sendTimeout)
        }
    }

    private func armDeadline(of connection: ClientConnection) {
        guard let deadline = deadline(of: connection) else { return }
        connectionDeadlines.schedule(slot: connection.token.slot, at: deadline)
    }

    /// A deadline may have passed: a head or body that does not come, an idle connection, a client that does not read.
    func handleDeadline(of connection: ClientConnection) {
        guard connection.ending != .closed, let deadline = deadline(of: connection) else { return }
        guard deadline <= now else {
            connectionDeadlines.schedule(slot: connection.token.slot, at: deadline)
            return
        }
        if case .lingering = connection.ending {
            close(connection)
        } else if isFastEnough(connection) {
            armDeadline(of: connection)
        } else if connection.hasUnwritten {
            connection.written = connection.output.count
            connection.backlog = []
            peerClosed(connection)
        } else if connection.http.hasOutput {
            // An answer of this very batch: it is written first.
            markDirty(connection)
        } else {
            switch connection.http.phase {
            case .readingHead, .readingBody:
                connection.http.encodeTimeout(date: date.current())
                markDirty(connection)
            case .idle, .refusing, .closing:
                linger(connection)
            }
        }
    }

    /// Whether it was only the window of a rate that ended, and enough has passed in it.
    private func isFastEnough(_ connection: ClientConnection) -> Bool {
        if connection.hasUnwritten {
            guard connection.phaseSince.advanced(by: settings.sendTimeout) > now else { return false }
            let isSlow = connection.rate.isTooSlow(window: settings.sendTimeout, least: settings.sendRate, now: now)
            if isSlow { reached(.sendRate, "client \(connection.peer)") }
            return !isSlow
        }
        guard connection.http.phase == .readingBody,
            connection.requestSince.advanced(by: settings.bodyTimeout) > now
        else { return false }
        let isSlow = connection.rate.isTooSlow(window: Self.bodyWindow, least: settings.bodyRate, now: now)
        if isSlow { reached(.bodyRate, "client \(connection.peer)") }
        return !isSlow
    }

    /// Accepts again after a pause, when its time has come.
    func resumeAccepting() {
        guard let acceptsAgainAt, acceptsAgainAt <= now else { return }
        self.acceptsAgainAt = nil
        if case .draining = stopping { return }
        for socket in listeners {
            do throws(SystemError) {
                try socket.watched.set(
                    .readable, of: socket.listener.descriptor, as: socket.token.raw, in: poller)
            } catch {
                logger.error("watching a listener failed", metadata: ["error": "\(error)"])
                self.acceptsAgainAt = now.advanced(by: Self.acceptingPause)
            }
        }
    }

    /// Ends what the kernel refused to watch for what was wanted: nothing would ever be heard of it again.
    func endUnwatchable() {
        while let token = unwatchable.popLast() {
            switch token.kind {
            case .link: links[token].map(lost)
            case .client: connections[token].map(close)
            default: break
            }
        }
    }

    /// For how long nobody is accepted after accepting failed for want of resources.
    private static let acceptingPause = Duration.milliseconds(500)

    /// How much work on the requests of one connection is done in one turn: in bytes of bodies, with what a request takes beside.
    private static let workBound = 64 * 1024
    private static let requestWork = 1024

    /// How many bytes of answers one connection may have before further requests that were read wait for them to leave.
    private static let answersBound = 64 * 1024

    /// How many bytes of large answers are copied for one write.
    private static let writtenAtOnce = 64 * 1024

    /// Over how long a body's rate is taken.
    private static let bodyWindow = Duration.seconds(10)
}

extension CapturedField {
    /// The field that a proxy names its client in.
    init(_ header: ForwardedHeader) {
        switch header {
        case .none: self = .none
        case .xForwardedFor: self = .xForwardedFor
        case .forwarded: self = .forwarded
        }
    }
}
