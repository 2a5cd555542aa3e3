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
    func serve(_ body: [UInt8], _ exchange: ExchangeID, from requester: Requester) {
        guard admits(body, exchange, from: requester) else { return }
        act(on: bodyParser.parse(body.span), of: exchange, from: requester)
    }

    /// Acts on the result of parsing a request's body.
    func act(on parse: BodyParse, of exchange: ExchangeID, from requester: Requester) {
        switch parse {
        case .body(let attributes, let payload, let stanzas):
            switch attributes.sid {
            case .absent:
                create(attributes, payload: payload, exchange, from: requester)
            case .known(let sid):
                guard let driver = driver(of: sid) else { fallthrough }
                loop.counters.stanzasToUpstream &+= UInt64(stanzas)
                give(.request(exchange, completed(attributes), payload: payload), exchange, to: driver, from: requester)
            case .foreign:
                loop.counters.unknownSessions &+= 1
                answer(exchange, BodyResponse(.terminate(loop.isStopping ? .systemShutdown : .itemNotFound)))
            }
        case .refused(let fault, let attributes):
            if case .limit(let limit) = fault, let bound = Bound(limit) {
                loop.reached(bound, "from \(requester.peer)")
            }
            loop.logger.debug("body refused", metadata: ["peer": "\(requester.peer)", "fault": "\(fault)"])
            if let attributes, case .known(let sid) = attributes.sid, let driver = driver(of: sid) {
                give(.malformedRequest(exchange, completed(attributes)), exchange, to: driver, from: requester)
            } else {
                answer(exchange, BodyResponse(.terminate(.badRequest)))
            }
        }
    }

    /// Whether a body that is larger than allowed before login comes from a session that has logged in. If not, the
    /// request is answered. Only the start tag of such a body is parsed, because parsing is what a large body costs.
    func admits(_ body: [UInt8], _ exchange: ExchangeID, from requester: Requester) -> Bool {
        guard body.count > loop.settings.loginBody else { return true }
        guard let attributes = bodyParser.parseStartTag(body.span) else {
            answer(exchange, BodyResponse(.terminate(.badRequest)))
            return false
        }
        switch attributes.sid {
        case .known(let sid):
            guard let driver = driver(of: sid) else { fallthrough }
            if driver.ask({ $0.hasLoggedIn }) { return true }
            give(.oversizedRequest(exchange, completed(attributes)), exchange, to: driver, from: requester)
        case .foreign:
            loop.counters.unknownSessions &+= 1
            answer(exchange, BodyResponse(.terminate(.itemNotFound)))
        case .absent:
            loop.counters.sessionsRefused.count(.policyViolation)
            loop.reached(.loginBody, requester.name)
            clients.respond(to: exchange, HTTPResponse(status: .contentTooLarge))
        }
        return false
    }

    private func give(
        _ input: consuming SessionInput, _ exchange: ExchangeID, to driver: SessionDriver, from requester: Requester
    ) {
        clients.hold(exchange, for: driver.slot, of: driver.session.id)
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
            answer(exchange, BodyResponse(.terminate(condition)), isLegacy: attributes.rare.version == nil)
            return
        }
        // A session needs a descriptor for its stream, and the loop needs some in reserve.
        guard loop.hasDescriptorsToSpare, !loop.isOutOfMemory else {
            turnAway(exchange)
            return
        }
        let account: AddressLedger.Account
        do throws(AddressLedger.Refusal) {
            account = try loop.addresses.openSession(
                from: clients.limitedAddress(of: requester.client), now: loop.now)
        } catch {
            loop.reached(Bound(error), requester.name)
            turnAway(exchange)
            return
        }
        makeRoomForLogin()
        guard begin(freshID(), opening, payload: payload, account: account, exchange, from: requester) else {
            loop.addresses.closeSession(of: account, hasLoggedIn: false, now: loop.now)
            answer(exchange, BodyResponse(.terminate(.internalServerError)))
            return
        }
    }

    private func freshID() -> SessionID {
        let random = SystemRandom.value128()
        return SessionID(
            node: Self.node, worker: Self.tag, high: UInt64(truncatingIfNeeded: random >> 64),
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

    /// The routing hint in a `sid`; there is one worker on one machine.
    private static let node = "n1"
    private static let tag: UInt32 = 0
}
