/// What a client over WebSocket says and hears.
extension WebSocketClient {
    static let opening =
        "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='example.org' version='1.0' xml:lang='en'/>"
    static let goodbye = "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>"

    /// The first frames on a connection.
    func firstFrames() -> [UInt8] {
        if let offence = Offence(rawValue: plan["offence"]), offence.isAtTheBeginning { return offend(offence) }
        return frames(Array(Self.opening.utf8))
    }

    func begin() { socket?.send(firstFrames()) }

    // MARK: What comes

    func receive(_ frame: ClientSocket.Frame) {
        guard stage == .running || stage == .leaving else { return }
        if isClosed { world.judge.fail("\(name): a frame came behind a Close frame") }
        switch frame {
        case .text(let text):
            world.tell("\(name) got \(String(decoding: text.prefix(300), as: UTF8.self))")
            // A page that has closed its socket gets nothing more.
            if !isDeaf { receive(text: text) }
        case .ping(let payload):
            guard !isDeaf, !hasSentClose else { return }
            // A client whose server takes nothing is not read, and a pong behind its farewell comes too late.
            if !isOffending, !hasSaidClose, payload.count == 4, plan["serverslow"] == 0 {
                ledger.clientProves(at: kernel.now)
            }
            socket?.send(ClientSocket.frame(payload, opcode: 10, &chance))
        case .pong(let payload):
            guard let index = pings.firstIndex(of: payload) else {
                world.judge.fail("\(name) got a pong for which it has not asked")
                return
            }
            // Of several pings only the latest need be answered.
            pings.removeFirst(index + 1)
        case .close(let code):
            world.tell("\(name) got a Close frame with \(code.map { "\($0)" } ?? "no code")")
            isClosed = true
            closed(code)
        }
    }

    private func receive(text: [UInt8]) {
        if hasHeardClose { world.judge.fail("\(name) got a message behind <close/>") }
        if text.has("<open ") {
            if isGreeted, !isOffending { world.judge.fail("\(name) was greeted twice") }
            isGreeted = true
        } else if text.has("<close xmlns=\"urn:ietf:params:xml:ns:xmpp-framing\" />") {
            hasHeardClose = true
            if hasSaidClose { heardGoodbye() }
        } else if !isGreeted, !isOffending, stream.stage != .restarting || !text.has("<stream:error ") {
            world.judge.fail("\(name) got something before <open/>")
        } else if text.has("<stream:error ") {
            readError(text)
        } else if error != nil {
            world.judge.fail("\(name) got a message behind a stream error")
        } else {
            advance(by: text)
        }
    }

    private func advance(by element: [UInt8]) {
        if isOffending, !element.has("<message") { return }
        if element.has("<stream:features") || element.has("<features") {
            if !element.contains("xmlns:stream=") { world.judge.fail("\(name) got features that do not stand alone") }
            switch stream.stage {
            case .features:
                stream.stage = .authenticating
                say("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>\(stream.login)</auth>")
            case .restarting:
                stream.stage = .binding
                say(
                    resumptions > 0
                        ? "<resume xmlns='urn:xmpp:sm:3' previd='\(managedID ?? "")' h='\(ledger.receivedDown)'/>"
                        : "<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>"
                )
            default: break
            }
        } else if element.has("<success") {
            stream.stage = .restarting
            isGreeted = false
            say(Self.opening)
        } else if element.has("<iq") {
            guard stream.stage == .binding else { return }
            becomeActive()
        } else if element.has("<enabled ") {
            managedID = element.attribute("id")
        } else if element.has("<resumed ") || element.has("<failed ") {
            resumed(element)
        } else if element.has("<message") {
            receive(message: element)
        }
    }

    private func receive(message element: [UInt8]) {
        if element.attribute("xmlns") != "jabber:client" {
            world.judge.fail("\(name) got a message that does not stand alone")
        }
        stream.hear(message: element, world.judge)
    }

    private func resumed(_ element: [UInt8]) {
        guard let h = element.attribute("h").flatMap({ Int($0) }) else {
            // Its server may have ended it meanwhile.
            if managed?.isOver == false { world.judge.fail("\(name): its stream cannot be resumed") }
            ledger.serverFails()
            depart(.reset)
            return
        }
        stream.stage = .active
        stream.sayAgain(from: h)
        sayQueue()
        speak()
        haveHabits()
        if wantsToLeave { leave() }
    }

    // MARK: What it does

    private func becomeActive() {
        stream.stage = .active
        if plan["managed"] > 0 { say("<enable xmlns='urn:xmpp:sm:3' resume='true'/>") }
        kernel.after(.milliseconds(1)) { [self] in speak() }
        kernel.after(.seconds(max(plan["life"], 1))) { [self] in leave() }
        haveHabits()
    }

    private func haveHabits() {
        let life = Duration.seconds(max(plan["life"], 1))
        func sometime(_ isWanted: Bool, _ action: @escaping () -> Void) {
            if isWanted { kernel.after(chance.time(.milliseconds(1)...life), action) }
        }
        let present = socket
        sometime(plan["stall"] > 0) { [self] in if socket === present { stall() } }
        sometime(plan["cuts"] > resumptions && plan["managed"] > 0) { [self] in
            if socket === present { beCut() }
        }
        guard resumptions == 0, let offence = Offence(rawValue: plan["offence"]) else { return }
        sometime(!offence.isAtTheBeginning) { [self] in
            guard isActive else { return }
            socket?.send(offend(offence))
        }
    }

    /// Reads nothing for a while.
    private func stall() {
        guard let wire = socket?.wire, !wire.isOver else { return }
        world.tell("\(name) reads nothing for a while")
        wire.isPaused = true
        kernel.after(chance.time(.milliseconds(500)...(.milliseconds(max(plan["stall"], 501))))) { [weak self] in
            wire.isPaused = false
            self?.world.tell("\(self?.name ?? "?") reads again")
        }
    }

    /// Sends something to the server from time to time.
    private func speak() {
        guard isActive, stream.said.count < plan["up"] else { return }
        for _ in 0..<min(1 + chance.below(3), plan["up"] - stream.said.count) {
            let padding = chance.once(in: 8) ? chance.below(plan["large"] + 1) : chance.below(40)
            stream.say(
                message:
                    "<message xmlns='jabber:client' to='peer' id='u\(stream.said.count)'><body>\(letters("u", padding))</body></message>"
            )
        }
        sayQueue()
        if chance.below(1_000) < plan["pings"] { socket?.send(ping()) }
        let present = socket
        kernel.after(chance.time(.milliseconds(1)...(.milliseconds(max(plan["pace"], 2))))) { [self] in
            if socket === present { speak() }
        }
    }

    /// Sends what waits, each element as a message.
    private func sayQueue() {
        let texts = stream.queue.map(\.text)
        _ = stream.takeQueue()
        for text in texts {
            world.tell("\(name) says \(text.prefix(200))")
            say(text)
        }
    }
}
