import BOSHCore
import Deflate
import Reactor
import StreamCore
import TLSCodec
import XMLCodec

/// Passes what comes from the servers through TLS and decompression to the codec, and then item by item to the stream's
/// machine.
extension Upstreams {
    /// Handles an event of an upstream's connection.
    func handle(_ event: PollEvent, on link: UpstreamLink) {
        // The present interest decides, because an earlier event of the batch may have changed it.
        if link.channel?.isReading ?? false {
            if event.isReadable || event.isHangup { read(from: link) }
        } else if event.isHangup {
            // The connection is not read because its client fetches nothing (back-pressure), and what the server sent
            // before the end still belongs to that client. The poller is level-triggered and would report the end for
            // ever, so it stops watching until then.
            link.channel?.lookAway(in: loop.poller)
            markDirty(link)
        }
        if event.isWritable { markDirty(link) }
    }

    private func read(from link: UpstreamLink) {
        guard let result = link.channel?.read(into: &loop.readBuffer) else { return }
        switch result {
        case .bytes(let count):
            loop.counters.bytesFromUpstream &+= UInt64(count)
            link.machine.noteRead()
            loop.readBuffer.withBytes { receive($0, on: link) }
            settle(link)
        case .wouldBlock:
            return
        case .end, .failed:
            lost(link)
        }
    }

    private func receive(_ bytes: Span<UInt8>, on link: UpstreamLink) {
        guard link.channel?.isProtected ?? false else {
            takeTurn(of: link, with: bytes)
            return
        }
        var plain = takePlainScratch()
        let connection = link.connectionCount
        let progress = link.channel?.unprotect(bytes, into: &plain, pool: &loop.pool)
        if link.hasUnwritten { markDirty(link) }
        switch progress {
        case nil: break
        case .handshaking:
            break
        case .established:
            noteHandshake(of: link)
            handle(.tlsEstablished, on: link)
            if isStill(link, connection) { takeTurn(of: link, with: plain.span) }
        case .open:
            takeTurn(of: link, with: plain.span)
        case .closedByPeer:
            takeTurn(of: link, with: plain.span, before: .closed)
        case .failed(let error):
            takeTurn(of: link, with: plain.span, before: .broken(error))
        }
        giveBack(plainScratch: plain)
    }

    private func noteHandshake(of link: UpstreamLink) {
        guard let since = link.search?.handshakeSince else { return }
        link.site.health.handshakeTime.record(loop.now.elapsed(since: since))
        if link.channel?.isResumed ?? false { link.site.health.resumedHandshakes &+= 1 }
    }

    func failTLS(_ link: UpstreamLink, _ error: TLSError) {
        handle(.tlsFailed(ProtectionFault(error), words: error.description), on: link)
    }

    // MARK: Turns

    /// Handles what came on a link, as far as one turn allows. The rest waits on the link, which is not read until all
    /// of it is handled.
    ///
    /// - Parameter ending: how TLS ended after these bytes.
    private func takeTurn(of link: UpstreamLink, with bytes: Span<UInt8>, before ending: ProtectionEnd? = nil) {
        var rest = UnhandledBytes(ending: ending)
        let connection = link.connectionCount
        _ = work(on: link, bytes, &rest)
        guard isStill(link, connection) else { return }
        if link.isDone(with: rest, of: bytes.count) {
            finish(rest, on: link, hadBacklog: false)
        } else {
            // The remaining bytes are copied, because the next link uses the scratch and the read buffer.
            let kept = bytes.extracting(droppingFirst: rest.offset)
            rest.offset = 0
            let backlog = LinkBacklog(rest, readAt: loop.now)
            backlog.bytes.append(copying: kept)
            link.backlog = backlog
            handle(.turnEnded(hasBacklog: true, hasPartial: false), on: link)
            letGoOn(link)
            updateInterest(of: link)
        }
    }

    /// Goes on with what a link has read and not handled, if its client fetches again.
    ///
    /// - Returns: what is left of the budget.
    func takeTurn(of link: UpstreamLink) -> TurnBudget {
        guard !link.isClosed, link.mayGoOn, let backlog = link.backlog else { return .ofStream }
        let connection = link.connectionCount
        let bytes = backlog.bytes
        var rest = backlog.rest
        let left = work(on: link, bytes.span, &rest)
        defer { settle(link) }
        guard isStill(link, connection), link.backlog === backlog else { return left }
        backlog.rest = rest
        if link.isDone(with: rest, of: bytes.count) {
            link.backlog = nil
            finish(rest, on: link, hadBacklog: true)
            updateInterest(of: link)
        } else {
            letGoOn(link)
        }
        return left
    }

    private func isStill(_ link: UpstreamLink, _ connection: UInt8) -> Bool {
        !link.isClosed && link.connectionCount == connection
    }

