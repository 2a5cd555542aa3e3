import Reactor

/// A client of the load generator, with the connections of its present session.
final class LoadSession {
    var client: any LoadClient
    var links: [LoadLink?] = [nil, nil]
    /// The messages that this session sends.
    var ledger = DeliveryLedger()
    /// Whether the first session of the client has logged in.
    var isLoggedIn = false
    /// Messages on their way to this session.
    var inbound = 0
    /// How many sessions the client has had before.
    var life = 0
    /// Whether the client's last session has ended and its next one has not logged in yet.
    var isRenewing = false
    /// How often in turn the request on each connection has failed.
    var failures = [0, 0]

    init(_ client: any LoadClient) {
        self.client = client
    }
}

/// One connection of a client.
final class LoadLink {
    let socket: StreamSocket
    let token: UInt64
    var isConnecting: Bool
    var outgoing: [UInt8] = []
    var reader: LinkReader

    init(_ socket: consuming StreamSocket, token: UInt64, isConnecting: Bool, reader: LinkReader) {
        self.socket = socket
        self.token = token
        self.isConnecting = isConnecting
        self.reader = reader
    }
}
