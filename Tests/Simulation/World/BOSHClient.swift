/// A web client that keeps to the rules of XEP-0124, over connections that may not.
final class BOSHClient {
    private enum Stage {
        case creating, features, authenticating, restarting, binding, active, leaving, over
    }

    private final class Request {
        let rid: Int
        let body: [UInt8]
        let payload: Int
        var tries = 0
        /// How often it is on its way at the moment.
        var copies = 0
        var isAnswered = false
        init(_ rid: Int, _ body: [UInt8], payload: Int) {
            self.rid = rid
            self.body = body
            self.payload = payload
        }
    }

    let ledger: Ledger
    private let world: World
    private var kernel: Kernel { world.kernel }
    private let plan: Plan
    private let agent: HTTPAgent
    private var chance: Chance
    private var stage = Stage.creating
    private var rid: Int
    private var sid = ""
    private var requests = 1
    private var wait: Int
    private var open: [Request] = []
    /// Answers that came before those to earlier requests.
    private var early: [Int: [UInt8]] = [:]
    private var nextAnswer: Int
    private var queue: [String] = []
    private var sent = 0
    private var isFresh = true
    private var watchNumber = 0

    init(_ plan: Plan, number: Int, world: World) {
        self.plan = plan
        self.world = world
        chance = Chance(seed: UInt64(plan["seed"]))
        ledger = Ledger(number, world.judge)
        ledger.mayBeLate = plan["piece"] > 0 || plan["slow"] > 0
        // It may have much to fetch first.
        ledger.noticesWithin = .seconds(30) + .milliseconds(20 * plan["thinks"])
        rid = 1 + chance.below(1_000_000)
        nextAnswer = rid
        wait = max(plan["wait"], 5)
        var link = LinkKind()
        link.delay = .microseconds(20)...(.milliseconds(max(plan["delay"], 1)))
        link.piece = plan["piece"]
        agent = HTTPAgent(world.kernel, address: 0x0A01_0000 + UInt32(number), link: link)
        agent.pipelines = plan["pipelines"] > 0
        agent.slowness = plan["slow"]
        world.kernel.after(.milliseconds(plan["at"])) { [self] in create() }
    }

    var isOver: Bool { stage == .over }

    // MARK: The dialogue

    private func create() {
        let hold = max(plan["hold"], 1)
        let ack = plan["ack"] > 0 ? " ack='1'" : ""
        send(
            "<body xmlns='http://jabber.org/protocol/httpbind' xmlns:xmpp='urn:xmpp:xbosh' xmpp:version='1.0' "
                + "rid='\(rid)' to='example.org' wait='\(wait)' hold='\(hold)' ver='1.6' xml:lang='en'\(ack)/>",
            payload: 0)
    }

