/// What the name servers of a world know about example.org, which leads to the same places as long as nothing moves.
struct Zone {
    enum Answer {
        case addresses([CalledAddress])
        case services([Record])
        case nothing(isTemporary: Bool)
    }

    /// The data of a service record.
    struct Record {
        var priority: UInt16
        var weight: UInt16
        var port: UInt16
        var target: String
    }

    /// The machines of the network, by their numbers.
    enum Machine: UInt8 {
        case ordinary = 2
        /// The machine that has everything after the move.
        case second = 3
        /// A machine that accepts connections, but is not the right one.
        case impostor = 4
        case refusing = 8
        case silent = 9
    }

    /// How the worker is told where the server is.
    enum Upstream: Int {
        case address, host, services, hosts
    }

    let upstream: Upstream
    private let tls: Protection.TLS
    private let addresses: [CalledAddress]
    private let records: [Record]
    private let hasDirectRecords: Bool
    private let hasRecords: Bool
    /// Whether everything is at the second machine by now.
    var hasMoved = false

    /// - Parameter world: `names` says how the worker finds the server; `zone` is the seed of what it finds.
    init(_ world: Plan, _ tls: Protection.TLS) {
        upstream = Upstream(rawValue: world["names"]) ?? .address
        self.tls = tls
        var chance = Chance(seed: UInt64(world["zone"]))
        var addresses = [CalledAddress(machine: Machine.ordinary.rawValue)]
        if chance.once(in: 3) { addresses.append(CalledAddress(machine: Machine.refusing.rawValue)) }
        if chance.once(in: 3) { addresses.append(CalledAddress(machine: Machine.silent.rawValue)) }
        if chance.once(in: 2) { addresses.append(CalledAddress(machine: Machine.ordinary.rawValue, isIPv6: true)) }
        if chance.once(in: 2) { addresses.shuffle(using: &chance) }
        self.addresses = addresses
        var records = [Record(priority: 10, weight: 5, port: Self.port(tls), target: "xmpp.example.org")]
        for target in ["dead", "silent", "impostor", "missing", "other"] where chance.once(in: 3) {
            records.append(
                Record(
                    priority: chance.one(of: [5, 10, 20]), weight: UInt16(chance.below(3)), port: Self.port(tls),
                    target: "\(target).example.org"))
        }
        self.records = records
        hasRecords = !chance.once(in: 5)
        hasDirectRecords = chance.once(in: 2)
    }

    static func port(_ tls: Protection.TLS) -> UInt16 { tls == .direct ? 5223 : 5222 }

    /// The value of `upstream` for the worker, and of the same name again.
    var settings: [String] {
        let port = Self.port(tls)
        switch upstream {
        case .address: return ["10.0.0.\(CalledAddress.ordinary):\(port)"]
        case .host: return ["xmpp.example.org:\(port)"]
        case .services: return ["dns"]
        case .hosts:
            return records.map { "\($0.target):\($0.port) priority=\($0.priority) weight=\($0.weight)" }
        }
    }

    func services(_ name: String) -> Answer {
        let isDirect = name.hasPrefix("_xmpps-client.")
        guard hasRecords, !isDirect || tls == .direct || hasDirectRecords else { return .nothing(isTemporary: false) }
        guard isDirect, tls == .startTLS else { return .services(records) }
        // Beside the others there is one for TLS from the first byte on.
        return .services([Record(priority: 10, weight: 0, port: Self.port(.direct), target: "xmpp.example.org")])
    }

    func addresses(_ name: String) -> Answer {
        switch name {
        case "xmpp.example.org", "example.org":
            guard hasMoved else { return .addresses(addresses) }
            return .addresses(addresses.map { CalledAddress(machine: Machine.second.rawValue, isIPv6: $0.isIPv6) })
        case "other.example.org": return .addresses([CalledAddress(machine: Machine.second.rawValue)])
        case "dead.example.org": return .addresses([CalledAddress(machine: Machine.refusing.rawValue)])
        case "silent.example.org": return .addresses([CalledAddress(machine: Machine.silent.rawValue)])
        case "impostor.example.org": return .addresses([CalledAddress(machine: Machine.impostor.rawValue)])
        default: return .nothing(isTemporary: false)
        }
    }
}
