import BOSHCore
import Bridge
import Reactor
import Settings
import StreamCore
import TLSCodec
import XMLCodec

/// The streams to the servers: their beginning, what they do, and their end.
extension Worker {
    /// Makes the link of a session's stream and starts to connect it.
    func open(_ request: StreamRequest, stream: StreamNumber, of driver: SessionDriver) {
        guard let site = sites[request.domain] else { return }
        let asked = request.route.flatMap { UpstreamAddress($0) }.map { site.route(over: $0) }
        let attempt = (asked ?? site.route(to: request.domain)).map {
            ConnectAttempt(
                plan: ConnectPlan(
                    route: $0, seed: freshBits(),
                    mostTargets: site.isOpenProxy ? Self.mostStrangeTargets : ConnectPlan.mostServiceTargets),
                domain: request.domain, account: request.account, client: requestClient,
                since: now)
        }
        let token = links.nextToken()
        let link = UpstreamLink(
            token: token, session: driver.slot, sid: driver.session.id, stream: stream, site: site, request: request,
            attempt: attempt, keepalive: settings.keepaliveInterval, now: now)
        links.insert(link, at: token)
        guard sessions[Int(driver.slot)] === driver else {
            // Ended by what an earlier effect led to: nobody would ever leave this stream.
            links.remove(token)
            return
        }
        driver.add(link)
        linkDeadlines.schedule(slot: token.slot, at: now.advanced(by: settings.connectTimeout))
        // Streams that are added take descriptors too, and the loop needs some in reserve; the first one's was seen to when
        // the session was made. A domain whose name cannot stand in DNS leads nowhere.
        guard attempt != nil, stream == .first || hasDescriptorsToSpare else {
            link.attempt?.isOver = true
            handle(.connectFailed(attempt == nil ? .unresolved : .shortage), on: link)
            return
        }
        connect(link)
    }

    // MARK: The machine

    /// Gives the stream's machine an input and does what it says.
    func handle(_ input: StreamInput, on link: UpstreamLink) {
        guard !link.isClosed else { return }
        let connection = link.connectionCount
        var effects: [StreamEffect] = []
        link.machine.handle(input, into: &effects)
        for effect in effects where link.connectionCount == connection { execute(effect, on: link) }
    }

    private func execute(_ effect: StreamEffect, on link: UpstreamLink) {
        switch effect {
        case .sendHeader:
            var bytes: [UInt8] = []
            let account = link.machine.mayNameClient ? link.attempt?.account?.bytes : nil
            StreamHeaderWriter.append(to: link.domain, from: account, language: link.language, into: &bytes)
            send(bytes, on: link)
        case .sendStartTLS:
            send(StreamHeaderWriter.startTLS, on: link)
        case .sendCompress:
            send(StreamHeaderWriter.compress, on: link)
        case .beginTLS:
            beginTLS(on: link)
        case .beginCompression:
            link.compression = StreamCompression()
            if link.compression == nil { handle(.compressionBroken, on: link) }
        case .resetParser:
            link.xml.reset()
        case .opened(let header, let features, let idleSeconds):
            deliverCollected(of: link)
            advise(link)
            opened(link)
            obey(idleSeconds, on: link)
            let version = header.version.map { ProtocolVersion(major: $0.major, minor: $0.minor) }
            guard let session = link.session else { return }
            handle(
                .upstream(
                    .opened(StreamIdentity(id: header.id, version: version), features: features), on: link.stream),
                session: session)
        case .restarted(let features, let idleSeconds):
            deliverCollected(of: link)
            link.restartSince = .none
            obey(idleSeconds, on: link)
            if let session = link.session {
                handle(.upstream(.restarted(features: features), on: link.stream), session: session)
            }
        case .limitIdle(let seconds):
            obey(seconds, on: link)
        case .deliver(let bytes, let management, let login):
            collected.bytes.append(contentsOf: bytes)
            collected.count += 1
            collected.management = max(collected.management, management)
            if login != .none, let session = link.session { note(login, on: link.stream, session: session) }
        case .skipped(let stanza, let fate):
            skipped(stanza, fate, on: link)
        case .sendStreamEnd:
            send(StreamHeaderWriter.streamEnd, on: link)
        case .closeConnection:
            flush(link)
            if let attempt = link.attempt, attempt.isMovingOn {
                moveOn(link)
            } else {
                close(link)
            }
        case .failed(let failure):
            deliverCollected(of: link)
            failed(link, failure)
        }
    }

