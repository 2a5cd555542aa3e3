import Addresses
import BOSHCore
import Bridge
import HTTPWire
import Primitives
import Reactor
import Settings
import WebSocketCore
import WebSocketWire
import XMLCodec

/// The clients over WebSocket. It knows which there are, which one is served next, when each needs attention, and what
/// they hold.
///
/// Each session gets the messages of its client and the events of its stream, and its decisions are executed. This
/// class names a stream by its number, and knows no HTTP but the answer to the handshake.
final class WebSockets {
    let loop: Loop
    private let usualPolicy: WebSocketPolicy
    /// The policy while memory is short.
    private let tightPolicy: WebSocketPolicy
    let domains: ServedDomains
    let patience: Patience
    let parser: MessageParser
    private(set) unowned var sides: ClientSides!
    private(set) unowned var clients: Clients!
    private(set) unowned var upstreams: Upstreams!

    private var sockets = SlotArray<WebSocketClient>(.webSocket)
    private var deadlines = DeadlineQueue()
    private var logins = LoginQueue()
    private var loginTimes = SlotTimes()
    /// How many sessions there are; a closing socket has none any more.
    private(set) var count = 0
    /// Clients that are written at the end of the batch.
    private var dirty: [WebSocketClient] = []
    /// Clients whose long messages wait or are being worked on, in the order of arrival.
    private var long: [WebSocketClient] = []
    let longParser: MessageParser
    /// Whether the first of them has been begun.
    private var isLongBegun = false
    /// Clients whose wanted events the kernel refused to watch.
    private var unwatchable: [Token] = []
    /// A buffer for the effects of one input, used again each time.
    private var effects: [WebSocketEffect] = []
    /// The client whose bytes are being handled.
    private var reading: WebSocketClient?
    /// A buffer for the message that is being read, used again each time.
    private var scratch: [UInt8] = []

    init(_ loop: Loop) {
        self.loop = loop
        let settings = loop.settings
        usualPolicy = WebSocketPolicy(settings)
        tightPolicy = usualPolicy.tightened
        domains = ServedDomains(settings)
        patience = ClientRules(settings).patience
        parser = MessageParser(limits: .ofClients(settings))
        longParser = MessageParser(limits: .ofClients(settings))
    }

    /// Connects this object with the parts that it uses.
    func connect(sides: ClientSides, clients: Clients, upstreams: Upstreams) {
        self.sides = sides
        self.clients = clients
        self.upstreams = upstreams
    }

    /// What clients may take now. While memory is short, a server is soon not read whose client does not take what has
    /// come.
    var policy: WebSocketPolicy { loop.memory.pressure >= .high ? tightPolicy : usualPolicy }

    // MARK: Which there are

    /// All sockets, in the order of their slots; some have no session any more.
    var all: [WebSocketClient] { sockets.all }

    /// How many sockets there are.
    var socketCount: Int { sockets.count }

    /// How many sessions wait for their streams to open.
    var openingCount: Int { all.count { $0.session.phase == .opening } }

    /// How many sessions have not logged in.
    var loginCount: Int { logins.count }

    /// The client at a slot, whichever it is.
    func client(at slot: UInt32) -> WebSocketClient? { sockets[slot: slot] }

    /// Takes in a client whose handshake is over, and answers it.
    ///
    /// - Parameters:
    ///   - socket: its connection.
    ///   - accept: the value of `Sec-WebSocket-Accept`.
    ///   - input: the bytes that came behind the handshake.
    func begin(
        _ socket: consuming StreamSocket, accept: [UInt8], input: [UInt8], from requester: Requester,
        connection: AddressLedger.Account, account: AddressLedger.Account
    ) {
        let bits = loop.freshBits()
        let token = sockets.nextToken()
        let client = WebSocketClient(
            token: token, name: bits.sixteenDigits.prefix(8).description, requester: requester,
            session: WebSocketSession(bits: loop.freshBits(), now: loop.now, policy: policy), socket: socket,
            limits: FrameLimits(message: loop.settings.loginBody), connection: connection, account: account,
            now: loop.now)
        sockets.insert(client, at: token)
        loop.descriptorsInUse += 1
        count += 1
        logins.append(token.slot)
        loginTimes.begin(token.slot, now: loop.now)
        loop.counters.webSockets.opened &+= 1
        sides.showCount()
        loop.logs.sessions.debug(
            "WebSocket opened", metadata: ["sid8": "\(client.name)", "client": "\(requester.name)"])
        client.channel.append(pool: &loop.pool) { Self.appendAnswer(accept: accept, to: &$0) }
        markDirty(client)
        schedule(client)
        whileReading(client) {
            if !input.isEmpty { take(input.span, of: client) }
        }
    }

    /// The answer to the handshake (RFC 6455 §4.2.2, `W-16`, `W-17`).
    private static func appendAnswer(accept: [UInt8], to output: inout [UInt8]) {
        output.append(
            contentsOf: """
                HTTP/1.1 101 Switching Protocols\r
                Upgrade: websocket\r
                Connection: Upgrade\r
                Sec-WebSocket-Protocol: \(UpgradeFields.subprotocol)\r
                Sec-WebSocket-Accept: 
                """.utf8)
        output.append(contentsOf: accept)
        output.append(contentsOf: "\r\n\r\n".utf8)
    }

