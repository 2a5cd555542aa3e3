import Primitives

/// The way from a domain to a connection: what the plan asks for, and what follows from the results.
extension UpstreamMachine {
    /// Handles the answers for names, and the results of attempts.
    mutating func handleSearch(
        _ input: UpstreamInput, by rules: UpstreamRules, breakers: inout Breakers, now: MonotonicInstant,
        into effects: inout UpstreamEffects
    ) {
        switch input {
        case .dropped:
            handleDropped(by: rules, breakers: &breakers, now: now, into: &effects)
            return
        case .doubted(let isAskedAgain):
            search?.value.openDoubts -= 1
            if isAskedAgain { search?.value.isDoubted = true }
            conclude(by: rules, breakers: &breakers, now: now, into: &effects)
            return
        default:
            break
        }
        guard stage == .searching, let search = search?.value else { return }
        let answer: ConnectPlan.Input?
        switch input {
        case .services(let kind, let records):
            answer = .services(kind, records)
        case .servicesFailed(let kind, let isTemporary, let reason):
            if isTemporary, let zone = search.zone {
                let name = TroubleSubject.name(kind.ownerName(of: zone))
                effects.list.append(.note(.name(reason: reason), name, isRepeated: search.hasToldOfServices))
                self.search?.value.hasToldOfServices = true
            }
            answer = .servicesFailed(kind, isTemporary: isTemporary)
        case .addresses(let host, let found):
            answer = accept(found, of: host, by: rules, breakers: &breakers, now: now, into: &effects)
        case .addressesFailed(let host, let reason):
            guard search.awaitedHost == host else { return }
            self.search?.value.awaitedHost = nil
            // Without services the domain's own addresses are asked for. That they are missing is no further trouble,
            // and where other name servers are asked for them, it would contradict the first one.
            let isRepeated = search.hasToldOfServices && host == search.zone
            effects.list.append(.note(.name(reason: reason), .name(host), isRepeated: isRepeated))
            answer = .addressesFailed
        default:
            answer = fate(input, search.plan.openAttempts, into: &effects)
        }
        if let answer { advance(answer, by: rules, breakers: &breakers, now: now, into: &effects) }
    }

    /// Gives the plan an input and passes on its effects, until it waits for something.
    mutating func advance(
        _ input: ConnectPlan.Input, by rules: UpstreamRules, breakers: inout Breakers, now: MonotonicInstant,
        into effects: inout UpstreamEffects
    ) {
        var inputs = [input]
        while !inputs.isEmpty, stage == .searching {
            var planned: [ConnectPlan.Effect] = []
            search?.value.plan.handle(inputs.removeFirst(), now: now, into: &planned)
            for effect in planned {
                switch effect {
                case .lookUpServices(let kind, let domain):
                    effects.list.append(.lookUpServices(kind, domain: domain))
                case .lookUpAddresses(let target):
                    if let reason = turn(to: target, by: rules, breakers: &breakers, now: now, into: &effects) {
                        inputs.append(.targetSkipped(reason))
                    }
                case .connect(let attempt, let address):
                    connect(attempt, address, into: &effects)
                case .abandon(let attempt):
                    effects.list.append(.abandon(attempt: attempt))
                case .won(let attempt, let target):
                    adopt(attempt, target, by: rules, breakers: &breakers, now: now, into: &effects)
                case .exhausted(let reason):
                    exhaust(reason, by: rules, breakers: &breakers, now: now, into: &effects)
                }
            }
        }
        // The next address or the next target may be due soon.
        isDueEarlier = true
    }

    // MARK: Targets

