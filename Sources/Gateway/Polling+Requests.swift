import Addresses
import BOSHCore
import Bridge
import HTTPWire
import Logging
import PollingCore
import Primitives
import Reactor
import TLSCodec
import XMLCodec

/// Gives the requests of clients over HTTP polling to their sessions, and creates sessions.
extension Polling {
    /// Handles a request: it begins a session, or is the next request of one.
    ///
    /// - Parameter mobility: whether another worker may begin the session.
    /// - Returns: whether the request was taken or answered. If it belongs elsewhere, nothing was done.
    func serve(
        _ body: [UInt8], _ exchange: ExchangeID, from requester: Requester, _ mobility: Mobility
    ) -> Placement {
        loop.counters.polling.requests &+= 1
        guard let head = PollingHead(of: body.span), head.identifier != Self.mobile else {
            refuse(exchange, .badRequest, over: requester.scheme)
            return .here
        }
        if head.beginsSession { return begin(head, body, exchange, from: requester, mobility) }
        guard let id = SessionID(polling: head.identifier) else {
            loop.tell(of: .session, requester.fields)
            refuse(exchange, .unknown, over: requester.scheme)
            return .here
        }
        guard let client = client(of: id) else {
            if mobility != .placed, loop.fellows.mayHave(id) { return .elsewhere(id.worker) }
            sides.bosh.noteOtherNode(of: id)
            if id.node == loop.fellows.node { loop.tell(of: .session, requester.fields(["sid8": "\(id.short)"])) }
            refuse(exchange, .unknown, over: requester.scheme)
            return .here
        }
        give(head, body, exchange, to: client)
        return .here
    }

    /// What one server of old took in place of `0` (`Q-10`).
    private static let mobile = Array("mobile".utf8)

    private func begin(
        _ head: PollingHead, _ body: [UInt8], _ exchange: ExchangeID, from requester: Requester,
        _ mobility: Mobility
    ) -> Placement {
        if !loop.isStopping || loop.fellows.isRetired,
            let tag = loop.fellows.placeForNew(own: sides.count, mobility, draw: loop.freshBits())
        {
            return .forNew(tag)
        }
        if loop.isStopping {
            clients.respond(to: exchange, Sessions.comeAgain)
            return .here
        }
        if loop.settings.pollingRequiresKeys, head.key == nil {
            refuse(exchange, .keySequence, over: requester.scheme)
            return .here
        }
        let account: AddressLedger.Account
        do throws(CreationRefusal) {
            account = try clients.admitSession(from: requester)
        } catch {
            refuse(exchange, .server, over: requester.scheme)
            return .here
        }
        sides.makeRoomForLogin()
        guard let client = begin(head, from: requester, account: account) else {
            loop.addresses.closeSession(of: account, hasLoggedIn: false, now: loop.now)
            refuse(exchange, .server, over: requester.scheme)
            return .here
        }
        give(head, body, exchange, to: client)
        return .here
    }

    /// Gives a session its next request, and then what the request brings.
    private func give(_ head: PollingHead, _ body: [UInt8], _ exchange: ExchangeID, to client: PollingClient) {
        clients.hold(exchange, for: SessionPlace(.polling, slot: client.token.slot), of: client.id)
        client.record.requests &+= 1
        client.traffic.bytesIn &+= UInt64(body.count)
        var digest: PeerText?
        if let key = head.key, client.ask({ $0.looksAtKeys(now: loop.now) }) {
            digest = PeerText(Base64.encode(Digest.sha1Bytes(of: key.bytes).span), most: 64)
        }
        let request = PollingRequest(
            PollingExchange(connection: exchange.connection, number: exchange.number), key: head.key,
            newKey: head.newKey, keyDigest: digest, mark: BodyMark(body.span),
            hasContent: body[head.count...].contains { !Self.space.contains($0) })
        guard admit(request, of: client) else { return }
        if body.count > loop.settings.loginBody, !client.ask({ $0.hasLoggedIn }) {
            handle(.tooLarge, of: client)
        } else {
            read(body.span, from: head.count, of: client)
        }
        handle(.bodyRead, of: client)
    }

    /// White space in XML.
    private static let space: [UInt8] = [0x20, 0x09, 0x0A, 0x0D]

    /// Reads the next part of a client's stream, and gives its items to the session.
    private func read(_ body: Span<UInt8>, from start: Int, of client: PollingClient) {
        var offset = start
        while !client.isGone, !client.ask({ $0.isClosing }) {
            let mostBytes = client.ask({ $0.hasLoggedIn }) ? loop.settings.maxBody : loop.settings.loginBody
            guard let item = client.xml.next(body, offset: &offset, mostBytes: mostBytes, reader: reader) else { break }
            act(on: item, of: client)
        }
        guard !client.isGone, client.xml.heldBytes > 0 else { return }
        guard loop.memory.pressure < .full, !loop.addresses.isFull(client.account) else {
            loop.reached(
                loop.memory.pressure < .full ? .addressMemory : .memoryLimit,
                "session \(client.id.short): part of an element was refused")
            handle(.outOfMemory, of: client)
            return
        }
        settle(client)
    }

    private func act(on item: ClientStreamItem, of client: PollingClient) {
        switch item {
        case .header(let header): handle(.header(opening(header, from: client.requester)), of: client)
        case .element(let bytes):
            loop.counters.stanzasToUpstream &+= 1
            client.record.stanzasUp &+= 1
            handle(.element(bytes), of: client)
        case .end: handle(.end, of: client)
        case .fault(let fault):
            if case .limit(let limit) = fault, let bound = Bound(limit) {
                loop.reached(bound, "from \(client.requester.peer)")
            }
            loop.logs.sessions.debug("XML refused", metadata: ["sid8": "\(client.id.short)", "fault": "\(fault)"])
            handle(.refused(StreamCondition(fault)), of: client)
        }
    }

    /// What a client's stream header asks for.
    private func opening(_ header: ClientStreamHeader, from requester: Requester) -> PollingOpening {
        let attributes = header.attributes
        do throws(AddressRefusal) {
            let domain = try domains.domain(meantBy: attributes.to)
            let account = domains.account(attributes.from, at: domain)
            let request = StreamRequest(domain: domain, account: account, language: attributes.language)
            return PollingOpening(
                .served(request), language: attributes.language, hasVersion: header.hasVersion)
        } catch {
            loop.tell(of: .domain, requester.fields(asking: attributes.to))
            return PollingOpening(.refused(error), language: attributes.language, hasVersion: header.hasVersion)
        }
    }

    // MARK: Answers

    /// Answers a request with an error in place of the identifier (`Q-12`).
    func refuse(_ exchange: ExchangeID, _ error: PollingError, over scheme: ClientScheme) {
        loop.counters.polling.errors.count(error)
        respond(to: exchange, id: error.identifier, [], over: scheme)
    }

    /// Answers a request (`Q-04` to `Q-08`, `Q-42`): always 200, with the identifier in one cookie, and then the
    /// connection ends, because a client that is still in use takes its end for the end of the answer. The cookie is
    /// `Secure` for a client over https.
    func respond(to exchange: ExchangeID, id: String, _ body: [UInt8], over scheme: ClientScheme) {
        let path = loop.settings.pollingPath ?? "/"
        let secure = scheme == .https ? "; Secure" : ""
        var response = HTTPResponse(
            status: .ok, contentType: .xml,
            fields: [("Set-Cookie", "ID=\(id); path=\(path); HttpOnly; SameSite=Strict\(secure)")], body: body,
            closesConnection: true)
        response.isForPrograms = true
        clients.respond(to: exchange, response)
    }
}
