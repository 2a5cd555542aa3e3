import Reactor

extension Upstreams {
    /// The invariant of the streams that is broken, in words; nil when all hold.
    func brokenInvariant(watched: (Int32) -> UInt32?) -> String? {
        for link in all {
            if let fault = brokenWatch(of: link, watched) ?? brokenWait(of: link) {
                return "stream \(link.stream) of \(link.sessionName): \(fault)"
            }
        }
        for race in allRaces {
            guard let (descriptor, interest) = race.socket?.watching else { return "a race has no socket" }
            if let fault = Interest.disagreement(interest, watched(descriptor)) {
                return "race to \(race.address): \(fault)"
            }
            if due(race.link) == nil { return "race to \(race.address): it has no deadline" }
        }
        if hasCollected { return "stanzas of a turn that is over were passed on to nobody" }
        for server in probedServers where !all.contains(where: { $0.machine.server == server }) {
            return "\(server) is left alone until a stream has tried it that is gone"
        }
        return nil
    }

    private func brokenWatch(of link: UpstreamLink, _ watched: (Int32) -> UInt32?) -> String? {
        if link.isDirty { return "it waits to be written behind the end of the turn" }
        guard let (descriptor, interest) = link.channel?.watching else { return nil }
        if let fault = Interest.disagreement(interest, watched(descriptor)) { return fault }
        let wanted = wantedInterest(of: link)
        if wanted.contains(.readable), interest?.contains(.readable) != true {
            return "it is to be read and nobody watches"
        }
        let isWatchedForRoom = interest?.contains(.writable) == true
        // A broken connection is not watched; the deadline for a server that accepts nothing still applies.
        if wanted.contains(.writable), !isWatchedForRoom, !link.machine.awaitsAcceptance {
            return "bytes wait for room and nobody watches"
        }
        return nil
    }

    private func brokenWait(of link: UpstreamLink) -> String? {
        if link.backlog != nil, link.mayGoOn, !link.isWaiting { return "it has read something and has no turn" }
        if let session = link.session, sessions.link(of: session, link.stream) != link.token {
            return "it speaks to a session that does not have it"
        }
        if link.session == nil, !link.machine.isOpening, !link.machine.isLeft { return "nobody has it" }
        guard let deadline = link.machine.nextDeadline(by: link.site.rules) else {
            return "it waits without a deadline in phase \(link.machine.phase.rawValue)"
        }
        if due(link).map({ $0 > deadline }) ?? true { return "its deadline does not stand" }
        return nil
    }
}
