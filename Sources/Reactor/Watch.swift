/// What the kernel watches one socket for.
///
/// The kernel is told only here, so that the program's view and the kernel's cannot disagree: a watch changes its state
/// only after the kernel has accepted the change.
package struct Watch: Sendable {
    /// The bits of an `Interest`, or one of the two values below. Every open socket has a watch.
    private var state: UInt32
    private static let none = UInt32.max
    private static let away = UInt32.max - 1

    /// The watch of a socket that the kernel does not watch.
    package init() {
        state = Self.none
    }

    /// What the kernel watches the socket for; nil when it does not watch it.
    package var interest: Interest? {
        state == Self.none || state == Self.away ? nil : Interest(rawValue: state)
    }

    /// Whether the kernel watches the socket for bytes to read.
    package var isReading: Bool { interest?.contains(.readable) ?? false }

    /// Watches the socket for `interest`. The kernel is called only when that changes something. The first token stays
    /// in use until the watch ends.
    ///
    /// After `lookAway`, the socket stays unwatched until it is to be read.
    /// - Throws: the kernel refused; it watches the socket as before.
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

    /// Stops watching a broken socket, which the kernel would report without end, until it is to be read.
    package mutating func lookAway(from socket: borrowing Descriptor, in poller: borrowing Poller) {
        end(of: socket, in: poller)
        state = Self.away
    }

    /// Stops watching. The kernel removes a closed descriptor by itself, except between the fork and the exec of a
    /// child, which has the descriptor too.
    package mutating func end(of socket: borrowing Descriptor, in poller: borrowing Poller) {
        guard interest != nil else { return }
        state = Self.none
        // The kernel refuses only when it does not watch the socket, and then there is nothing to end.
        do throws(SystemError) { try poller.deregister(socket) } catch {}
    }
}
