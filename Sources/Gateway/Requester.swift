import Addresses
import Bridge
import Logging
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

    /// The client for a log line, and the proxy when another machine made the connection.
    var fields: Logger.Metadata {
        guard let client else { return ["peer": "\(peer)"] }
        let isDirect = peer.ipAddress.map { $0.unmapped == client.address } ?? false
        return isDirect ? ["client": "\(client.address)"] : ["client": "\(client.address)", "proxy": "\(peer)"]
    }

    /// The same with the domain that the client asks for.
    func fields(asking domain: PeerText?) -> Logger.Metadata { fields(["domain": "\(domain?.text ?? "")"]) }

    /// The same with more about the request.
    func fields(_ more: Logger.Metadata) -> Logger.Metadata { fields.merging(more) { _, new in new } }
}
