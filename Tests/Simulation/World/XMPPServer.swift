/// A server that lets everybody log in, keeps what it gets, and sends something itself.
final class XMPPServer {
    /// How a server may end a stream.
    enum Fault: Int, CaseIterable {
        case reset = 1
        case closed
        case vanished
        case shutDown
        case malformed
        /// It ends the stream in order, and receives what crosses its end.
        case farewell
        case conflict

        /// The condition for the client.
        var condition: String {
            self == .shutDown || self == .conflict ? "remote-stream-error" : "remote-connection-failed"
        }
    }

    let world: World
    let wire: StreamLine
    private var kernel: Kernel { world.kernel }
    private var chance: Chance
    private var markup = Markup()
    private var client: (any Client)?
    private(set) var stream: ClientStream?
    private var plan: Plan?
    private var isLoggedIn = false
    private(set) var isClosed = false
    /// Whether it receives what comes but sends nothing more.
    private var isMute = false
    private var sent = 0
    /// What its client may resume, if it asked for that (XEP-0198).
    private var managed: ManagedStream?
    private let mayRedirect: Bool
    var manners: Manners

    init(_ wire: StreamLine, world: World, seed: UInt64, mayRedirect: Bool) {
        self.world = world
        self.wire = wire
        self.mayRedirect = mayRedirect
        chance = Chance(seed: seed)
        manners = Manners(in: world, seed: seed)
        wire.broke = { [self] in
            isClosed = true
            noteFailure("remote-connection-failed")
            world.judge.excuseLogins(from: kernel.now)
        }
        wire.received = { [self] in receive($0) }
        wire.ended = { [self] in
            // A client that did not say farewell is gone without one.
            world.tell("server of \(name): connection ended \($0 ? "by a reset" : "")")
            wire.close()
            isClosed = true
        }
    }

    /// Whether it is slow, and has not read all that has come.
    var hasMoreToRead: Bool { !isClosed && wire.slowness > 0 && wire.hasUnread }

    private var name: String { stream?.ledger.name ?? "?" }

    private func receive(_ bytes: [UInt8]) {
        markup.append(bytes)
        while !isClosed, let item = markup.next() {
            switch item {
            case .begin: openStream()
            case .element(let element):
                world.tell("server of \(name): \(String(decoding: element, as: UTF8.self).prefix(300))")
                receive(element: element)
            case .end:
                world.tell("server of \(name): end of stream")
                stream?.ledger.seesClose(at: kernel.now)
                managed?.isOver = true
                if !isMute { wire.send("</stream:stream>".utf8) }
                isClosed = true
                wire.closeWhenSent()
            }
        }
    }

    private func openStream() {
        stream?.ledger.isAskedToCompress = false
        let slowness = world.slownessOfOpening
        guard slowness > 0 else {
            sayHeader()
            return
        }
        kernel.after(chance.time(.milliseconds(1)...(.milliseconds(slowness)))) { [self] in sayHeader() }
    }

    private func sayHeader() {
        let header =
            "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
            + "id='s\(chance.below(1_000_000))' from='example.org' version='1.0'>"
        if mayRedirect, !isLoggedIn, let place = world.redirect(&chance) {
            say(header + Self.error("see-other-host", text: place))
            isClosed = true
            wire.closeWhenSent()
            return
        }
        let features =
            isLoggedIn
            ? "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><sm xmlns='urn:xmpp:sm:3'/>\(compressionFeature)"
            : "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms>"
        say("\(header)<stream:features>\(protectionFeature ?? features)</stream:features>")
    }

    private static func error(_ condition: String, text: String = "") -> String {
        "<stream:error><\(condition) xmlns='urn:ietf:params:xml:ns:xmpp-streams'>\(text)</\(condition)>"
            + "<text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>why &amp; wherefore</text></stream:error></stream:stream>"
    }

