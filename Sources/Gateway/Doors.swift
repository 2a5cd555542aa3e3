import Addresses
import BOSHCore
import Logging
import Primitives
import ProcessLinks
import Reactor
import Settings

/// The listeners of a worker, and the new connections that they accept.
final class Doors {
    /// A listening socket and what it serves. A class, because a socket cannot be copied into an array.
    final class ListeningSocket: DescriptorOwner {
        let listener: Listener
        /// The address as it was written: port 0 stays 0.
        let written: String
        /// The events that the kernel watches the socket for.
        var watched = Watch()
        /// Whether connections are left to other workers, which listen on the same socket.
        var isLeftToOthers = false
        /// Whether other processes listen on the same socket.
        let isShared: Bool
        let role: ClientConnection.Role
        /// Whether every connection begins with a header of the PROXY protocol.
        let expectsProxyHeader: Bool
        /// The number by which all workers name it.
        let place: UInt32
        let token: Token
        var number: Int32 { listener.descriptor.number }

        init(
            _ listener: consuming Listener, isShared: Bool, role: ClientConnection.Role, expectsProxyHeader: Bool,
            place: UInt32, written: String, token: Token
        ) {
            self.place = place
            self.written = written
            self.listener = listener
            self.isShared = isShared
            self.role = role
            self.expectsProxyHeader = expectsProxyHeader
            self.token = token
        }
    }

    private let loop: Loop
    private unowned let clients: Clients
    private(set) var listeners: [ListeningSocket] = []
    private var reserve: DescriptorReserve
    /// When the listeners are watched again after accepting failed for lack of resources.
    private var acceptsAgainAt: MonotonicInstant?
    /// When the reserve is filled again; nil while it is full.
    private var fillsReserveAt: MonotonicInstant?
    /// When `handleDeadlines` is due; nil when nothing is.
    var nextDeadline: MonotonicInstant? {
        guard let acceptsAgainAt, let fillsReserveAt else { return acceptsAgainAt ?? fillsReserveAt }
        return min(acceptsAgainAt, fillsReserveAt)
    }

    /// - Throws: when there is no descriptor to keep in reserve.
    init(_ loop: Loop, clients: Clients) throws(SystemError) {
        self.loop = loop
        self.clients = clients
        reserve = try DescriptorReserve(connections: Self.operatorConnections)
    }

    /// Opens a listener, or uses the socket that this process was given for it. `open` follows.
    ///
    /// - Throws: `StartError`, if the address is not valid or cannot be listened on.
    func listen(
        on address: ListenAddress, role: ClientConnection.Role, expectsProxyHeader: Bool = false,
        given: WorkerPlace.GivenListener? = nil
    ) throws(StartError) {
        guard let parsed = SocketAddress(address.description) else {
            throw StartError("'\(address)' is not an address to listen on")
        }
        guard listeners.count < Self.mostListeners else {
            throw StartError("cannot listen on \(address): there are more than \(Self.mostListeners) listeners")
        }
        do throws(SystemError) {
            let token = Token(.listener, slot: UInt32(listeners.count))
            let listener =
                if let given = given?.descriptor.take() { try Listener(adopting: given) } else { try Listener(parsed) }
            let socket = ListeningSocket(
                listener, isShared: given != nil, role: role, expectsProxyHeader: expectsProxyHeader,
                place: given?.number ?? token.slot, written: address.description, token: token)
            listeners.append(socket)
        } catch {
            throw StartError("cannot listen on \(address): \(error.reason)")
        }
    }

    /// Accepts connections from now on.
    ///
    /// - Throws: the kernel refused to watch a listener.
    func open() throws(SystemError) {
        for socket in listeners {
            try socket.watched.set(.readable, of: socket.listener.descriptor, as: socket.token.raw, in: loop.poller)
        }
    }

    /// Accepts the connections that wait at a listener.
    func accept(on token: Token) {
        guard let socket = listeners.first(where: { $0.token == token }) else { return }
        // An operator's connection may have ended since the reserve was last filled. No other may take its place.
        fillReserve()
        // A limit keeps a storm of new connections from starving the existing ones. The rest is reported again
        // (level-triggered).
        for _ in 0..<64 {
            switch socket.listener.accept() {
            case .accepted(let stream, let peer):
                add(stream, peer: peer, from: socket)
            case .wouldBlock:
                return
            case .descriptorsExhausted:
                if socket.role == .admin, releaseForOperator() { continue }
                guard turnAway(at: socket) else {
                    pauseAccepting()
                    return
                }
            case .failed(let error):
                loop.logs.clients.error("accepting a connection failed", metadata: ["error": "\(error)"])
                pauseAccepting()
                return
            }
        }
    }

    /// Closes the listeners, so that a successor can listen there at once. Accepts the waiting connections first,
    /// because closing a listener resets them.
    func close() {
        for socket in listeners {
            acceptAll(on: socket)
            socket.watched.end(of: socket.listener.descriptor, in: loop.poller)
            // A shared socket is still listened on by others, and its path is removed by the process that made it.
            if !socket.isShared { socket.listener.removePath() }
        }
        listeners = []
    }