    /// The stream belongs to the client now; what was needed to get there is let go of.
    private func opened(_ link: UpstreamLink) {
        if let attempt = link.attempt {
            settle(attempt, .works)
            if let connectedAt = attempt.connectedAt {
                link.site.health.openTime.record(now.elapsed(since: connectedAt))
            }
        }
        link.attempt = nil
        link.isCounted = true
        link.site.health.opened &+= 1
        link.site.health.openNow += 1
    }

    /// Keeps the stream alive for a server that closes it when it is idle for too long (`X-17`).
    private func obey(_ idleSeconds: UInt32?, on link: UpstreamLink) {
        let usual = UInt16(clamping: settings.keepaliveInterval.components.seconds)
        // A quarter of the time is for the way of the space to the server.
        link.keepaliveSeconds = idleSeconds.map { min(usual, UInt16(clamping: max(1, UInt64($0) * 3 / 4))) } ?? usual
        linkDeadlines.schedule(slot: link.token.slot, at: now.advanced(by: .seconds(Int64(link.keepaliveSeconds))))
    }

    /// Tells the operator what a stream shows to be set wrong, once a minute at most. A stranger's own domain is not set here.
    private func advise(_ link: UpstreamLink) {
        guard let advice = link.machine.advice, !link.site.isOpenProxy,
            let times = link.site.advice.note(advice, now: now)
        else { return }
        let upstream = link.attempt?.target.map { "\(UpstreamKey($0, of: link.domain))" } ?? link.domain
        logger.warning(
            "upstream-tls does not fit the server",
            metadata: [
                "domain": "\(link.domain)", "upstream": "\(upstream)", "setting": "upstream-tls",
                "advice": "\(advice.words)", "times": "\(times)",
            ])
    }

    private func failed(_ link: UpstreamLink, _ failure: StreamFailure) {
        advise(link)
        var failure = failure
        if case .redirected(let place, let bytes) = failure, allowedRedirect(to: place, on: link) == nil {
            failure = .streamError(condition: "see-other-host", bytes: bytes)
        }
        // A plan that is at its end fails like its last target, which was counted when it failed.
        let wasCounted = link.attempt.map { $0.isOver && $0.failure != nil } ?? false
        if !wasCounted { link.site.health.count(failure: failure.label) }
        if let attempt = link.attempt {
            attempt.failure = failure
            if mayMoveOn(link, after: failure) {
                attempt.isMovingOn = true
                return
            }
            let verdict = verdict(on: link, after: failure)
            settle(attempt, verdict)
            if verdict == .broken { doubtServices(of: link, attempt) }
        }
        var detail = failure.description
        if case .malformed(.limit(let name)) = failure, let bound = Bound(xmlLimit: name) {
            reached(bound, "session \(link.sessionName): the stream was ended")
            detail += ", which \(bound.rawValue) sets"
        }
        let reason = EndReason(failure)
        counters.upstreamFailures[reason.rawValue, default: 0] += 1
        logPeer(
            .info, "upstream ended",
            ["sid8": "\(link.sessionName)", "reason": "\(reason.rawValue)", "detail": "\(detail)"])
        guard let session = link.session else { return }
        let error: [UInt8] = if case .streamError(_, let bytes) = failure { bytes } else { [] }
        if reason == .upstreamShortage { turnAway(session) }
        handle(.upstream(.ended(reason, streamError: error), on: link.stream), session: session)
    }

