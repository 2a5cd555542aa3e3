import Addresses
import BOSHCore
import Bridge
import Primitives
import Reactor
import Settings
import StreamCore
import TLSCodec
import XMLCodec

/// The streams to the servers: their beginning, what they do, and their end.
extension Upstreams {
    /// How the server of a stream is to be found; nil for a domain whose name cannot stand in DNS.
    func attempt(_ request: StreamRequest, at site: UpstreamSite, for client: Endpoint?) -> ConnectAttempt? {
        let asked = request.route.flatMap { UpstreamAddress($0) }.map { site.route(over: $0) }
        return (asked ?? site.route(to: request.domain)).map {
            ConnectAttempt(
                plan: ConnectPlan(
                    route: $0, seed: loop.freshBits(),
                    mostTargets: site.isOpenProxy ? Self.mostStrangeTargets : ConnectPlan.mostServiceTargets),
                domain: request.domain, account: request.account, client: client, since: loop.now)
        }
    }

    /// Starts to connect a link that was made just now.
    func begin(_ link: UpstreamLink) {
        schedule(link, at: loop.now.advanced(by: loop.settings.connectTimeout))
        // Streams that are added take descriptors too, and the loop needs some in reserve; the first one's was seen to when
        // the session was made. A domain whose name cannot stand in DNS leads nowhere.
        guard link.attempt != nil, link.stream == .first || loop.hasDescriptorsToSpare else {
            let failure: StreamFailure = link.attempt == nil ? .unresolved : .shortage
            link.attempt?.isOver = true
            handle(.connectFailed(failure), on: link)
            return
        }
        connect(link)
    }

    /// Does what its client side wants of a stream.
    func execute(_ command: UpstreamCommand, on link: UpstreamLink) {
        switch command {
        // A link is made with its stream.
        case .open: break
        case .forward(let bytes):
            // Behind a request to compress nothing may stand. What comes now is a client's last words before it has a
            // resource, which no server takes.
            if link.machine.phase != .compressing { send(bytes, on: link) }
        case .restart: restart(link)
        case .pauseReading: setReading(false, on: link)
        case .resumeReading: setReading(true, on: link)
        case .returnUnfetched(let bytes): returnUnfetched(bytes, on: link)
        case .leave(let farewell): leave(link, farewell)
        }
    }

