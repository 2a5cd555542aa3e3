/// A server: it lets everybody in, keeps what it is told and tells something itself.
final class XMPPServer {
    let world: World
    let wire: StreamLine
    private var kernel: Kernel { world.kernel }
    private var chance: Chance
    private var markup = Markup()
    private var client: BOSHClient?
    private var plan: Plan?
    private var hasStream = false
    private var isLoggedIn = false
    private var isClosed = false
    private var sent = 0
    var manners: Manners

    init(_ wire: StreamLine, world: World, seed: UInt64) {
        self.world = world
        self.wire = wire
        chance = Chance(seed: seed)
        manners = Manners(in: world, seed: seed)
        wire.broke = { [self] in
            isClosed = true
            client?.ledger.isServerFaulty = true
            world.judge.excuseLogins(from: kernel.now)
        }
        wire.received = { [self] in receive($0) }
        wire.ended = { [self] in
            // Who did not say farewell is gone without one.
            world.tell("server of \(client?.ledger.name ?? "?"): connection ended \($0 ? "by a reset" : "")")
            wire.close()
            isClosed = true
        }
    }

    private func receive(_ bytes: [UInt8]) {
        markup.append(bytes)
        while !isClosed, let item = markup.next() {
            switch item {
            case .begin: openStream()
            case .element(let element):
                world.tell(
                    "server of \(client?.ledger.name ?? "?"): \(String(decoding: element, as: UTF8.self).prefix(300))")
                receive(element: element)
            case .end:
                client?.ledger.hasSeenClose = true
                isClosed = true
                wire.send("</stream:stream>".utf8)
                wire.closeWhenSent()
            }
        }
    }

    private func openStream() {
        let header =
            "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
            + "id='s\(chance.below(1_000_000))' from='example.org' version='1.0'>"
        let features =
            isLoggedIn
            ? "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>\(compressionFeature)"
            : "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms>"
        say("\(header)<stream:features>\(protectionFeature ?? features)</stream:features>")
    }

    private func receive(element: [UInt8]) {
        if negotiates(element) { return }
        if element.has("<auth") {
            judgeLogin()
            guard let number = Int(element.text), let known = world.client(number) else {
                world.judge.fail("the server got a login of nobody: \(String(decoding: element, as: UTF8.self))")
                return
            }
            client = known
            known.ledger.hasLoggedIn = true
            plan = world.plan(number)
            world.note(login: number)
            isLoggedIn = true
            say("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
            markup.beginAgain()
        } else if element.has("<iq") {
            say("<iq type='result' id='\(element.attribute("id") ?? "")'/>")
            begin()
        } else if element.has("<message") {
            guard let client, let id = element.attribute("id"), let number = Int(id.dropFirst()) else { return }
            if element.attribute("type") == "error" {
                client.ledger.serverGotBack(number)
            } else {
                client.ledger.serverReceived(number)
            }
        }
    }

    private func begin() {
        guard let plan else { return }
        wire.slowness = plan["serverslow"]
        speak()
        if let fault = StreamLine.Fault(rawValue: plan["linefault"]) {
            kernel.after(.milliseconds(plan["lineat"])) { [self] in fail(fault) }
        }
        guard plan["fault"] > 0 else { return }
        kernel.after(.milliseconds(plan["faultat"])) { [self] in fail(plan["fault"]) }
    }

    private func speak() {
        guard let plan, let client, !isClosed, sent < plan["down"] else { return }
        for _ in 0..<min(1 + chance.below(3), plan["down"] - sent) {
            sent += 1
            let number = client.ledger.serverSends(at: kernel.now)
            let padding = plan["bulk"] + (chance.once(in: 8) ? chance.below(plan["large"] + 1) : chance.below(40))
            say(
                "<message from='peer' to='c\(client.ledger.number)' id='d\(number)'><body>\(letters( "d", padding))</body></message>"
            )
        }
        kernel.after(chance.time(.milliseconds(1)...(.milliseconds(max(plan["pace"], 2))))) { [self] in speak() }
    }

    private func fail(_ fault: StreamLine.Fault) {
        guard let client, !isClosed else { return }
        client.ledger.isServerFaulty = true
        isClosed = true
        wire.fail(fault)
    }

    /// Whatever comes on this connection from now on says nothing.
    func fallSilent() { isClosed = true }

    /// Another stream begins on the connection.
    func restart() { markup.beginAgain() }

    private func fail(_ kind: Int) {
        guard let client, !isClosed else { return }
        client.ledger.isServerFaulty = true
        // A machine that vanished says nothing.
        if kind != 3 { client.ledger.serverGoneAt = kernel.now }
        isClosed = true
        switch kind {
        case 1: wire.reset()
        case 2: wire.closeWhenSent()
        case 3: wire.vanish()
        case 4:
            wire.send(
                "<stream:error><system-shutdown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>"
                    .utf8)
            wire.closeWhenSent()
        default:
            wire.send("<no<xml".utf8)
        }
    }

    /// Bytes leave whole or in two pieces.
    func say(_ text: String) {
        guard !isClosed else { return }
        wire.send(text.utf8)
    }
}
