/// What the kernel watches one socket for.
///
/// The only place from which the kernel is told, so that what is wanted and what the kernel knows cannot disagree: a watch
/// changes what it remembers only once the kernel has changed it.
package struct Watch: Sendable {
    /// The bits of an `Interest`, or one of the two below: a socket has one of these for as long as it is open.
    private var state: UInt32
    private static let none = UInt32.max
    private static let away = UInt32.max - 1

    /// Of a socket that the kernel does not watch.
    package init() {
        state = Self.none
    }

    /// What the kernel watches the socket for; nil when it does not.
    package var interest: Interest? {
        state == Self.none || state == Self.away ? nil : Interest(rawValue: state)
    }

    /// Whether bytes of the socket are wanted, as far as the kernel knows.
    package var isReading: Bool { interest?.contains(.readable) ?? false }

    /// Has the socket watched for `interest`; the kernel is asked only when that changes something. The token stays the first
    /// one until the watch ends.
    ///
    /// A socket from which it looked away stays unwatched until something is to be read from it.
    /// - Throws: the kernel refused; it watches the socket for what it did before.
    package mutating func set(
        _ interest: Interest, of socket: borrowing Descriptor, as token: UInt64, in poller: borrowing Poller
    ) throws(SystemError) {
        guard interest.rawValue != state else { return }
        switch state {
        case Self.away where !interest.contains(.readable): return
        case Self.none, Self.away: try poller.register(socket, token: token, interest: interest)
        default: try poller.modify(socket, token: token, interest: interest)
        }
        state = interest.rawValue
    }

    /// Looks away from a socket that is broken, which the kernel would report for ever, until it is to be read.
    package mutating func lookAway(from socket: borrowing Descriptor, in poller: borrowing Poller) {
        end(of: socket, in: poller)
        state = Self.away
    }

    /// Stops watching. A descriptor that is closed leaves by itself, but for the moment between the fork and the exec of a
    /// child, in which the child has it too.
    package mutating func end(of socket: borrowing Descriptor, in poller: borrowing Poller) {
        guard interest != nil else { return }
        state = Self.none
        // The kernel refuses only to forget what it does not watch, and then there is nothing to end.
        do throws(SystemError) { try poller.deregister(socket) } catch {}
    }
}
