import Primitives

/// The stream over the connection: what the server and the client side do, and how the stream's end is handled.
extension UpstreamMachine {
    /// Handles what the server sent, and how its connection ended.
    mutating func handleServer(
        _ input: UpstreamInput, by rules: UpstreamRules, breakers: inout Breakers, now: MonotonicInstant,
        into effects: inout UpstreamEffects
    ) {
        guard stage == .connected else { return }
        let given: StreamInput
        switch input {
        case .tlsEstablished: given = .tlsEstablished
        case .tlsFailed(let fault, let words):
            note(.protection(fault, words: words), into: &effects)
            given = consequence(of: fault)
        case .bytesAfterProceed: given = .bytesAfterProceed
        case .compressionBroken(let words):
            note(.compression(words: words), into: &effects)
            given = .compressionBroken
        case .connectionLost: given = .connectionLost
        case .turnEnded(let hasBacklog, let hasPartial):
            self.hasBacklog = hasBacklog
            if hasPartial, !hasBacklog, search == nil, partialSince == .none { beginPartial(now: now) }
            return
        default:
            return
        }
        give(given, by: rules, breakers: &breakers, now: now, into: &effects)
    }

    /// What a TLS failure means for the stream.
    private func consequence(of fault: ProtectionFault) -> StreamInput {
        switch stream.phase {
        // An answer that is not TLS at all shows that the port expects something else than the setting says.
        case .directTLS, .handshake: fault == .record ? .tlsAbsent : .tlsFailed(fault)
        // The server had proved its name: the client's stream existed and is lost.
        default: .connectionLost
        }
    }

    /// Reports a trouble with the stream.
    private func note(_ trouble: UpstreamTrouble, into effects: inout UpstreamEffects) {
        effects.list.append(.note(trouble, server.map(TroubleSubject.server) ?? .stream, isRepeated: false))
    }

    /// Handles the results of writing.
    mutating func handleWriting(
        _ input: UpstreamInput, by rules: UpstreamRules, breakers: inout Breakers, now: MonotonicInstant,
        into effects: inout UpstreamEffects
    ) {
        guard stage == .connected || stage == .movingOn else { return }
        switch input {
        case .wrote(let count, let isAll):
            lastSent = CoarseInstant(now)
            noteSent(count, now: now)
            if hasUnwritten, isAll { isDueEarlier = true }
            hasUnwritten = !isAll
        case .blocked:
            noteSent(0, now: now)
            hasUnwritten = true
        case .unacknowledged(let count, let hasUnwritten):
            self.hasUnwritten = hasUnwritten
            acceptance.look(unacknowledged: count, hasUnwritten: hasUnwritten, now: now)
            isDueEarlier = true
        case .writingFailed:
            // What the server sent before is still read, and then its end of the stream.
            acceptance = Acceptance()
            hasUnwritten = false
            isDueEarlier = true
            // The session has left: nobody is left to read it for.
            if isLeft { give(.connectionLost, by: rules, breakers: &breakers, now: now, into: &effects) }
        default:
            break
        }
    }

    private mutating func noteSent(_ count: Int, now: MonotonicInstant) {
        if acceptance.noteSent(count, now: now) { isDueEarlier = true }
    }

    /// Starts the time in which the server has to finish the element that it has begun.
    mutating func beginPartial(now: MonotonicInstant) {
        partialSince = CoarseInstant(now)
        isDueEarlier = true
    }

    // MARK: The client side

    mutating func restart(
        by rules: UpstreamRules, breakers: inout Breakers, now: MonotonicInstant, into effects: inout UpstreamEffects
    ) {
        guard stage == .connected, stream.isOpen else { return }
        stepSince = CoarseInstant(now)
        isDueEarlier = true
        give(.restartRequested, by: rules, breakers: &breakers, now: now, into: &effects)
    }

    /// The session is over: ends the stream in order, or drops the connection so that the server keeps what can be
    /// resumed.
    mutating func leave(
        drops: Bool, hasUnread: Bool, by rules: UpstreamRules, breakers: inout Breakers, now: MonotonicInstant,
        into effects: inout UpstreamEffects
    ) {
        // If the client had stopped fetching, what the server sent meanwhile is still read, up to its end of the
        // stream. So is the rest of an element that has begun to come, and what the kernel has: the request that let
        // the server be read again may have ended the session too.
        let hasUnread = hasUnread || !isRead || hasBacklog || partialSince != .none
        isRead = true
        leavingSince = CoarseInstant(now)
        isDueEarlier = true
        switch stage {
        case .fresh: close(breakers: &breakers, now: now, into: &effects)
        // The old connection has to be closed first.
        case .movingOn: return
        case .searching, .connected, .closed:
            give(
                .closeRequested(dropsSilently: drops, hasUnread: hasUnread), by: rules, breakers: &breakers, now: now,
                into: &effects)
        }
        guard stream.phase == .returning else { return }
        hasHeard = true
        listen(now: now)
    }

    // MARK: The stream's own machine