    /// Tells the session what has become of one of its streams; nobody hears it once the session is over.
    func tell(_ event: consuming UpstreamEvent, of link: UpstreamLink) {
        if let session = link.session { sessions.receive(event, on: link.stream, session: session) }
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
            tell(.opened(StreamIdentity(id: header.id, version: version), features: features), of: link)
        case .restarted(let features, let idleSeconds):
            deliverCollected(of: link)
            link.restartSince = .none
            obey(idleSeconds, on: link)
            tell(.restarted(features: features), of: link)
        case .limitIdle(let seconds):
            obey(seconds, on: link)
        case .deliver(let bytes, let management, let login):
            collect { collected in
                collected.bytes.append(contentsOf: bytes)
                collected.count += 1
                collected.management = max(collected.management, management)
            }
            switch login {
            case .none: break
            case .success: tell(.loggedIn, of: link)
            case .registration: tell(.registrationOffered, of: link)
            }
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
                link.site.health.openTime.record(loop.now.elapsed(since: connectedAt))
            }
        }
        link.attempt = nil
        link.isCounted = true
        link.site.health.opened &+= 1
        link.site.health.openNow += 1
    }

    /// Keeps the stream alive for a server that closes it when it is idle for too long (`X-17`).
    private func obey(_ idleSeconds: UInt32?, on link: UpstreamLink) {
        let usual = UInt16(clamping: loop.settings.keepaliveInterval.components.seconds)
        // A quarter of the time is for the way of the space to the server.
        link.keepaliveSeconds = idleSeconds.map { min(usual, UInt16(clamping: max(1, UInt64($0) * 3 / 4))) } ?? usual
        schedule(link, at: loop.now.advanced(by: .seconds(Int64(link.keepaliveSeconds))))
    }

    /// Tells the operator what a stream shows to be set wrong, once a minute at most. A stranger's own domain is not set here.
    private func advise(_ link: UpstreamLink) {
        guard let advice = link.machine.advice, !link.site.isOpenProxy,
            let times = link.site.advice.note(advice, now: loop.now)
        else { return }
        let upstream = link.attempt?.target.map { "\(UpstreamKey($0, of: link.domain))" } ?? link.domain
        loop.logger.warning(
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
            loop.reached(bound, "session \(link.sessionName): the stream was ended")
            detail += ", which \(bound.rawValue) sets"
        }
        let reason = EndReason(failure)
        loop.counters.upstreamFailures[reason.rawValue, default: 0] += 1
        loop.logPeer(
            .info, "upstream ended",
            ["sid8": "\(link.sessionName)", "reason": "\(reason.rawValue)", "detail": "\(detail)"])
        let error: [UInt8] = if case .streamError(_, let bytes) = failure { bytes } else { [] }
        tell(.ended(reason, streamError: error), of: link)
    }

    private func beginTLS(on link: UpstreamLink) {
        guard let context = link.site.tls else { return }
        let isDirect = link.attempt?.target?.tls == .direct
        do throws(TLSError) {
            let tls = try TLSClient(context: context, domain: link.domain, alpn: isDirect ? "xmpp-client" : nil)
            loop.pool.lend(to: &link.output)
            try tls.start(into: &link.output)
            link.tls = tls
            link.attempt?.handshakeSince = loop.now
            markDirty(link)
        } catch {
            noteFailure(of: link, "tls-\(error.label)", error.description)
            handle(.tlsFailed, on: link)
        }
    }

    /// Counts and logs what went wrong on the way to a server.
    func noteFailure(of link: UpstreamLink, _ kind: String, _ detail: String, about subject: String? = nil) {
        loop.counters.upstreamFailures[kind, default: 0] += 1
        let upstream = subject ?? link.attempt?.target.map { "\(UpstreamKey($0, of: link.domain))" } ?? link.domain
        // What a stranger's own domain leads to is no trouble of the operator's.
        loop.logPeer(
            link.site.isOpenProxy ? .debug : .warning, "upstream \(kind)",
            [
                "sid8": "\(link.sessionName)", "domain": "\(link.domain)", "upstream": "\(upstream)",
                "error": "\(detail)",
            ])
    }

    /// The client has logged in and begins a new stream over the same connection.
    func restart(_ link: UpstreamLink) {
        link.restartSince = CoarseInstant(loop.now)
        schedule(link, at: loop.now.advanced(by: loop.settings.connectTimeout))
        handle(.restartRequested, on: link)
    }

    // MARK: The end

    /// The session is over: say goodbye, or drop the connection so that the server keeps what can be resumed.
    func leave(_ link: UpstreamLink, _ farewell: StreamFarewell) {
        link.leavingSince = CoarseInstant(loop.now)
        // What the server has said to a client that fetched nothing more is still to be read, and its end too.
        let hasUnread = !link.mayRead || link.backlog != nil
        setReading(true, on: link)
        handle(.closeRequested(dropsSilently: farewell == .drop, hasUnread: hasUnread), on: link)
        guard !link.isClosed else { return }
        let isReturning = link.machine.phase == .returning
        link.hasHeard = isReturning
        schedule(link, at: loop.now.advanced(by: isReturning ? Self.silenceAtTheEnd : Self.farewellTime))
    }

    /// What the server had to say is read once nothing came for a moment. One that goes on talking is not listened to for ever.
    private func endReturning(of link: UpstreamLink, since: MonotonicInstant) {
        // The time in which the server is slow to take what goes back does not count.
        let isBlocked = link.hasUnwritten && farewellEnd(of: link, since: since) > loop.now
        let most = isBlocked ? Self.longestBlockedReturn : Self.longestReturn
        let isOver = since.advanced(by: most) <= loop.now
        if link.hasHeard || link.backlog != nil || link.hasUnwritten, !isOver {
            link.hasHeard = false
            schedule(link, at: loop.now.advanced(by: Self.silenceAtTheEnd))
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
        link.socket?.unwatch(in: loop.poller)
        link.socket = nil
        close(link.place)
        link.place = .uncounted
        link.tls = nil
        link.compression = nil
        link.backlog = nil
        link.xml.reset()
        loop.pool.takeBack(&link.output)
        settle(link)
        if link.isCounted { link.site.health.openNow -= 1 }
        if let session = link.session { sessions.forget(link.token, session: session) }
        forget(link)
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
            if due <= loop.now {
                // What waited for something of our own all the time was not asked.
                let isShort = attempt.isPostponed && attempt.connectedAt == nil
                handle(isShort ? .connectFailed(.shortage) : .deadlineReached, on: link)
            } else {
                schedule(link, at: due)
                advance(link, .wake)
            }
        } else {
            handleDeadlineWhenOpen(of: link)
        }
    }

    private func handleDeadlineWhenOpen(of link: UpstreamLink) {
        if !link.mayRead, link.partialSince.instant != nil { link.partialSince = CoarseInstant(loop.now) }
        let restart = link.restartSince.instant?.advanced(by: loop.settings.connectTimeout)
        lookAtAcceptance(of: link)
        let stall = link.acceptance.deadline(loop.settings.upstreamWriteTimeout)
        let partial = link.partialSince.instant?.advanced(by: loop.settings.stanzaTimeout)
        let keepalive = Duration.seconds(Int64(link.keepaliveSeconds))
        // Nothing may stand between a request to compress and its answer, and what is stalled needs no sign of life.
        let silence = restart == nil && !link.hasUnwritten ? link.lastSent.instant?.advanced(by: keepalive) : nil
        if let restart, restart <= loop.now {
            handle(.deadlineReached, on: link)
        } else if let stall, stall <= loop.now {
            handle(.stalled, on: link)
        } else if let partial, partial <= loop.now {
            handle(.unfinishedStanzaTimeout, on: link)
        } else if let silence, silence <= loop.now {
            send([0x20], on: link)
            schedule(link, at: loop.now.advanced(by: keepalive))
        }
        guard !link.isClosed else { return }
        let look = link.acceptance.nextLook(loop.settings.upstreamWriteTimeout, now: loop.now)
        for due in [restart, look, partial, silence] {
            if let due, due > loop.now { schedule(link, at: due) }
        }
    }

    /// Until when a farewell may take: what was taken from the client is written as long as the server accepts bytes of it,
    /// and then the server may close its side.
    private func farewellEnd(of link: UpstreamLink, since: MonotonicInstant) -> MonotonicInstant {
        lookAtAcceptance(of: link)
        let progress = max(link.lastSent.instant ?? since, link.acceptance.waitingSince.instant ?? since)
        let last = max(since, progress)
        let time = link.hasUnwritten ? max(Self.farewellTime, loop.settings.upstreamWriteTimeout) : Self.farewellTime
        return last.advanced(by: time)
    }

    private func reschedule(_ link: UpstreamLink, at due: MonotonicInstant, or act: () -> Void) {
        if due <= loop.now { act() } else { schedule(link, at: due) }
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
