import Addresses
import Reactor

/// Who sent a request.
struct Requester {
    /// The other end of its connection, for a log line.
    let peer: SocketAddress
    /// The client, as far as it is known: whom a trusted proxy names, or the other end.
    let client: Endpoint?

    /// The client's address for a log line.
    var name: String { client.map { "client \($0.address)" } ?? "" }
}
