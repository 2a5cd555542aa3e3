import Primitives

/// When a session's client has to have logged in. The time counts from the creation, and no request extends it.
///
/// Only the server extends it, once: when it offers to register an account (XEP-0077), a person has a form to fill in.
package struct LoginDeadline: Sendable {
    /// The end of the clock when there is no deadline.
    private var instant: MonotonicInstant
    /// Whether the server has accepted the login.
    package private(set) var isMet = false
    private var isExtended = false

    /// A deadline for a session that begins now; nil `timeout`: none.
    package init(now: MonotonicInstant, timeout: Duration?) {
        instant = timeout.map { now.advanced(by: $0) } ?? MonotonicInstant(nanoseconds: .max)
    }

    /// When the deadline is due; nil when there is none or it was met.
    package var next: MonotonicInstant? {
        isMet || instant.nanoseconds == .max ? nil : instant
    }

    /// Notes that the server has accepted the login, which removes the deadline.
    package mutating func meet() {
        isMet = true
    }

    /// Gives the client time to register. Never makes the deadline earlier.
    package mutating func extend(now: MonotonicInstant, by timeout: Duration) {
        guard !isExtended else { return }
        isExtended = true
        instant = max(instant, now.advanced(by: timeout))
    }
}
