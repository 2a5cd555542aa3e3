import BOSHCore
import Bridge
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
                handle(.wrote(count, isAll: !link.hasUnwritten), on: link)
                loop.counters.bytesToUpstream &+= UInt64(count)
            case .wouldBlock:
                handle(.blocked, on: link)
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
        loop.pool.takeBack(&link.output)
        handle(.writingFailed, on: link)
        guard !link.isClosed else { return }
        updateInterest(of: link)
        setCongestion(.none, on: link)
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

    /// Whether a server has lately accepted some of what still waits for it here.
    func isAccepting(_ link: UpstreamLink, within time: Duration) -> Bool {
        guard link.hasUnwritten else { return false }
        if link.machine.awaitsAcceptance, let count = link.socket?.unacknowledgedCount {
            handle(.unacknowledged(count, hasUnwritten: true), on: link)
        }
        return link.machine.acceptanceDeadline(time).map { loop.now < $0 } ?? true
    }

    /// Drops what was written once it is most of the buffer, so that a slow server does not make it grow for ever.
    private func compact(_ link: UpstreamLink) {
        guard link.written > 64 * 1024, link.written > link.output.count / 2 else { return }
        // Into an array of its own, so that the pages of what was written go back.
        link.output = Array(link.output[link.written...])
        link.written = 0
    }

    /// Reads a server, or reads it no more: as its client fetches what is there.
    func setReading(_ isRead: Bool, on link: UpstreamLink) {
        handle(.setReading(isRead), on: link)
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
            || link.unwrittenCount > loop.settings.sessionBuffer && link.ask { $0.phase } == .returning
        if link.ask({ $0.isRead }), link.backlog == nil, !isDebtor { interest.insert(.readable) }
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
