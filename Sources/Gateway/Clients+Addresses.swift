import Addresses
import BOSHCore
import HTTPWire
import Reactor
import Settings

/// Counts what each client address holds.
extension Clients {
    /// Counts a connection for the address of its other end. Returns false when that address has too many.
    func admit(_ connection: ClientConnection) -> Bool {
        guard connection.role == .bosh else { return true }
        do throws(AddressLedger.Refusal) {
            let address = rules.trustedProxies.limited(connection.peer.ipAddress)
            let elsewhere = loop.fellows.held(bucket: loop.addresses.bucket(of: address))
            connection.account = try loop.addresses.openConnection(from: address, elsewhere: elsewhere, now: loop.now)
            return true
        } catch {
            loop.counters.connectionsTurnedAway += 1
            loop.reached(Bound(error), "client \(connection.peer)")
            return false
        }
    }

    /// Counts a connection that was admitted before, here or by another worker, and is counted nowhere.
    func admitAgain(_ connection: ClientConnection) {
        guard connection.role == .bosh else { return }
        connection.account = loop.addresses.takeConnection(
            from: rules.trustedProxies.limited(connection.peer.ipAddress), now: loop.now)
    }

    /// Undoes `admit`.
    func release(_ connection: ClientConnection) {
        loop.addresses.closeConnection(of: connection.account, now: loop.now)
        connection.account = .unlimited
    }

    /// The address that a request counts for: the client that a trusted proxy names, or the connection's other end. Nil
    /// for an unknown client, and for a trusted proxy itself.
    func limitedAddress(of client: Endpoint?) -> IPAddress? {
        rules.trustedProxies.limited(client?.address)
    }
}

extension AddressLedger.Limits {
    /// The limits of one worker. Connections, sessions and logins are counted over all workers; of creations,
    /// failed log-ins and bytes each worker allows its share and a quarter more, because no address spreads exactly evenly.
    init(_ settings: Settings, descriptors: Int, workers: Int) {
        func share(_ limit: Int) -> Int {
            workers == 1 ? limit : min(limit, (limit * 5 / 4 + workers - 1) / workers)
        }
        self.init(
            connections: settings.addressConnections, sessions: settings.addressSessions,
            // An address that does not log in leaves room for at least three others.
            logins: min(settings.addressLogins, max(descriptors / 4, 1)), creations: share(settings.addressCreations),
            failures: share(settings.addressLoginFailures),
            bytes: max(share(settings.addressMemory), min(settings.addressMemory, 2 * settings.maxBody)),
            ipv6Prefix: settings.ipv6Prefix)
    }
}

extension Bound {
    /// The setting whose limit an address has reached.
    init(_ refusal: AddressLedger.Refusal) {
        switch refusal {
        case .connections: self = .addressConnections
        case .sessions: self = .addressSessions
        case .logins: self = .addressLogins
        case .creations: self = .addressCreations
        case .failures: self = .addressLoginFailures
        case .bytes: self = .addressMemory
        }
    }
}
