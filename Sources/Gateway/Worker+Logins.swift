import BOSHCore
import Bridge
import HTTPWire
import StreamCore

/// What sessions may take whose clients have not logged in: these are strangers.
extension Worker {
    /// Whether a body that is larger than a session may send before login comes from one that has logged in. If not, the
    /// request is answered; of the body no more is read than its start tag, since reading is what a large one costs.
    func admits(_ request: borrowing HTTPRequest, on connection: ClientConnection) -> Bool {
        guard request.body.count > settings.loginBody else { return true }
        let exchange = ExchangeID(connection: connection.token.raw, number: request.exchange)
        requestClient = client(of: request, on: connection)
        guard let attributes = bodyParser.parseStartTag(request.body.span) else {
            answer(exchange, BodyResponse(.terminate(.badRequest)))
            return false
        }
        switch attributes.sid {
        case .known(let sid):
            guard let driver = driver(of: sid) else { fallthrough }
            if driver.ask({ $0.hasLoggedIn }) { return true }
            connection.waiting.append(.init(exchange: request.exchange, session: driver.slot, sid: sid))
            handle(.oversizedRequest(exchange, completed(attributes)), session: driver.slot)
        case .foreign:
            counters.unknownSessions &+= 1
            answer(exchange, BodyResponse(.terminate(.itemNotFound)))
        case .absent:
            counters.sessionsRefused[.policyViolation, default: 0] += 1
            reached(.loginBody, requestClient.map { "client \($0.address)" } ?? "")
            respond(to: request.exchange, on: connection, HTTPResponse(status: .contentTooLarge))
        }
        return false
    }

    /// Ends the session that has been without login for longest when there are as many as may be: a login takes a second, and
    /// those of a flood are all older by then.
    func makeRoomForLogin() {
        guard logins.count >= loginLimit, let oldest = logins.oldest else { return }
        handle(.displaced, session: oldest)
    }

    /// Takes in what a server has said of a client's login.
    func note(_ sign: LoginSign, on stream: StreamNumber, session: UInt32) {
        guard logins.contains(session), let driver = sessions[Int(session)] else { return }
        switch sign {
        case .none: break
        case .success: handle(.upstream(.loggedIn, on: stream), session: session)
        case .registration: handle(.upstream(.registrationOffered, on: stream), session: session)
        }
        guard driver.ask({ $0.hasLoggedIn }), logins.contains(session) else { return }
        logins.remove(session)
        addresses.loggedIn(driver.account)
    }

    /// Has a session that is being created answered with 503.
    func turnAway(_ session: UInt32) {
        guard Int(session) < sessions.count, let driver = sessions[Int(session)], driver.session.isCreating else {
            return
        }
        driver.isTurnedAway = true
    }
}

extension Bound {
    /// The setting that a session has ended by; nil for those that no limit ended.
    init?(_ reason: EndReason) {
        switch reason {
        case .loginTimeout: self = .loginTimeout
        case .loginDisplaced: self = .loginSessions
        case .loginBody: self = .loginBody
        case .tooManyRequests: self = .sessionRequests
        case .tooManyRepeats: self = .sessionRepeats
        default: return nil
        }
    }
}
