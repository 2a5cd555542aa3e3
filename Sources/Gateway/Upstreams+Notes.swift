import Bridge
import LogLines
import Reactor
import StreamCore

/// What the operator learns about the streams, by the log and by the statistics.
extension Upstreams {
    /// Logs a trouble with a stream or on the way to its server, and counts it if no stream fails by it.
    func note(_ trouble: UpstreamTrouble, _ subject: TroubleSubject, isRepeated: Bool, of link: UpstreamLink) {
        switch trouble {
        case .connection: loop.counters.addressesFailed &+= 1
        case .name where !isRepeated: loop.counters.lookupsFailed &+= 1
        default: break
        }
        let about = words(for: subject, of: link)
        switch trouble {
        case .shortage(.places): loop.reached(.upstreamConnections, about)
        case .shortage(.ports): loop.reached(.upstreamConnections, "no local port for \(about)")
        default: log(trouble, about, of: link, isRepeated: isRepeated)
        }
    }

    /// Tells the operator of a trouble once a minute. What is not told that way is there for who looks closely.
    private func log(_ trouble: UpstreamTrouble, _ about: String, of link: UpstreamLink, isRepeated: Bool) {
        let words = detail(of: trouble)
        if !isRepeated { link.search?.trouble = "\(about): \(words)" }
        // Troubles with a stranger's own domain are not the operator's.
        let isOwn = !link.site.isOpenProxy && !isRepeated
        // A server that several domains share is down for all of them, but has a certificate for each.
        // The names of a domain are looked up side by side, and when the name server is down, any of them fails first.
        let subject =
            switch trouble {
            case .protection: "\(about) \(link.domain)"
            case .name: link.domain
            default: about
            }
        let times = isOwn ? count(trouble.label, about: subject) : nil
        loop.logPeer(
            .upstreams, times == nil ? .debug : .warning, "upstream \(trouble.label.rawValue)",
            [
                "sid8": "\(link.sessionName)", "domain": "\(link.domain)", "upstream": "\(about)",
                "error": "\(words)", "times": .number(times ?? 1),
            ])
    }

    private func detail(of trouble: UpstreamTrouble) -> String {
        switch trouble {
        case .name(let words), .protection(_, let words), .compression(let words): words
        case .strangePort: "the port belongs to other services"
        case .noPublicAddress: "the server has no public address"
        case .connection(let call, let code): SystemError(call: call, code: code).reason
        case .shortage(.kernel(let call, let code)): SystemError(call: call, code: code).description
        case .shortage(.descriptors): "no file descriptor left"
        case .shortage(.places): "no further connection allowed"
        case .shortage(.ports): "no local port left"
        }
    }

    private func words(for subject: TroubleSubject, of link: UpstreamLink) -> String {
        switch subject {
        case .name(let name): name
        case .server(let server): "\(server)"
        case .attempt(let attempt): link.search?.address(of: attempt).map { "\($0)" } ?? link.domain
        case .stream: link.domain
        }
    }

    /// Tells the operator, at most once a minute, which setting a stream shows to be wrong. Strangers' domains have no
    /// settings.
    func advise(_ advice: StreamAdvice, about server: UpstreamKey?, of link: UpstreamLink) {
        guard !link.site.isOpenProxy, let times = link.site.advice.note(advice, now: loop.now) else { return }
        let upstream = server.map { "\($0)" } ?? link.domain
        loop.logs.upstreams.warning(
            "upstream-tls does not fit the server",
            metadata: [
                "domain": "\(link.domain)", "upstream": "\(upstream)", "setting": "upstream-tls",
                "advice": "\(advice.words)", "times": .number(times),
            ])
    }

    /// Logs that a server is left alone from now on, or used again.
    func note(_ change: Breakers.Change, of server: UpstreamKey) {
        switch change {
        case .opened(let pause):
            loop.logs.upstreams.warning(
                "upstream left alone for a while",
                metadata: [
                    "upstream": "\(server)", "domain": "\(server.domain)", "seconds": .wholeSeconds(pause.roundedUp),
                    "seconds_at_most": .wholeSeconds(loop.settings.breakerPause.roundedUp),
                    "hint": "clients are told to come again; after each pause one of them tries the server",
                ])
        case .worksAgain(let downtime):
            loop.logs.upstreams.notice(
                "upstream works again",
                metadata: [
                    "upstream": "\(server)", "domain": "\(server.domain)",
                    "downtime_seconds": .wholeSeconds(downtime.roundedUp),
                ])
        }
    }

    /// Counts how a stream to one server failed, or the search for a server.
    func count(_ failure: StreamFailure, of link: UpstreamLink) {
        loop.counters.upstreamFailures.count(failure.exactLabel)
        link.site.health.failures.count(failure.label)
        // A stream that was refused because its servers are left alone has asked none of them.
        if failure.label != .spared { countServer(of: link) { $0.failures.count(failure.label) } }
        guard failure.showsSilence, !link.site.isOpenProxy else { return }
        countServer(of: link) { $0.silentInRow &+= 1 }
        let count = servers.health(at: link.server)?.silentInRow ?? 0
        if ServerHealth.tellsOfSilence(after: count) { warnOfSilence(of: link, failure, count: count) }
    }

    /// Several streams in a row have waited for the same server in vain: it stands still, though its machine is there.
    private func warnOfSilence(of link: UpstreamLink, _ failure: StreamFailure, count: UInt32) {
        loop.logs.upstreams.warning(
            "the server does not answer",
            metadata: [
                "upstream": "\(name(ofServerOf: link))", "domain": "\(link.domain)", "streams": .number(count),
                "error": "\(failure)",
            ])
    }

    /// Notes that a server has opened a stream.
    func noteAnswer(of link: UpstreamLink) {
        guard let count = servers.health(at: link.server)?.silentInRow, count > 0 else { return }
        countServer(of: link) { $0.silentInRow = 0 }
        guard count >= ServerHealth.silence else { return }
        loop.logs.upstreams.notice(
            "the server answers again",
            metadata: ["upstream": "\(name(ofServerOf: link))", "domain": "\(link.domain)", "streams": .number(count)])
    }

    /// Logs that a stream has ended by itself, and tells its session.
    func ended(_ link: UpstreamLink, _ failure: StreamFailure) {
        var detail = failure.description
        if case .malformed(.limit(let name)) = failure, let bound = Bound(xmlLimit: name) {
            loop.reached(bound, "session \(link.sessionName): the stream was ended")
            detail += ", which \(bound.rawValue) sets"
        }
        if let trouble = link.search?.trouble, !failure.showsLife { detail += " (\(trouble))" }
        let reason = EndReason(failure)
        let error: [UInt8] = if case .streamError(_, let bytes) = failure { bytes } else { [] }
        // If the session ends by this, the line about its end says it all.
        let isTold = sessions.telling(why: detail) { tell(.ended(reason, streamError: error), of: link) }
        loop.logPeer(
            .upstreams, isTold || failure == .spared ? .debug : .info, "upstream ended",
            ["sid8": "\(link.sessionName)", "reason": "\(reason.rawValue)", "detail": "\(detail)"])
    }
}

extension Duration {
    /// Whole seconds, so that a pause in the log is never shorter than the real one.
    fileprivate var roundedUp: Duration { .seconds(components.seconds + (components.attoseconds > 0 ? 1 : 0)) }
}
