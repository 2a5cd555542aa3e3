/// How far a server is behind with what it was sent: back-pressure towards the client.
package enum Congestion: UInt8, Sendable, Comparable {
    /// It takes bytes as they come.
    case none
    /// Bytes wait for it. Answers are delayed up to `wait`, so that the client sends no more than it has requests.
    case slow
    /// More bytes wait for it than the bound allows: nothing more is taken from the client for it, but to let the client fetch
    /// what the server sent.
    case full
    /// Several times the bound wait for it: nothing at all is taken.
    case overfull

    /// Judges what waits for a server that takes no byte at the moment. Zero bytes are none.
    package init(waiting: Int, bound: Int) {
        if waiting <= 0 {
            self = .none
        } else if waiting <= bound {
            self = .slow
        } else {
            self = waiting / Self.manifold <= bound ? .full : .overfull
        }
    }

    /// How many times the bound may wait where each request that is taken brings the client something.
    private static let manifold = 4

    package static func < (one: Congestion, other: Congestion) -> Bool { one.rawValue < other.rawValue }
}
