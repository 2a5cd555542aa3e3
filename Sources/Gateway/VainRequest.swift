import BOSHCore
import LogLines
import Logging
import Primitives

/// What clients ask for in vain, at no cost to themselves.
enum VainRequest: CaseIterable {
    /// A session at a domain that is not configured.
    case domain
    /// A session that has ended, that another machine has, or that never was.
    case session
    /// A path where nothing is.
    case path

    /// The line about it.
    var line: String {
        switch self {
        case .domain: "a client asked for a domain that is not served"
        case .session: "a request was for a session that does not exist"
        case .path: "a request was for a path where nothing is"
        }
    }

    /// A wrong domain or path is often a mistake of the operator. Sessions are unknown after each restart.
    var level: Logger.Level { self == .session ? .info : .notice }
}

extension Loop {
    /// Tells the operator what somebody has asked for in vain, once a minute for each kind. `times` in the line says how
    /// many there were since the last one.
    func tell(of request: VainRequest, _ details: @autoclosure () -> Logger.Metadata) {
        let logger = request == .path ? logs.clients : logs.sessions
        guard let times = vainRequests.note(request, now: now), request.level >= logger.logLevel else { return }
        logger.log(
            level: request.level, "\(request.line)",
            metadata: details().merging(["times": .number(times)]) { own, _ in own })
    }
}
