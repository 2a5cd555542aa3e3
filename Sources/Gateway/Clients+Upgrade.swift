import Addresses
import BOSHCore
import HTTPWire
import Primitives
import Reactor
import Settings
import TLSCodec
import WebSocketWire

/// Why a WebSocket was refused in its handshake, by its name in `/stats` (`W-56`).
enum HandshakeRefusal: String, CaseIterable {
    /// The request does not ask for a WebSocket.
    case notWebSocket = "not-websocket"
    case version = "version"
    /// The subprotocol `xmpp` is not among those offered.
    case subprotocol = "protocol"
    case malformed = "malformed"
    case method = "method"
    case origin = "origin"
    case stopping = "stopping"
    /// No server can be reached, whichever domain the client may ask for.
    case servers = "servers"
    /// There is no descriptor or memory for it.
    case shortage = "shortage"
    /// There are as many sessions of all clients as there may be, or they begin too fast.
    case crowd = "crowd"
    /// Its client address has as much as it may.
    case address = "address"
}

/// A request that becomes a WebSocket once all answers before it have left.
struct PendingUpgrade {
    /// The value of `Sec-WebSocket-Accept`.
    let accept: [UInt8]
    /// The request, for another worker if this one may not begin sessions any more.
    let request: HTTPRequest
    let requester: Requester

    var exchange: UInt64 { request.exchange }
}

/// Requests that ask for a WebSocket, and the change of their connections (RFC 6455 §4.2).
extension Clients {
    /// Whether the request is for the WebSocket endpoint. An address may be the endpoint of both protocols; then only a
    /// request for a WebSocket is.
    func isForWebSocket(_ head: RequestHead) -> Bool {
        guard loop.settings.webSocketPaths.contains(where: head.isFor) else { return false }
        return !head.isFor(loop.settings.path) || head.method == .get && head.asksForUpgrade
    }

    /// Judges a request for a WebSocket. The connection changes once nothing is owed on it any more (`W-19`).
    func serveWebSocket(_ request: borrowing HTTPRequest, on connection: ClientConnection) {
        guard request.head.method == .get else {
            refuse(
                request, .method, on: connection,
                request.head.method == .unknown
                    ? HTTPResponse(status: .notImplemented)
                    : HTTPResponse(status: .methodNotAllowed, fields: [("Allow", "GET")]))
            return
        }
        var fields = UpgradeFields(request.head)
        if request.head.framing != .none, request.head.framing != .length(0) { fields.hasBody = true }
        switch fields.judge() {
        case .accepted(let acceptInput):
            guard admitsOrigin(of: request.head) else {
                refuse(request, .origin, on: connection, Self.foreignOrigin)
                return
            }
            accept(request, Base64.encode(Digest.sha1Bytes(of: acceptInput).span), on: connection)
        case .notWebSocket:
            var page = HumanPage.response(loop.settings, scheme(of: request.head, on: connection))
            page.status = .upgradeRequired
            page.fields += Self.upgradeFields
            refuse(request, .notWebSocket, on: connection, page)
        case .wrongVersion:
            refuse(
                request, .version, on: connection,
                HTTPResponse(
                    status: .upgradeRequired,
                    fields: Self.upgradeFields + [("Sec-WebSocket-Version", UpgradeFields.version)]))
        case .refused(let fault):
            refuse(
                request, fault == .noXMPP ? .subprotocol : .malformed, on: connection,
                HTTPResponse(status: .badRequest, contentType: .plain, body: Array((fault.line + "\n").utf8)))
        }
    }

    private static let upgradeFields = [("Upgrade", "websocket"), ("Connection", "Upgrade")]

    private static let foreignOrigin = HTTPResponse(
        status: .forbidden, contentType: .plain,
        body: Array("pages of this origin may not use this endpoint: cors-origin does not list it\n".utf8))

    /// Whether a page of this origin may use the endpoint (`W-20`). A request without an origin comes from no page.
    private func admitsOrigin(of head: RequestHead) -> Bool {
        guard let origin = head.origin else { return !loop.settings.requiresOrigin }
        var head = head
        head.origin = AllowedPages.canonical(origin) ?? origin
        return loop.settings.crossOrigin.admits(head)
    }

