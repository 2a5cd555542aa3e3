import BOSHCore
import Reactor
import StreamCore
import TLSCodec
import XMLCodec

extension Worker {
    /// Makes the link of a session's stream and starts to connect it.
    func open(_ request: StreamRequest, stream: StreamNumber, of driver: SessionDriver) {
        let token = links.nextToken()
        let link = UpstreamLink(
            token: token, session: driver.slot, sid: driver.session.id, stream: stream, address: request,
            machine: StreamMachine(tls: TLSMode(settings.upstreamTLS)), xml: UpstreamXML(), now: now)
        links.insert(link, at: token)
        guard sessions[Int(driver.slot)] === driver else {
            // Ended by what an earlier effect led to: nobody would ever leave this stream.
            links.remove(token)
            return
        }
        driver.add(link)
        linkDeadlines.schedule(slot: token.slot, at: now.advanced(by: settings.connectTimeout))
        // Streams that are added take descriptors too, and the loop needs some in reserve; the first one's was seen to when
        // the session was made.
        guard stream == .first || hasDescriptorsToSpare else {
            handle(.connectFailed(.unreachable), on: link)
            return
        }
        connect(link)
    }

    /// Finds the server's addresses and connects to the first one that answers.
    private func connect(_ link: UpstreamLink) {
        if let validUntil = resolution.validUntil, now < validUntil {
            tryAddresses(resolution.addresses, on: link)
            return
        }
        let answer = resolver.ask(
            id: link.token.raw, host: settings.upstream.host, port: settings.upstream.port, poller: poller)
        if let answer { handle(answer) }
    }

    /// The resolver's answer for one link.
    func handle(_ answer: ResolverAnswer) {
        switch answer.outcome {
        case .addresses(let addresses):
            resolution.addresses = addresses
            resolution.validUntil = now.advanced(by: Resolution.lifetime)
            guard let link = links[Token(raw: answer.id)], !link.isClosed else { return }
            tryAddresses(addresses, on: link)
        case .failure(let reason, _):
            guard let link = links[Token(raw: answer.id)], !link.isClosed else { return }
            logger.warning("upstream not found", metadata: ["host": "\(settings.upstream.host)", "error": "\(reason)"])
            handle(.connectFailed(.unresolved), on: link)
        }
    }

    private func tryAddresses(_ addresses: [SocketAddress], on link: UpstreamLink) {
        link.candidates = addresses.reversed()
        tryNextAddress(on: link)
    }

    private func tryNextAddress(on link: UpstreamLink) {
        while let address = link.candidates.popLast() {
            switch StreamSocket.connect(to: address) {
            case .connected(let socket):
                adopt(socket, on: link, isConnecting: false)
                if link.socket != nil { connected(link) }
                return
            case .connecting(let socket):
                adopt(socket, on: link, isConnecting: true)
                return
            case .failed(let error):
                noteFailure(of: link, "connect", error.reason)
            }
        }
        handle(.connectFailed(.unreachable), on: link)
    }

    private func adopt(_ socket: consuming StreamSocket, on link: UpstreamLink, isConnecting: Bool) {
        try? socket.setNoDelay()
        link.isConnecting = isConnecting
        link.interest = isConnecting ? .writable : .readable
        do throws(SystemError) {
            try poller.register(socket.descriptor, token: link.token.raw, interest: link.interest)
            link.socket = consume socket
            link.isWatched = true
            if isConnecting, !link.candidates.isEmpty {
                // An address that drops packets must not use up the time of those behind it.
                let share = settings.connectTimeout / (link.candidates.count + 1)
                link.attemptUntil = now.advanced(by: share)
                linkDeadlines.schedule(slot: link.token.slot, at: now.advanced(by: share))
            } else {
                link.attemptUntil = nil
            }
        } catch {
            noteFailure(of: link, "connect", error.reason)
            handle(.connectFailed(.unreachable), on: link)
        }
    }

    private func connected(_ link: UpstreamLink) {
        link.isConnecting = false
        link.candidates = []
        counters.upstreamConnects += 1
        handle(.connected, on: link)
        updateInterest(of: link)
    }

