import Primitives
import StreamCore

/// What is counted of one server.
struct ServerHealth {
    var connects: UInt64 = 0
    /// Streams that were opened: connected, secured, and with their features received.
    var opened: UInt64 = 0
    /// Streams that are open now.
    var openNow = 0
    /// How streams to the server have failed.
    var failures = Tally<StreamFailure.Label>()
    /// How many streams have waited for it in vain since it has opened one.
    var silentInRow: UInt32 = 0
    var connectTime = LatencySummary()
}

extension ServerHealth {
    /// After how many streams that waited in vain a server counts as silent. One may be an accident.
    static let silence: UInt32 = 3

    /// Whether the operator is told after so many streams: after the third, and again each time that they are ten times
    /// as many.
    static func tellsOfSilence(after count: UInt32) -> Bool {
        var next = silence
        while next < count, next < 1_000_000 { next *= 10 }
        return next == count
    }
}

/// The numbers of each server that the settings name, over all domains that use it. All other servers, found by DNS or
/// named by strangers, are counted together, so peers cannot make the list longer.
struct ServerRecords {
    /// One server, or all others.
    struct Record {
        /// Host and port, as in log lines.
        let name: String
        /// The server as each domain knows it; nothing for the other servers.
        let keys: [UpstreamKey]
        var health = ServerHealth()
    }

    /// The place of a record; `none` while no server has been asked.
    struct Place: Equatable {
        fileprivate let index: UInt16

        /// The place of no server.
        static let none = Place(index: .max)
    }

    private struct Address: Hashable {
        let host: String
        let port: UInt16
    }

    /// The servers in the order of the settings, and behind them all others.
    private(set) var all: [Record] = []
    private var places: [Address: UInt16] = [:]

    /// The most servers that are counted one by one, because the counters of a worker have to fit into its page.
    static let most = 24
    /// The name under which all other servers are counted.
    static let otherName = "other"

    /// Records for the servers that domains name.
    ///
    /// - Parameter targets: the servers of each domain, by the domain.
    init(_ targets: [(domain: String, servers: [UpstreamTarget])]) {
        var keys: [[UpstreamKey]] = []
        for (domain, servers) in targets {
            for server in servers {
                let address = Address(host: server.host, port: server.port)
                let key = UpstreamKey(server, of: domain)
                if let place = places[address] {
                    if !keys[Int(place)].contains(key) { keys[Int(place)].append(key) }
                } else if keys.count < Self.most {
                    places[address] = UInt16(keys.count)
                    keys.append([key])
                }
            }
        }
        all = keys.map { Record(name: $0.first?.description ?? "", keys: $0) }
        all.append(Record(name: Self.otherName, keys: []))
    }

    /// Where a server is counted; `none` for no server.
    func place(of server: UpstreamKey?) -> Place {
        guard let server else { return .none }
        return Place(index: places[Address(host: server.host, port: server.port)] ?? UInt16(all.count - 1))
    }

    /// The numbers at a place; nil for `none`.
    func health(at place: Place) -> ServerHealth? { Int(place.index) < all.count ? all[Int(place.index)].health : nil }

    /// Changes the numbers at a place; does nothing for `none`.
    mutating func count(at place: Place, _ change: (inout ServerHealth) -> Void) {
        guard Int(place.index) < all.count else { return }
        change(&all[Int(place.index)].health)
    }
}

/// How a server stands with its breakers, at worst: each domain has its own experience with it.
struct ServerStanding: Equatable {
    /// 0: used; 1: one stream is probing it; 2: left alone.
    var breaker = 0
    /// For how long it is left alone from now on.
    var pause = Duration.zero

    /// The worst of what the breakers say about a server.
    init(_ keys: [UpstreamKey], by breakers: Breakers, now: MonotonicInstant) {
        for key in keys {
            switch breakers.phase(of: key) {
            case .closed: break
            case .probing: breaker = max(breaker, 1)
            case .open: breaker = 2
            }
            pause = max(pause, breakers.pause(of: key, now: now))
        }
    }
}
