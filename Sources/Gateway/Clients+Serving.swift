import BOSHCore
import HTTPWire
import LogLines
import Reactor
import Settings

extension Clients {
    /// Finds out what a request is for, and answers it or hands it to its session.
    func serve(_ request: borrowing HTTPRequest, on connection: ClientConnection) {
        if sendAway(request, on: connection) { return }
        noteAccess(request, on: connection)
        switch connection.role {
        case .bosh: serveBOSH(request, on: connection)
        case .admin: serveOperator(request, on: connection)
        }
        // The next request may be for any worker.
        if connection.move == .placed, !connection.isBodyWaiting { connection.move = .none }
    }

    /// Queues an answer on its connection. Compresses it if the request allows that and it is worthwhile (`H-08`).
    ///
    /// The answer to a repeat is not compressed: otherwise a client that repeats a hundred times would have it
    /// compressed a hundred times.
    func respond(
        to exchange: UInt64, on connection: ClientConnection, isRepeat: Bool = false,
        _ response: consuming HTTPResponse
    ) {
        let mayCompress = connection.role == .bosh && !response.isForPrograms
        if loop.settings.compressesResponses, mayCompress, response.bodyCount >= loop.settings.compressFrom {
            let coding = isRepeat ? .identity : connection.http.coding(of: exchange)
            if coding != .identity, BodyCoder.mayCompress(response.bodyCount) { response.joinBody() }
            bodies.coder.compress(&response, as: coding)
        }
        noteAnswer(to: exchange, on: connection, status: response.status.rawValue, bodyCount: response.bodyCount)
        let owedContinue = connection.http.phase == .owingContinue
        if connection.http.lacksRoom(for: exchange), let room = loop.pool.lend() { connection.http.takeRoom(room) }
        _ = connection.http.respond(to: exchange, with: response, date: loop.date.current())
        // From now on the server waits for the client.
        if owedContinue, connection.http.phase == .readingBody { connection.pace.requestSince = loop.now }
        markDirty(connection)
    }

    /// Queues a session's answer; does nothing if the connection is gone.
    func respond(to exchange: ExchangeID, isRepeat: Bool = false, _ response: consuming HTTPResponse) {
        guard let connection = connection(of: exchange) else {
            loop.counters.answersUntaken &+= 1
            return
        }
        let waited = connection.waiting.removeFirst { $0.exchange == exchange.number }
        if let waited, waited.session.side == .bosh, let time = waited.since.elapsed(until: loop.now) {
            loop.latencies.noteHeld(for: time)
        }
        respond(to: exchange.number, on: connection, isRepeat: isRepeat, response)
    }

    /// Notes that a session has taken a request and will answer it later.
    func hold(_ exchange: ExchangeID, for session: SessionPlace, of sid: SessionID) {
        connection(of: exchange)?.waiting.append(
            .init(exchange: exchange.number, session: session, sid: sid, since: ShortInstant(loop.now)))
    }

