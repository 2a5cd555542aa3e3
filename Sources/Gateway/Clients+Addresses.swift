import Addresses
import BOSHCore
import HTTPWire
import Primitives
import Reactor
import Settings

/// What proxies say of their clients.
extension Clients {
    /// Over which scheme the client came, by the word of a trusted proxy in a PROXY header or in the configured field
    /// (`H-28`).
    ///
    /// The next proxy's word about its own client counts for the client's scheme when the header names a trusted proxy.
    /// Nobody else's field is read; a client that is no proxy and speaks to this listener, which has no TLS, came over http.
    func scheme(of head: borrowing RequestHead, on connection: ClientConnection) -> ClientScheme {
        let setting = loop.settings.clientSchemeFrom
        guard setting != .none else { return connection.scheme }
        guard connection.isFromProxy else { return .http }
        let peer = connection.peer.ipAddress
        guard !connection.isClientUnknown, rules.trustedProxies.trusts(peer) else { return connection.scheme }
        switch setting {
        case .none: return connection.scheme
        case .forwarded: return rules.trustedProxies.scheme(peer: peer, forwarded: head.forwarded.span)
        case .xForwardedProto:
            switch head.forwardedScheme {
            case .http?: return .http
            case .https?: return .https
            case nil: return .unknown
            }
        }
    }

    /// Tells the operator of a trusted proxy whose requests name no client: then all of its clients are one for the log,
    /// and none for the limits.
    func noteUnnamedClient(_ header: ForwardedHeader, _ isMissing: Bool, on connection: ClientConnection) {
        guard isLineDue(aboutMissingField: isMissing) else { return }
        loop.logs.clients.warning(
            isMissing
                ? "a trusted proxy does not name its client in the field of client-address-from"
                : "what a trusted proxy says in the field of client-address-from is no address",
            metadata: ["client-address-from": "\(header.rawValue)", "proxy": "\(connection.peer)"])
    }
}

/// When the operator was told of requests that name no client.
struct UnnamedClients {
    private var hasToldOfMissing = false
    private var junkToldAt: MonotonicInstant?

    /// Whether a line is due now: one for all requests without the field, because a person who asks by hand sends none, and
    /// one a minute for fields without an address.
    mutating func isLineDue(isMissing: Bool, now: MonotonicInstant) -> Bool {
        if isMissing {
            defer { hasToldOfMissing = true }
            return !hasToldOfMissing
        }
        if let told = junkToldAt, now < told.advanced(by: .seconds(60)) { return false }
        junkToldAt = now
        return true
    }
}

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
