import BOSHCore
import HTTPWire
import Reactor
import StreamCore
import XMLCodec

extension Worker {
    /// Acts on a `<body/>` request: a new session, or the next request of one.
    func serveBody(_ request: borrowing HTTPRequest, on connection: ClientConnection) {
        let exchange = ExchangeID(connection: connection.token.raw, number: request.exchange)
        switch bodyParser.parse(request.body.span) {
        case .body(let attributes, let payload, let stanzas):
            switch attributes.sid {
            case .absent:
                create(attributes, payload: payload, exchange: exchange, on: connection)
            case .known(let sid):
                guard let driver = driver(of: sid) else { fallthrough }
                counters.stanzasToUpstream &+= UInt64(stanzas)
                connection.waiting.append(.init(exchange: request.exchange, session: driver.slot, sid: sid))
                handle(.request(exchange, attributes, payload: payload), session: driver.slot)
            case .foreign:
                counters.unknownSessions &+= 1
                answer(exchange, BodyResponse(.terminate(.itemNotFound)))
            }
        case .refused(let fault, let attributes):
            logger.debug("body refused", metadata: ["peer": "\(connection.peer)", "fault": "\(fault)"])
            if let attributes, case .known(let sid) = attributes.sid, let driver = driver(of: sid) {
                connection.waiting.append(.init(exchange: request.exchange, session: driver.slot, sid: sid))
                handle(.malformedRequest(exchange, attributes), session: driver.slot)
            } else {
                answer(exchange, BodyResponse(.terminate(.badRequest)))
            }
        }
    }

    private func driver(of sid: SessionID) -> SessionDriver? {
        guard let slot = sessionTable.slot(of: sid), let driver = sessions[Int(slot)], driver.session.id == sid else {
            return nil
        }
        return driver
    }

    private func create(
        _ attributes: BodyAttributes, payload: [UInt8], exchange: ExchangeID, on connection: ClientConnection
    ) {
        let opening: SessionOpening
        do throws(SessionOpening.Refusal) {
            if case .draining = stopping { throw .condition(.systemShutdown) }
            opening = try SessionOpening(judging: attributes, by: policy)
        } catch {
            guard case .condition(let condition) = error else { return }
            counters.sessionsRefused[condition, default: 0] += 1
            answer(exchange, BodyResponse(.terminate(condition)))
            return
        }
        // A session needs a descriptor of its own, and the loop needs some in reserve; 503 makes a client come back.
        guard connections.count + links.count + Self.reservedDescriptors < descriptorLimit else {
            counters.sessionsRefused[.policyViolation, default: 0] += 1
            respond(
                to: exchange.number, on: connection,
                HTTPResponse(status: .serviceUnavailable, fields: [("Retry-After", "5")]))
            return
        }
        let random = SystemRandom.value128()
        let sid = SessionID(
            node: node, worker: tag, high: UInt64(truncatingIfNeeded: random >> 64),
            low: UInt64(truncatingIfNeeded: random))
        let slot = vacantSessions.popLast() ?? UInt32(sessions.count)
        if slot == sessions.count { sessions.append(nil) }
        guard sessionTable.insert(sid, slot: slot) else {
            // 128 random bits came twice: the random source is broken, and no session may be guessable.
            vacantSessions.append(slot)
            answer(exchange, BodyResponse(.terminate(.internalServerError)))
            return
        }
        counters.sessionsEver += 1
        connection.waiting.append(.init(exchange: exchange.number, session: slot, sid: sid))
        let link = makeLink(for: slot, sid: sid, opening: opening)
        effects.removeAll(keepingCapacity: true)
        let session = Session(
            id: sid, opening: opening, exchange: exchange, payload: payload, now: now, policy: policy, into: &effects)
        let driver = SessionDriver(slot: slot, session: session, link: link)
        sessions[Int(slot)] = driver
        logger.debug("session created", metadata: ["sid8": "\(sid.short)", "domain": "\(opening.domain)"])
        executeEffects(of: driver)
        connect(link)
    }

    /// Gives a session an input and does what it says.
    func handle(_ input: consuming SessionInput, session slot: UInt32) {
        guard Int(slot) < sessions.count, let driver = sessions[Int(slot)] else { return }
        effects.removeAll(keepingCapacity: true)
        driver.session.handle(input, now: now, policy: policy, into: &effects)
        executeEffects(of: driver)
    }

    /// Executes the effects of one input, in order. None of them leads to an input of the same session before the last
    /// one is done: what an upstream has to say about it comes with a later event.
    private func executeEffects(of driver: SessionDriver) {
        var pending = effects
        effects = []
        for effect in pending {
            switch effect {
            case .respond(let exchange, let response):
                answer(exchange, response)
            case .forward(let bytes):
                if let link = driver.link { send(bytes, on: link) }
            case .restartStream:
                if let link = driver.link { handle(.restartRequested, on: link) }
            case .pauseReading:
                if let link = driver.link { setReading(false, on: link) }
            case .resumeReading:
                if let link = driver.link { setReading(true, on: link) }
            case .leaveStream(let farewell):
                if let link = driver.link { leave(link, farewell) }
            case .ended(let reason):
                forget(driver, reason: reason)
            }
        }
        pending.removeAll(keepingCapacity: true)
        effects = pending
        if let deadline = driver.session.nextDeadline {
            sessionDeadlines.schedule(slot: driver.slot, at: deadline)
        }
    }

    /// A session's deadline may have passed.
    func handleSessionDeadline(_ slot: UInt32) {
        guard Int(slot) < sessions.count, let driver = sessions[Int(slot)] else { return }
        guard let deadline = driver.session.nextDeadline else { return }
        if deadline <= now {
            handle(.deadlineReached, session: slot)
        } else {
            sessionDeadlines.schedule(slot: slot, at: deadline)
        }
    }

    private func forget(_ driver: SessionDriver, reason: EndReason) {
        counters.sessionEnds[reason, default: 0] += 1
        logger.info("session ended", metadata: ["sid8": "\(driver.session.id.short)", "reason": "\(reason.rawValue)"])
        if let link = driver.link { link.session = nil }
        driver.link = nil
        sessionTable.remove(driver.session.id)
        sessions[Int(driver.slot)] = nil
        vacantSessions.append(driver.slot)
    }

    /// Writes a session's response into the connection that waits for it.
    private func answer(_ exchange: ExchangeID, _ response: borrowing BodyResponse) {
        guard let connection = connections[Token(raw: exchange.connection)] else { return }
        bodyScratch.removeAll(keepingCapacity: true)
        BodyWriter.append(response, into: &bodyScratch)
        if let index = connection.waiting.firstIndex(where: { $0.exchange == exchange.number }) {
            connection.waiting.remove(at: index)
        }
        respond(
            to: exchange.number, on: connection,
            HTTPResponse(status: .ok, contentType: .xml, body: bodyScratch))
    }

    /// Descriptors that sessions leave free: listeners, resolver, log, and connections that are still to be accepted.
    private static let reservedDescriptors = 64
}