    /// Removes a client whose connection is gone.
    func forget(_ client: WebSocketClient) {
        sockets.remove(client.token)
        loop.descriptorsInUse -= 1
        if let index = long.firstIndex(where: { $0 === client }), index > 0 { long.remove(at: index) }
    }

    // MARK: What is said to a session, and what it says

    /// Gives a session an input and executes its decisions.
    func handle(_ input: consuming WebSocketInput, of client: WebSocketClient) {
        guard !client.isOver else { return }
        effects.removeAll(keepingCapacity: true)
        client.session.handle(input, now: loop.now, policy: policy, into: &effects)
        executeEffects(of: client)
    }

    /// Gives a session an event of its stream.
    func receive(_ event: consuming UpstreamEvent, session slot: UInt32) {
        guard let client = client(at: slot) else { return }
        let mayRead = client.ask { $0.mayRead }
        handle(.upstream(event), of: client)
        // A server that takes bytes again sends nothing by which the client would be looked at.
        if client.ask({ $0.mayRead }) != mayRead {
            if !mayRead, client.messageSince != .none {
                client.messageSince = CoarseInstant(loop.now)
                schedule(client)
            }
            updateInterest(of: client)
        }
        guard logins.contains(slot), client.ask({ $0.hasLoggedIn }) else { return }
        logins.remove(slot)
        loop.latencies.noteLogin(after: loginTimes.end(slot, now: loop.now))
        loop.addresses.loggedIn(client.sessionAccount)
        client.frames.limits.message = loop.settings.maxBody
    }

    /// Notes that a session's stream has ended.
    func forget(_ link: Token, session slot: UInt32) {
        if let client = client(at: slot), client.link == link { client.link = nil }
    }

    /// Tells a session how many bytes wait for its client.
    func noteUnsent(of client: WebSocketClient) {
        guard !client.isOver else { return }
        effects.removeAll(keepingCapacity: true)
        client.session.noteUnsent(client.channel.unwrittenCount, policy: policy, into: &effects)
        if !effects.isEmpty { executeEffects(of: client) }
    }

    /// Ends sessions, because the process is about to end.
    ///
    /// - Parameter most: how many of them; those with the lowest slots.
    func shutDown(atMost most: Int) {
        guard most > 0 else { return }
        for client in all.lazy.filter({ !$0.isOver }).prefix(most) { handle(.shutdownRequested, of: client) }
    }

    /// Ends the session that has been without login for longest, because room is needed for another one.
    func displaceOldestLogin() {
        if let oldest = logins.oldest, let client = client(at: oldest) { handle(.displaced, of: client) }
    }

    /// Executes the effects of one input, in order. A server that fails at once can cause another input of the same
    /// session in between, which finds the session as this input left it.
    private func executeEffects(of client: WebSocketClient) {
        var pending = effects
        effects = []
        for effect in pending { execute(effect, of: client) }
        // What is read and what is written is settled once, after all of it. To forward an element brings no deadline
        // nearer.
        let onlyForwards = pending.count == 1 && pending.first.map(Self.isForwarding) ?? false
        pending.removeAll(keepingCapacity: true)
        effects = pending
        if client !== reading, !client.isDirty { settle(client) }
        if !onlyForwards { schedule(client) }
    }

    private static func isForwarding(_ effect: WebSocketEffect) -> Bool {
        if case .upstream(.forward) = effect { true } else { false }
    }

    /// Lets `body` handle what has come from a client, and then notes how the client stands.
    func whileReading(_ client: WebSocketClient, _ body: () -> Void) {
        reading = client
        body()
        reading = nil
        settle(client)
        if client.isInsideMessage || client.ending != .none { schedule(client) }
        updateInterest(of: client)
    }

    private func execute(_ effect: WebSocketEffect, of client: WebSocketClient) {
        switch effect {
        case .send(let text): send(text, to: client)
        case .deliver(let bytes, let borders): deliver(bytes, borders, to: client)
        case .ping(let number):
            loop.counters.webSockets.pings &+= 1
            var payload: [UInt8] = []
            payload.append(bigEndian: number)
            client.channel.append(pool: &loop.pool) { FrameWriter.appendPing(payload.span, to: &$0) }
            markDirty(client)
        case .upstream(.open(let request)):
            guard !client.isOver else { return }
            client.link = upstreams.open(
                request, stream: .first, session: SessionPlace(.webSocket, slot: client.token.slot), name: client.name,
                client: client.requester.client)
            client.record.site = client.link.map(upstreams.siteNumber) ?? SessionRecord.none
            client.link.map(upstreams.begin)
        case .upstream(let command):
            if case .restart = command { loop.counters.webSockets.restarts &+= 1 }
            if case .leave(.drop) = command { loop.counters.webSockets.dropped &+= 1 }
            if let link = client.link { upstreams.execute(command, on: link) }
        case .close(let code): beginClosing(client, code)
        case .abandon: abandon(client)
        case .ended(let reason): end(client, reason)
        }
    }

