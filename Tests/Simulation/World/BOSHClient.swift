/// A web client that keeps to the rules of XEP-0124, unless its plan names a breach. Its connections may fail.
///
/// Its requests are in `BOSHClient+Requests.swift`.
final class BOSHClient {
    enum Stage {
        case creating, running, leaving, over
    }

    let world: World
    let plan: Plan
    let number: Int
    let begins: Instant
    let carrier: any Carrier
    var kernel: Kernel { world.kernel }
    var chance: Chance
    /// A chance for later additions to the client, so that the draws of the other one stay the same.
    var otherChance: Chance
    var stage = Stage.creating
    /// The first stream exists from the beginning.
    private(set) var streams: [ClientStream]
    var keys: KeySequence?

    var rid: Int
    var sid = ""
    var requests = 1
    var wait: Int
    var polling: Duration?
    var nextPoll = Instant.zero
    var open: [ClientRequest] = []
    /// Answers that came before those to earlier requests.
    var early: [Int: [UInt8]] = [:]
    var nextAnswer: Int
    var isTerminating = false
    /// Whether a pause was asked for and is not over.
    var isPausing = false
    var hasSlept = false
    var hasReloaded = false
    /// Whether the client has broken a rule, and takes answers in any order.
    var isOffending = false
    private var isEnding = false
    /// What its server keeps for the client, as the server announced and as the client knows (XEP-0198).
    var managed: ManagedStream?
    var managedID: String?
    var resumptions = 0
    var wantsToLeave = false
    private var broadcasts = 0

    init(_ plan: Plan, number: Int, world: World, carrier: any Carrier) {
        self.plan = plan
        self.number = number
        self.world = world
        self.carrier = carrier
        chance = Chance(seed: UInt64(plan["seed"]))
        otherChance = Chance(seed: UInt64(plan["seed"]) ^ 0x5EED)
        let first = ClientStream(login: number, ledger: Ledger("client \(number)", world.judge), stage: .features)
        first.ledger.mayBeLate = carrier.isSlow
        first.ledger.noticesWithin = Self.timeToNotice(plan)
        // A copy may come so late that its answer is no longer kept.
        if plan["twice"] > 0 || carrier.repeats { first.ledger.explain(["item-not-found", "other-request"]) }
        // When no descriptor is free for an address in its server's time, the worker turns to another server, which may
        // be dead.
        if world.isShortOfDescriptors, world.mayReachNobody { first.ledger.explain(["remote-connection-failed"]) }
        streams = [first]
        if plan["keys"] > 0 { keys = KeySequence(length: plan["keys"] + 1, seed: UInt64(plan["seed"])) }
        rid = 1 + chance.below(1_000_000)
        nextAnswer = rid
        wait = plan["polling"] == 2 ? 0 : max(plan["wait"], 5)
        begins = world.kernel.now + .milliseconds(plan["at"])
        kernel.at(begins) { [self] in create() }
    }

    /// How long it may take until a client that does nothing else is told that its server is gone.
    private static func timeToNotice(_ plan: Plan) -> Duration {
        // The client may have much to fetch first.
        let thinking = Duration.seconds(30) + .milliseconds(20 * plan["thinks"])
        // The page may have lost the answer that told it.
        if plan["reloads"] > 0, plan["reload"] == 0 { return .seconds(1_000_000) }
        return thinking + .seconds(150 * (plan["pauses"] + plan["sleeps"]))
    }

    var isOver: Bool { stage == .over }

    var name: String { "client \(number)" }

    /// The ledgers of all its streams.
    var ledgers: [Ledger] { streams.map(\.ledger) }

    func stream(at index: Int) -> ClientStream? { streams.indices.contains(index) ? streams[index] : nil }

    var isActive: Bool { stage == .running && streams.contains { $0.stage == .active } }

    // MARK: The dialogue

    func create() {
        let hold = plan["polling"] == 1 ? 0 : max(plan["hold"], 1)
        let ack = plan["ack"] > 0 ? " ack='1'" : ""
        let key = keys?.begin() ?? ""
        send(
            "<body xmlns='http://jabber.org/protocol/httpbind' xmlns:xmpp='urn:xmpp:xbosh' xmpp:version='1.0' "
                + "rid='\(rid)' to='example.org' wait='\(wait)' hold='\(hold)' ver='1.6' xml:lang='en'\(ack)\(key)/>")
    }

