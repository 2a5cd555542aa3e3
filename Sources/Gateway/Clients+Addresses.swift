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
            connection.account = try loop.addresses.openConnection(
                from: rules.trustedProxies.limited(connection.peer.ipAddress), now: loop.now)
            return true
        } catch {
            loop.counters.connectionsTurnedAway += 1
            loop.reached(Bound(error), "client \(connection.peer)")
            return false
        }
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
    init(_ settings: Settings, descriptors: Int) {
        self.init(
            connections: settings.addressConnections, sessions: settings.addressSessions,
            // An address that does not log in leaves room for at least three others.
            logins: min(settings.addressLogins, max(descriptors / 4, 1)), creations: settings.addressCreations,
            bytes: settings.addressMemory, ipv6Prefix: settings.ipv6Prefix)
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
        case .bytes: self = .addressMemory
        }
    }
}
