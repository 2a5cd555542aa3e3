/// A web client over WebSocket (RFC 7395) that keeps to the rules, unless its plan names an offence. Its connection may
/// fail, and it leaves in one of the ways in which browsers and programs leave.
///
/// What it says is in `WebSocketClient+Dialogue.swift`, its offences and its end in files of their own.
final class WebSocketClient: Client {
    enum Stage {
        /// It waits for its handshake, or to connect again.
        case connecting
        case running
        /// It has said goodbye.
        case leaving
        case over
    }

    /// What ends a session whose connection was lost without a Close frame.
    static let lostConnection = "lost-connection"

    let world: World
    let plan: Plan
    let number: Int
    let begins: Instant
    var kernel: Kernel { world.kernel }
    var chance: Chance
    var stage = Stage.connecting
    let stream: ClientStream
    var managed: ManagedStream?
    /// The name of what its server keeps, once the client knows it.
    var managedID: String?
    var resumptions = 0
    var wantsToLeave = false
    private var nextPort: UInt16 = 1_024

    // What belongs to the present connection.
    var socket: ClientSocket?
    var isGreeted = false
    /// Whether the client's `<close/>` and Close frame were sent, and the code of the frame.
    var hasSaidClose = false
    var hasSentClose = false
    var sentCode: UInt16?
    /// What has come: `<close/>`, a stream error, a Close frame.
    var hasHeardClose = false
    var error: String?
    var isClosed = false
    /// Whether the client takes nothing more from its connection, as a page that has closed it.
    var isDeaf = false
    /// Whether it has broken a rule.
    var isOffending = false
    /// When it has restarted its stream although nothing asked for it.
    var restartedAt: Instant?
    /// Whether its connection is lost, and it will come back.
    var isBeingCut = false
    /// The pings that the client has sent and that were not answered.
    var pings: [[UInt8]] = []
    var controls = 0

    init(_ plan: Plan, number: Int, world: World) {
        self.plan = plan
        self.number = number
        self.world = world
        chance = Chance(seed: UInt64(plan["seed"]) ^ 0x50C7)
        let ledger = Ledger("client \(number)", world.judge)
        stream = ClientStream(login: number, ledger: ledger, stage: .features)
        ledger.mayBeLate = plan["slow"] > 0 || plan["piece"] > 0
        ledger.endsAtOnce = true
        // It is told when it reads again.
        ledger.noticesWithin = .seconds(30) + .milliseconds(plan["stall"])
        // Its server's link takes 5 ms at most; the rest is the pace of both programs.
        if plan["serverslow"] == 0, world.scenario.world["piece"] == 0 { ledger.margin = .milliseconds(50) }
        // A client that does not read for long is given up; within some seconds once its socket is being closed.
        if plan["stall"] > 3_000 { ledger.explain([Self.lostConnection]) }
        // Its stream gets a descriptor when the client asks for it. Others may have taken the last one since the handshake.
        if world.isShortOfDescriptors { ledger.explain(["remote-connection-failed"]) }
        begins = world.kernel.now + .milliseconds(plan["at"])
        kernel.at(begins) { [self] in connect() }
    }

    var isOver: Bool { stage == .over }
    var name: String { "client \(number)" }
    var ledger: Ledger { stream.ledger }
    var ledgers: [Ledger] { [stream.ledger] }
    var isActive: Bool { stage == .running && stream.stage == .active && !isOffending && !isDeaf && !isClosed }

    func stream(at index: Int) -> ClientStream? { index == 0 ? stream : nil }

    func presence(at tag: UInt32, isAlive: Bool) -> Presence {
        guard let socket else { return .elsewhere }
        // A worker that has died has closed its connections. Nobody says which one has a connection that lives.
        if isAlive || !socket.isOpen || socket.wire.isOver { return .uncertain }
        return socket.wire.end.peer?.isClosed ?? true ? .there : .elsewhere
    }

    // MARK: The connection

