import HTTPWire
import Reactor

extension Worker {
    /// Takes the connections that wait on a listener.
    func accept(on index: Int) {
        guard index < listeners.count else { return }
        let socket = listeners[index]
        // A bound keeps a storm of new connections from starving those that exist; level-triggered, so nothing is lost.
        for _ in 0..<64 {
            switch socket.listener.accept() {
            case .accepted(let stream, let peer):
                add(stream, peer: peer, from: socket)
            case .wouldBlock:
                return
            case .descriptorsExhausted:
                counters.connectionsTurnedAway += 1
                let hasTurnedAway = reserve.turnAway(socket.listener)
                guard reserve.refill(), hasTurnedAway else {
                    pauseAccepting()
                    return
                }
            case .failed(let error):
                logger.error("accepting a connection failed", metadata: ["error": "\(error)"])
                pauseAccepting()
                return
            }
        }
    }

    /// Closes the listeners, so that a successor can listen there at once. Whoever has connected is accepted first,
    /// for closing a listener resets those that wait.
    func closeListeners() {
        for socket in listeners {
            acceptAll(on: socket)
            socket.watched.end(of: socket.listener.descriptor, in: poller)
            socket.listener.removePath()
        }
        listeners = []
    }

    /// Accepts all that wait: more than the queue holds cannot.
    private func acceptAll(on socket: ListeningSocket) {
        for _ in 0...Listener.backlog {
            switch socket.listener.accept() {
            case .accepted(let stream, let peer):
                add(stream, peer: peer, from: socket)
            case .descriptorsExhausted:
                counters.connectionsTurnedAway += 1
                let hasTurnedAway = reserve.turnAway(socket.listener)
                guard reserve.refill(), hasTurnedAway else { return }
            case .wouldBlock:
                return
            case .failed(let error):
                logger.error("accepting a connection failed", metadata: ["error": "\(error)"])
                return
            }
        }
    }

    /// Looks away from the listeners for a moment: who waits there would be reported for ever, and cannot be helped now.
    private func pauseAccepting() {
        guard acceptsAgainAt == nil else { return }
        acceptsAgainAt = now.advanced(by: Self.acceptingPause)
        for socket in listeners { socket.watched.end(of: socket.listener.descriptor, in: poller) }
    }

    private func add(_ stream: consuming StreamSocket, peer: SocketAddress, from listener: ListeningSocket) {
        let isTrusted = trustedProxies.trusts(peer.ipAddress)
        guard isTrusted || !listener.expectsProxyHeader else {
            // Whoever is not trusted could write any address into the header.
            counters.connectionsUntrusted += 1
            logger.debug("connection refused: not a trusted proxy", metadata: ["peer": "\(peer)"])
            return
        }
        let rules = listener.role == .admin ? adminRules : isTrusted ? proxyRules : httpRules
        let token = connections.nextToken()
        let connection = ClientConnection(
            token: token, role: listener.role, peer: peer, socket: stream, rules: rules,
            expectsProxyHeader: listener.expectsProxyHeader, now: now)
        guard admit(connection) else { return }
        connections.insert(connection, at: token)
        do throws(SystemError) {
            try connection.socket.watch(for: [.readable, .peerClosed], as: connection.token.raw, in: poller)
        } catch {
            logger.error("watching a connection failed", metadata: ["error": "\(error)"])
            release(connection)
            connections.remove(connection.token)
            return
        }
        counters.connectionsEver += 1
        armDeadline(of: connection)
    }

    /// Accepts again after a pause, when its time has come.
    func resumeAccepting() {
        guard let acceptsAgainAt, acceptsAgainAt <= now else { return }
        self.acceptsAgainAt = nil
        if isStopping { return }
        // Without a descriptor in reserve nobody could be turned away, and they would be reported for ever.
        guard reserve.refill() else {
            self.acceptsAgainAt = now.advanced(by: Self.acceptingPause)
            return
        }
        for socket in listeners {
            do throws(SystemError) {
                try socket.watched.set(
                    .readable, of: socket.listener.descriptor, as: socket.token.raw, in: poller)
            } catch {
                logger.error("watching a listener failed", metadata: ["error": "\(error)"])
                self.acceptsAgainAt = now.advanced(by: Self.acceptingPause)
            }
        }
    }

    /// For how long nobody is accepted after accepting failed for want of resources.
    private static let acceptingPause = Duration.milliseconds(500)
}
