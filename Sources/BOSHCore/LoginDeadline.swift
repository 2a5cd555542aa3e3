import Primitives

/// By when a session's client has to have logged in. It counts from the creation; no request extends it, whatever it is.
///
/// Only the server does, once: when it lets the client register an account (XEP-0077), a person has a form to fill in.
struct LoginDeadline: Sendable {
    /// The end of the clock where there is no deadline.
    private var instant: MonotonicInstant
    /// Whether the server has let the client in.
    private(set) var isMet = false
    private var isExtended = false

    /// A deadline for a session that begins now; nil `timeout`: none.
    init(now: MonotonicInstant, timeout: Duration?) {
        instant = timeout.map { now.advanced(by: $0) } ?? MonotonicInstant(nanoseconds: .max)
    }

    /// When it is due; nil when there is none, or it was met.
    var next: MonotonicInstant? {
        isMet || instant.nanoseconds == .max ? nil : instant
    }

    /// The server has let the client in: there is no deadline any more.
    mutating func meet() {
        isMet = true
    }

    /// The server registers the client. Never makes the deadline earlier.
    mutating func extend(now: MonotonicInstant, by timeout: Duration) {
        guard !isExtended else { return }
        isExtended = true
        instant = max(instant, now.advanced(by: timeout))
    }
}