    /// Counts and logs the end of a session (`W-56`). The socket may go on for a moment.
    private func end(_ client: WebSocketClient, _ reason: EndReason) {
        guard !client.isOver else { return }
        client.isOver = true
        count -= 1
        logins.remove(client.token.slot)
        let end = SessionEnd(
            name: client.name, reason: reason, side: .webSocket,
            client: ClientAddress(client.requester.client?.address),
            user: sides.takeUser(of: SessionPlace(.webSocket, slot: client.token.slot), client.record),
            record: client.record, at: loop.now)
        sides.noteEnd(end) { lastWords(of: client) }
        client.link.map(upstreams.detach)
        client.link = nil
        loop.addresses.note(-client.charged, of: client.sessionAccount)
        loop.addresses.closeSession(
            of: client.sessionAccount, hasLoggedIn: client.ask { $0.hasLoggedIn }, now: loop.now)
        if let bound = Bound(reason) { loop.reached(bound, "session \(client.name)") }
        sides.showCount()
    }

    // MARK: When something has to happen

    /// The earliest deadline of a client.
    var nextDeadline: MonotonicInstant? { deadlines.next }

    /// When a client is looked at next; nil when nothing is due.
    func due(_ client: WebSocketClient) -> MonotonicInstant? { deadlines.due(client.token.slot) }

    /// Arranges that a client is looked at again when its next deadline has come.
    func schedule(_ client: WebSocketClient) {
        if let deadline = deadline(of: client) { deadlines.schedule(slot: client.token.slot, at: deadline) }
    }

    /// Handles the clients whose deadline may have passed.
    func handleDeadlines() {
        while let slot = deadlines.popDue(now: loop.now) {
            guard let client = client(at: slot) else { continue }
            if let deadline = deadline(of: client), deadline <= loop.now { handleDeadline(of: client) }
            if client.ending != .gone { schedule(client) }
        }
    }

    // MARK: Whose turn it is

    /// Whether any client goes on without an event.
    var hasTurns: Bool { !long.isEmpty }

    /// Whether anything is to be written at the end of the turn.
    var hasDirty: Bool { !dirty.isEmpty }

    /// How many clients wait for a turn of the loop, or for its end.
    var waitingCount: Int { dirty.count + long.count }

    /// Adds a client to those that are written at the end of the batch.
    func markDirty(_ client: WebSocketClient) {
        guard !client.isDirty, client.ending != .gone else { return }
        client.isDirty = true
        dirty.append(client)
    }

    /// Writes the output of the batch: one write for each client, however many events caused it (`W-34`).
    func flushDirty() {
        let batch = dirty
        dirty = []
        for client in batch {
            client.isDirty = false
            flush(client)
        }
    }

    /// Ends a client at the end of the turn, because the kernel does not watch it for the wanted events.
    func giveUp(_ client: WebSocketClient) { unwatchable.append(client.token) }

    /// Whether the kernel has refused to watch some of the sockets.
    var hasUnwatchable: Bool { !unwatchable.isEmpty }

    /// Ends the clients that the kernel refused to watch: no event would ever come for them.
    func endUnwatchable() {
        while let token = unwatchable.popLast() { sockets[token].map(lose) }
    }

    /// Handles an event of a client's connection, if the client still exists.
    func handle(_ event: PollEvent, of token: Token) {
        if let client = sockets[token] { handle(event, on: client) }
    }

    /// Puts a client whose long message has come at the end of the list of those that wait for their turn.
    func workLater(on client: WebSocketClient) {
        client.isBusy = true
        long.append(client)
    }

    /// Works on the first long message, one step in each turn.
    func workOnLongMessages() {
        guard let client = long.first else { return }
        let result: ClientMessage?
        if isLongBegun {
            result = longParser.proceed(budget: Self.step)
        } else {
            isLongBegun = true
            // A span of the client's own array could outlive it, as far as the compiler can see.
            let message = client.message
            result = longParser.begin(message.span)
        }
        guard let result else { return }
        isLongBegun = false
        long.removeFirst()
        longMessageRead(result, of: client)
    }

    /// How many bytes of a long message are worked on in one turn.
    private static let step = 64 * 1024

    /// Lends the buffer for the message that is being read, empty.
    func takeScratch() -> [UInt8] {
        defer { scratch = [] }
        return scratch
    }

    /// Takes the buffer back, unless it has grown large.
    func giveBack(scratch message: consuming [UInt8]) {
        guard message.capacity <= Self.largestScratch else { return }
        message.removeAll(keepingCapacity: true)
        scratch = message
    }

    private static let largestScratch = 64 * 1024
}

extension WebSocketPolicy {
    /// The same for times in which memory is short.
    fileprivate var tightened: WebSocketPolicy {
        var tight = self
        tight.outboundBound = min(outboundBound, 4_096)
        return tight
    }

    init(_ settings: Settings) {
        self.init(
            pingInterval: settings.webSocketPing, loginTimeout: settings.loginTimeout,
            registrationTimeout: max(.seconds(300), settings.loginTimeout), outboundBound: settings.sessionBuffer,
            inboundBound: settings.sessionBuffer)
    }
}