    /// Finishes input that is handled completely: handles the end of the stream that came after it.
    private func finish(_ rest: UnhandledBytes, on link: UpstreamLink, hadBacklog: Bool) {
        switch rest.ending {
        case .closed?: lost(link)
        case .broken(let error)?: failTLS(link, error)
        case nil:
            let hasPartial = link.xml.hasPartial
            if hasPartial || hadBacklog { handle(.turnEnded(hasBacklog: false, hasPartial: hasPartial), on: link) }
        }
    }

    /// Does one turn's work on bytes of a link, and gives the results to the session.
    ///
    /// - Returns: what is left of the budget.
    private func work(
        on link: UpstreamLink, _ bytes: Span<UInt8>, _ rest: inout UnhandledBytes
    ) -> TurnBudget {
        let connection = link.connectionCount
        var budget = TurnBudget.ofStream
        while isStill(link, connection), !budget.isSpent, !link.isDone(with: rest, of: bytes.count) {
            guard let compression = link.channel?.compression else {
                consume(bytes, from: &rest.offset, on: link, &budget)
                continue
            }
            if rest.expandedOffset < rest.expanded.count || link.xml.isReadingOn {
                let expanded = rest.expanded
                consume(expanded.span, from: &rest.expandedOffset, on: link, &budget)
            } else if let failure = rest.failure {
                rest = UnhandledBytes(offset: bytes.count, ending: rest.ending)
                deliverCollected(of: link)
                handle(.compressionBroken(words: "\(failure)"), on: link)
            } else {
                expand(bytes, &rest, compression)
            }
        }
        deliverCollected(of: link)
        return budget
    }

    /// Decompresses the next part of the stream. A few bytes can become a thousand times as many.
    private func expand(_ bytes: Span<UInt8>, _ rest: inout UnhandledBytes, _ compression: StreamCompression) {
        rest.expanded.removeAll(keepingCapacity: true)
        rest.expandedOffset = 0
        do throws(DeflateError) {
            rest.canExpand = try compression.inflater.inflate(
                bytes, offset: &rest.offset, room: TurnBudget.ofStream.bytes, into: &rest.expanded)
        } catch {
            rest.canExpand = false
            rest.failure = error
        }
    }

    /// Feeds the stream's bytes to the codec, and each item to the machine, until the budget is spent.
    private func consume(
        _ bytes: Span<UInt8>, from offset: inout Int, on link: UpstreamLink, _ budget: inout TurnBudget
    ) {
        let connection = link.connectionCount
        let wasCompressed = link.channel?.compression != nil
        reader.addresseeRule = addresseeRule(for: link)
        // If the link has moved on to another server, the remaining bytes do not belong to the new one.
        while offset < bytes.count || link.xml.isReadingOn, !budget.isSpent, isStill(link, connection) {
            let begun = offset
            let item = link.xml.next(bytes, offset: &offset, reader: reader)
            budget.spend(items: 1, bytes: offset - begun)
            guard let item else {
                // A long element is read by one step in each turn.
                if link.xml.isReadingOn { budget.end() }
                continue
            }
            if let user = reader.takeUser() {
                noteUser(user, of: link)
                reader.addresseeRule = .ignored
            }
            let isProceed = item == .proceed
            handle(.item(item), on: link)
            guard offset < bytes.count, isStill(link, connection) else { return }
            if isProceed {
                // An attacker who injects bytes after <proceed/> hopes that they are taken for protected ones.
                handle(.bytesAfterProceed, on: link)
                offset = bytes.count
                return
            }
            if !wasCompressed, link.channel?.compression != nil { return }
        }
    }

    /// Gives the session in one piece what came in one turn (`R-16`).
    func deliverCollected(of link: UpstreamLink) {
        guard let stanzas = takeCollected() else { return }
        loop.counters.stanzasToClients &+= stanzas.count
        if let session = link.session {
            let count = UInt32(truncatingIfNeeded: stanzas.count)
            sessions.note(session) { $0.stanzasDown &+= count }
        }
        if stanzas.goesBack {
            returnUnfetched(stanzas.bytes, on: link)
            return
        }
        if stanzas.management != .none { tell(.managed(isResumable: stanzas.management == .resumable), of: link) }
        loop.latencies.beginDelivery(readAt: link.backlog?.readAt ?? loop.now)
        tell(.stanzas(stanzas.bytes, borders: stanzas.borders), of: link)
        _ = loop.latencies.endDelivery()
    }

    /// Notes that the connection is lost, whichever side ended it.
    func lost(_ link: UpstreamLink) {
        guard !link.isClosed else { return }
        if let error = link.channel?.endOfHandshake() {
            failTLS(link, error)
        } else {
            handle(.connectionLost, on: link)
        }
    }
}
