import Bridge
import Reactor
import StreamCore

/// What the operator hears of the streams: in the log, and in the statistics.
extension Upstreams {
    /// Counts and logs what went wrong on the way to a server.
    func noteFailure(of link: UpstreamLink, _ kind: UpstreamFailure, _ detail: String, about subject: String? = nil) {
        loop.counters.upstreamFailures.count(kind)
        let upstream = subject ?? link.machine.server.map { "\($0)" } ?? link.domain
        // What a stranger's own domain leads to is no trouble of the operator's.
        loop.logPeer(
            link.site.isOpenProxy ? .debug : .warning, "upstream \(kind.rawValue)",
            [
                "sid8": "\(link.sessionName)", "domain": "\(link.domain)", "upstream": "\(upstream)",
                "error": "\(detail)",
            ])
    }

    /// Tells of a trouble on the way to a server.
    func note(_ trouble: UpstreamTrouble, _ subject: TroubleSubject, isRepeated: Bool, of link: UpstreamLink) {
        let about = words(for: subject, of: link)
        switch trouble {
        case .name(let reason): noteFailure(of: link, .dns, reason, about: about)
        case .strangePort: noteFailure(of: link, .forbidden, "a port of other services", about: about)
        case .noPublicAddress: noteFailure(of: link, .forbidden, "no public address", about: about)
        case .connection(let call, let code):
            noteFailure(of: link, .connect, SystemError(call: call, code: code).reason, about: about)
        case .shortage(let shortage): note(shortage, about, isRepeated: isRepeated, of: link)
        }
    }

    private func note(_ shortage: OwnShortage, _ about: String, isRepeated: Bool, of link: UpstreamLink) {
        switch shortage {
        case .descriptors:
            if !isRepeated { noteFailure(of: link, .shortage, "no descriptor to spare", about: about) }
        case .kernel(let call, let code):
            if !isRepeated {
                noteFailure(of: link, .shortage, SystemError(call: call, code: code).description, about: about)
            }
        case .places, .ports:
            if !isRepeated { loop.counters.upstreamFailures.count(.shortage) }
            loop.reached(.upstreamConnections, shortage == .ports ? "no local port for \(about)" : about)
        }
    }

    private func words(for subject: TroubleSubject, of link: UpstreamLink) -> String {
        switch subject {
        case .name(let name): name
        case .server(let server): "\(server)"
        case .attempt(let attempt): link.search?.address(of: attempt).map { "\($0)" } ?? link.domain
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

    /// Counts and logs that a stream has ended by itself, and tells its session.
    func ended(_ link: UpstreamLink, _ failure: StreamFailure) {
        var detail = failure.description
        if case .malformed(.limit(let name)) = failure, let bound = Bound(xmlLimit: name) {
            loop.reached(bound, "session \(link.sessionName): the stream was ended")
            detail += ", which \(bound.rawValue) sets"
        }
        let reason = EndReason(failure)
        if let kind = UpstreamFailure(reason) { loop.counters.upstreamFailures.count(kind) }
        loop.logPeer(
            .info, "upstream ended",
            ["sid8": "\(link.sessionName)", "reason": "\(reason.rawValue)", "detail": "\(detail)"])
        let error: [UInt8] = if case .streamError(_, let bytes) = failure { bytes } else { [] }
        tell(.ended(reason, streamError: error), of: link)
    }
}