    /// Turns to a target. Returns the reason if it must not be connected to.
    private mutating func turn(
        to target: UpstreamTarget, by rules: UpstreamRules, breakers: inout Breakers, now: MonotonicInstant,
        into effects: inout UpstreamEffects
    ) -> StreamFailure? {
        guard let verdict = search?.value.verdict, let domain = search?.value.domain else { return nil }
        settle(verdict, breakers: &breakers, now: now, into: &effects)
        search?.value.wasTried = false
        search?.value.isShort = false
        search?.value.isPostponed = false
        let server = UpstreamKey(target, of: domain)
        guard rules.allows(port: target.port) else {
            effects.list.append(.note(.strangePort, .server(server), isRepeated: false))
            return .refusedTarget
        }
        guard breakers.admits(server, now: now) else { return .spared }
        search?.value.target = target
        search?.value.port = target.port
        search?.value.awaitedHost = target.host
        effects.list.append(.lookUpAddresses(host: target.host))
        return nil
    }

    /// Takes the addresses of a target, without those that a stranger must not have this program connect to. Returns
    /// nil when the plan does not wait for this host's addresses any more.
    private mutating func accept(
        _ found: [FoundAddress], of host: String, by rules: UpstreamRules, breakers: inout Breakers,
        now: MonotonicInstant, into effects: inout UpstreamEffects
    ) -> ConnectPlan.Input? {
        guard search?.value.awaitedHost == host else { return nil }
        search?.value.awaitedHost = nil
        let positions = found.indices.filter { !rules.isOpenProxy || found[$0].isPublic }
        guard !positions.isEmpty else {
            effects.list.append(.note(.noPublicAddress, .name(host), isRepeated: false))
            settle(.unknown, breakers: &breakers, now: now, into: &effects)
            return .targetSkipped(.refusedTarget)
        }
        search?.value.positions = positions
        return .addresses(positions.map { found[$0].family })
    }

    /// Reports the verdict on the present target to its breaker, once. If the target is broken, its addresses are
    /// looked up again, because they may have changed.
    mutating func settle(
        _ verdict: ServerVerdict, breakers: inout Breakers, now: MonotonicInstant, into effects: inout UpstreamEffects
    ) {
        guard let server, let host = search?.value.target?.host else { return }
        search?.value.target = nil
        if verdict == .broken { doubt(.addresses(host: host), into: &effects) }
        if let change = breakers.note(verdict, of: server, now: now) {
            effects.list.append(.breakerChanged(server, change))
        }
    }

    private mutating func doubt(_ name: UpstreamName, into effects: inout UpstreamEffects) {
        search?.value.openDoubts += 1
        effects.list.append(.doubt(name))
    }

    /// No server that the DNS names for the domain was of use: has the services looked up again, because they may have
    /// changed.
    mutating func doubtServices(into effects: inout UpstreamEffects) {
        guard let zone = search?.value.zone else { return }
        for kind in ServiceKind.allCases { doubt(.services(kind, domain: zone), into: &effects) }
    }

    // MARK: Attempts

    private mutating func connect(_ attempt: Int, _ address: Int, into effects: inout UpstreamEffects) {
        guard let search = search?.value, search.positions.indices.contains(address) else { return }
        effects.list.append(.connect(attempt: attempt, address: search.positions[address], port: search.port))
    }

    /// The result of an attempt, for the plan; nil while the attempt goes on.
    private mutating func fate(
        _ input: UpstreamInput, _ open: [Int], into effects: inout UpstreamEffects
    ) -> ConnectPlan.Input? {
        switch input {
        case .connecting(let attempt) where open.contains(attempt):
            search?.value.wasTried = true
            search?.value.isPostponed = false
            return nil
        case .connected(let attempt) where open.contains(attempt):
            search?.value.wasTried = true
            search?.value.isPostponed = false
            return .connected(attempt: attempt)
        case .connectFailed(let attempt, let call, let code, let wasAsked) where open.contains(attempt):
            if wasAsked { search?.value.wasTried = true }
            note(.connection(call: call, code: code), attempt, isRepeated: false, into: &effects)
            return .failed(attempt: attempt)
        case .postponed(let attempt, let shortage) where open.contains(attempt):
            // Every further attempt would report the same.
            note(.shortage(shortage), attempt, isRepeated: search?.value.isPostponed ?? false, into: &effects)
            // A shortage on this side says nothing about the server. It uses up the address only when there is nothing
            // to wait for.
            if open.count > 1 { search?.value.isPostponed = true } else { search?.value.isShort = true }
            return .postponed(attempt: attempt)
        default:
            return nil
        }
    }