    private func receive(element: [UInt8]) {
        if negotiates(element) { return }
        if element.has("<auth") {
            judgeLogin()
            guard let login = Int(element.text), let known = world.client(login), let stream = world.stream(login)
            else {
                world.judge.fail("the server got a login of nobody: \(String(decoding: element, as: UTF8.self))")
                return
            }
            client = known
            self.stream = stream
            stream.ledger.hasLoggedIn = true
            plan = known.plan
            world.noteLogin(login)
            isLoggedIn = true
            say("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
            markup.beginAgain()
        } else if element.has("<iq") {
            say("<iq type='result' id='\(element.attribute("id") ?? "")'/>")
            begin()
        } else if element.has("<message") {
            guard let stream, let id = element.attribute("id"), let number = Int(id.dropFirst()) else { return }
            if element.attribute("type") == "error" {
                stream.ledger.serverGotBack(number)
            } else {
                stream.ledger.serverReceived(number)
            }
        } else if element.has("<presence") {
            guard let stream, let id = element.attribute("id"), let number = Int(id.dropFirst()) else { return }
            stream.ledger.serverReceivedBroadcast(number)
        } else if element.has("<enable ") {
            guard let stream, let client else { return }
            let managed = ManagedStream(id: "m\(stream.login)-\(chance.below(1_000_000))")
            managed.holder = self
            self.managed = managed
            client.managed = managed
            stream.ledger.isManaged = true
            say("<enabled xmlns='urn:xmpp:sm:3' resume='true' id='\(managed.id)'/>")
            speak()
        } else if element.has("<resume ") {
            resume(element)
        }
    }

    private func begin() {
        guard let plan else { return }
        wire.slowness = plan["serverslow"]
        // A client that will resume gets nothing that is not counted.
        if plan["managed"] == 0 { speak() }
        if plan["flood"] > 0 { kernel.after(chance.time(.zero...(.seconds(2)))) { [self] in flood(plan["flood"]) } }
        if let fault = StreamLine.Fault(rawValue: plan["linefault"]) {
            kernel.after(.milliseconds(plan["lineat"])) { [self] in fail(fault) }
        }
        // The failure of one stream does not concern the others.
        guard let stream, stream.login / World.streamStep == plan["faultstream"] else { return }
        guard let fault = Fault(rawValue: plan["fault"]), client?.resumptions == 0 else { return }
        kernel.after(.milliseconds(plan["faultat"])) { [self] in fail(fault) }
    }

    /// Continues a lost stream (XEP-0198 §5).
    private func resume(_ element: [UInt8]) {
        guard let stream, let client, let managed = client.managed, !managed.isOver,
            element.attribute("previd") == managed.id, let h = element.attribute("h").flatMap({ Int($0) })
        else {
            say("<failed xmlns='urn:xmpp:sm:3'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>")
            return
        }
        self.managed = managed
        stream.ledger.serverGoneAt = nil
        // For the server the old connection may still exist.
        managed.holder?.leaveToAnother()
        managed.holder = self
        sent = managed.texts.count
        say("<resumed xmlns='urn:xmpp:sm:3' previd='\(managed.id)' h='\(stream.ledger.receivedUp)'/>")
        for text in managed.texts[min(h, managed.texts.count)...] { say(text) }
        begin()
        speak()
    }

    private func leaveToAnother() {
        isClosed = true
        wire.reset()
    }

    private func speak() {
        guard let plan, let stream, !isClosed, !isMute, sent < plan["down"] else { return }
        for _ in 0..<min(1 + chance.below(3), plan["down"] - sent) {
            sent += 1
            let isOversized = world.isOversized(&chance)
            // On a counted stream the stanza is delivered without its content.
            let number = stream.ledger.serverSends(at: kernel.now, isOversized: isOversized && managed == nil)
            let padding = plan["bulk"] + (chance.once(in: 8) ? chance.below(plan["large"] + 1) : chance.below(40))
            let content = isOversized ? oversized() : letters("d", min(padding, world.largest))
            let text = "<message from='peer' to='c\(stream.login)' id='d\(number)'><body>\(content)</body></message>"
            managed?.texts.append(text)
            say(text)
        }
        kernel.after(chance.time(.milliseconds(1)...(.milliseconds(max(plan["pace"], 2))))) { [self] in speak() }
    }

    /// Something larger, deeper or wider than `World.limits` allow.
    private func oversized() -> String {
        switch chance.below(3) {
        case 0: letters("l", 30_000)
        case 1: String(repeating: "<a>", count: 40) + String(repeating: "</a>", count: 40)
        default: "<a \((0..<40).map { "a\($0)='1'" }.joined(separator: " "))/>"
        }
    }

    /// Sends many tiny elements without meaning, or white space.
    private func flood(_ count: Int) {
        guard !isClosed, !isMute, managed == nil else { return }
        say(String(repeating: chance.once(in: 2) ? "<a/>" : " \n", count: count))
    }

    /// Ends the stream from the server's side; its client is told.
    private func noteFailure(_ condition: String) {
        stream?.ledger.serverFails()
        managed?.isOver = true
        client?.explain([condition, "item-not-found"])
    }

    private func fail(_ fault: StreamLine.Fault) {
        guard !isClosed, !isMute else { return }
        noteFailure("remote-connection-failed")
        isClosed = true
        wire.fail(fault)
    }

    /// Ignores whatever comes on this connection from now on.
    func fallSilent() { isClosed = true }

    /// Another stream begins on the connection.
    func restart() { markup.beginAgain() }

    private func fail(_ fault: Fault) {
        guard let client, let stream, !isClosed, !isMute else { return }
        // A stream that can be resumed loses nothing with its connection.
        let isResumable = managed != nil && fault.rawValue <= Fault.vanished.rawValue
        stream.ledger.hasFaulted = true
        // A machine that vanished sends nothing.
        if fault != .vanished { stream.ledger.serverGoneAt = kernel.now }
        if !isResumable { noteFailure(fault.condition) }
        // The session may be gone when the client asks again for a lost answer.
        client.explain([fault.condition, "item-not-found"])
        // Bytes that cross the end of a stream make the server's machine reset the connection, and its last bytes may
        // be lost.
        let mayCross = plan?["up"] != 0 || plan?["streams"] != 0 || plan?["managed"] != 0 || world.hasOversized
        if mayCross { client.explain(["remote-connection-failed"]) }
        switch fault {
        case .reset: wire.reset()
        case .closed: wire.closeWhenSent()
        case .vanished: wire.vanish()
        case .shutDown, .conflict: end(with: fault == .shutDown ? "system-shutdown" : "conflict")
        case .malformed: wire.send("<no<xml".utf8)
        case .farewell:
            wire.send("</stream:stream>".utf8)
            isMute = true
            return
        }
        isClosed = true
    }

    private func end(with condition: String) {
        wire.send(Self.error(condition).utf8)
        wire.closeWhenSent()
    }

    /// Restarts the server's machine.
    func shutDown() {
        guard !isClosed else { return }
        stream?.ledger.serverGoneAt = kernel.now
        stream?.ledger.serverFails()
        managed?.isOver = true
        end(with: "system-shutdown")
        isClosed = true
    }

    func say(_ text: String) {
        guard !isClosed, !isMute else { return }
        wire.send(text.utf8)
    }
}

/// What a server keeps of a stream that its client may resume.
final class ManagedStream {
    let id: String
    /// All texts that it sent: the client says how many of these it has.
    var texts: [String] = []
    /// Whether the client has ended it, so that there is nothing to resume.
    var isOver = false
    weak var holder: XMPPServer?

    init(id: String) { self.id = id }
}