    private func serveBOSH(_ request: borrowing HTTPRequest, on connection: ClientConnection) {
        if let looserRules, looserRules.covers(request.head, loop.settings) {
            serveLoosely(request, on: connection, looserRules)
            return
        }
        let isForBody = request.head.isFor(loop.settings.path)
        // Most requests are these, and no other endpoint takes them.
        if !isForBody || request.head.method != .post {
            if isForWebSocket(request.head) {
                serveWebSocket(request, on: connection)
                return
            }
            if isForPolling(request.head) {
                servePolling(request, on: connection)
                return
            }
        }
        guard isForBody else {
            let response = resource(of: request.head)
            if response.status == .notFound {
                loop.counters.unknownPaths &+= 1
                let path = request.head.path
                let requester = requester(of: request, on: connection)
                loop.tell(of: .path, requester.fields(["path": "\(Self.short(path))"]))
            }
            respond(to: request.exchange, on: connection, response)
            return
        }
        switch request.head.method {
        case .post:
            guard loop.settings.crossOrigin.admits(request.head) else {
                refusePage(request, on: connection)
                return
            }
            guard request.head.framing != .none else {
                respond(to: request.exchange, on: connection, HTTPResponse(status: .lengthRequired))
                return
            }
            switch request.head.coding {
            case let coding?:
                serve(request, coding, on: connection)
            case nil:
                respond(
                    to: request.exchange, on: connection,
                    HTTPResponse(
                        status: .unsupportedMediaType, fields: [("Accept-Encoding", ContentCoding.decodable)]))
            }
        case .get, .head:
            respond(
                to: request.exchange, on: connection,
                HumanPage.response(loop.settings, scheme(of: request.head, on: connection)))
        case .options:
            respond(to: request.exchange, on: connection, preflight(for: request.head))
        case .unknown:
            respond(to: request.exchange, on: connection, HTTPResponse(status: .notImplemented))
        case .put, .delete, .patch, .trace, .connect:
            respond(
                to: request.exchange, on: connection,
                HTTPResponse(status: .methodNotAllowed, fields: [("Allow", "GET, HEAD, POST, OPTIONS")]))
        }
    }

    /// A path for a log line. Nobody who looks for a mistake needs more of it, and the query is not shown.
    private static func short(_ path: String) -> String { path.utf8.count > 128 ? "\(path.prefix(64))..." : path }

    /// The answer to a preflight for the endpoint, or for a document that every page may read (`D-04`).
    func preflight(for head: RequestHead, isForEveryPage: Bool = false) -> HTTPResponse {
        let policy = isForEveryPage ? loop.settings.crossOrigin.forEveryPage : loop.settings.crossOrigin
        var response = policy.preflight(for: head, headers: loop.settings.crossOriginHeaders)
        response.isForEveryPage = isForEveryPage
        return response
    }

    /// Answers a page whose origin is not listed (`H-21`).
    func refusePage(_ request: borrowing HTTPRequest, on connection: ClientConnection) {
        loop.counters.requestsRefused &+= 1
        let requester = requester(of: request, on: connection)
        loop.logs.clients.debug("page refused: its origin is not in cors-origin", metadata: requester.fields)
        respond(
            to: request.exchange, on: connection,
            HTTPResponse(
                status: .forbidden, contentType: .plain,
                body: Array("pages of this origin may not use this endpoint: cors-origin does not list it\n".utf8)))
    }

    /// Gives a `<body/>` request to its session, or begins a new session for it.
    func serveBody(_ request: borrowing HTTPRequest, on connection: ClientConnection) {
        // Its owner may also take a larger body, if that is of another generation.
        if goesElsewhere(request, on: connection) { return }
        guard request.body.count <= loop.settings.maxBody else {
            respond(to: request.exchange, on: connection, HTTPResponse(status: .contentTooLarge))
            return
        }
        let placement = sessions.serve(
            request.body, ExchangeID(connection: connection.token.raw, number: request.exchange),
            from: requester(of: request, on: connection), mobility(of: connection))
        send(request, on: connection, to: placement)
    }

    /// The sender of a request.
    func requester(of request: borrowing HTTPRequest, on connection: ClientConnection) -> Requester {
        Requester(
            peer: connection.peer, client: client(of: request, on: connection),
            scheme: scheme(of: request.head, on: connection))
    }

    /// Answers a request on the operator's listener, unless a page of another origin made it.
    private func serveOperator(_ request: borrowing HTTPRequest, on connection: ClientConnection) {
        let (host, fetchSites, authorizations) = request.head.provenance
        let asked = AdminAccess.Request(host: host, hasOrigin: request.head.origin != nil, fetchSites: fetchSites)
        guard rules.adminAccess.admits(asked) else {
            respond(
                to: request.exchange, on: connection,
                HTTPResponse(
                    status: .forbidden, contentType: .plain,
                    body: Array(
                        "ask by address, by localhost or by a name of admin-host, and from no other page\n".utf8)))
            return
        }
        if let token = rules.adminToken, !Self.isForProbes(request.head), !token.admits(authorizations) {
            refuseOperator(request, on: connection, isWrong: !authorizations.isEmpty)
            return
        }
        let exchange = ExchangeID(connection: connection.token.raw, number: request.exchange)
        guard let response = answerOperator(request.head, exchange) else { return }
        respond(to: request.exchange, on: connection, response)
    }

