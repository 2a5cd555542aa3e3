import BOSHCore
import LogLines
import Primitives

/// The limits that a peer can reach, by the setting that moves each. `/stats` counts under `limits` how often each was
/// reached.
enum Bound: String, CaseIterable, Hashable {
    case memoryLimit = "memory-limit"
    case maxSessions = "max-sessions"
    case creationRate = "creation-rate"
    case loginTimeout = "login-timeout"
    case loginBody = "login-body"
    case loginSessions = "login-sessions"
    case addressConnections = "address-connections"
    case addressSessions = "address-sessions"
    case addressLogins = "address-logins"
    case addressCreations = "address-creations"
    case addressLoginFailures = "address-login-failures"
    case addressMemory = "address-memory"
    case addressLookups = "address-lookups"
    case sessionRequests = "session-requests"
    case sessionRepeats = "session-repeats"
    case sessionBuffer = "session-buffer"
    case connectionBuffer = "connection-buffer"
    case bodyRate = "body-rate"
    case sendRate = "send-rate"
    case maxExpansion = "max-expansion"
    case xmlElements = "xml-elements"
    case xmlDepth = "xml-depth"
    case xmlAttributes = "xml-attributes"
    case maxStanza = "max-stanza"
    case stanzaDepth = "stanza-depth"
    case stanzaAttributes = "stanza-attributes"
    case maxSkipped = "max-skipped"
    case upstreamConnections = "upstream-connections"
}

/// How often each limit was reached, and when the operator was last told about it.
struct BoundCounts {
    private var reminders = Reminders<Bound>()

    /// Counts one. Returns how many came since the last log line when another line is due; nil when none is due.
    mutating func note(_ bound: Bound, now: MonotonicInstant) -> UInt64? { reminders.note(bound, now: now) }

    /// How often each limit was reached, by the name of its setting; zero for those that never were.
    var byName: [(name: String, count: UInt64)] { Bound.allCases.map { ($0.rawValue, reminders.count(of: $0)) } }
}

extension Loop {
    /// Notes that a peer has reached a limit: counts it, and logs it at most once a minute with the setting to change.
    ///
    /// `detail` tells the operator who or what it was; it is only evaluated when a line is written.
    func reached(_ bound: Bound, _ detail: @autoclosure () -> String = "") {
        guard let count = counters.bounds.note(bound, now: now) else { return }
        let detail = detail()
        logs.clients.warning(
            "limit reached",
            metadata: detail.isEmpty
                ? ["setting": "\(bound.rawValue)", "times": .number(count)]
                : ["setting": "\(bound.rawValue)", "times": .number(count), "detail": "\(detail)"])
    }
}
