import Addresses
import Reactor

/// The sender of a request.
struct Requester {
    /// The other end of the connection, for a log line.
    let peer: SocketAddress
    /// The client, if it is known: the one that a trusted proxy names, or the other end.
    let client: Endpoint?
    /// Over which scheme the client came, as far as it is known.
    let scheme: ClientScheme

    /// The client's address for a log line.
    var name: String { client.map { "client \($0.address)" } ?? "" }
}
