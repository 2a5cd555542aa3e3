import Addresses
import BOSHCore
import HTTPWire
import Handover
import Primitives
import Reactor

/// Connections that follow their session to another worker, and those that come from one.
extension Clients {
    /// Whether another worker may serve a new request of this connection.
    func mobility(of connection: ClientConnection) -> Mobility {
        connection.move == .placed ? .placed : connection.mayLeave ? .free : .bound
    }

    /// Sends a request to the worker that owns the session which its body mentions, if that is another one.
    ///
    /// What is for another worker is parsed there, so it need not be parsed here. A text that only looks like that is no
    /// request of any session, and the other worker says so.
    ///
    /// - Returns: whether it was sent.
    func goesElsewhere(_ request: borrowing HTTPRequest, on connection: ClientConnection) -> Bool {
        guard loop.fellows.hasOthers, mobility(of: connection) != .placed,
            let sid = SessionID(mentionedIn: request.body.span) ?? SessionID(pollingIn: request.body.span),
            loop.fellows.mayHave(sid)
        else { return false }
        send(request, on: connection, to: .elsewhere(sid.worker))
        return true
    }

    /// Sends a request and its connection to the worker that is to serve it, unless that is this one.
    ///
    /// The connection leaves once all earlier requests on it are answered; polls that are held for them are answered now.
    func send(_ request: borrowing HTTPRequest, on connection: ClientConnection, to placement: Placement) {
        if connection.move == .placed { connection.move = .none }
        guard placement != .here else { return }
        let departure = Departure(request, on: connection, to: placement)
        guard connection.ending != .closed else {
            // The client has gone, but its request has come whole, so its session gets it.
            moves.dispatch(departure)
            return
        }
        connection.move = .due
        moves.note(departure)
        for waiting in connection.waiting { awaitAnswer(to: waiting, on: connection.token) }
        markDirty(connection)
    }

    /// Lets a connection leave if nothing is owed on it any more.
    func leave(_ connection: ClientConnection) {
        guard connection.mayLeave else {
            // A client that has gone waits for no answer; the request after the held ones goes on.
            if connection.clientEnd != .none { abortWaiting(on: connection) }
            updateInterest(of: connection)
            return
        }
        guard let departure = moves.departure(of: connection) else { return }
        connection.move = .underway
        connection.channel.unwatch(in: loop.poller)
        // From now on the other worker counts it.
        release(connection)
        moves.dispatch(departure)
    }

    /// Closes the descriptor of a connection that another worker has taken.
    func hasMoved(_ departure: Departure) {
        loop.counters.handoversSent &+= 1
        close(departure.connection)
    }

    /// Goes on with a connection that no other worker has taken.
    ///
    /// - Parameter isRefused: whether the other worker refused it. Otherwise that worker has ended, and so have its
    ///   sessions.
    func comeBack(_ departure: Departure, isRefused: Bool) {
        let connection = departure.connection
        // A refused request is answered here; the next one may be for the same worker again.
        connection.move = isRefused ? .none : .placed
        guard connection.ending != .closed else { return }
        admitAgain(connection)
        if isRefused { loop.counters.handoversRefused &+= 1 }
        if let request = departure.request {
            if isRefused {
                var answer = Sessions.comeAgain
                // A proxy may take the connection for a tunnel already (`W-18`).
                if isForWebSocket(request.head) { answer.closesConnection = true }
                respond(to: request.exchange, on: connection, answer)
            } else if request.head.method != .post || departure.placement.isByOther || isForPolling(request.head) {
                serve(request, on: connection)
            } else {
                serve(request, .identity, on: connection)
            }
        } else {
            connection.move = .none
        }
        afterReading(connection)
        markDirty(connection)
    }

    /// Takes in a connection from another worker. Its request is served by `begin`.
    ///
    /// - Returns: nil when it is refused.
    func takeIn(
        _ stream: consuming StreamSocket, _ envelope: consuming Envelope, at origin: ClientConnection.Origin
    ) -> ClientConnection? {
        guard let connection = add(stream, from: SocketAddress(envelope.peer), at: origin, isMoving: true) else {
            return nil
        }
        connection.isClientUnknown = envelope.isClientUnknown
        connection.scheme = ClientScheme(envelope.scheme)
        connection.move = .arriving
        connection.backlog = envelope.input
        connection.pace.phaseSince = loop.now.advanced(by: .milliseconds(-Int64(envelope.silence)))
        return connection
    }

    /// Serves the requests that came with a connection from another worker, which has been told.
    func begin(_ connection: ClientConnection) {
        guard connection.move == .arriving else { return }
        guard !connection.backlog.isEmpty else {
            // Its next request may be for any worker.
            connection.move = .none
            armDeadline(of: connection)
            updateInterest(of: connection)
            return
        }
        connection.move = .placed
        consumeBacklog(of: connection)
    }

    /// Sends the connections on which no request has begun to workers that take new sessions. None of them is closed: a
    /// request may be on its way.
    func sendIdleAway() {
        for connection in all where connection.isIdle {
            guard let tag = loop.fellows.successor() else { return }
            connection.move = .underway
            connection.channel.unwatch(in: loop.poller)
            release(connection)
            let departure = Departure(connection, to: .byOther(tag), now: loop.now)
            moves.note(departure)
            moves.dispatch(departure)
        }
    }

    /// Sends a request away that is for no session of this worker, which takes nothing new.
    ///
    /// - Returns: false when the request is to be served here.
    func sendAway(_ request: borrowing HTTPRequest, on connection: ClientConnection) -> Bool {
        guard loop.fellows.isRetired, connection.move != .placed else { return false }
        // Sessions decide about their own requests.
        let isForSession =
            connection.role == .bosh && request.head.method == .post
            && (isForPolling(request.head)
                || request.head.isFor(loop.settings.path) && loop.settings.crossOrigin.admits(request.head))
        guard !isForSession, let tag = loop.fellows.successor() else { return false }
        send(request, on: connection, to: .byOther(tag))
        return true
    }
}

extension Envelope.Peer {
    /// The other end of a connection.
    init(_ address: SocketAddress) {
        switch address {
        case .ipv4(let number, let port): self = .ipv4(number, port: port)
        case .ipv6(let number, let port, let scope): self = .ipv6(number, port: port, scope: scope)
        case .unix: self = .unnamed
        }
    }
}

extension Envelope.Scheme {
    /// What a PROXY header said.
    init(_ scheme: ClientScheme) {
        switch scheme {
        case .unknown: self = .unknown
        case .http: self = .http
        case .https: self = .https
        }
    }
}

extension ClientScheme {
    /// What a PROXY header said to another worker.
    init(_ scheme: Envelope.Scheme) {
        switch scheme {
        case .unknown: self = .unknown
        case .http: self = .http
        case .https: self = .https
        }
    }
}

extension SocketAddress {
    /// The other end of a connection from another worker.
    init(_ peer: Envelope.Peer) {
        switch peer {
        case .unnamed: self = .unix("")
        case .ipv4(let number, let port): self = .ipv4(number, port: port)
        case .ipv6(let number, let port, let scope): self = .ipv6(number, port: port, scope: scope)
        }
    }
}
