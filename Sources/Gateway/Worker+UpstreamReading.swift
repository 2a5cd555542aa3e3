import BOSHCore
import Deflate
import Reactor
import StreamCore
import TLSCodec
import XMLCodec

/// What comes from the servers: through TLS and decompression to the codec, item by item to the stream's machine.
extension Worker {
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
            settle(link)
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
        settle(link)
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
    func deliverCollected(of link: UpstreamLink) {
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
}