    private func advance(by element: [UInt8]) {
        if element.has("<stream:features") || element.has("<features") {
            switch stage {
            case .creating, .features:
                stage = .authenticating
                queue.append("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>\(ledger.number)</auth>")
            case .restarting:
                stage = .binding
                queue.append(
                    "<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
            default: break
            }
        } else if element.has("<success") {
            stage = .restarting
            sendRequest(attributes: " xmpp:restart='true' xmlns:xmpp='urn:xmpp:xbosh' to='example.org'", payload: "")
        } else if element.has("<iq") {
            guard stage == .binding else { return }
            stage = .active
            kernel.after(.milliseconds(1)) { [self] in speak() }
            kernel.after(.seconds(max(plan["life"], 1))) { [self] in leave() }
        } else if element.has("<message") {
            guard let id = element.attribute("id"), id.first == "d", let number = Int(id.dropFirst()) else {
                world.judge.fail("\(ledger.name) got what nobody sent: \(String(decoding: element, as: UTF8.self))")
                return
            }
            if element.attribute("to") != "c\(ledger.number)" {
                world.judge.fail("\(ledger.name) got a message to \(element.attribute("to") ?? "nobody")")
            }
            ledger.clientReceived(number)
        }
    }

    /// Says something to the server from time to time.
    private func speak() {
        guard stage == .active, sent < plan["up"] else { return }
        let count = min(1 + chance.below(3), plan["up"] - sent)
        for _ in 0..<count {
            let padding = chance.once(in: 8) ? chance.below(plan["large"] + 1) : chance.below(40)
            queue.append(
                "<message xmlns='jabber:client' to='peer' id='u\(sent)'><body>\(letters( "u", padding))</body></message>"
            )
            sent += 1
        }
        pump()
        kernel.after(chance.time(.milliseconds(1)...(.milliseconds(max(plan["pace"], 2))))) { [self] in speak() }
    }

    private func leave() {
        guard stage == .active else { return }
        switch plan["ending"] {
        case 1:
            // The page is closed: nothing is said, and what was read was read.
            ledger.end = .left
            ledger.isClientFaulty = true
            finish()
        case 2:
            ledger.end = .left
            ledger.isClientFaulty = true
            agent.vanish()
            stage = .over
            ledger.endedAt = kernel.now
            world.clientEnded()
        default:
            stage = .leaving
            pump()
        }
    }

    private func finish() {
        guard stage != .over else { return }
        stage = .over
        ledger.endedAt = kernel.now
        if plan["ending"] == 1 { agent.closeAll() } else { kernel.after(.seconds(1)) { [agent] in agent.closeAll() } }
        world.clientEnded()
    }

    // MARK: Requests

    /// Sends what there is to send, and sees that the server always has a request to answer.
    private func pump() {
        guard stage != .over, stage != .creating else { return }
        if stage == .leaving {
            // One more than `requests` is allowed for the farewell, and a careful client waits for its turn.
            guard open.count < requests, !isTerminating else { return }
            isTerminating = true
            let payload = queue.joined()
            queue = []
            sendRequest(attributes: " type='terminate'", payload: payload)
            return
        }
        // The last `requests` answers are kept for it, and it does not run ahead of one that it has not read: neither would what
        // it had not read when it goes come back, nor could it ask again.
        if let lowest = open.map(\.rid).min(), rid + 1 - lowest >= requests { return }
        if !queue.isEmpty, open.count < requests {
            let payload = queue.joined()
            queue = []
            sendRequest(attributes: "", payload: payload)
        } else if open.isEmpty {
            sendRequest(attributes: "", payload: "")
        }
    }

    private var isTerminating = false

    private func sendRequest(attributes: String, payload: String) {
        rid += 1
        let ack = plan["ack"] > 0 && nextAnswer - 1 < rid - 1 ? " ack='\(nextAnswer - 1)'" : ""
        ledger.sentUp = sent - queue.count(where: { $0.contains("id='u") })
        send(
            "<body xmlns='http://jabber.org/protocol/httpbind' rid='\(rid)' sid='\(sid)'\(ack)\(attributes)>\(payload)</body>",
            payload: payload.utf8.count)
    }

    private func send(_ body: String, payload: Int) {
        let request = Request(rid, Array(body.utf8), payload: payload)
        open.append(request)
        attempt(request)
    }

    private func attempt(_ request: Request) {
        request.tries += 1
        guard request.tries < 200 else {
            world.judge.fail("\(ledger.name): request \(request.rid) was never answered in 200 tries")
            return
        }
        world.tell("\(ledger.name) sends \(String(decoding: request.body, as: UTF8.self).prefix(400))")
        watch(request, try: request.tries)
        // A creation whose sender has closed its side is given up by the manager, and nobody half-closes that.
        let halfCloses = chance.below(1_000) < plan["half"] && stage != .creating
        request.copies += 1
        agent.post(request.body, halfCloses: halfCloses) { [weak self] answer in
            self?.answered(request, answer)
        }
        if chance.below(1_000) < plan["lost"] {
            kernel.after(chance.time(.microseconds(10)...(.seconds(wait)))) { [weak self] in
                guard let self, stage != .over, !request.isAnswered else { return }
                agent.abort(isReset: chance.once(in: 2))
            }
        }
        if chance.below(1_000) < plan["twice"], stage != .creating {
            // An impatient proxy sends it again, on another connection.
            kernel.after(chance.time(.microseconds(10)...(.milliseconds(300)))) { [weak self] in
                guard let self, stage != .over, !request.isAnswered else { return }
                request.copies += 1
                agent.post(request.body) { [weak self] in self?.answered(request, $0) }
            }
        }
    }

    /// A request on a connection that stands is answered in time.
    private func watch(_ request: Request, try number: Int) {
        kernel.after(.seconds(wait + 130)) { [weak self] in
            guard let self, stage != .over, !request.isAnswered, request.tries == number else { return }
            guard agent.slowness == 0, plan["piece"] == 0, !ledger.isServerFaulty else { return }
            world.judge.fail("\(ledger.name): request \(request.rid) was not answered in \(wait + 130) s")
        }
    }

    private func answered(_ request: Request, _ answer: HTTPAgent.Answer?) {
        guard stage != .over, !request.isAnswered else { return }
        world.tell(
            "\(ledger.name) for \(request.rid): \(answer.map { "\($0.status) \(String(decoding: $0.body, as: UTF8.self).prefix(400))" } ?? "nothing")"
        )
        request.copies -= 1
        guard let answer, answer.status == 200, !isRecoverable(answer.body) else {
            if let answer, answer.status != 200, answer.status != 503, answer.status != 408 {
                world.judge.fail("\(ledger.name): a request was answered with \(answer.status)")
            }
            if stage == .creating, answer == nil || request.tries > 20 {
                // Clients do not repeat a creation that was lost, and give up where there is no room: nobody has its sid.
                ledger.isClientFaulty = true
                ledger.end = .left
                ledger.endedAt = kernel.now
                finish()
                return
            }
            // One that has failed is sent again after a moment, the same bytes, unless another copy is on its way.
            guard request.copies == 0 else { return }
            kernel.after(chance.time(.milliseconds(1)...(.milliseconds(answer == nil ? 500 : 3_000)))) { [weak self] in
                guard let self, stage != .over, !request.isAnswered else { return }
                attempt(request)
            }
            return
        }
        request.isAnswered = true
        open.removeAll { $0 === request }
        early[request.rid] = answer.body
        while let body = early.removeValue(forKey: nextAnswer), stage != .over {
            nextAnswer += 1
            read(body)
        }
        // The client thinks for a moment, or for a while.
        kernel.after(.microseconds(100 + plan["thinks"] * 1_000)) { [weak self] in self?.pump() }
    }

    private func isRecoverable(_ body: [UInt8]) -> Bool { body.attribute("type") == "error" }

    private func read(_ body: [UInt8]) {
        var markup = Markup()
        markup.append(body)
        while let item = markup.next() {
            switch item {
            case .begin(let tag): readBodyTag(tag)
            case .element(let element): advance(by: element)
            case .end: break
            }
        }
        if isEnding { finish() }
    }

    private var isEnding = false

    private func readBodyTag(_ tag: [UInt8]) {
        if let name = tag.attribute("sid") {
            if sid.isEmpty {
                sid = name
                requests = tag.attribute("requests").flatMap { Int($0) } ?? 2
                wait = tag.attribute("wait").flatMap { Int($0) } ?? wait
                stage = .features
            } else if sid != name {
                world.judge.fail("\(ledger.name) got an answer of another session")
            }
        }
        guard tag.attribute("type") == "terminate" else { return }
        let condition = tag.attribute("condition")
        // Another request may be told that the session is gone before the farewell is answered.
        let isFarewell = isTerminating && (condition == nil || condition == "item-not-found")
        ledger.end = isFarewell ? .terminated : .told(condition ?? "nothing")
        isEnding = true
    }
}