    /// Takes in what happened on an upstream's connection.
    func handle(_ event: PollEvent, on link: UpstreamLink) {
        if link.isConnecting {
            finishConnecting(link)
            return
        }
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

    private func finishConnecting(_ link: UpstreamLink) {
        guard let error = link.socket?.finishConnect() else {
            connected(link)
            return
        }
        noteFailure(of: link, "connect", error.reason)
        link.socket = nil
        link.isConnecting = false
        tryNextAddress(on: link)
    }

    private func read(from link: UpstreamLink) {
        guard let result = link.socket?.read(into: &readBuffer) else { return }
        switch result {
        case .bytes(let count):
            counters.bytesFromUpstream &+= UInt64(count)
            readBuffer.withBytes { receive($0, on: link) }
            deliverCollected(of: link)
        case .wouldBlock:
            return
        case .end, .failed:
            lost(link)
        }
    }

    private func receive(_ bytes: Span<UInt8>, on link: UpstreamLink) {
        guard let tls = link.tls else {
            consume(bytes, on: link)
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
            link.isTLSEstablished = true
            handle(.tlsEstablished, on: link)
            consume(plain.span, on: link)
        case .open:
            consume(plain.span, on: link)
        case .closedByPeer:
            consume(plain.span, on: link)
            if !link.isClosed { lost(link) }
        case .failed(let error):
            consume(plain.span, on: link)
            failTLS(link, error)
        }
        plainScratch = plain
    }

    private func failTLS(_ link: UpstreamLink, _ error: TLSError) {
        noteFailure(of: link, "tls-\(error.label)", error.description)
        flush(link)
        guard !link.isClosed else { return }
        handle(link.isTLSEstablished ? .connectionLost : .tlsFailed, on: link)
    }

    /// Feeds the stream's bytes to the codec and each item to the machine.
    private func consume(_ bytes: Span<UInt8>, on link: UpstreamLink) {
        var offset = 0
        while offset < bytes.count, !link.isClosed {
            guard let item = link.xml.next(bytes, offset: &offset, reader: upstreamReader) else { return }
            let isProceed = item == .proceed
            handle(.item(item), on: link)
            if isProceed, offset < bytes.count, !link.isClosed {
                // Whoever injects bytes behind <proceed/> hopes that they are taken for protected ones.
                handle(.bytesAfterProceed, on: link)
                return
            }
        }
    }

    /// Gives the session in one piece what came in one read (`R-16`).
    private func deliverCollected(of link: UpstreamLink) {
        guard link.collectedCount > 0 else { return }
        let bytes = link.collected
        counters.stanzasToClients &+= link.collectedCount
        link.collected = []
        link.collectedCount = 0
        let enablesResumption = link.collectedEnablesResumption
        link.collectedEnablesResumption = false
        if let session = link.session {
            handle(.stanzas(bytes, enablesResumption: enablesResumption, on: link.stream), session: session)
        }
    }

    /// The connection is gone, whoever ended it.
    private func lost(_ link: UpstreamLink) {
        guard !link.isClosed else { return }
        if let tls = link.tls, !link.isTLSEstablished, case .failed(let error) = tls.endOfInput() {
            failTLS(link, error)
            return
        }
        handle(.connectionLost, on: link)
    }

    /// Gives the stream's machine an input and does what it says.
    func handle(_ input: StreamInput, on link: UpstreamLink) {
        guard !link.isClosed else { return }
        var effects: [StreamEffect] = []
        link.machine.handle(input, into: &effects)
        for effect in effects { execute(effect, on: link) }
    }

    private func execute(_ effect: StreamEffect, on link: UpstreamLink) {
        switch effect {
        case .sendHeader:
            var bytes: [UInt8] = []
            StreamHeaderWriter.append(
                to: link.address.domain, from: nil, language: link.address.language, into: &bytes)
            send(bytes, on: link)
        case .sendStartTLS:
            send(StreamHeaderWriter.startTLS, on: link)
        case .beginTLS:
            beginTLS(on: link)
        case .resetParser:
            link.xml.reset()
        case .opened(let header, let features):
            deliverCollected(of: link)
            guard let session = link.session else { return }
            let version = header.version.map { ProtocolVersion(major: $0.major, minor: $0.minor) }
            linkDeadlines.schedule(slot: link.token.slot, at: now.advanced(by: settings.keepaliveInterval))
            handle(
                .streamOpened(StreamIdentity(id: header.id, version: version), features: features, on: link.stream),
                session: session)
        case .restarted(let features):
            deliverCollected(of: link)
            if let session = link.session {
                handle(.streamRestarted(features: features, on: link.stream), session: session)
            }
        case .deliver(let bytes, let enablesResumption):
            link.collected.append(contentsOf: bytes)
            link.collectedCount += 1
            if enablesResumption { link.collectedEnablesResumption = true }
        case .sendStreamEnd:
            send(StreamHeaderWriter.streamEnd, on: link)
        case .closeConnection:
            flush(link)
            close(link)
        case .failed(let failure):
            deliverCollected(of: link)
            fail(link, failure)
        }
    }

    private func fail(_ link: UpstreamLink, _ failure: StreamFailure) {
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
        guard let tlsContext else { return }
        let alpn = settings.upstreamTLS == .direct ? "xmpp-client" : nil
        do throws(TLSError) {
            let tls = try TLSClient(context: tlsContext, domain: link.address.domain, alpn: alpn)
            pool.lend(to: &link.output)
            try tls.start(into: &link.output)
            link.tls = tls
            markDirty(link)
        } catch {
            noteFailure(of: link, "tls-\(error.label)", error.description)
            handle(.tlsFailed, on: link)
        }
    }

    private func noteFailure(of link: UpstreamLink, _ kind: String, _ detail: String) {
        counters.upstreamFailures[kind, default: 0] += 1
        logger.warning(
            "upstream \(kind)",
            metadata: ["sid8": "\(link.sessionName)", "upstream": "\(settings.upstream)", "error": "\(detail)"])
    }

    /// Puts bytes of the stream on their way, through TLS where there is TLS.
    func send(_ bytes: [UInt8], on link: UpstreamLink) {
        guard !link.isClosed, !link.isDeaf, link.socket != nil else { return }
        // One body may stand above the bound, whatever its size; more of them may not pile up.
        guard link.unwrittenCount <= settings.sessionBuffer else {
            handle(.stalled, on: link)
            return
        }
        pool.lend(to: &link.output)
        if let tls = link.tls {
            do throws(TLSError) {
                try tls.send(bytes.span, into: &link.output)
            } catch {
                failTLS(link, error)
                return
            }
        } else {
            link.output.append(contentsOf: bytes)
        }
        markDirty(link)
    }

    /// Tells the senders of stanzas that the client never fetched them (`T-12`).
    func returnUnfetched(_ stanzas: [UInt8], on link: UpstreamLink) {
        var answers: [UInt8] = []
        let count = stanzaReturn.append(returning: stanzas.span, into: &answers)
        counters.stanzasReturned &+= UInt64(count)
        if !answers.isEmpty { send(answers, on: link) }
    }

    private func markDirty(_ link: UpstreamLink) {
        guard !link.isDirty, !link.isClosed else { return }
        link.isDirty = true
        dirtyLinks.append(link)
    }

    /// Writes what is there.
    func flush(_ link: UpstreamLink) {
        guard !link.isClosed, !link.isConnecting else { return }
        while link.hasUnwritten {
            guard let result = link.socket?.write(link.output, from: link.written) else { return }
            switch result {
            case .wrote(let count):
                link.written += count
                link.lastSent = now
                link.stalledSince = nil
                counters.bytesToUpstream &+= UInt64(count)
            case .wouldBlock:
                if link.stalledSince == nil {
                    link.stalledSince = now
                    linkDeadlines.schedule(slot: link.token.slot, at: now.advanced(by: settings.upstreamWriteTimeout))
                }
                compact(link)
                updateInterest(of: link)
                setCongested(true, on: link)
                return
            case .failed:
                stopWriting(on: link)
                return
            }
        }
        if link.written > 0 {
            link.written = 0
            pool.takeBack(&link.output)
        }
        updateInterest(of: link)
        setCongested(false, on: link)
    }

    /// The server takes nothing more. What it sent before is still to be read, and its end comes behind that.
    private func stopWriting(on link: UpstreamLink) {
        // Dropped before anything else: whoever is told of the end may want to write, and must find nothing to write.
        link.isDeaf = true
        link.written = 0
        link.output.removeAll(keepingCapacity: true)
        link.stalledSince = nil
        pool.takeBack(&link.output)
        guard link.session != nil else {
            lost(link)
            return
        }
        updateInterest(of: link)
        setCongested(false, on: link)
    }

    /// Tells the session whether its server takes bytes (back-pressure towards the client).
    private func setCongested(_ isCongested: Bool, on link: UpstreamLink) {
        guard isCongested != link.isCongested else { return }
        link.isCongested = isCongested
        if let session = link.session { handle(.upstreamCongested(isCongested, on: link.stream), session: session) }
    }

    /// Drops what was written once it is most of the buffer, so that a slow server does not make it grow for ever.
    private func compact(_ link: UpstreamLink) {
        guard link.written > 64 * 1024, link.written > link.output.count / 2 else { return }
        link.output.removeFirst(link.written)
        link.written = 0
    }

    func setReading(_ mayRead: Bool, on link: UpstreamLink) {
        link.mayRead = mayRead
        updateInterest(of: link)
    }

    private func updateInterest(of link: UpstreamLink) {
        guard !link.isConnecting, !link.isClosed else { return }
        var interest: Interest = []
        if link.mayRead { interest.insert(.readable) }
        if link.hasUnwritten { interest.insert(.writable) }
        guard interest != link.interest else { return }
        link.interest = interest
        if link.isWatched {
            link.socket?.watch(for: interest, as: link.token, in: poller)
        } else if interest.contains(.readable) {
            link.isWatched = true
            link.socket?.watchAgain(for: interest, as: link.token, in: poller)
        }
    }

    /// The session is over: say goodbye, or drop the connection so that the server keeps what can be resumed.
    func leave(_ link: UpstreamLink, _ farewell: StreamFarewell) {
        link.leavingSince = now
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
        if link.isWatched { link.socket?.unwatch(in: poller) }
        link.socket = nil
        link.tls = nil
        pool.takeBack(&link.output)
        if let session = link.session, Int(session) < sessions.count, let driver = sessions[Int(session)] {
            driver.remove(link)
        }
        links.remove(link.token)
    }

    /// A deadline of a link may have passed: opening, a server that accepts nothing, white space, the farewell.
    func handleDeadline(of link: UpstreamLink) {
        guard !link.isClosed else { return }
        if let leavingSince = link.leavingSince {
            reschedule(link, at: leavingSince.advanced(by: Self.farewellTime)) { close(link) }
        } else if link.isConnecting, let attemptUntil = link.attemptUntil, attemptUntil <= now,
            now < link.since.advanced(by: settings.connectTimeout)
        {
            noteFailure(of: link, "connect", "no answer")
            link.socket?.unwatch(in: poller)
            link.socket = nil
            link.isConnecting = false
            tryNextAddress(on: link)
            if !link.isClosed {
                linkDeadlines.schedule(slot: link.token.slot, at: link.since.advanced(by: settings.connectTimeout))
            }
        } else if !link.machine.isOpen {
            reschedule(link, at: link.since.advanced(by: settings.connectTimeout)) {
                handle(.deadlineReached, on: link)
            }
        } else if let stalledSince = link.stalledSince {
            reschedule(link, at: stalledSince.advanced(by: settings.upstreamWriteTimeout)) {
                handle(.stalled, on: link)
            }
        } else {
            let due = link.lastSent.advanced(by: settings.keepaliveInterval)
            reschedule(link, at: due) {
                send([0x20], on: link)
                linkDeadlines.schedule(slot: link.token.slot, at: now.advanced(by: settings.keepaliveInterval))
            }
        }
    }

    private func reschedule(_ link: UpstreamLink, at due: MonotonicInstant, or act: () -> Void) {
        if due <= now { act() } else { linkDeadlines.schedule(slot: link.token.slot, at: due) }
    }

    /// How long a server may take to close its side of the stream.
    private static let farewellTime = Duration.seconds(2)
}
