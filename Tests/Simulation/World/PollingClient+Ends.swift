/// How a client over HTTP polling may break the rules. Each misdeed ends the session with its condition.
enum Misdeed: Int, CaseIterable {
    case malformed = 1
    case documentType
    case secondHeader
    case external

    /// The condition of the stream error.
    var condition: String {
        switch self {
        case .malformed: "not-well-formed"
        case .documentType: "restricted-xml"
        case .secondHeader, .external: "policy-violation"
        }
    }

    var text: String {
        switch self {
        case .malformed: "<a><b></a></b>"
        case .documentType: "<!DOCTYPE a>"
        case .secondHeader: PollingClient.header
        case .external: "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>"
        }
    }
}

/// How a client over HTTP polling is away, breaks a rule, leaves, and is told that its session is over.
extension PollingClient {
    /// The client's machine sleeps for longer than the session lives.
    func sleep() {
        guard isActive, current == nil else { return }
        world.tell("\(name) sleeps")
        isAway = true
        explain(["item-not-found"])
        kernel.after(inactivity + chance.time(.seconds(1)...(.seconds(60)))) { [self] in
            isAway = false
            if wantsToLeave { leave() } else { pump() }
        }
    }

    /// Somebody who knows the identifier sends something in the client's name.
    func beDisturbed() {
        guard isActive else { return }
        let evil = "<message to='peer' id='u999999'/>"
        switch chance.below(3) {
        case 0 where usesKeys: post(beside: "\(id);AAAAAAAAAAAAAAAAAAAAAAAAAAA=,\(evil)", isTold: "-3:0")
        case 1 where usesKeys: post(beside: "\(id),\(evil)", isTold: "-3:0")
        case 2: post(beside: "\(id);;,\(evil)", isTold: "-2:0")
        default: post(beside: "n1-1-0123456789abcdef0123456789abcdef,\(evil)", isTold: "0:0")
        }
    }

    /// Breaks a rule, once.
    func commit(_ misdeed: Misdeed) {
        guard isActive, !hasSaidEnd else { return }
        world.tell("\(name) breaks a rule: \(misdeed)")
        stream.say(misdeed.text)
        isOffending = true
        ledger.isClientFaulty = true
        explain([misdeed.condition])
        // What came before is read before.
        ledger.allHasToArrive = true
        pump()
        guard plan["runs"] > 0 else { return }
        // It does not wait for what it is told.
        kernel.after(chance.time(.zero...(.seconds(1)))) { [self] in
            guard stage == .running else { return }
            ledger.allHasToArrive = false
            carrier.abortAll()
            giveUp()
        }
    }

    // MARK: How it leaves

    func leave() {
        guard stage != .creating, stream.stage == .active, !isAway else {
            wantsToLeave = true
            return
        }
        guard stage == .running, !isOffending, !hasHeardEnd else { return }
        switch plan["ending"] {
        case 1:
            world.tell("\(name) closes its connections")
            goneSilently()
            finish()
        case 2:
            world.tell("\(name) vanishes")
            goneSilently()
            carrier.vanish()
            stage = .over
            world.clientEnded()
        default:
            stage = .leaving
            pump()
        }
    }

    func goneSilently() {
        // Nobody knows whether the last request has arrived.
        if ledger.end == nil { ledger.allHasToArrive = false }
        ledger.ends(.left, at: kernel.now)
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

    // MARK: What it is told

    /// The condition that a client over BOSH would have been told.
    var condition: String {
        switch error {
        case nil: "remote-connection-failed"
        case "connection-timeout": "policy-violation"
        case "resource-constraint":
            ledger.isExplained("remote-connection-failed") ? "remote-connection-failed" : "policy-violation"
        case let error?: error
        }
    }

    /// An answer has an error in place of the identifier.
    func readError(_ identifier: String, to attempt: PollingAttempt) {
        if stage == .creating, identifier == "-1:0" {
            // There is no room for another session.
            let isExcused =
                world.isShortOfDescriptors || world.judge.isDisturbed || world.mayLoseRequests
                || ledger.isExplained("system-shutdown")
            if !isExcused { world.judge.fail("\(name): its first request was told \(identifier)") }
            return giveUp()
        }
        current = nil
        // Who has been silent for so long may have no session any more.
        let wasSilent = attempt.begunAt.elapsed(since: lastHeardAt) + .seconds(30) > inactivity
        if identifier == "0:0", attempt.isFarewell, attempt.tries > 1, !wasSilent {
            // The last answer was lost, and nobody has kept it.
            ledger.mayMiss(until: kernel.now)
            return isOver(nil)
        }
        if identifier == "0:0", wasSilent { explain(["item-not-found"]) }
        switch identifier {
        case "0:0": isOver("item-not-found")
        case "-1:0": isOver(ledger.isExplained("system-shutdown") ? "system-shutdown" : "policy-violation")
        default: isOver(identifier)
        }
    }

    /// The session is over.
    ///
    /// - Parameter condition: what the client was told; nil when it has ended its stream itself.
    func isOver(_ condition: String?) {
        world.tell("\(name): its session is over: \(condition ?? "as it wanted")")
        // Its worker was to end its sessions before it had read what the client sent before it broke a rule.
        let isOfShutdown = condition == "system-shutdown" || condition == "item-not-found"
        if isOffending, isOfShutdown, ledger.explained.contains("system-shutdown") { ledger.allHasToArrive = false }
        if let condition, managed != nil, mayResume(after: condition) { return }
        ledger.ends(condition.map { .told($0) } ?? .terminated, at: kernel.now)
        finish()
    }

    /// Begins another session when this one is over and its stream can be resumed.
    private func mayResume(after condition: String) -> Bool {
        if !ledger.isExplained(condition), !world.judge.excusesLogin(endedAt: kernel.now) {
            world.judge.fail("\(name): the client was told \(condition), which nothing explains")
        }
        let mayNot = hasSaidEnd || managedID == nil || resumptions == 5 || isOffending
        guard !mayNot, managed?.isOver == false else {
            // Nobody sends again what was lost with the connection.
            if !ledger.explained.isEmpty { ledger.serverFails() }
            return false
        }
        resumptions += 1
        world.tell("\(name) begins another session to resume its stream")
        wantsToLeave = wantsToLeave || stage == .leaving
        stage = .creating
        stream.stage = .features
        stream.queue = []
        unsent = []
        current = nil
        // Not while an answer is being read.
        kernel.after(chance.time(.milliseconds(1)...(.seconds(3)))) { [self] in create() }
        return true
    }
}