    /// Gives the stream's machine an input and passes on its effects.
    mutating func give(
        _ input: StreamInput, by rules: UpstreamRules, breakers: inout Breakers, now: MonotonicInstant,
        into effects: inout UpstreamEffects
    ) {
        if !effects.ofStream.isEmpty { effects.ofStream.removeAll(keepingCapacity: true) }
        stream.handle(input, into: &effects.ofStream)
        let isReturning = stream.phase == .returning
        for index in effects.ofStream.indices {
            switch effects.ofStream[index] {
            case .deliver(let bytes, let management, let login):
                effects.list.append(
                    isReturning ? .giveBack(bytes) : .deliver(bytes, management: management, login: login))
            case .skipped(let stanza, let fate):
                effects.list.append(.skipped(stanza, fate))
            case .sendHeader:
                // This program may name the client only before the stream is open; later headers are the client's.
                effects.list.append(.sendHeader(namesClient: search != nil && stream.mayNameClient))
            case .sendStartTLS: effects.list.append(.sendStartTLS)
            case .sendCompress: effects.list.append(.sendCompress)
            case .sendStreamEnd: effects.list.append(.sendStreamEnd)
            case .beginTLS: effects.list.append(.beginTLS(isDirect: stream.phase == .directTLS))
            case .beginCompression: effects.list.append(.beginCompression)
            case .resetParser: effects.list.append(.resetParser)
            case .opened(let header, let features, let idleSeconds):
                noteOpened(breakers: &breakers, now: now, header, features, into: &effects)
                obey(idleSeconds, by: rules)
            case .restarted(let features, let idleSeconds):
                stepSince = .none
                obey(idleSeconds, by: rules)
                effects.list.append(.restarted(features: features))
            case .limitIdle(let seconds):
                obey(seconds, by: rules)
            case .failed(let failure):
                fail(failure, by: rules, breakers: &breakers, now: now, into: &effects)
            case .closeConnection:
                effects.list.append(.flush)
                if stage == .movingOn {
                    effects.list.append(.dropConnection)
                } else {
                    close(breakers: &breakers, now: now, into: &effects)
                }
            }
        }
    }

    /// Notes that the stream belongs to the client now, and drops what was only needed until then.
    private mutating func noteOpened(
        breakers: inout Breakers, now: MonotonicInstant, _ header: StreamHeader, _ features: [UInt8],
        into effects: inout UpstreamEffects
    ) {
        advise(into: &effects)
        settle(.works, breakers: &breakers, now: now, into: &effects)
        let connectedAt = search?.value.connectedAt
        search = nil
        effects.list.append(
            .opened(header, features: features, after: connectedAt.map { now.elapsed(since: $0) } ?? .zero))
    }

    /// Sends spaces often enough for a server that closes idle streams (`X-17`).
    private mutating func obey(_ idleSeconds: UInt32?, by rules: UpstreamRules) {
        let usual = Self.keepalive(rules)
        // A quarter of the time is left for the way of the space to the server.
        keepaliveSeconds = idleSeconds.map { min(usual, UInt16(clamping: max(1, UInt64($0) * 3 / 4))) } ?? usual
        isDueEarlier = true
    }

    /// Tells the operator which setting the stream shows to be wrong.
    private func advise(into effects: inout UpstreamEffects) {
        if let advice = stream.advice { effects.list.append(.advise(advice, server)) }
    }

    /// Handles the end of a stream that ended by itself: tries another target, or tells the session.
    private mutating func fail(
        _ failure: StreamFailure, by rules: UpstreamRules, breakers: inout Breakers, now: MonotonicInstant,
        into effects: inout UpstreamEffects
    ) {
        advise(into: &effects)
        let failure = allowed(failure, by: rules)
        // When the plan is at its end, its failure is that of the last target, which was already counted.
        let wasCounted = search.map { $0.value.exhaustion != nil && $0.value.failure != nil } ?? false
        if !wasCounted { effects.list.append(.count(failure)) }
        if let search = search?.value {
            self.search?.value.failure = failure
            if stage == .connected, search.mayMoveOn(after: failure, by: rules, now: now) {
                stage = .movingOn
                return
            }
            let verdict = search.verdict(after: failure, by: rules)
            settle(verdict, breakers: &breakers, now: now, into: &effects)
            if verdict == .broken, search.exhaustion == nil { doubtServices(into: &effects) }
        }
        effects.list.append(.ended(failure))
    }

    /// The failure under the operator's rules: only the first server may redirect, and only to a place that the rules
    /// name.
    private func allowed(_ failure: StreamFailure, by rules: UpstreamRules) -> StreamFailure {
        guard case .redirected(let place, let bytes) = failure else { return failure }
        if search?.value.isRedirected == false, rules.redirect(to: place) != nil { return failure }
        return .streamError(condition: "see-other-host", bytes: bytes)
    }

    mutating func close(
        breakers: inout Breakers, now: MonotonicInstant, into effects: inout UpstreamEffects
    ) {
        // Nobody will learn whether the target works.
        settle(.unknown, breakers: &breakers, now: now, into: &effects)
        search = nil
        stage = .closed
        effects.list.append(.close)
    }
}
