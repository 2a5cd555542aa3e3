import BOSHCore
import Deflate
import Reactor
import Settings
import StreamCore
import TLSCodec
import XMLCodec

/// The streams to the servers: their beginning, what comes from them, and their end.
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
                domain: request.domain, client: requestClient,
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
            handle(.connectFailed(attempt == nil ? .unresolved : .unreachable), on: link)
            return
        }
        connect(link)
    }

    // MARK: Reading

    /// Takes in what happened on an upstream's connection.
    func handle(_ event: PollEvent, on link: UpstreamLink) {
        if event.isReadable, link.interest.contains(.readable) {
            read(from: link)
        } else if event.isPeerClosed || event.isHangup {
            // It is not read because its client fetches nothing (back-pressure), and what it sent before it closed still
            // belongs to that client. Level-triggered, the close would be reported for ever: look away until then.
            link.isWatched = false
            link.socket?.unwatch(in: poller)
        }
        if event.isWritable, !link.isClosed { markDirty(link) }
    }

    private func read(from link: UpstreamLink) {
        guard let result = link.socket?.read(into: &readBuffer) else { return }
        switch result {
        case .bytes(let count):
            counters.bytesFromUpstream &+= UInt64(count)
            readBuffer.withBytes { receive($0, on: link) }
            deliverCollected(of: link)
            watchPartial(of: link)
        case .wouldBlock:
            return
        case .end, .failed:
            lost(link)
        }
    }

    private func receive(_ bytes: Span<UInt8>, on link: UpstreamLink) {
        guard let tls = link.tls else {
            expand(bytes, on: link)
            return
        }
        var plain = plainScratch
        plainScratch = []
        plain.removeAll(keepingCapacity: true)
        pool.lend(to: &link.output)
        let progress = tls.receive(bytes, plaintext: &plain, reply: &link.output)
        if link.hasUnwritten { markDirty(link) } else { pool.takeBack(&link.output) }
        switch progress {
        case .handshaking:
            break
        case .established:
            noteHandshake(of: link, isResumed: tls.isResumed)
            handle(.tlsEstablished, on: link)
            if link.tls === tls { expand(plain.span, on: link) }
        case .open:
            expand(plain.span, on: link)
        case .closedByPeer:
            expand(plain.span, on: link)
            if link.tls === tls { end(link, .closed) }
        case .failed(let error):
            expand(plain.span, on: link)
            if link.tls === tls { end(link, .broken(error)) }
        }
        plainScratch = plain
    }

    private func noteHandshake(of link: UpstreamLink, isResumed: Bool) {
        link.isTLSEstablished = true
        guard let since = link.attempt?.handshakeSince else { return }
        link.site.health.handshakeTime.record(now.elapsed(since: since))
        if isResumed { link.site.health.resumedHandshakes &+= 1 }
    }

    func failTLS(_ link: UpstreamLink, _ error: TLSError) {
        noteFailure(of: link, "tls-\(error.label)", error.description)
        flush(link)
        guard !link.isClosed else { return }
        handle(link.isTLSEstablished ? .connectionLost : .tlsFailed, on: link)
    }

    /// Ends a stream with the TLS that protects it, once all that came before is expanded.
    private func end(_ link: UpstreamLink, _ ending: ProtectionEnd) {
        guard !link.isClosed else { return }
        if let compression = link.compression, compression.hasMore {
            compression.pendingEnd = ending
            return
        }
        switch ending {
        case .closed: lost(link)
        case .broken(let error): failTLS(link, error)
        }
    }

    /// Undoes the stream's compression, where it has one.
    private func expand(_ bytes: Span<UInt8>, on link: UpstreamLink) {
        guard let compression = link.compression else {
            consume(bytes, on: link)
            return
        }
        guard compression.backlog.isEmpty, !compression.hasMore else {
            compression.backlog.append(copying: bytes)
            return
        }
        expandSteps(of: bytes, on: link, compression)
    }

    /// Goes on with what a link has read and not expanded, once its client fetches again or it is its turn.
    func expandBacklog(of link: UpstreamLink) {
        guard !link.isClosed, link.mayRead, let compression = link.compression, compression.hasMore else { return }
        let waiting = compression.backlog
        compression.backlog = []
        compression.hasMore = false
        expandSteps(of: waiting.span, on: link, compression)
        watchPartial(of: link)
        updateInterest(of: link)
        if let ending = compression.pendingEnd, !compression.hasMore { end(link, ending) }
    }

    /// Expands in steps of a bounded size. What little bytes become can be a thousand times as much: after each step the
    /// session may stop the reading (back-pressure), and after some the others have their turn.
    private func expandSteps(of bytes: Span<UInt8>, on link: UpstreamLink, _ compression: StreamCompression) {
        let connection = link.connectionCount
        var offset = 0
        for _ in 0..<Self.expansionSteps where !link.isClosed && link.connectionCount == connection && link.mayRead {
            var plain: [UInt8] = []
            var failure: DeflateError?
            do throws(DeflateError) {
                compression.hasMore = try compression.inflater.inflate(
                    bytes, offset: &offset, room: Self.expansionRoom, into: &plain)
            } catch {
                compression.hasMore = false
                failure = error
            }
            consume(plain.span, on: link)
            deliverCollected(of: link)
            if let failure, !link.isClosed, link.connectionCount == connection {
                noteFailure(of: link, "compression", "\(failure)")
                handle(.compressionBroken, on: link)
            }
            guard compression.hasMore else { return }
        }
        guard !link.isClosed, link.compression === compression else { return }
        compression.hasMore = true
        compression.backlog.append(copying: bytes.extracting(droppingFirst: offset))
        if link.mayRead { expandingLinks.append(link) }
        updateInterest(of: link)
    }

    /// How many bytes one step of expanding may give.
    private static let expansionRoom = 64 * 1024
    /// How many steps one link may take in one turn of the loop.
    private static let expansionSteps = 16

    /// Feeds the stream's bytes to the codec and each item to the machine.
    private func consume(_ bytes: Span<UInt8>, on link: UpstreamLink) {
        let connection = link.connectionCount
        let wasCompressed = link.compression != nil
        var offset = 0
        // What is left when the link has moved on to another server is not that one's.
        while offset < bytes.count, !link.isClosed, link.connectionCount == connection {
            guard let item = link.xml.next(bytes, offset: &offset, reader: upstreamReader) else { return }
            // Time counts for each element anew: on a busy stream every read may end inside the next one.
            link.partialSince = .none
            let isProceed = item == .proceed
            handle(.item(item), on: link)
            guard offset < bytes.count, !link.isClosed, link.connectionCount == connection else { return }
            if isProceed {
                // Whoever injects bytes behind <proceed/> hopes that they are taken for protected ones.
                handle(.bytesAfterProceed, on: link)
                return
            }
            if !wasCompressed, link.compression != nil {
                expand(bytes.extracting(droppingFirst: offset), on: link)
                return
            }
        }
    }

    /// Gives the session in one piece what came in one read (`R-16`).
    private func deliverCollected(of link: UpstreamLink) {
        guard collected.count > 0 else { return }
        let stanzas = collected
        collected = CollectedStanzas()
        counters.stanzasToClients &+= stanzas.count
        if let session = link.session {
            handle(
                .stanzas(stanzas.bytes, enablesResumption: stanzas.enablesResumption, on: link.stream),
                session: session)
        }
    }

    /// Gives a server that has begun an element a time to end it. While it is not read, no time passes.
    private func watchPartial(of link: UpstreamLink) {
        guard !link.isClosed, link.attempt == nil else { return }
        if link.xml.hasPartial, link.partialSince.instant == nil {
            link.partialSince = CoarseInstant(now)
            linkDeadlines.schedule(slot: link.token.slot, at: now.advanced(by: settings.stanzaTimeout))
        }
    }

    /// The connection is gone, whoever ended it.
    func lost(_ link: UpstreamLink) {
        guard !link.isClosed else { return }
        if let tls = link.tls, !link.isTLSEstablished, case .failed(let error) = tls.endOfInput() {
            failTLS(link, error)
            return
        }
        handle(.connectionLost, on: link)
    }

    // MARK: The stream's machine

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
            StreamHeaderWriter.append(to: link.domain, from: nil, language: link.language, into: &bytes)
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
            opened(link)
            obey(idleSeconds, on: link)
            let version = header.version.map { ProtocolVersion(major: $0.major, minor: $0.minor) }
            guard let session = link.session else { return }
            handle(
                .streamOpened(StreamIdentity(id: header.id, version: version), features: features, on: link.stream),
                session: session)
        case .restarted(let features, let idleSeconds):
            deliverCollected(of: link)
            link.restartSince = .none
            obey(idleSeconds, on: link)
            if let session = link.session {
                handle(.streamRestarted(features: features, on: link.stream), session: session)
            }
        case .limitIdle(let seconds):
            obey(seconds, on: link)
        case .deliver(let bytes, let enablesResumption):
            collected.bytes.append(contentsOf: bytes)
            collected.count += 1
            if enablesResumption { collected.enablesResumption = true }
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

    private func failed(_ link: UpstreamLink, _ failure: StreamFailure) {
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
            settle(attempt, verdict(on: link, after: failure))
        }
        let reason = EndReason(failure)
        counters.upstreamFailures[reason.rawValue, default: 0] += 1
        logger.info(
            "upstream ended",
            metadata: ["sid8": "\(link.sessionName)", "reason": "\(reason.rawValue)", "detail": "\(failure)"])
        guard let session = link.session else { return }
        let error: [UInt8] = if case .streamError(_, let bytes) = failure { bytes } else { [] }
        handle(.streamEnded(reason, streamError: error, on: link.stream), session: session)
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
        logger.log(
            level: link.site.isOpenProxy ? .debug : .warning, "upstream \(kind)",
            metadata: [
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
        // A server that closes its side in return is heard even if the client fetched nothing more.
        setReading(true, on: link)
        handle(.closeRequested(dropsSilently: farewell == .drop), on: link)
        if !link.isClosed {
            linkDeadlines.schedule(slot: link.token.slot, at: now.advanced(by: Self.farewellTime))
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
        if link.isWatched { link.socket?.unwatch(in: poller) }
        link.socket = nil
        link.tls = nil
        link.compression = nil
        pool.takeBack(&link.output)
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
        if let since = link.leavingSince.instant {
            reschedule(link, at: since.advanced(by: Self.farewellTime)) { close(link) }
        } else if let attempt = link.attempt {
            let due = openingDeadline(of: attempt)
            if due <= now {
                handle(.deadlineReached, on: link)
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
        let stall = link.stalledSince.instant?.advanced(by: settings.upstreamWriteTimeout)
        let partial = link.partialSince.instant?.advanced(by: settings.stanzaTimeout)
        let keepalive = Duration.seconds(Int64(link.keepaliveSeconds))
        // Nothing may stand between a request to compress and its answer, and what is stalled needs no sign of life.
        let silence = restart == nil && stall == nil ? link.lastSent.instant?.advanced(by: keepalive) : nil
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
        for due in [restart, stall, partial, silence] {
            if let due, due > now { linkDeadlines.schedule(slot: link.token.slot, at: due) }
        }
    }

    private func reschedule(_ link: UpstreamLink, at due: MonotonicInstant, or act: () -> Void) {
        if due <= now { act() } else { linkDeadlines.schedule(slot: link.token.slot, at: due) }
    }

    /// How many servers a stranger's domain may have us try for one request.
    private static let mostStrangeTargets = 4

    /// How long a server may take to close its side of the stream.
    private static let farewellTime = Duration.seconds(2)
}
