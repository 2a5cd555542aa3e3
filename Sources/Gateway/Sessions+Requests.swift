import Addresses
import BOSHCore
import Bridge
import HTTPWire
import Reactor
import TLSCodec
import XMLCodec

/// Gives `<body/>` requests to their sessions, and creates sessions.
extension Sessions {
    /// Handles a request: it begins a session, or is the next request of one.
    ///
    /// - Parameter mobility: whether another worker may begin the session.
    /// - Returns: whether the request was taken or answered. If it belongs elsewhere, nothing was done.
    func serve(
        _ body: [UInt8], _ exchange: ExchangeID, from requester: Requester, _ mobility: Mobility
    ) -> Placement {
        switch admission(of: body, exchange, from: requester) {
        case .admitted: act(on: bodyParser.parse(body.span), of: exchange, from: requester, mobility)
        case .answered: .here
        case .elsewhere(let tag): .elsewhere(tag)
        }
    }

    /// Acts on the result of parsing a request's body. The parameter and the result are those of `serve`.
    func act(
        on parse: BodyParse, of exchange: ExchangeID, from requester: Requester, _ mobility: Mobility
    ) -> Placement {
        switch parse {
        case .body(let attributes, let payload, let stanzas):
            switch attributes.sid {
            case .absent:
                if !loop.isStopping || loop.fellows.isRetired,
                    let tag = loop.fellows.placeForNew(own: countOfAll, mobility, draw: loop.freshBits())
                {
                    return .forNew(tag)
                }
                create(attributes, payload: payload, exchange, from: requester)
            case .known(let sid):
                guard let driver = driver(of: sid) else {
                    if loop.fellows.mayHave(sid) { return .elsewhere(sid.worker) }
                    noteOtherNode(of: sid)
                    fallthrough
                }
                guard !refusesPlain(exchange, for: driver, from: requester) else { return .here }
                loop.counters.stanzasToUpstream &+= UInt64(stanzas)
                driver.record.requests &+= 1
                driver.record.stanzasUp &+= UInt32(truncatingIfNeeded: stanzas)
                give(.request(exchange, completed(attributes), payload: payload), exchange, to: driver, from: requester)
            case .foreign:
                noteUnknown(attributes.sid, from: requester)
                answer(exchange, BodyResponse(.terminate(loop.isStopping ? .systemShutdown : .itemNotFound)))
            }
        case .refused(let fault, let attributes):
            if case .limit(let limit) = fault, let bound = Bound(limit) {
                loop.reached(bound, "from \(requester.peer)")
            }
            loop.logs.sessions.debug("body refused", metadata: requester.fields(["fault": "\(fault)"]))
            if let attributes, case .known(let sid) = attributes.sid {
                if let driver = driver(of: sid) {
                    guard !refusesPlain(exchange, for: driver, from: requester) else { return .here }
                    give(.malformedRequest(exchange, completed(attributes)), exchange, to: driver, from: requester)
                    return .here
                }
                // The session ends by this, so its owner has to learn of it.
                if loop.fellows.mayHave(sid) { return .elsewhere(sid.worker) }
            }
            answer(exchange, BodyResponse(.terminate(.badRequest)))
        }
        return .here
    }

    /// What becomes of a body before it is parsed.
    enum Admission: Equatable {
        case admitted
        /// It is too large, and its request was answered.
        case answered
        /// The worker with this tag owns its session.
        case elsewhere(UInt32)
    }

    /// Admits a body that is larger than allowed before login only from a session that has logged in. Only the start
    /// tag of such a body is parsed, because parsing is what a large body costs.
    func admission(of body: [UInt8], _ exchange: ExchangeID, from requester: Requester) -> Admission {
        guard body.count > loop.settings.loginBody else { return .admitted }
        guard let attributes = bodyParser.parseStartTag(body.span) else {
            answer(exchange, BodyResponse(.terminate(.badRequest)))
            return .answered
        }
        switch attributes.sid {
        case .known(let sid):
            guard let driver = driver(of: sid) else {
                if loop.fellows.mayHave(sid) { return .elsewhere(sid.worker) }
                noteOtherNode(of: sid)
                fallthrough
            }
            if driver.ask({ $0.hasLoggedIn }) { return .admitted }
            guard !refusesPlain(exchange, for: driver, from: requester) else { return .answered }
            give(.oversizedRequest(exchange, completed(attributes)), exchange, to: driver, from: requester)
        case .foreign:
            noteUnknown(attributes.sid, from: requester)
            answer(exchange, BodyResponse(.terminate(.itemNotFound)))
        case .absent:
            loop.counters.sessionsRefused.count(.policyViolation)
            loop.reached(.loginBody, requester.name)
            clients.respond(to: exchange, HTTPResponse(status: .contentTooLarge))
        }
        return .answered
    }

