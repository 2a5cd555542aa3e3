/// What a worker holds at one moment, in numbers that are all 0 when no peer is there.
package struct Census: Equatable, Sendable {
    /// Connections of clients, including those to the operator's listener.
    package let connections: Int
    package let sessions: Int
    /// Streams to servers, and connections that race to become one.
    package let links: Int
    package let races: Int
    /// Bytes in the memory account.
    package let bytes: Int
    /// Bodies that the account counts as half read.
    package let unfinishedBodies: Int
    /// Sessions that have not logged in.
    package let logins: Int
    /// Servers that have at least one counted connection.
    package let servers: Int
    /// Connections and streams that wait for a turn of the loop, and messages to other workers and connections on their
    /// way to them.
    package let waiting: Int

    /// Whether nothing is held for any peer.
    package var isEmpty: Bool {
        connections + sessions + links + races + bytes + unfinishedBodies + logins + servers + waiting == 0
    }
}

extension Worker {
    /// Whether a token of the poller stands for the same socket all the time. A stream keeps its token when it moves on
    /// to another server.
    package static func namesOneSocket(_ token: UInt64) -> Bool {
        switch Token(raw: token).kind {
        case .client, .webSocket, .race: true
        default: false
        }
    }

    /// What the worker holds now. Reading it changes nothing and costs little.
    package var census: Census {
        Census(
            connections: clients.count + webSockets.socketCount, sessions: sides.count, links: upstreams.count,
            races: upstreams.raceCount, bytes: loop.memory.total, unfinishedBodies: clients.unfinishedCount,
            logins: sides.loginCount, servers: upstreams.serverCount,
            waiting: clients.waitingCount + webSockets.waitingCount + upstreams.waitingCount + mailboxes.waitingCount)
    }
}
