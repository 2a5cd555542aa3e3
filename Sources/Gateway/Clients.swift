import Addresses
import BOSHCore
import HTTPWire
import Primitives
import Reactor
import Settings

/// The HTTP connections of clients. It knows which there are, which one is served next, and when each needs attention.
///
/// Their requests go to sessions or to the operator's pages. This class knows no stream and no server.
final class Clients {
    let loop: Loop
    let rules: ClientRules
    let bodies: BodyWork
    unowned let sessions: Sessions
    unowned let webSockets: WebSockets
    unowned let polling: Polling
    /// What clients of other generations may send; nil while all generations allow the same.
    private(set) var looserRules: LooserRules?
    /// The other workers, and the connections that are on their way to them.
    private(set) var moves: Mailboxes!
    /// Answers a request on the operator's listener.
    let answerOperator: (RequestHead, ExchangeID) -> HTTPResponse?

    private var connections = SlotArray<ClientConnection>(.client)
    private var deadlines = DeadlineQueue()
    /// Connections that are written at the end of the batch.
    private var dirty: [ClientConnection] = []
    /// Connections that go on with input that has come already, in their turn.
    private var inTurn: [ClientConnection] = []
    /// Connections with more of a body to be read, the one that has waited longest first.
    private var bodyReaders: [ClientConnection] = []
    /// Connections whose wanted events the kernel refused to watch.
    private var unwatchable: [Token] = []
    private var unfinished = UnfinishedBodies()
    /// What the operator was told of proxies that do not name their clients.
    private var unnamedClients = UnnamedClients()
    /// Requests that become WebSockets, by their connections.
    private var upgrades: [Token: PendingUpgrade] = [:]

    init(
        _ loop: Loop, sides: ClientSides, adminToken: AdminToken? = nil,
        answerOperator: @escaping (RequestHead, ExchangeID) -> HTTPResponse?
    ) {
        self.loop = loop
        sessions = sides.bosh
        webSockets = sides.webSockets
        polling = sides.polling
        self.answerOperator = answerOperator
        rules = ClientRules(loop.settings, adminToken: adminToken)
        bodies = BodyWork(loop)
    }

    /// Reads requests by these rules from now on, on all connections.
    func use(_ looser: LooserRules) {
        looserRules = looser
        for rules in [rules.http, rules.proxy] { rules.change(body: looser.body, crossOrigin: looser.crossOrigin) }
    }

    /// Connects this object with the links to the other workers.
    func connect(_ moves: Mailboxes) { self.moves = moves }

    // MARK: Which there are

    /// All connections, in no particular order.
    var all: [ClientConnection] { connections.all }

    /// How many connections there are.
    var count: Int { connections.count }

    /// Takes in a new connection to a listener, or one that another worker has sent.
    ///
    /// - Parameter isMoving: whether another worker sent it.
    /// - Returns: the connection; nil when it is refused, which closes it.
    @discardableResult
    func add(
        _ stream: consuming StreamSocket, from peer: SocketAddress, at origin: ClientConnection.Origin,
        isMoving: Bool = false
    ) -> ClientConnection? {
        let token = connections.nextToken()
        let connection = ClientConnection(
            token: token, origin: origin, peer: peer, socket: stream, rules: rules.rules(for: origin), now: loop.now)
        if isMoving {
            admitAgain(connection)
        } else {
            guard admit(connection) else { return nil }
        }
        connections.insert(connection, at: token)
        loop.descriptorsInUse += 1
        do throws(SystemError) {
            try connection.channel.watch(for: [.readable, .peerClosed], as: token, in: loop.poller)
        } catch {
            loop.logPeer(.clients, .error, "watching a connection failed", ["error": "\(error)"])
            release(connection)
            forget(connection)
            return nil
        }
        // One that moves is armed when it goes on, with the time for which it has been silent.
        if !isMoving { armDeadline(of: connection) }
        return connection
    }

    /// Notes that a request becomes a WebSocket once nothing is owed on its connection.
    func noteUpgrade(_ upgrade: PendingUpgrade, of connection: ClientConnection) {
        upgrades[connection.token] = upgrade
    }

    /// Whether the request of a connection is known that becomes a WebSocket.
    func hasUpgrade(_ connection: ClientConnection) -> Bool { upgrades[connection.token] != nil }

    /// Takes the request of a connection that becomes a WebSocket.
    func takeUpgrade(of connection: ClientConnection) -> PendingUpgrade? {
        upgrades.removeValue(forKey: connection.token)
    }

    /// Removes a connection that is closed, or was never begun.
    func forget(_ connection: ClientConnection) {
        if connection.move == .upgrading { upgrades[connection.token] = nil }
        connections.remove(connection.token)
        loop.descriptorsInUse -= 1
    }

    /// The connection of an exchange; nil when it is gone.
    func connection(of exchange: ExchangeID) -> ClientConnection? { connections[Token(raw: exchange.connection)] }

    /// Handles an event of a connection, if the connection still exists.
    func handle(_ event: PollEvent, of token: Token) {
        if let connection = connections[token] { handle(event, on: connection) }
    }

    /// Whether the kernel has refused to watch some of the connections.
    var hasUnwatchable: Bool { !unwatchable.isEmpty }

    /// Whether the operator is to be told now of a proxy that does not name its client.
    func isLineDue(aboutMissingField isMissing: Bool) -> Bool {
        unnamedClients.isLineDue(isMissing: isMissing, now: loop.now)
    }