    func connect() {
        guard stage == .connecting else { return }
        // Where nobody listens, it would soon give up.
        if world.isDeserted {
            kernel.after(.seconds(1)) { [self] in connect() }
            return
        }
        nextPort += 1
        var link = LinkKind()
        link.delay = .microseconds(20)...(.milliseconds(max(plan["delay"], 1)))
        link.piece = plan["piece"]
        let hasHeader = plan["header"] > 0
        let address = 0x0A01_0000 + UInt32(number)
        let wire = Wire(
            kernel.connect(
                to: hasHeader ? World.portOfProxies : World.port, from: address, nextPort, link: link))
        wire.slowness = plan["slow"]
        if hasHeader {
            wire.send(HTTPForm.proxyHeader(version: plan["header"], client: address, port: nextPort))
        }
        let socket = ClientSocket(wire, kernel: kernel, cut: plan["cut"], seed: chance.next())
        self.socket = socket
        isGreeted = false
        (hasSaidClose, hasSentClose, sentCode) = (false, false, nil)
        (hasHeardClose, error, isClosed, isDeaf) = (false, nil, false, false)
        pings = []
        controls = 0
        stream.stage = .features
        socket.opened = { [self] in
            world.tell("\(name) has a WebSocket")
            stage = .running
            if plan["hello"] == 0 { begin() }
        }
        socket.received = { [self] in receive($0) }
        socket.refused = { [self] in refused($0) }
        socket.isWrong = { [self] in world.judge.fail("\(name): \($0)") }
        socket.ended = { [self] isReset in connectionEnded(isReset) }
        world.tell("\(name) asks for a WebSocket")
        // Some do not wait for the answer.
        let preface = ClientSocket.Preface(rawValue: resumptions == 0 ? plan["preface"] : 0) ?? .nothing
        socket.open(preface, behind: plan["hello"] > 0 ? firstFrames() : [])
    }

    private func refused(_ status: Int) {
        world.tell("\(name) is refused with \(status)")
        // Another worker may be told to begin it, and end before it has.
        let isExcused =
            mayBeRefused || world.mayReachNobody || plan["preface"] > 0 || world.scenario.world["workers"] > 1
        if status != 503 || !isExcused { world.judge.fail("\(name): its handshake was answered with \(status)") }
        neverBegan()
    }

    /// Whether what the machine lacks may cost a client its handshake.
    var mayBeRefused: Bool {
        world.isShortOfDescriptors || world.mayLoseRequests || world.judge.isDisturbed
            || world.kernel.hasRefusedToAccept || world.scenario.faults.contains { $0["call"] == 7 }
    }

    /// Gives up a connection that never became a WebSocket; nobody knows of it.
    func neverBegan() {
        socket?.wire.close()
        if managed?.isOver == false, managedID != nil, resumptions < 5 {
            comeBack()
        } else {
            goneSilently()
            finish()
        }
    }

    /// Connects again after a while, to continue the stream.
    func comeBack() {
        resumptions += 1
        world.tell("\(name) will come back to resume its stream")
        stage = .connecting
        stream.queue = []
        kernel.after(chance.time(.milliseconds(1)...(.seconds(3)))) { [self] in connect() }
    }

    // MARK: Sending

    /// Sends a text as a message, in one frame or in several, perhaps with a ping in between.
    func say(_ text: String) {
        guard let socket, !hasSentClose, !socket.wire.isOver else { return }
        socket.send(frames(Array(text.utf8)))
    }

    func frames(_ text: [UInt8]) -> [UInt8] {
        guard chance.below(1_000) < plan["fragments"] else { return ClientSocket.frame(text, &chance) }
        var bytes: [UInt8] = []
        var rest = text[...]
        var opcode: UInt8 = 1
        for _ in 0..<chance.within(1...4) {
            let part = rest.prefix(chance.below(rest.count + 1))
            rest = rest.dropFirst(part.count)
            bytes += ClientSocket.frame(part, opcode: opcode, isFinal: false, &chance)
            opcode = 0
            if chance.below(1_000) < plan["pings"] { bytes += ping() }
        }
        return bytes + ClientSocket.frame(rest, opcode: opcode, &chance)
    }

    /// A ping of the client, or a pong for which nobody has asked.
    func ping() -> [UInt8] {
        // Too many would be an offence.
        guard controls < 40 else { return [] }
        controls += 1
        let payload = (0..<chance.one(of: [0, 3, 4, 125])).map { _ in UInt8(chance.below(256)) }
        // A pong of four bytes might be one that was asked for.
        if chance.once(in: 4), payload.count != 4 { return ClientSocket.frame(payload, opcode: 10, &chance) }
        pings.append(payload)
        return ClientSocket.frame(payload, opcode: 9, &chance)
    }

    /// Sends a Close frame, behind which it sends nothing.
    func sendClose(_ code: UInt16?) {
        guard let socket, !hasSentClose else { return }
        hasSentClose = true
        sentCode = code
        socket.send(
            ClientSocket.frame(code.map { [UInt8($0 >> 8), UInt8($0 & 255)] } ?? [], opcode: 8, &chance))
    }
}
