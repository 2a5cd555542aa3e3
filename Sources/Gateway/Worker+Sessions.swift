import Addresses
import BOSHCore
import Bridge
import HTTPWire
import Reactor
import StreamCore
import TLSCodec
import XMLCodec

extension Worker {
    /// Acts on a `<body/>` request: a new session, or the next request of one.
    func serveBody(_ request: borrowing HTTPRequest, on connection: ClientConnection) {
        guard admits(request, on: connection) else { return }
        act(on: bodyParser.parse(request.body.span), of: request, on: connection)
    }

    /// Acts on what the body of a request came to.
    func act(on parse: BodyParse, of request: borrowing HTTPRequest, on connection: ClientConnection) {
        let exchange = ExchangeID(connection: connection.token.raw, number: request.exchange)
        requestClient = client(of: request, on: connection)
        switch parse {
        case .body(let attributes, let payload, let stanzas):
            switch attributes.sid {
            case .absent:
                create(attributes, payload: payload, exchange: exchange, on: connection)
            case .known(let sid):
                guard let driver = driver(of: sid) else { fallthrough }
                counters.stanzasToUpstream &+= UInt64(stanzas)
                connection.waiting.append(.init(exchange: request.exchange, session: driver.slot, sid: sid))
                handle(.request(exchange, completed(attributes), payload: payload), session: driver.slot)
            case .foreign:
                counters.unknownSessions &+= 1
                answer(exchange, BodyResponse(.terminate(isStopping ? .systemShutdown : .itemNotFound)))
            }
        case .refused(let fault, let attributes):
            if case .limit(let limit) = fault, let bound = Bound(limit) { reached(bound, "from \(connection.peer)") }
            logger.debug("body refused", metadata: ["peer": "\(connection.peer)", "fault": "\(fault)"])
            if let attributes, case .known(let sid) = attributes.sid, let driver = driver(of: sid) {
                connection.waiting.append(.init(exchange: request.exchange, session: driver.slot, sid: sid))
                handle(.malformedRequest(exchange, completed(attributes)), session: driver.slot)
            } else {
                answer(exchange, BodyResponse(.terminate(.badRequest)))
            }
        }
    }

