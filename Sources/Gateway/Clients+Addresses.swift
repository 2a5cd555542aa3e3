import Addresses
import BOSHCore
import HTTPWire
import Reactor
import Settings

/// What each client address holds.
extension Clients {
    /// Notes a connection for the address of its other end; false when that has too many.
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

    /// Gives back what `admit` has noted.
    func release(_ connection: ClientConnection) {
        loop.addresses.closeConnection(of: connection.account, now: loop.now)
        connection.account = .unlimited
    }

    /// Whom a request counts for: the client that a trusted proxy names, or the connection's other end; nil for an unknown
    /// one, and for a trusted proxy itself.
    func limitedAddress(of client: Endpoint?) -> IPAddress? {
        rules.trustedProxies.limited(client?.address)
    }
}

extension AddressLedger.Limits {
    init(_ settings: Settings, descriptors: Int) {
        self.init(
            connections: settings.addressConnections, sessions: settings.addressSessions,
            // Whoever does not log in leaves room for three others at least.
            logins: min(settings.addressLogins, max(descriptors / 4, 1)), creations: settings.addressCreations,
            bytes: settings.addressMemory, ipv6Prefix: settings.ipv6Prefix)
    }
}

extension Bound {
    /// The setting that an address has reached.
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
