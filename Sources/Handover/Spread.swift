/// Decides which worker begins a new session, so that all workers have about as many.
///
/// Each worker decides alone about the requests that reach it. It knows its own sessions exactly, and those of the
/// others from their pages, which lag behind. So it adds what it has sent to a worker until that worker has answered. A
/// worker counts a session right after it has answered, so the session is missing in the sum for a moment at most.
///
/// Many workers see the same old counts at the same time. If each chose the worker with the fewest sessions, they would
/// all choose the same one and overfill it. So each draws one of the workers below the mean, with chances proportional
/// to what they lack.
///
/// With 1,000 sessions no worker is further from the mean than 2 % or three sessions, however the requests arrive, while
/// at most four sessions begin between two publications of a count. With n such sessions, it may be n / 2 more.
package struct Spread: Sendable {
    /// Where a session begins.
    package enum Placement: Sendable, Equatable {
        case here
        /// At the worker with this tag. `noteSent` has to follow if the request goes there.
        case worker(UInt32)
    }

    /// Another worker that takes new sessions.
    private struct Other: Sendable {
        let tag: UInt32
        /// The sessions that its page counts.
        var counted = 0
        /// The requests that were sent there and not answered.
        var sent = 0

        var sessions: Int { counted + sent }
    }

    private var others: [Other] = []

    /// Whether this worker takes new sessions. While it does not, every one goes to another, if there is any.
    package var takesSessions = true

    /// A worker that knows no others.
    package init() {}

    /// The tags of the others.
    package var tags: [UInt32] { others.map(\.tag) }

    /// Notes how many sessions another worker has by its page. A worker that was not known is added: it takes new
    /// sessions, and its mailbox is there.
    package mutating func update(_ tag: UInt32, sessions: UInt64) {
        let counted = Int(min(sessions, Self.mostSessions))
        if let index = others.firstIndex(where: { $0.tag == tag }) {
            others[index].counted = counted
        } else {
            others.append(Other(tag: tag, counted: counted))
        }
    }

    /// Notes that a worker takes no new sessions, or is gone.
    package mutating func remove(_ tag: UInt32) { others.removeAll { $0.tag == tag } }

    /// Notes that a request was sent to a worker.
    package mutating func noteSent(to tag: UInt32) { change(tag, by: 1) }

    /// Notes that a worker has answered a request: it has the session, which its page counts, or has refused it.
    package mutating func noteAnswered(by tag: UInt32) { change(tag, by: -1) }

    private mutating func change(_ tag: UInt32, by difference: Int) {
        guard let index = others.firstIndex(where: { $0.tag == tag }) else { return }
        others[index].sent = max(others[index].sent + difference, 0)
    }

    /// Decides about one request.
    ///
    /// - Parameters:
    ///   - own: The sessions that this worker has.
    ///   - isBusy: Whether the connection owes answers. They have to be given before it can move, so it stays unless
    ///     this worker is above the mean by `busyMargin` and `leastBusyMargin`.
    ///   - draw: A random number.
    package func place(own: Int, isBusy: Bool, draw: UInt64) -> Placement {
        guard !others.isEmpty else { return .here }
        let own = max(own, 0)
        let workers = others.count + (takesSessions ? 1 : 0)
        let sessions = others.reduce(takesSessions ? own : 0) { $0 + $1.sessions }
        // What each has when the new session has begun and all are even.
        let level = sessions / workers + 1
        if takesSessions {
            let isEven: Bool
            if isBusy {
                isEven = own < level + max(level * Self.busyMargin / 100, Self.leastBusyMargin)
            } else {
                let margin = max(level * Self.margin / 100, Self.leastMargin)
                let fewest = others.reduce(own) { min($0, $1.sessions) }
                isEven = own < level + margin && own <= fewest + 2 * margin
            }
            if isEven { return .here }
        }
        return .worker(chosen(level: level, draw: draw))
    }

    /// Draws one of the others below `level`. There is one, because this worker, if it counts, is not the only one that
    /// may be below.
    private func chosen(level: Int, draw: UInt64) -> UInt32 {
        let lack = others.reduce(0) { $0 + max(level - $1.sessions, 0) }
        var place = Int(UInt64(lack).multipliedFullWidth(by: draw).high)
        for other in others {
            place -= max(level - other.sessions, 0)
            if place < 0 { return other.tag }
        }
        return others[0].tag
    }

    /// How far above the mean a worker still keeps a session, in percent and in sessions, so that even arrivals make
    /// few connections move. The larger one counts. No worker may be below by more either: twice as much between this
    /// worker and the one with the fewest.
    private static let margin = 1
    private static let leastMargin = 1
    /// The same for a connection that owes answers, because its move costs the client of a held poll an empty answer.
    package static let busyMargin = 5
    package static let leastBusyMargin = 8
    /// A damaged page must not make sums overflow.
    private static let mostSessions: UInt64 = 1 << 32
}
