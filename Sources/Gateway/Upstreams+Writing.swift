import BOSHCore
import Bridge
import Reactor
import Settings
import StreamCore
import TLSCodec
import XMLCodec

/// Sends to the servers, and applies back-pressure in both directions.
extension Upstreams {
    /// Sends bytes of the stream, through TLS if there is TLS. The session makes sure that not too many bytes wait.
    ///
    /// - Parameter isReply: whether the server itself has caused the bytes.
    func send(_ bytes: [UInt8], isReply: Bool = false, on link: UpstreamLink) {
        guard !link.isClosed, !link.isDeaf else { return }
        do throws(ChannelFault) {
            try link.channel?.send(bytes, isReply: isReply, pool: &loop.pool)
        } catch {
            switch error {
            case .compression: handle(.compressionBroken(words: "no memory"), on: link)
            case .protection(let error): failTLS(link, error)
            }
            return
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

    /// Writes the waiting bytes.
    func flush(_ link: UpstreamLink) {
        guard !link.isClosed, link.channel != nil else { return }
        defer { settle(link) }
        while link.hasUnwritten {
            guard let result = link.channel?.write() else { return }
            switch result {
            case .wrote(let count):
                handle(.wrote(count, isAll: !link.hasUnwritten), on: link)
                loop.counters.bytesToUpstream &+= UInt64(count)
            case .wouldBlock:
                handle(.blocked, on: link)
                link.channel?.compact()
                updateInterest(of: link)
                let congestion = Congestion(waiting: link.unwrittenCount, bound: loop.settings.sessionBuffer)
                setCongestion(congestion, on: link)
                return
            case .failed:
                stopWriting(on: link)
                return
            }
        }
        link.channel?.release(to: &loop.pool)
        updateInterest(of: link)
        setCongestion(.none, on: link)
    }

    /// Stops writing, because the server takes nothing more. What it sent before is still read, and then its end of the
    /// stream.
    private func stopWriting(on link: UpstreamLink) {
        // The channel is emptied first: whoever is told of the end may want to write, and must find nothing to write.
        link.isDeaf = true
        link.channel?.drop(to: &loop.pool)
        handle(.writingFailed, on: link)
        guard !link.isClosed else { return }
        updateInterest(of: link)
        setCongestion(.none, on: link)
    }

    /// Updates the account with what a link holds now.
    func settle(_ link: UpstreamLink) {
        loop.memory.settle(.upstream, link.isClosed ? 0 : link.heldBytes, charged: &link.charged)
    }

    /// Tells the session how far its server is behind (back-pressure towards the client).
    func setCongestion(_ congestion: Congestion, on link: UpstreamLink) {
        guard congestion != link.congestion else { return }
        link.congestion = congestion
        tell(.congested(congestion), of: link)
    }

    /// Whether a server has lately accepted some of the bytes that wait for it here.
    func isAccepting(_ link: UpstreamLink, within time: Duration) -> Bool {
        guard link.hasUnwritten else { return false }
        if link.machine.awaitsAcceptance, let count = link.channel?.unacknowledgedCount {
            handle(.unacknowledged(count, hasUnwritten: true), on: link)
        }
        return link.machine.acceptanceDeadline(time).map { loop.now < $0 } ?? true
    }

    /// Reads a server or stops reading it, depending on whether its client fetches.
    func setReading(_ isRead: Bool, on link: UpstreamLink) {
        handle(.setReading(isRead), on: link)
        letGoOn(link)
        updateInterest(of: link)
    }

    /// The events that a link's connection is to be watched for now.
    func wantedInterest(of link: UpstreamLink) -> Interest {
        let hasBacklog = link.backlog != nil
        let (unwritten, replies) = (link.unwrittenCount, link.unwrittenReplies)
        let isToBeRead = link.ask {
            $0.isToBeRead(hasBacklog: hasBacklog, unwritten: unwritten, replies: replies, by: link.site.rules)
        }
        var interest: Interest = isToBeRead ? .readable : []
        if unwritten > 0 { interest.insert(.writable) }
        return interest
    }

    func updateInterest(of link: UpstreamLink) {
        guard link.channel != nil, !link.isClosed else { return }
        let interest = wantedInterest(of: link)
        do throws(SystemError) {
            try link.channel?.watch(for: interest, as: link.token, in: loop.poller)
        } catch {
            loop.logPeer(.upstreams, .error, "watching a server's connection failed", ["error": "\(error)"])
            giveUp(link)
        }
    }
}
