import BOSHCore
import Bridge
import Primitives
import Reactor
import Settings
import StreamCore
import TLSCodec
import XMLCodec

/// What goes to the servers, and back-pressure both ways.
extension Upstreams {
    /// Puts bytes of the stream on their way, through TLS where there is TLS. The session sees to it that not too many wait.
    func send(_ bytes: [UInt8], on link: UpstreamLink) {
        guard !link.isClosed, !link.isDeaf, link.socket != nil else { return }
        var bytes = bytes
        if let compression = link.compression {
            var compressed: [UInt8] = []
            guard compression.deflater.deflate(bytes.span, into: &compressed) else {
                handle(.compressionBroken, on: link)
                return
            }
            bytes = compressed
        }
        loop.pool.lend(to: &link.output)
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
        loop.counters.stanzasReturned &+= UInt64(count)
        if !answers.isEmpty { send(answers, on: link) }
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
                link.lastSent = CoarseInstant(loop.now)
                noteSent(count, on: link)
                loop.counters.bytesToUpstream &+= UInt64(count)
            case .wouldBlock:
                noteSent(0, on: link)
                compact(link)
                updateInterest(of: link)
                let congestion = Congestion(waiting: link.unwrittenCount, bound: loop.settings.sessionBuffer)
                setCongestion(congestion, on: link)
                return
            case .failed:
                stopWriting(on: link)
                return
            }
        }
        link.unwrittenReplies = 0
        if link.written > 0 {
            link.written = 0
            loop.pool.takeBack(&link.output)
        }
        updateInterest(of: link)
        setCongestion(.none, on: link)
    }

    /// The server takes nothing more. What it sent before is still to be read, and its end comes behind that.
    private func stopWriting(on link: UpstreamLink) {
        // Dropped before anything else: whoever is told of the end may want to write, and must find nothing to write.
        link.isDeaf = true
        link.written = 0
        link.unwrittenReplies = 0
        link.output.removeAll(keepingCapacity: true)
        link.acceptance = Acceptance()
        loop.pool.takeBack(&link.output)
        guard link.session != nil else {
            lost(link)
            return
        }
        updateInterest(of: link)
        setCongestion(.none, on: link)
    }

    /// The kernel took so many bytes for the server; whether that accepts them is looked at in time.
    private func noteSent(_ count: Int, on link: UpstreamLink) {
        guard link.acceptance.noteSent(count, now: loop.now) else { return }
        schedule(link, at: loop.now.advanced(by: loop.settings.upstreamWriteTimeout))
    }

    /// Takes in what a link holds now.
    func settle(_ link: UpstreamLink) {
        loop.memory.settle(.upstream, link.isClosed ? 0 : link.heldBytes, charged: &link.charged)
    }

    /// Tells the session how far its server is behind (back-pressure towards the client).
    func setCongestion(_ congestion: Congestion, on link: UpstreamLink) {
        guard congestion != link.congestion else { return }
        link.congestion = congestion
        tell(.congested(congestion), of: link)
    }

    /// Looks at what the server has accepted.
    func lookAtAcceptance(of link: UpstreamLink) {
        guard link.acceptance.waitingSince.instant != nil, let count = link.socket?.unacknowledgedCount else { return }
        link.acceptance.look(unacknowledged: count, hasUnwritten: link.hasUnwritten, now: loop.now)
    }

    /// Whether a server has lately accepted some of what still waits for it here.
    func isAccepting(_ link: UpstreamLink, within time: Duration) -> Bool {
        guard link.hasUnwritten else { return false }
        lookAtAcceptance(of: link)
        return link.acceptance.deadline(time).map { loop.now < $0 } ?? true
    }

    /// Drops what was written once it is most of the buffer, so that a slow server does not make it grow for ever.
    private func compact(_ link: UpstreamLink) {
        guard link.written > 64 * 1024, link.written > link.output.count / 2 else { return }
        // Into an array of its own, so that the pages of what was written go back.
        link.output = Array(link.output[link.written...])
        link.written = 0
    }

    func setReading(_ mayRead: Bool, on link: UpstreamLink) {
        link.mayRead = mayRead
        // The time that it was not read does not count against the server.
        if mayRead, link.partialSince.instant != nil { link.partialSince = CoarseInstant(loop.now) }
        letGoOn(link)
        updateInterest(of: link)
    }

    /// What a link's connection is to be watched for now.
    func wantedInterest(of link: UpstreamLink) -> Interest {
        var interest: Interest = []
        // What was read comes first. A server that does not take the answers of TLS itself, the errors for what was skipped, or
        // the stanzas that go back, cannot have more of them made.
        let isDebtor =
            link.unwrittenReplies > Self.mostUnwrittenReplies
            || link.machine.phase == .returning && link.unwrittenCount > loop.settings.sessionBuffer
        if link.mayRead, link.backlog == nil, !isDebtor { interest.insert(.readable) }
        if link.hasUnwritten { interest.insert(.writable) }
        return interest
    }

    func updateInterest(of link: UpstreamLink) {
        guard link.socket != nil, !link.isClosed else { return }
        do throws(SystemError) {
            try link.socket?.watch(for: wantedInterest(of: link), as: link.token.raw, in: loop.poller)
        } catch {
            loop.logger.error("watching a server's connection failed", metadata: ["error": "\(error)"])
            giveUp(link)
        }
    }

    /// With more bytes of answers than these waiting for the server it is not read.
    private static let mostUnwrittenReplies = 64 * 1024
}