    /// Refuses a request for a WebSocket. The connection ends, because a proxy may take it for a tunnel already
    /// (`W-18`).
    private func refuse(
        _ request: borrowing HTTPRequest, _ refusal: HandshakeRefusal, on connection: ClientConnection,
        _ response: consuming HTTPResponse
    ) {
        refuse(request.exchange, refusal, from: requester(of: request, on: connection), on: connection, response)
    }

    private func refuse(
        _ exchange: UInt64, _ refusal: HandshakeRefusal, from requester: Requester, on connection: ClientConnection,
        _ response: consuming HTTPResponse
    ) {
        loop.counters.webSockets.refused.count(refusal)
        loop.logs.clients.debug("WebSocket refused", metadata: requester.fields(["reason": "\(refusal.rawValue)"]))
        response.closesConnection = true
        respond(to: exchange, on: connection, response)
    }

    /// Lets a request become a WebSocket, here or in the worker that is to have it.
    private func accept(_ request: borrowing HTTPRequest, _ accept: [UInt8], on connection: ClientConnection) {
        if loop.isStopping {
            refuse(request, .stopping, on: connection, Sessions.comeAgain)
            return
        }
        if sessions.upstreams.sparesAll {
            refuse(request, .servers, on: connection, Sessions.comeAgain)
            return
        }
        if let tag = loop.fellows.placeForNew(
            own: sessions.countOfAll, mobility(of: connection), draw: loop.freshBits())
        {
            send(request, on: connection, to: .forNew(tag))
            return
        }
        connection.move = .upgrading
        noteUpgrade(
            PendingUpgrade(
                accept: accept, request: copy request, requester: requester(of: request, on: connection)),
            of: connection)
        // Polls that are held on this connection are answered first.
        for waiting in connection.waiting { awaitAnswer(to: waiting, on: connection.token) }
        markDirty(connection)
    }

    /// Makes a connection a WebSocket if nothing is owed on it any more.
    func upgrade(_ connection: ClientConnection) {
        guard connection.mayLeave else {
            // A client that has gone waits for no answer.
            if connection.clientEnd != .none { abortWaiting(on: connection) }
            updateInterest(of: connection)
            return
        }
        guard let pending = takeUpgrade(of: connection) else { return }
        connection.move = .none
        // The worker may have been retired while a request before this one was held.
        if sendAway(pending.request, on: connection) { return }
        let account: AddressLedger.Account
        do throws(CreationRefusal) {
            account = try admitSession(from: pending.requester)
        } catch {
            let refusal: HandshakeRefusal =
                switch error {
                case .descriptors, .memory: .shortage
                case .crowd: .crowd
                case .address: .address
                }
            refuse(
                pending.exchange, refusal, from: pending.requester, on: connection,
                Sessions.comeAgain(after: patience(after: error)))
            return
        }
        let socket: Descriptor
        do throws(SystemError) {
            socket = try connection.channel.copyDescriptor()
        } catch {
            loop.addresses.closeSession(of: account, hasLoggedIn: false, now: loop.now)
            refuse(pending.exchange, .shortage, from: pending.requester, on: connection, Sessions.comeAgain)
            return
        }
        sessions.makeRoomForLogin()
        let input = connection.backlog
        noteAnswer(to: pending.exchange, on: connection, status: 101, bodyCount: 0)
        // The connection under its new name counts for the address in place of this one.
        close(connection)
        let place = loop.addresses.takeConnection(
            from: rules.trustedProxies.limited(connection.peer.ipAddress), now: loop.now)
        webSockets.begin(
            StreamSocket(socket), accept: pending.accept, input: input, from: pending.requester, connection: place,
            account: account)
    }
}

extension UpgradeFields {
    /// The fields of a request.
    init(_ head: RequestHead) {
        self.init()
        isHTTP11OrLater = head.version == .http11
        head.eachUpgradeField { field, value in
            switch field {
            case .upgrade: upgrade.append(Array(value))
            case .connection: connection.append(Array(value))
            case .key: key.append(Array(value))
            case .version: version.append(Array(value))
            case .protocols: protocols.append(Array(value))
            }
        }
    }
}
