/// What a client over HTTP polling says and hears.
extension PollingClient {
    static let header =
        "<?xml version='1.0'?><stream:stream to='example.org' xmlns='jabber:client' "
        + "xmlns:stream='http://etherx.jabber.org/streams' version='1.0' xml:lang='en'>"

    // MARK: What comes

    /// Takes the next piece of the stream to the client.
    func hear(_ body: [UInt8]) {
        if hasHeardEnd, !body.isEmpty { world.judge.fail("\(name) got something behind the end of its stream") }
        markup.append(body)
        while let item = markup.next() {
            switch item {
            case .begin(let tag): greeted(tag)
            case .element(let element): hear(element: element)
            case .end: hasHeardEnd = true
            }
        }
        if !markup.isBetweenElements { world.judge.fail("\(name) got an answer that ends within an element") }
        guard hasHeardEnd else { return }
        let isFarewell = hasSaidEnd && unsent.isEmpty && error == nil
        isOver(isFarewell ? nil : condition)
    }

    private func greeted(_ tag: [UInt8]) {
        if isGreeted, !isOffending { world.judge.fail("\(name) was greeted twice") }
        isGreeted = true
        guard tag.attribute("from") == "example.org", tag.attribute("version") == "1.0",
            !(tag.attribute("id") ?? "").isEmpty
        else {
            world.judge.fail("\(name) was greeted with \(String(decoding: tag, as: UTF8.self))")
            return
        }
    }

    private func hear(element: [UInt8]) {
        // After the login the client has not begun its stream again.
        let isOfOldStream = stream.stage == .restarting && element.has("<stream:error>")
        if !isGreeted, !isOfOldStream { world.judge.fail("\(name) got something before the stream's header") }
        if error != nil { world.judge.fail("\(name) got something behind a stream error") }
        if element.has("<stream:error>") {
            error = element.streamCondition
        } else if element.has("<message") {
            stream.hear(message: element, world.judge)
        } else if !isOffending {
            advance(by: element)
        }
    }

    private func advance(by element: [UInt8]) {
        if element.has("<stream:features") || element.has("<features") {
            switch stream.stage {
            case .features:
                stream.stage = .authenticating
                stream.say("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>\(stream.login)</auth>")
            case .restarting:
                stream.stage = .binding
                stream.say(
                    resumptions > 0
                        ? "<resume xmlns='urn:xmpp:sm:3' previd='\(managedID ?? "")' h='\(ledger.receivedDown)'/>"
                        : "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
            default: break
            }
        } else if element.has("<success") {
            stream.stage = .restarting
            isGreeted = false
            stream.say(Self.header)
        } else if element.has("<iq") {
            guard stream.stage == .binding else { return }
            becomeActive()
        } else if element.has("<enabled ") {
            managedID = element.attribute("id")
        } else if element.has("<resumed ") || element.has("<failed ") {
            resumed(element)
        }
    }

    private func resumed(_ element: [UInt8]) {
        guard let h = element.attribute("h").flatMap({ Int($0) }) else {
            // Its server may have ended it meanwhile.
            if managed?.isOver == false { world.judge.fail("\(name): its stream cannot be resumed") }
            ledger.serverFails()
            giveUp()
            return
        }
        stream.stage = .active
        stream.sayAgain(from: h)
        speak()
        if wantsToLeave { leave() }
    }

    // MARK: What it does

    private func becomeActive() {
        stream.stage = .active
        if plan["managed"] > 0 { stream.say("<enable xmlns='urn:xmpp:sm:3' resume='true'/>") }
        kernel.after(.milliseconds(1)) { [self] in speak() }
        let life = Duration.seconds(max(plan["life"], 1))
        kernel.after(life) { [self] in leave() }
        func sometime(_ count: Int, _ action: @escaping () -> Void) {
            for _ in 0..<count { kernel.after(chance.time(.milliseconds(1)...life), action) }
        }
        sometime(plan["sleeps"]) { [self] in sleep() }
        sometime(plan["strangers"]) { [self] in beDisturbed() }
        if let misdeed = Misdeed(rawValue: plan["misdeed"]) { sometime(1) { [self] in commit(misdeed) } }
    }

    /// Sends something to the server from time to time.
    private func speak() {
        guard stage == .running, stream.stage == .active, !isOffending, stream.said.count < plan["up"] else { return }
        for _ in 0..<min(1 + chance.below(3), plan["up"] - stream.said.count) {
            let padding = chance.once(in: 8) ? chance.below(plan["large"] + 1) : chance.below(40)
            // A character of two bytes may be cut by the end of a request.
            let text = "ü" + letters("u", padding)
            stream.say(message: "<message to='peer' id='u\(stream.said.count)'><body>\(text)</body></message>")
            if chance.once(in: 4) { stream.say(" \n") }
        }
        pump()
        kernel.after(chance.time(.milliseconds(1)...(.milliseconds(max(plan["pace"], 2))))) { [self] in speak() }
    }
}
