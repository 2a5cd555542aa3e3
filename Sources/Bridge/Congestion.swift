/// How far a server is behind in reading what this program sends it: back-pressure towards the client.
package enum Congestion: UInt8, Sendable, Comparable {
    /// The server takes bytes as they come.
    case none
    /// Bytes wait for the server. Answers are delayed up to `wait`, so that the client runs out of requests to send
    /// with.
    case slow
    /// More bytes wait than the bound allows. Requests are taken only where they let the client fetch what the server
    /// sent.
    case full
    /// Several times the bound waits. No request is taken at all.
    case overfull

    /// Judges by the number of bytes that wait for a server which takes none at the moment.
    package init(waiting: Int, bound: Int) {
        if waiting <= 0 {
            self = .none
        } else if waiting <= bound {
            self = .slow
        } else {
            self = waiting / Self.manifold <= bound ? .full : .overfull
        }
    }

    /// The multiple of the bound up to which requests are still taken that let the client fetch something.
    private static let manifold = 4

    package static func < (one: Congestion, other: Congestion) -> Bool { one.rawValue < other.rawValue }
}
