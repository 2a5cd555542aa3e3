import Bridge
import Reactor
import StreamCore

/// What the operator learns about the streams, by the log and by the statistics.
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
        // Troubles with a stranger's own domain are not the operator's.
        loop.logPeer(
            .upstreams, link.site.isOpenProxy ? .debug : .warning, "upstream \(trouble.label.rawValue)",
            [
                "sid8": "\(link.sessionName)", "domain": "\(link.domain)", "upstream": "\(about)",
                "error": "\(detail(of: trouble))",
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
                "advice": "\(advice.words)", "times": "\(times)",
            ])
    }

    /// Logs that a server is left alone from now on, or used again.
    func note(_ change: Breakers.Change, of server: UpstreamKey) {
        switch change {
        case .opened:
            loop.logs.upstreams.warning(
                "upstream left alone for a while", metadata: ["upstream": "\(server)", "domain": "\(server.domain)"])
        case .worksAgain:
            loop.logs.upstreams.notice(
                "upstream works again", metadata: ["upstream": "\(server)", "domain": "\(server.domain)"])
        }
    }

    /// Counts how a stream to one server failed, or the search for a server.
    func count(_ failure: StreamFailure, of link: UpstreamLink) {
        loop.counters.upstreamFailures.count(failure.label)
        link.site.health.failures.count(failure.label)
        // A stream that was refused because its servers are left alone has asked none of them.
        if failure.label != .spared { countServer(of: link) { $0.failures.count(failure.label) } }
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
            .upstreams, .info, "upstream ended",
            ["sid8": "\(link.sessionName)", "reason": "\(reason.rawValue)", "detail": "\(detail)"])
        let error: [UInt8] = if case .streamError(_, let bytes) = failure { bytes } else { [] }
        tell(.ended(reason, streamError: error), of: link)
    }
}