    private func note(
        _ trouble: UpstreamTrouble, _ attempt: Int, isRepeated: Bool, into effects: inout UpstreamEffects
    ) {
        effects.list.append(.note(trouble, .attempt(attempt), isRepeated: isRepeated))
    }

    /// Gives the connection that won to the stream, and begins the stream.
    private mutating func adopt(
        _ attempt: Int, _ target: UpstreamTarget, by rules: UpstreamRules, breakers: inout Breakers,
        now: MonotonicInstant, into effects: inout UpstreamEffects
    ) {
        stage = .connected
        search?.value.connectedAt = now
        stream = rules.stream(target.tls)
        effects.list.append(.adopt(attempt: attempt))
        give(.connected, by: rules, breakers: &breakers, now: now, into: &effects)
    }

    // MARK: When a target is of no use

    /// Goes on after the connection to a failed target is closed: to the host that its server named, or to the next
    /// target.
    private mutating func handleDropped(
        by rules: UpstreamRules, breakers: inout Breakers, now: MonotonicInstant, into effects: inout UpstreamEffects
    ) {
        guard stage == .movingOn, let search = search?.value, let failure = search.failure else { return }
        guard !isLeft else {
            // The session ended while this connection was being closed.
            close(breakers: &breakers, now: now, into: &effects)
            return
        }
        settle(search.verdict(after: failure, by: rules), breakers: &breakers, now: now, into: &effects)
        self.search?.value.connectedAt = nil
        stage = .searching
        stream = rules.stream(rules.tls)
        hasUnwritten = false
        hasBacklog = false
        acceptance = Acceptance()
        partialSince = .none
        if case .redirected(let place, _) = failure, let target = rules.redirect(to: place) {
            // If the other host fails too, the client is told that failure and not the redirect.
            self.search?.value.failure = nil
            self.search?.value.isRedirected = true
            let seed = self.search?.value.chance.next() ?? 0
            self.search?.value.plan = ConnectPlan(route: .fixed([target]), seed: seed)
            advance(.begin, by: rules, breakers: &breakers, now: now, into: &effects)
        } else {
            advance(.targetFailed, by: rules, breakers: &breakers, now: now, into: &effects)
        }
    }

    private mutating func exhaust(
        _ reason: StreamFailure, by rules: UpstreamRules, breakers: inout Breakers, now: MonotonicInstant,
        into effects: inout UpstreamEffects
    ) {
        guard let verdict = search?.value.verdict else { return }
        search?.value.exhaustion = reason
        settle(verdict, breakers: &breakers, now: now, into: &effects)
        doubtServices(into: &effects)
        conclude(by: rules, breakers: &breakers, now: now, into: &effects)
    }

    /// Ends a search whose plan is at its end, or begins it again, once it is known whether that makes sense.
    private mutating func conclude(
        by rules: UpstreamRules, breakers: inout Breakers, now: MonotonicInstant, into effects: inout UpstreamEffects
    ) {
        guard let search = search?.value, let reason = search.exhaustion, search.openDoubts <= 0 else { return }
        guard search.mayBeginAgain(by: rules, now: now) else {
            give(.connectFailed(search.conclusion(reason)), by: rules, breakers: &breakers, now: now, into: &effects)
            return
        }
        self.search?.value.hasBegunAgain = true
        self.search?.value.exhaustion = nil
        let seed = self.search?.value.chance.next() ?? 0
        self.search?.value.plan = search.plan.again(seed: seed)
        advance(.begin, by: rules, breakers: &breakers, now: now, into: &effects)
    }
}
