import BOSHCore
import Reactor
import Settings
import StreamCore
import TLSCodec
import XMLCodec

/// What goes to the servers, and back-pressure both ways.
extension Worker {
    /// Puts bytes of the stream on their way, through TLS where there is TLS. `isLast`: the session has ended, and nothing but its
    /// farewell comes behind them.
    func send(_ bytes: [UInt8], on link: UpstreamLink, isLast: Bool = false) {
        guard !link.isClosed, !link.isDeaf, link.socket != nil else { return }
        // One body may stand above the bound, whatever its size; more of them may not pile up. Behind a farewell none comes.
        let isFarewell = isLast || link.leavingSince.instant != nil
        guard link.unwrittenCount <= settings.sessionBuffer || isFarewell else {
            handle(.stalled, on: link)
            return
        }
        var bytes = bytes
        if let compression = link.compression {
            var compressed: [UInt8] = []
            guard compression.deflater.deflate(bytes.span, into: &compressed) else {
                handle(.compressionBroken, on: link)
                return
            }
            bytes = compressed
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
        if !answers.isEmpty { send(answers, on: link, isLast: true) }
    }

    func markDirty(_ link: UpstreamLink) {
        guard !link.isDirty, !link.isClosed else { return }
        link.isDirty = true
        dirtyLinks.append(link)
    }

    /// Writes what is there.
    func flush(_ link: UpstreamLink) {
        guard !link.isClosed, link.socket != nil else { return }
        defer { settle(link) }
        while link.hasUnwritten {
            guard let result = link.socket?.write(link.output, from: link.written) else { return }
            switch result {
            case .wrote(let count):
                link.written += count
                link.lastSent = CoarseInstant(now)
                link.stalledSince = .none
                counters.bytesToUpstream &+= UInt64(count)
            case .wouldBlock:
                if link.stalledSince.instant == nil {
                    link.stalledSince = CoarseInstant(now)
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
        link.unwrittenReplies = 0
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
        link.unwrittenReplies = 0
        link.output.removeAll(keepingCapacity: true)
        link.stalledSince = .none
        pool.takeBack(&link.output)
        guard link.session != nil else {
            lost(link)
            return
        }
        updateInterest(of: link)
        setCongested(false, on: link)
    }

    /// Tells the session whether its server takes bytes (back-pressure towards the client).
    func setCongested(_ isCongested: Bool, on link: UpstreamLink) {
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
        // The time that it was not read does not count against the server.
        if mayRead, link.partialSince.instant != nil { link.partialSince = CoarseInstant(now) }
        letGoOn(link)
        updateInterest(of: link)
    }

    func updateInterest(of link: UpstreamLink) {
        guard link.socket != nil, !link.isClosed else { return }
        var interest: Interest = []
        // What was read comes first, and who does not take the answers of TLS itself cannot have it make more of them.
        let isDebtor = link.unwrittenReplies > Self.mostUnwrittenReplies
        if link.mayRead, link.backlog == nil, !isDebtor { interest.insert(.readable) }
        if link.hasUnwritten { interest.insert(.writable) }
        do throws(SystemError) {
            try link.socket?.watch(for: interest, as: link.token.raw, in: poller)
        } catch {
            logger.error("watching a server's connection failed", metadata: ["error": "\(error)"])
            unwatchable.append(link.token)
        }
    }

    /// More bytes than these that TLS answered with by itself may not wait for the server.
    private static let mostUnwrittenReplies = 64 * 1024
}
