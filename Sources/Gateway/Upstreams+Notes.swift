import Bridge
import Reactor
import StreamCore

/// What the operator hears of the streams: in the log, and in the statistics.
extension Upstreams {
    /// Counts and logs a trouble with a stream or on the way to its server.
    func note(_ trouble: UpstreamTrouble, _ subject: TroubleSubject, isRepeated: Bool, of link: UpstreamLink) {
        if !isRepeated { loop.counters.upstreamTroubles.count(trouble.label) }
        let about = words(for: subject, of: link)
        switch trouble {
        case .shortage(.places): loop.reached(.upstreamConnections, about)
        case .shortage(.ports): loop.reached(.upstreamConnections, "no local port for \(about)")
        default: if !isRepeated { log(trouble, about, of: link) }
        }
    }

    private func log(_ trouble: UpstreamTrouble, _ about: String, of link: UpstreamLink) {
        // What a stranger's own domain leads to is no trouble of the operator's.
        loop.logPeer(
            link.site.isOpenProxy ? .debug : .warning, "upstream \(trouble.label.rawValue)",
            [
                "sid8": "\(link.sessionName)", "domain": "\(link.domain)", "upstream": "\(about)",
                "error": "\(detail(of: trouble))",
            ])
    }

    private func detail(of trouble: UpstreamTrouble) -> String {
        switch trouble {
        case .name(let words), .protection(_, let words), .compression(let words): words
        case .strangePort: "a port of other services"
        case .noPublicAddress: "no public address"
        case .connection(let call, let code): SystemError(call: call, code: code).reason
        case .shortage(.kernel(let call, let code)): SystemError(call: call, code: code).description
        case .shortage(.descriptors): "no descriptor to spare"
        case .shortage(.places): "no connection to spare"
        case .shortage(.ports): "no local port to spare"
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

    /// Tells the operator what a stream shows to be set wrong, once a minute at most. A stranger's own domain is not set here.
    func advise(_ advice: StreamAdvice, about server: UpstreamKey?, of link: UpstreamLink) {
        guard !link.site.isOpenProxy, let times = link.site.advice.note(advice, now: loop.now) else { return }
        let upstream = server.map { "\($0)" } ?? link.domain
        loop.logger.warning(
            "upstream-tls does not fit the server",
            metadata: [
                "domain": "\(link.domain)", "upstream": "\(upstream)", "setting": "upstream-tls",
                "advice": "\(advice.words)", "times": "\(times)",
            ])
    }

    /// Tells that a server is left alone from now on, or no longer.
    func note(_ change: Breakers.Change, of server: UpstreamKey) {
        switch change {
        case .opened:
            loop.logger.warning(
                "upstream left alone for a while", metadata: ["upstream": "\(server)", "domain": "\(server.domain)"])
        case .worksAgain:
            loop.logger.notice(
                "upstream works again", metadata: ["upstream": "\(server)", "domain": "\(server.domain)"])
        }
    }

    /// Counts how a stream to one server failed, or the search for one.
    func count(_ failure: StreamFailure, of link: UpstreamLink) {
        loop.counters.upstreamFailures.count(failure.label)
        link.site.health.failures.count(failure.label)
    }

    /// Logs that a stream has ended by itself, and tells its session.
    func ended(_ link: UpstreamLink, _ failure: StreamFailure) {
        var detail = failure.description
        if case .malformed(.limit(let name)) = failure, let bound = Bound(xmlLimit: name) {
            loop.reached(bound, "session \(link.sessionName): the stream was ended")
            detail += ", which \(bound.rawValue) sets"
        }
        let reason = EndReason(failure)
        loop.logPeer(
            .info, "upstream ended",
            ["sid8": "\(link.sessionName)", "reason": "\(reason.rawValue)", "detail": "\(detail)"])
        let error: [UInt8] = if case .streamError(_, let bytes) = failure { bytes } else { [] }
        tell(.ended(reason, streamError: error), of: link)
    }
}