    private func beginTLS(on link: UpstreamLink) {
        guard let context = link.site.tls else { return }
        let isDirect = link.attempt?.target?.tls == .direct
        do throws(TLSError) {
            let tls = try TLSClient(context: context, domain: link.domain, alpn: isDirect ? "xmpp-client" : nil)
            pool.lend(to: &link.output)
            try tls.start(into: &link.output)
            link.tls = tls
            link.attempt?.handshakeSince = now
            markDirty(link)
        } catch {
            noteFailure(of: link, "tls-\(error.label)", error.description)
            handle(.tlsFailed, on: link)
        }
    }

    /// Counts and logs what went wrong on the way to a server.
    func noteFailure(of link: UpstreamLink, _ kind: String, _ detail: String, about subject: String? = nil) {
        counters.upstreamFailures[kind, default: 0] += 1
        let upstream = subject ?? link.attempt?.target.map { "\(UpstreamKey($0, of: link.domain))" } ?? link.domain
        // What a stranger's own domain leads to is no trouble of the operator's.
        logPeer(
            link.site.isOpenProxy ? .debug : .warning, "upstream \(kind)",
            [
                "sid8": "\(link.sessionName)", "domain": "\(link.domain)", "upstream": "\(upstream)",
                "error": "\(detail)",
            ])
    }

    /// The client has logged in and begins a new stream over the same connection.
    func restart(_ link: UpstreamLink) {
        link.restartSince = CoarseInstant(now)
        linkDeadlines.schedule(slot: link.token.slot, at: now.advanced(by: settings.connectTimeout))
        handle(.restartRequested, on: link)
    }

    // MARK: The end

    /// The session is over: say goodbye, or drop the connection so that the server keeps what can be resumed.
    func leave(_ link: UpstreamLink, _ farewell: StreamFarewell) {
        link.leavingSince = CoarseInstant(now)
        // What the server has said to a client that fetched nothing more is still to be read, and its end too.
        let hasUnread = !link.mayRead || link.backlog != nil
        setReading(true, on: link)
        handle(.closeRequested(dropsSilently: farewell == .drop, hasUnread: hasUnread), on: link)
        guard !link.isClosed else { return }
        let isReturning = link.machine.phase == .returning
        link.hasHeard = isReturning
        linkDeadlines.schedule(
            slot: link.token.slot, at: now.advanced(by: isReturning ? Self.silenceAtTheEnd : Self.farewellTime))
    }

    /// What the server had to say is read once nothing came for a moment. One that goes on talking is not listened to for ever.
    private func endReturning(of link: UpstreamLink, since: MonotonicInstant) {
        // The time in which the server is slow to take what goes back does not count.
        let isBlocked = link.hasUnwritten && farewellEnd(of: link, since: since) > now
        let most = isBlocked ? Self.longestBlockedReturn : Self.longestReturn
        let isOver = since.advanced(by: most) <= now
        if link.hasHeard || link.backlog != nil || link.hasUnwritten, !isOver {
            link.hasHeard = false
            linkDeadlines.schedule(slot: link.token.slot, at: now.advanced(by: Self.silenceAtTheEnd))
        } else {
            leave(link, .close)
        }
    }

    func close(_ link: UpstreamLink) {
        guard !link.isClosed else { return }
        link.isClosed = true
        if let tls = link.tls, link.isTLSEstablished, !link.hasUnwritten {
            var goodbye: [UInt8] = []
            tls.close(into: &goodbye)
            _ = link.socket?.write(goodbye)
        }
        abandonSearch(of: link)
        link.socket?.unwatch(in: poller)
        link.socket = nil
        serverConnections.close(link.place)
        link.place = .uncounted
        link.tls = nil
        link.compression = nil
        link.backlog = nil
        link.xml.reset()
        pool.takeBack(&link.output)
        settle(link)
        if link.isCounted { link.site.health.openNow -= 1 }
        if let session = link.session, Int(session) < sessions.count, let driver = sessions[Int(session)] {
            driver.remove(link)
        }
        links.remove(link.token)
    }

