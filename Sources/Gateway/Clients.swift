import Addresses
import BOSHCore
import HTTPWire
import Primitives
import Reactor
import Settings

/// The HTTP connections of clients: which there are, whose turn it is, and when something has to happen on one.
///
/// What is asked for on them is for sessions or for the operator; no stream and no server is known here.
final class Clients {
    let loop: Loop
    let rules: ClientRules
    let bodies: BodyWork
    unowned let sessions: Sessions
    /// Answers a request on the operator's listener.
    let answerOperator: (RequestHead) -> HTTPResponse

    private var connections = SlotArray<ClientConnection>(.client)
    private var deadlines = DeadlineQueue()
    /// Connections that are written at the end of the batch.
    private var dirty: [ClientConnection] = []
    /// Connections that go on with input that has come already, when it is their turn.
    private var inTurn: [ClientConnection] = []
    /// Connections with more of a body to be read, the one that has waited longest first.
    private var bodyReaders: [ClientConnection] = []
    /// Connections that the kernel refused to watch for what was wanted.
    private var unwatchable: [Token] = []
    private var unfinished = UnfinishedBodies()

    init(_ loop: Loop, sessions: Sessions, answerOperator: @escaping (RequestHead) -> HTTPResponse) {
        self.loop = loop
        self.sessions = sessions
        self.answerOperator = answerOperator
        rules = ClientRules(loop.settings)
        bodies = BodyWork(loop)
    }

    // MARK: Which there are

    /// All of them, in no order that means anything.
    var all: [ClientConnection] { connections.all }

    /// How many there are.
    var count: Int { connections.count }

    /// Takes a connection in that somebody has made to a listener.
    func add(
        _ stream: consuming StreamSocket, from peer: SocketAddress, for role: ClientConnection.Role,
        expectsProxyHeader: Bool
    ) {
        let token = connections.nextToken()
        let connection = ClientConnection(
            token: token, role: role, peer: peer, socket: stream, rules: rules.rules(for: role, from: peer),
            expectsProxyHeader: expectsProxyHeader, now: loop.now)
        guard admit(connection) else { return }
        connections.insert(connection, at: token)
        loop.descriptorsInUse += 1
        do throws(SystemError) {
            try connection.channel.watch(for: [.readable, .peerClosed], as: token, in: loop.poller)
        } catch {
            loop.logger.error("watching a connection failed", metadata: ["error": "\(error)"])
            release(connection)
            forget(connection)
            return
        }
        loop.counters.connectionsEver += 1
        armDeadline(of: connection)
    }

    /// Lets go of a connection that is closed, or was never begun.
    func forget(_ connection: ClientConnection) {
        connections.remove(connection.token)
        loop.descriptorsInUse -= 1
    }

    /// The connection that an exchange came over; nil when it is gone.
    func connection(of exchange: ExchangeID) -> ClientConnection? { connections[Token(raw: exchange.connection)] }

    /// Takes in an event of a connection, if it still is there.
    func handle(_ event: PollEvent, of token: Token) {
        if let connection = connections[token] { handle(event, on: connection) }
    }

    /// Ends what the kernel refused to watch for what was wanted: nothing would ever be heard of it again.
    func endUnwatchable() {
        while let token = unwatchable.popLast() { connections[token].map(close) }
    }

    /// Has a connection ended with the turn, because the kernel does not watch it for what is wanted.
    func giveUp(_ connection: ClientConnection) { unwatchable.append(connection.token) }

    // MARK: Whose turn it is

    /// Whether some connection goes on without an event.
    var hasTurns: Bool { !inTurn.isEmpty || !bodyReaders.isEmpty || !bodies.large.isEmpty }

    /// How many wait for a turn of the loop, or for its end.
    var waitingCount: Int { dirty.count + inTurn.count + bodyReaders.count + (bodies.large.isEmpty ? 0 : 1) }

    /// Whether something is to be written at the end of the turn.
    var hasDirty: Bool { !dirty.isEmpty }

    /// Puts a connection into the list of those that are written at the end of the batch.
    func markDirty(_ connection: ClientConnection) {
        guard !connection.isDirty, connection.ending != .closed else { return }
        connection.isDirty = true
        dirty.append(connection)
    }

    /// Writes what the batch produced: one write for each connection, however many events led to it.
    func flushDirty() {
        let batch = dirty
        dirty = []
        for connection in batch {
            connection.isDirty = false
            flush(connection)
        }
    }

    /// Gives a connection its turn with the next batch, for input that has come already.
    func goOn(with connection: ClientConnection) {
        guard !connection.isInTurn else { return }
        connection.isInTurn = true
        inTurn.append(connection)
    }

    /// Goes on with the connections whose input had to wait, behind everybody else's turn.
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

    /// Puts a connection behind those that have waited longer for more of a body to be read. Bodies that come in pieces are
    /// read behind whatever is whole, so that many large ones do not delay who says little.
    func readInTurn(_ connection: ClientConnection) {
        guard !connection.isReadInTurn else { return }
        connection.isReadInTurn = true
        bodyReaders.append(connection)
    }

    /// Reads from the connections with more of a body to be read, as much as one turn has time for. The kernel reports the
    /// others again and again meanwhile, which costs little.
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
            // It may have been looked away from since, or closed.
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

    /// Has a connection looked at again at `deadline`.
    func schedule(_ connection: ClientConnection, at deadline: MonotonicInstant) {
        deadlines.schedule(slot: connection.token.slot, at: deadline)
    }

    /// Sees to the connections whose deadline may have passed.
    func handleDeadlines() {
        while let slot = deadlines.popDue(now: loop.now) {
            if let connection = connections[slot: slot] { handleDeadline(of: connection) }
        }
    }

    // MARK: Bodies that are half read

    /// How many there are.
    var unfinishedCount: Int { unfinished.count }

    /// A body of a connection has begun and will take more than one read.
    func noteUnfinished(_ connection: ClientConnection) {
        connection.isUnfinished = true
        unfinished.begin()
    }

    /// It is one of those that may be refused for want of memory.
    func keepUnfinished(_ connection: ClientConnection) {
        unfinished.append(.init(connection: connection.token, since: connection.pace.requestSince)) { isDone($0) }
    }

    /// It has come whole, or does not come any more.
    func noteFinished(_ connection: ClientConnection) {
        connection.isUnfinished = false
        unfinished.end()
    }

    /// Refuses the body that began last, so that those before it can end; false when there is none.
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

    /// What bodies one turn reads: less than a millisecond's work.
    private static let bodyBytesOfTurn = 512 * 1024
    /// A read costs as much as so many bytes, even if it brings less.
    private static let leastOfRead = 4 * 1024
}
