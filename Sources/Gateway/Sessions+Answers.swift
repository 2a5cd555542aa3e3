import BOSHCore
import Bridge
import HTTPWire
import XMLCodec

/// Turns the responses of sessions into answers to HTTP requests.
extension Sessions {
    /// Answers a request that a session has taken.
    func answer(
        _ exchange: ExchangeID, _ response: borrowing BodyResponse, isRepeat: Bool = false, of driver: SessionDriver
    ) {
        noteResponse(response, isRepeat: isRepeat, of: driver)
        if driver.isTurnedAway, case .terminate = response.kind {
            clients.respond(to: exchange, Self.createLater())
            return
        }
        let type = driver.ask { $0.contentType }.map { HTTPContentType.other($0) } ?? .xml
        answer(
            exchange, response, isRepeat: isRepeat, contentType: type, isLegacy: driver.session.isLegacy)
    }

    /// Answers a request.
    ///
    /// A client that is older than terminal conditions gets the HTTP errors that it knows instead (XEP-0124 §17.1,
    /// `T-10`).
    func answer(
        _ exchange: ExchangeID, _ response: borrowing BodyResponse, isRepeat: Bool = false,
        contentType: HTTPContentType = .xml, isLegacy: Bool = false
    ) {
        if isLegacy, case .terminate(let condition?) = response.kind,
            let status = condition.legacyStatus.flatMap({ HTTPStatus(rawValue: $0) })
        {
            clients.respond(to: exchange, HTTPResponse(status: status))
            return
        }
        guard response.payload.count < Self.leastShared else {
            // The session keeps this payload too, so both share one copy of it.
            let start = withBody { bytes in
                BodyWriter.appendStart(of: response, into: &bytes)
                return bytes
            }
            var shared = HTTPResponse(status: .ok, contentType: contentType, body: start)
            shared.shared = response.payload
            shared.end = BodyWriter.end
            clients.respond(to: exchange, isRepeat: isRepeat, shared)
            return
        }
        let body = withBody { bytes in
            BodyWriter.append(response, into: &bytes)
            return bytes
        }
        clients.respond(
            to: exchange, isRepeat: isRepeat, HTTPResponse(status: .ok, contentType: contentType, body: body))
    }

    /// Refuses a session's request for now, because too many wait for their turn.
    func turnAwayForNow(_ exchange: ExchangeID) {
        guard let peer = clients.connection(of: exchange)?.peer else { return }
        loop.reached(.sessionBuffer, "from \(peer)")
        clients.respond(to: exchange, Self.comeAgain)
    }

    /// The answer to a client that is to try again.
    static let comeAgain = comeAgain(after: 5)

    /// The same, with another time in seconds.
    static func comeAgain(after seconds: Int) -> HTTPResponse {
        HTTPResponse(status: .serviceUnavailable, fields: [("Retry-After", "\(seconds)")])
    }

    /// The answer to a creation request that may succeed later: a client comes back after 503, but gives up after a
    /// condition. Its body says the same in BOSH's own words (XEP-0124 §17.3), because libpurple does not look at the
    /// status, and waits for ever when there is no body.
    ///
    /// - Parameter seconds: when the client is asked to come again.
    static func createLater(after seconds: Int = 5) -> HTTPResponse {
        HTTPResponse(
            status: .serviceUnavailable, contentType: .xml, fields: [("Retry-After", "\(seconds)")],
            body: recoverableError)
    }

    private static let recoverableError: [UInt8] = {
        var body: [UInt8] = []
        BodyWriter.append(.error, into: &body)
        return body
    }()

    /// Payloads of this size or more are shared instead of copied.
    private static let leastShared = 4_096
}

extension Bound {
    /// The setting behind a limit on a client's XML; nil when no setting changes that limit.
    init?(_ limit: XMLLimit) {
        switch limit {
        case .depth: self = .xmlDepth
        case .attributes: self = .xmlAttributes
        case .elements: self = .xmlElements
        default: return nil
        }
    }
}

extension Bound {
    /// The setting whose limit ended a session; nil when no limit did.
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