    func driver(of sid: SessionID) -> SessionDriver? {
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
            if isStopping { throw .condition(.systemShutdown) }
            opening = try SessionOpening(judging: attributes, by: policy)
        } catch {
            var condition: TerminalCondition?
            if case .condition(let refused) = error { condition = refused }
            if let condition { counters.sessionsRefused[condition, default: 0] += 1 }
            answer(exchange, BodyResponse(.terminate(condition)), isLegacy: attributes.version == nil)
            return
        }
        // A session needs a descriptor of its own, and the loop needs some in reserve.
        guard hasDescriptorsToSpare, !isOutOfMemory else {
            turnAway(exchange, on: connection)
            return
        }
        let account: AddressLedger.Account
        do throws(AddressLedger.Refusal) {
            account = try addresses.openSession(from: limitedAddress(of: requestClient), now: planTime)
        } catch {
            reached(Bound(error), requestClient.map { "client \($0.address)" } ?? "")
            turnAway(exchange, on: connection)
            return
        }
        makeRoomForLogin()
        let random = SystemRandom.value128()
        let sid = SessionID(
            node: node, worker: tag, high: UInt64(truncatingIfNeeded: random >> 64),
            low: UInt64(truncatingIfNeeded: random))
        let slot = vacantSessions.popLast() ?? UInt32(sessions.count)
        if slot == sessions.count { sessions.append(nil) }
        guard sessionTable.insert(sid, slot: slot) else {
            // 128 random bits came twice: the random source is broken, and no session may be guessable.
            vacantSessions.append(slot)
            addresses.closeSession(of: account, hasLoggedIn: false, now: planTime)
            answer(exchange, BodyResponse(.terminate(.internalServerError)))
            return
        }
        counters.sessionsEver += 1
        connection.waiting.append(.init(exchange: exchange.number, session: slot, sid: sid))
        effects.removeAll(keepingCapacity: true)
        let session = Session(
            id: sid, opening: opening, stream: StreamName(bits: freshBits()), exchange: exchange, payload: payload,
            now: now, policy: policy, into: &effects)
        let driver = SessionDriver(slot: slot, account: account, session: session)
        sessions[Int(slot)] = driver
        logins.append(slot)
        logger.debug(
            "session created",
            metadata: [
                "sid8": "\(sid.short)", "domain": "\(opening.domain)",
                "client": "\(requestClient.map { "\($0.address)" } ?? "unknown")",
            ])
        executeEffects(of: driver)
    }

    /// Refuses a creation request for now: 503 makes a client come back, where a condition would make it give up.
    func turnAway(_ exchange: ExchangeID, on connection: ClientConnection) {
        counters.sessionsRefused[.policyViolation, default: 0] += 1
        respond(to: exchange.number, on: connection, Self.comeAgain)
    }

    /// Takes nothing of a session's request for now: more waits for its turn than may.
    private func turnAwayForNow(_ exchange: ExchangeID) {
        guard let connection = connections[Token(raw: exchange.connection)] else { return }
        connection.waiting.remove(exchange: exchange.number)
        reached(.sessionBuffer, "from \(connection.peer)")
        respond(to: exchange.number, on: connection, Self.comeAgain)
    }

    private static let comeAgain = HTTPResponse(status: .serviceUnavailable, fields: [("Retry-After", "5")])

    /// Gives a session an input and does what it says.
    func handle(_ input: consuming SessionInput, session slot: UInt32) {
        guard Int(slot) < sessions.count, let driver = sessions[Int(slot)] else { return }
        effects.removeAll(keepingCapacity: true)
        driver.session.handle(input, now: now, policy: policy, into: &effects)
        executeEffects(of: driver)
    }

    /// Executes the effects of one input, in order.
    ///
    /// A server that fails at once can lead to another input of the same session in between. That is in order: the session
    /// has dealt with its input before the first effect is executed, and what is left names exchanges and streams by
    /// numbers that are never used again.
    private func executeEffects(of driver: SessionDriver) {
        var pending = effects
        effects = []
        for effect in pending {
            switch effect {
            case .respond(let exchange, let response):
                answer(exchange, response, of: driver)
            case .respondAgain(let exchange, let response):
                answer(exchange, response, isRepeat: true, of: driver)
            case .turnAway(let exchange):
                turnAwayForNow(exchange)
            case .upstream(let command, let stream):
                execute(command, on: stream, of: driver)
            case .ended(let reason):
                forget(driver, reason: reason)
            }
        }
        pending.removeAll(keepingCapacity: true)
        effects = pending
        noteSpareResponses(of: driver)
        if let deadline = driver.ask({ $0.nextDeadline }) {
            sessionDeadlines.schedule(slot: driver.slot, at: deadline)
        }
    }

    /// Has one of a session's streams do something; nothing happens where that stream has ended.
    private func execute(_ command: UpstreamCommand, on stream: StreamNumber, of driver: SessionDriver) {
        if case .open(let request) = command {
            open(request, stream: stream, of: driver)
            return
        }
        guard let link = driver.link(stream) else { return }
        switch command {
        case .open: break
        case .forward(let bytes):
            // Behind a request to compress nothing may stand. What comes now is a client's last words before it has a
            // resource, which no server takes.
            if link.machine.phase != .compressing { send(bytes, on: link) }
        case .restart: restart(link)
        case .pauseReading: setReading(false, on: link)
        case .resumeReading: setReading(true, on: link)
        case .returnUnfetched(let bytes): returnUnfetched(bytes, on: link)
        case .leave(let farewell): leave(link, farewell)
        }
    }

    /// A session's deadline may have passed.
    func handleSessionDeadline(_ slot: UInt32) {
        guard Int(slot) < sessions.count, let driver = sessions[Int(slot)] else { return }
        guard let deadline = driver.ask({ $0.nextDeadline }) else { return }
        if deadline <= now {
            handle(.deadlineReached, session: slot)
        } else {
            sessionDeadlines.schedule(slot: slot, at: deadline)
        }
    }

    private func forget(_ driver: SessionDriver, reason: EndReason) {
        counters.sessionEnds[reason, default: 0] += 1
        logPeer(.info, "session ended", ["sid8": "\(driver.session.id.short)", "reason": "\(reason.rawValue)"])
        forgetSpareResponses(of: driver)
        for link in driver.takeLinks() { link.session = nil }
        sessionTable.remove(driver.session.id)
        logins.remove(driver.slot)
        sessions[Int(driver.slot)] = nil
        addresses.closeSession(of: driver.account, hasLoggedIn: driver.ask { $0.hasLoggedIn }, now: planTime)
        if let bound = Bound(reason) { reached(bound, "session \(driver.session.id.short)") }
        vacantSessions.append(driver.slot)
    }

    /// Writes a session's response into the connection that waits for it.
    private func answer(
        _ exchange: ExchangeID, _ response: borrowing BodyResponse, isRepeat: Bool = false, of driver: SessionDriver
    ) {
        let type = driver.ask { $0.contentType }.map { HTTPContentType.other($0) } ?? .xml
        answer(
            exchange, response, isRepeat: isRepeat, contentType: type, isLegacy: driver.session.isLegacy,
            isTurnedAway: driver.isTurnedAway)
    }

    /// Writes a response into the connection that waits for it.
    ///
    /// A client from before terminal conditions gets the HTTP errors that it knows instead (XEP-0124 §17.1, `T-10`).
    func answer(
        _ exchange: ExchangeID, _ response: borrowing BodyResponse, isRepeat: Bool = false,
        contentType: HTTPContentType = .xml, isLegacy: Bool = false, isTurnedAway: Bool = false
    ) {
        guard let connection = connections[Token(raw: exchange.connection)] else { return }
        connection.waiting.remove(exchange: exchange.number)
        if isTurnedAway, case .terminate = response.kind {
            turnAway(exchange, on: connection)
            return
        }
        if isLegacy, case .terminate(let condition?) = response.kind, let status = HTTPStatus(legacy: condition) {
            respond(to: exchange.number, on: connection, HTTPResponse(status: status))
            return
        }
        bodyScratch.removeAll(keepingCapacity: true)
        guard response.payload.count < Self.leastShared else {
            // The session keeps it too: it waits there and on the connection once.
            BodyWriter.appendStart(of: response, into: &bodyScratch)
            var shared = HTTPResponse(status: .ok, contentType: contentType, body: bodyScratch)
            shared.shared = response.payload
            shared.end = BodyWriter.end
            respond(to: exchange.number, on: connection, isRepeat: isRepeat, shared)
            return
        }
        BodyWriter.append(response, into: &bodyScratch)
        respond(
            to: exchange.number, on: connection, isRepeat: isRepeat,
            HTTPResponse(status: .ok, contentType: contentType, body: bodyScratch))
    }

    /// A payload from which on it is not copied to wait for its turn.
    private static let leastShared = 4_096

    /// Sixty-four bits from the kernel.
    func freshBits() -> UInt64 {
        UInt64(truncatingIfNeeded: SystemRandom.value128())
    }

    /// Adds what the session needs and only the outside can make: the hash of a key, and a name for a stream.
    func completed(_ attributes: consuming BodyAttributes) -> BodyAttributes {
        if let key = attributes.key { attributes.keyDigest = PeerText(Digest.sha1(of: key.bytes)) }
        if attributes.to != nil, !attributes.isRestart { attributes.freshStreamName = StreamName(bits: freshBits()) }
        return attributes
    }

    /// Whether another descriptor may be opened for a session's sake.
    var hasDescriptorsToSpare: Bool {
        connections.count + links.count + races.count + Self.reservedDescriptors < descriptorLimit
    }

    /// Descriptors that sessions leave free: listeners, resolver, log, and connections that are still to be accepted.
    private static let reservedDescriptors = 64
}

extension HTTPStatus {
    /// The status that tells a legacy client of a terminal condition; nil for those that have none.
    fileprivate init?(legacy condition: TerminalCondition) {
        switch condition {
        case .badRequest: self = .badRequest
        case .policyViolation: self = .forbidden
        case .itemNotFound: self = .notFound
        default: return nil
        }
    }
}

extension Bound {
    /// The setting behind a limit on a client's XML; nil for limits that no setting moves.
    fileprivate init?(_ limit: XMLLimit) {
        switch limit {
        case .depth: self = .xmlDepth
        case .attributes: self = .xmlAttributes
        case .elements: self = .xmlElements
        default: return nil
        }
    }
}