    /// Refuses a request over http for a session that began over https, and has its connection closed; the session goes on,
    /// because anybody could have sent the request (`H-29`). A proxy that says nothing of the scheme is let pass.
    private func refusesPlain(
        _ exchange: ExchangeID, for driver: SessionDriver, from requester: Requester
    ) -> Bool {
        guard driver.isSecure, requester.scheme == .http else { return false }
        loop.counters.requestsRefused &+= 1
        loop.logs.sessions.debug(
            "a request over http was for a session that began over https",
            metadata: ["sid8": "\(driver.session.id.short)", "peer": "\(requester.peer)"])
        var response = HTTPResponse(
            status: .forbidden, contentType: .plain,
            body: Array("this session began over https, and takes no request over http\n".utf8))
        response.closesConnection = true
        clients.respond(to: exchange, response)
        return true
    }

    private func give(
        _ input: consuming SessionInput, _ exchange: ExchangeID, to driver: SessionDriver, from requester: Requester
    ) {
        clients.hold(exchange, for: SessionPlace(.bosh, slot: driver.slot), of: driver.session.id)
        handle(input, session: driver.slot, from: requester)
    }

    private func create(
        _ attributes: BodyAttributes, payload: [UInt8], _ exchange: ExchangeID, from requester: Requester
    ) {
        let opening: SessionOpening
        do throws(SessionOpening.Refusal) {
            if loop.isStopping { throw .condition(.systemShutdown) }
            opening = try SessionOpening(judging: attributes, by: policy)
        } catch {
            var condition: TerminalCondition?
            if case .condition(let refused) = error { condition = refused }
            if let condition { loop.counters.sessionsRefused.count(condition) }
            if condition == .hostUnknown || condition == .improperAddressing {
                loop.tell(of: .domain, requester.fields(asking: attributes.rare.to))
            }
            answer(exchange, BodyResponse(.terminate(condition)), isLegacy: attributes.rare.version == nil)
            return
        }
        let account: AddressLedger.Account
        do throws(CreationRefusal) {
            account = try clients.admitSession(from: requester)
        } catch {
            // This machine's shortage is no policy.
            if error != .descriptors { loop.counters.sessionsRefused.count(.policyViolation) }
            clients.respond(to: exchange, Self.createLater(after: clients.patience(after: error)))
            return
        }
        makeRoomForLogin()
        guard begin(freshID(), opening, payload: payload, account: account, exchange, from: requester) else {
            loop.addresses.closeSession(of: account, hasLoggedIn: false, now: loop.now)
            answer(exchange, BodyResponse(.terminate(.internalServerError)))
            return
        }
    }

    /// Counts a request for a session that is not known, and tells the operator of it.
    private func noteUnknown(_ mentioned: SessionReference, from requester: Requester) {
        loop.counters.unknownSessions &+= 1
        // What is said about another machine, or while this one stops, says enough.
        guard !loop.isStopping else { return }
        guard case .known(let sid) = mentioned else {
            loop.tell(of: .session, requester.fields)
            return
        }
        if sid.node == loop.fellows.node { loop.tell(of: .session, requester.fields(["sid8": "\(sid.short)"])) }
    }

    private func freshID() -> SessionID {
        let random = SystemRandom.value128()
        return SessionID(
            node: loop.fellows.node, worker: loop.fellows.tag, high: UInt64(truncatingIfNeeded: random >> 64),
            low: UInt64(truncatingIfNeeded: random))
    }

    /// Adds what the session needs and cannot make itself: the hash of a key, and a name for a stream.
    private func completed(_ attributes: consuming BodyAttributes) -> BodyAttributes {
        guard attributes.hasRare else { return attributes }
        var rare = attributes.rare
        let opensStream = rare.to != nil && !attributes.isRestart
        guard rare.key != nil || opensStream else { return attributes }
        if let key = rare.key { rare.keyDigest = PeerText(Digest.sha1(of: key.bytes)) }
        if opensStream { rare.freshStreamName = StreamName(bits: loop.freshBits()) }
        attributes.rare = rare
        return attributes
    }

}