    /// Leaves the connections at the listeners of these numbers to other workers, and accepts at all others. The listeners
    /// stay open, because the others may be gone one day when a client still looks for its session here.
    func leave(_ numbers: [UInt32]) {
        for socket in listeners {
            socket.isLeftToOthers = numbers.contains(socket.place)
            if socket.isLeftToOthers { socket.watched.end(of: socket.listener.descriptor, in: loop.poller) }
        }
        if acceptsAgainAt == nil { watchAll() }
    }

    /// Accepts all waiting connections; there cannot be more than the queue holds.
    private func acceptAll(on socket: ListeningSocket) {
        for _ in 0...Listener.backlog {
            switch socket.listener.accept() {
            case .accepted(let stream, let peer):
                add(stream, peer: peer, from: socket)
            case .descriptorsExhausted:
                guard turnAway(at: socket) else { return }
            case .wouldBlock:
                return
            case .failed(let error):
                loop.logs.clients.error("accepting a connection failed", metadata: ["error": "\(error)"])
                return
            }
        }
    }

    /// Closes a waiting connection for which no descriptor is left. Returns false when even that cannot be done now.
    private func turnAway(at socket: ListeningSocket) -> Bool {
        loop.counters.connectionsTurnedAway += 1
        loop.counters.connectionsWithoutDescriptor &+= 1
        loop.tellOfDescriptors()
        let hasTurnedAway = reserve.turnAway(socket.listener)
        return fillReserve() && hasTurnedAway
    }

    /// Gives up one descriptor of the reserve for a connection of an operator. Returns false when none may be given up.
    private func releaseForOperator() -> Bool {
        guard reserve.release() else { return false }
        fillsReserveAt = loop.now.advanced(by: Self.fillingPause)
        return true
    }

    /// Fills the reserve as far as there are descriptors, and sees to it that the rest follows: perhaps nobody connects
    /// for hours, and streams to servers would take what is free.
    ///
    /// - Returns: whether somebody can be turned away.
    @discardableResult
    private func fillReserve() -> Bool {
        let isUsable = reserve.refill()
        fillsReserveAt = reserve.isFull ? nil : loop.now.advanced(by: Self.fillingPause)
        return isUsable
    }

    /// Stops watching the listeners for a moment: waiting connections would be reported for ever, and cannot be served
    /// now.
    private func pauseAccepting() {
        guard acceptsAgainAt == nil else { return }
        acceptsAgainAt = loop.now.advanced(by: Self.acceptingPause)
        for socket in listeners { socket.watched.end(of: socket.listener.descriptor, in: loop.poller) }
    }

    private func add(_ stream: consuming StreamSocket, peer: SocketAddress, from listener: ListeningSocket) {
        guard !listener.expectsProxyHeader || clients.rules.trustedProxies.trusts(peer.ipAddress) else {
            // A peer that is not trusted could write any address into the header.
            loop.counters.connectionsUntrusted += 1
            loop.logs.clients.debug("connection refused: not a trusted proxy", metadata: ["peer": "\(peer)"])
            return
        }
        let origin = ClientConnection.Origin(
            role: listener.role, door: UInt8(clamping: listener.place),
            isFromProxy: clients.rules.trustedProxies.trusts(peer.ipAddress),
            expectsProxyHeader: listener.expectsProxyHeader)
        if clients.add(stream, from: peer, at: origin) != nil { loop.counters.connectionsEver += 1 }
    }

    /// Fills the reserve, and accepts again after a pause, when the time for it has come.
    func handleDeadlines() {
        if let fillsReserveAt, fillsReserveAt <= loop.now { fillReserve() }
        if let acceptsAgainAt, acceptsAgainAt <= loop.now { resumeAccepting() }
    }

    private func resumeAccepting() {
        acceptsAgainAt = nil
        if loop.isStopping { return }
        // Without a descriptor in reserve, nobody could be turned away, and the waiting connections would be reported
        // for ever.
        guard fillReserve() else {
            acceptsAgainAt = loop.now.advanced(by: Self.acceptingPause)
            return
        }
        watchAll()
    }

    /// Watches the listeners that are not left to other workers. Where that fails, it is tried again later.
    private func watchAll() {
        for socket in listeners where !socket.isLeftToOthers {
            do throws(SystemError) {
                try socket.watched.set(
                    .readable, of: socket.listener.descriptor, as: socket.token.raw, in: loop.poller)
            } catch {
                loop.logs.clients.error("watching a listener failed", metadata: ["error": "\(error)"])
                acceptsAgainAt = loop.now.advanced(by: Self.acceptingPause)
            }
        }
    }

    /// How many connections of operators are served although no descriptor is left.
    private static let operatorConnections = 8

    /// As many as a connection can tell apart.
    private static let mostListeners = Int(UInt8.max)

    /// How long nothing is accepted after accepting failed for lack of resources.
    private static let acceptingPause = Duration.milliseconds(500)

    /// How long the reserve stays short until filling it is tried again.
    private static let fillingPause = Duration.seconds(1)
}