    // MARK: Deadlines

    /// A deadline of a link may have passed: the search, opening or opening again, a server that accepts nothing or does not end what it has
    /// begun, white space, the farewell.
    func handleDeadline(of link: UpstreamLink) {
        guard !link.isClosed else { return }
        if let since = link.leavingSince.instant, link.machine.phase == .returning {
            endReturning(of: link, since: since)
        } else if let since = link.leavingSince.instant {
            reschedule(link, at: farewellEnd(of: link, since: since)) { close(link) }
        } else if let attempt = link.attempt {
            let due = openingDeadline(of: attempt)
            if due <= now {
                // What waited for something of our own all the time was not asked.
                let isShort = attempt.isPostponed && attempt.connectedAt == nil
                handle(isShort ? .connectFailed(.shortage) : .deadlineReached, on: link)
            } else {
                linkDeadlines.schedule(slot: link.token.slot, at: due)
                advance(link, .wake)
            }
        } else {
            handleDeadlineWhenOpen(of: link)
        }
    }

    private func handleDeadlineWhenOpen(of link: UpstreamLink) {
        if !link.mayRead, link.partialSince.instant != nil { link.partialSince = CoarseInstant(now) }
        let restart = link.restartSince.instant?.advanced(by: settings.connectTimeout)
        lookAtAcceptance(of: link)
        let stall = link.acceptance.deadline(settings.upstreamWriteTimeout)
        let partial = link.partialSince.instant?.advanced(by: settings.stanzaTimeout)
        let keepalive = Duration.seconds(Int64(link.keepaliveSeconds))
        // Nothing may stand between a request to compress and its answer, and what is stalled needs no sign of life.
        let silence = restart == nil && !link.hasUnwritten ? link.lastSent.instant?.advanced(by: keepalive) : nil
        if let restart, restart <= now {
            handle(.deadlineReached, on: link)
        } else if let stall, stall <= now {
            handle(.stalled, on: link)
        } else if let partial, partial <= now {
            handle(.unfinishedStanzaTimeout, on: link)
        } else if let silence, silence <= now {
            send([0x20], on: link)
            linkDeadlines.schedule(slot: link.token.slot, at: now.advanced(by: keepalive))
        }
        guard !link.isClosed else { return }
        let look = link.acceptance.nextLook(settings.upstreamWriteTimeout, now: now)
        for due in [restart, look, partial, silence] {
            if let due, due > now { linkDeadlines.schedule(slot: link.token.slot, at: due) }
        }
    }

    /// Until when a farewell may take: what was taken from the client is written as long as the server accepts bytes of it,
    /// and then the server may close its side.
    private func farewellEnd(of link: UpstreamLink, since: MonotonicInstant) -> MonotonicInstant {
        lookAtAcceptance(of: link)
        let progress = max(link.lastSent.instant ?? since, link.acceptance.waitingSince.instant ?? since)
        let last = max(since, progress)
        let time = link.hasUnwritten ? max(Self.farewellTime, settings.upstreamWriteTimeout) : Self.farewellTime
        return last.advanced(by: time)
    }

    private func reschedule(_ link: UpstreamLink, at due: MonotonicInstant, or act: () -> Void) {
        if due <= now { act() } else { linkDeadlines.schedule(slot: link.token.slot, at: due) }
    }

    /// How many servers a stranger's domain may have us try for one request.
    private static let mostStrangeTargets = 4

    /// How long a server may take to close its side of the stream.
    private static let farewellTime = Duration.seconds(2)

    /// How long a server says nothing when it has said what it had to say to a session that is over; how long it may go on with
    /// that; and how long it may while it is slow to take what goes back.
    private static let silenceAtTheEnd = Duration.milliseconds(500)
    private static let longestReturn = Duration.seconds(10)
    private static let longestBlockedReturn = Duration.seconds(600)
}