    /// Ends the connections that the kernel refused to watch: no event would ever come for them.
    func endUnwatchable() {
        while let token = unwatchable.popLast() { connections[token].map(close) }
    }

    /// Ends a connection at the end of the turn, because the kernel does not watch it for the wanted events.
    func giveUp(_ connection: ClientConnection) { unwatchable.append(connection.token) }

    // MARK: Whose turn it is

    /// Whether any connection goes on without an event.
    var hasTurns: Bool { !inTurn.isEmpty || !bodyReaders.isEmpty || !bodies.large.isEmpty }

    /// How many connections wait for a turn of the loop, or for its end.
    var waitingCount: Int { dirty.count + inTurn.count + bodyReaders.count + (bodies.large.isEmpty ? 0 : 1) }

    /// Whether anything is to be written at the end of the turn.
    var hasDirty: Bool { !dirty.isEmpty }

    /// Adds a connection to those that are written at the end of the batch.
    func markDirty(_ connection: ClientConnection) {
        guard !connection.isDirty, connection.ending != .closed else { return }
        connection.isDirty = true
        dirty.append(connection)
    }

    /// Writes the output of the batch: one write for each connection, however many events caused it.
    func flushDirty() {
        let batch = dirty
        dirty = []
        for connection in batch {
            connection.isDirty = false
            flush(connection)
        }
    }

    /// Gives a connection a turn with the next batch, for input that has come already.
    func goOn(with connection: ClientConnection) {
        guard !connection.isInTurn else { return }
        connection.isInTurn = true
        inTurn.append(connection)
    }

    /// Goes on with the connections whose input had to wait, after all others had their turn.
    func workOnInput() {
        guard !inTurn.isEmpty else { return }
        let turn = inTurn
        inTurn = []
        for connection in turn {
            connection.isInTurn = false
            guard connection.ending == .none, !connection.hasUnwritten else { continue }
            if !connection.backlog.isEmpty {
                consumeBacklog(of: connection)
            } else if connection.clientEnd != .none, connection.http.mayRead {
                read(from: connection)
            }
            if connection.clientEnd != .none { markDirty(connection) }
        }
    }

    /// Puts a connection at the end of the list of those with more of a body to be read. Bodies that come in pieces are
    /// read after complete requests, so that many large bodies do not delay small requests.
    func readInTurn(_ connection: ClientConnection) {
        guard !connection.isReadInTurn else { return }
        connection.isReadInTurn = true
        bodyReaders.append(connection)
    }

    /// Reads from the connections with more of a body to be read, as much as one turn has time for. Meanwhile the
    /// kernel reports the others again and again, which costs little.
    func readBodies() {
        guard !bodyReaders.isEmpty else { return }
        var budget = Self.bodyBytesOfTurn
        var turns = 0
        let readers = bodyReaders
        bodyReaders = []
        while turns < readers.count, budget > 0 {
            let connection = readers[turns]
            turns += 1
            connection.isReadInTurn = false
            // The connection may have been closed since, or is not being read any more.
            guard connection.ending != .closed, connection.channel.isReading else { continue }
            read(from: connection)
            budget -= max(loop.readBuffer.count, Self.leastOfRead)
        }
        bodyReaders.insert(contentsOf: readers[turns...], at: 0)
    }

    // MARK: When something has to happen

    /// The earliest deadline of a connection.
    var nextDeadline: MonotonicInstant? { deadlines.next }

    /// When a connection is looked at next; nil when nothing is due.
    func due(_ connection: ClientConnection) -> MonotonicInstant? { deadlines.due(connection.token.slot) }

    /// Arranges that a connection is looked at again at `deadline`.
    func schedule(_ connection: ClientConnection, at deadline: MonotonicInstant) {
        deadlines.schedule(slot: connection.token.slot, at: deadline)
    }

    /// Handles the connections whose deadline may have passed.
    func handleDeadlines() {
        while let slot = deadlines.popDue(now: loop.now) {
            if let connection = connections[slot: slot] { handleDeadline(of: connection) }
        }
    }

    // MARK: Bodies that are half read

    /// How many bodies are half read.
    var unfinishedCount: Int { unfinished.count }

    /// Notes that a body of a connection has begun and takes more than one read.
    func noteUnfinished(_ connection: ClientConnection) {
        connection.isUnfinished = true
        unfinished.begin()
    }

    /// Adds the body to those that may be refused for lack of memory.
    func keepUnfinished(_ connection: ClientConnection) {
        unfinished.append(.init(connection: connection.token, since: connection.pace.requestSince)) { isDone($0) }
    }

    /// Notes that a half-read body is complete, or does not come any more.
    func noteFinished(_ connection: ClientConnection) {
        connection.isUnfinished = false
        unfinished.end()
    }

    /// Refuses the body that began last, so that the older ones can be completed. Returns false when there is none.
    func refuseNewestBody() -> Bool {
        while let newest = unfinished.takeNewest() {
            guard !isDone(newest), let connection = connections[newest.connection] else { continue }
            refuseBody(of: connection)
            return true
        }
        return false
    }

    private func isDone(_ body: UnfinishedBodies.Entry) -> Bool {
        guard let connection = connections[body.connection] else { return true }
        return !connection.isUnfinished || connection.pace.requestSince != body.since
    }

    /// How many bytes of bodies one turn reads: less than a millisecond's work.
    private static let bodyBytesOfTurn = 512 * 1024
    /// The least that a read counts for, in bytes, even if it brings less.
    private static let leastOfRead = 4 * 1024
}