    private func advance(_ stream: ClientStream, by element: [UInt8]) {
        // The last words of a session whose stream is resumed in another one: only its messages still count.
        if stage == .creating, !element.has("<message") { return }
        if element.has("<stream:features") || element.has("<features") {
            switch stream.stage {
            case .asked, .features:
                stream.stage = .authenticating
                if plan["breach"] == Breach.largeLogin.rawValue {
                    explain(["policy-violation", "item-not-found", "other-request"])
                    stream.say("<presence xmlns='jabber:client' a='\(String(repeating: "a", count: 70_000))'/>")
                }
                stream.say(
                    "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>\(stream.login)</auth>")
            case .restarting:
                stream.stage = .binding
                if resumptions > 0 {
                    sayResume(on: stream)
                    break
                }
                stream.say(
                    "<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
            default: break
            }
        } else if element.has("<success") {
            stream.stage = .restarting
            sendRequest(
                attributes: " xmpp:restart='true' xmlns:xmpp='urn:xmpp:xbosh' to='example.org'", on: stream)
        } else if element.has("<iq") {
            guard stream.stage == .binding else { return }
            stream.stage = .active
            begin(stream)
        } else if element.has("<enabled ") {
            managedID = element.attribute("id")
        } else if element.has("<resumed ") || element.has("<failed ") {
            resumed(stream, element)
        } else if element.has("<message") {
            stream.hear(message: element, world.judge)
        }
    }

    private func begin(_ stream: ClientStream) {
        if plan["managed"] > 0, stream === streams[0] {
            stream.say("<enable xmlns='urn:xmpp:sm:3' resume='true'/>")
        }
        kernel.after(.milliseconds(1)) { [self] in speak(on: stream) }
        guard stream === streams[0] else {
            if plan["closes"] > 0 {
                kernel.after(otherChance.time(.milliseconds(1)...(.seconds(max(plan["life"], 1))))) { [self] in
                    close(stream)
                }
            }
            return
        }
        let life = Duration.seconds(max(plan["life"], 1))
        kernel.after(life) { [self] in leave() }
        func sometime(_ count: Int, _ action: @escaping () -> Void) {
            for _ in 0..<count { kernel.after(otherChance.time(.milliseconds(1)...life), action) }
        }
        if let breach = Breach(rawValue: plan["breach"]) { sometime(1) { [self] in commit(breach) } }
        sometime(plan["streams"]) { [self] in addStream() }
        sometime(plan["pauses"]) { [self] in pause() }
        sometime(plan["sleeps"]) { [self] in sleep() }
        sometime(plan["reloads"]) { [self] in reload() }
        if plan["streams"] > 0 { sometime(3) { [self] in broadcast() } }
    }

    /// Sends something to the server from time to time.
    func speak(on stream: ClientStream) {
        guard stage == .running, stream.stage == .active, stream.said.count < plan["up"] else { return }
        let count = min(1 + chance.below(3), plan["up"] - stream.said.count)
        for _ in 0..<count {
            let padding = chance.once(in: 8) ? chance.below(plan["large"] + 1) : chance.below(40)
            stream.say(
                message:
                    "<message xmlns='jabber:client' to='peer' id='u\(stream.said.count)'><body>\(letters("u", padding))</body></message>"
            )
        }
        pump()
        kernel.after(chance.time(.milliseconds(1)...(.milliseconds(max(plan["pace"], 2))))) { [self] in
            speak(on: stream)
        }
    }

    // MARK: More of the protocol

    /// Asks for another stream, one at a time.
    private func addStream() {
        guard isActive, !isPausing, hasRoom, !streams.contains(where: { $0.stage == .asked }) else {
            return
        }
        let login = number + World.streamStep * streams.count
        let stream = ClientStream(
            login: login, ledger: Ledger("\(name)'s stream \(streams.count)", world.judge), stage: .asked)
        stream.ledger.copyExcuses(of: streams[0].ledger)
        // A session that has begun has its descriptor; another one may not be free.
        if world.isShortOfDescriptors { stream.ledger.explain(["remote-connection-failed"]) }
        streams.append(stream)
        sendRequest(attributes: " to='example.org' xml:lang='en'", on: nil)
    }

    private func close(_ stream: ClientStream) {
        let others = streams.contains { $0 !== stream && $0.stage == .active }
        guard stage == .running, stream.stage == .active, others, !isPausing, hasRoom, stream.queue.isEmpty else {
            return
        }
        stream.stage = .closing
        sendRequest(attributes: " type='terminate'", on: stream)
    }

    /// Sends something on all streams at once, when all of them can take it.
    private func broadcast() {
        let hearers = streams.filter { $0.stage != .closed }
        guard stage == .running, !isPausing, hearers.count > 1, hasRoom,
            hearers.allSatisfy({ $0.stage == .active })
        else { return }
        for stream in hearers { stream.ledger.owesBroadcast(broadcasts) }
        sendRequest(
            attributes: "", payload: "<presence xmlns='jabber:client' id='b\(broadcasts)'/>", on: nil)
        broadcasts += 1
    }

    // MARK: The end

    func leave() {
        // A client that sleeps does not leave, and a client that resumes has something to finish.
        guard stage != .creating || resumptions == 0, !isPausing || plan["sleeps"] == 0 else {
            wantsToLeave = true
            return
        }
        guard stage == .running else { return }
        switch plan["ending"] {
        case 1:
            // The page is closed: it sends nothing, and reads no more.
            goneSilently()
            finish()
        case 2:
            goneSilently()
            carrier.vanish()
            stage = .over
            world.clientEnded()
        default:
            stage = .leaving
            pump()
        }
    }

    /// The client is gone and does not get what comes.
    func goneSilently() {
        for stream in streams where stream.ledger.end == nil { stream.ledger.ends(.left, at: kernel.now) }
    }

    func finish() {
        guard stage != .over else { return }
        stage = .over
        if plan["ending"] == 1 {
            carrier.closeAll()
        } else {
            kernel.after(.seconds(1)) { [carrier] in carrier.closeAll() }
        }
        world.clientEnded()
    }

    // MARK: Answers

    func read(_ body: [UInt8]) {
        var markup = Markup()
        markup.append(body)
        var stream: ClientStream?
        while let item = markup.next() {
            switch item {
            case .begin(let tag): stream = readBodyTag(tag)
            case .element(let element):
                if let stream { advance(stream, by: element) }
            case .end: break
            }
        }
        if isEnding { finish() }
    }

    /// - Returns: the stream to which the answer belongs.
    private func readBodyTag(_ tag: [UInt8]) -> ClientStream? {
        if let name = tag.attribute("sid") {
            if sid.isEmpty {
                sid = name
                requests = tag.attribute("requests").flatMap { Int($0) } ?? 2
                wait = tag.attribute("wait").flatMap { Int($0) } ?? wait
                if plan["polling"] > 0 { polling = .seconds(tag.attribute("polling").flatMap { Int($0) } ?? 2) }
                streams[0].name = tag.attribute("stream")
                stage = .running
            } else if sid != name {
                world.judge.fail("\(self.name) got an answer of another session")
            }
        }
        let stream = stream(named: tag.attribute("stream"))
        guard tag.attribute("type") == "terminate" else { return stream }
        let condition = tag.attribute("condition")
        // The last stanzas of the last stream come with its name, after the client's own farewell. A stream that the
        // client has closed before is told its own end.
        let hasOthers = streams.contains { $0 !== stream && $0.stage != .closed }
        let isClosed = stream?.stage == .closing && condition == nil && hasOthers
        if tag.attribute("stream") != nil, !isTerminating || condition != nil || isClosed {
            let isFarewell = stream?.stage == .closing && condition == nil
            stream?.ledger.ends(isFarewell ? .terminated : .told(condition ?? "nothing"), at: kernel.now)
            stream?.stage = .closed
            return stream
        }
        // Another request may be told that the session is gone before the farewell is answered, unless it was gone for
        // another reason.
        let mayCross = !hasSlept && !carrier.isSlow && !streams[0].ledger.isExplained("item-not-found")
        let isFarewell = isTerminating && (condition == nil || condition == "item-not-found" && mayCross)
        if managed != nil, mayResume(after: condition) { return stream }
        for stream in streams where stream.ledger.end == nil {
            // A client that closes its last stream ends the session.
            let isAskedFor = stream.stage == .closing && condition == nil
            stream.ledger.ends(isFarewell || isAskedFor ? .terminated : .told(condition ?? "nothing"), at: kernel.now)
        }
        isEnding = true
        return stream
    }

    private func stream(named name: String?) -> ClientStream? {
        guard let name else { return streams[0] }
        if let known = streams.first(where: { $0.name == name }) { return known }
        guard let asked = streams.first(where: { $0.stage == .asked && $0.name == nil }) else {
            world.judge.fail("\(self.name) got an answer of the stream \(name), which it does not know")
            return nil
        }
        asked.name = name
        return asked
    }
}