    /// Whether a request asks for what balancers and supervisors of services look at, which says nothing of clients.
    private static func isForProbes(_ head: RequestHead) -> Bool {
        head.isFor("/healthz") || head.isFor("/readyz") || head.isFor("/lbcheck")
    }

    /// Refuses a request without the token. A browser asks its user for a name and a password, and the token is the
    /// password.
    ///
    /// - Parameter isWrong: whether it shows something else, which may be a guess.
    private func refuseOperator(_ request: borrowing HTTPRequest, on connection: ClientConnection, isWrong: Bool) {
        loop.counters.operatorsRefused &+= 1
        if isWrong {
            loop.logPeer(
                .admin, .warning, "a request on the admin listener shows a wrong token", ["peer": "\(connection.peer)"])
        }
        respond(
            to: request.exchange, on: connection,
            HTTPResponse(
                status: .unauthorized, contentType: .plain,
                fields: [
                    ("WWW-Authenticate", "Basic realm=\"holdfast\", charset=\"UTF-8\""),
                    ("WWW-Authenticate", "Bearer realm=\"holdfast\""),
                ],
                body: Array("show the token of admin-token-file: as Bearer, or as the password of any user\n".utf8)))
    }

    /// Decodes a body and serves the result (`H-09`). If the body cannot be decoded, only this request is refused: its
    /// framing was correct, so the connection stays.
    func serveCoded(
        _ request: borrowing HTTPRequest, _ coding: ContentCoding, on connection: ClientConnection
    ) {
        switch bodies.coder.expand(request.body.span, coding: coding, expansionBounds) {
        case .bytes(let body):
            var plain = copy request
            plain.body = body
            plain.head.coding = .identity
            serveBody(plain, on: connection)
        case .refused(let refusal):
            refuse(request, refusal, on: connection)
        }
    }

    /// Answers a coded request that is refused.
    func refuse(_ request: borrowing HTTPRequest, _ refusal: BodyCoder.Refusal, on connection: ClientConnection) {
        loop.counters.requestsRefused &+= 1
        if case .expandsTooFar = refusal { loop.reached(.maxExpansion, "from \(connection.peer)") }
        let requester = requester(of: request, on: connection)
        loop.logs.clients.debug(
            "coded body refused", metadata: requester.fields(["status": .number(refusal.status.rawValue)]))
        respond(to: request.exchange, on: connection, HTTPResponse(status: refusal.status))
    }

    var expansionBounds: ExpansionBounds {
        ExpansionBounds(body: looserRules?.body ?? loop.settings.maxBody, ratio: loop.settings.maxExpansion)
    }

    /// The answer to a request for anything but the endpoint.
    func resource(of head: RequestHead) -> HTTPResponse {
        let settings = loop.settings
        let hasURLs = !settings.publicURLs.isEmpty || !settings.publicWebSocketURLs.isEmpty
        let document = hasURLs ? HostMeta(askedForBy: head) : nil
        switch (document, head.method) {
        case (_, .options): return preflight(for: head, isForEveryPage: document != nil)
        case (let document?, .get), (let document?, .head):
            return document.response(settings.publicURLs, webSockets: settings.publicWebSocketURLs)
        case (_?, .unknown): return HTTPResponse(status: .notImplemented)
        case (_?, _): return HTTPResponse(status: .methodNotAllowed, fields: [("Allow", "GET, HEAD, OPTIONS")])
        case (nil, _): return HTTPResponse(status: .notFound)
        }
    }
}
