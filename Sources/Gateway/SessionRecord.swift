import Addresses
import Bridge
import Primitives

/// What is noted of a session for the log and for the operator, whichever its door is. The session itself needs none of
/// it.
struct SessionRecord {
    /// When the session began.
    let began: CoarseInstant
    /// Requests of its client.
    var requests: UInt32 = 0
    /// Stanzas and other elements to the server, and from it.
    var stanzasUp: UInt32 = 0
    var stanzasDown: UInt32 = 0
    /// The domain of its first stream, by the number of its site; `none` before there is a stream.
    var site = SessionRecord.none
    /// The server at which its first stream was opened, by its number in `ServerNumbers`.
    var server = SessionRecord.none

    init(now: MonotonicInstant) {
        began = CoarseInstant(now)
    }

    /// How long ago the session began.
    func age(now: MonotonicInstant) -> Duration { began.instant.map { now.elapsed(since: $0) } ?? .zero }

    /// No site, no server.
    static let none = UInt16.max
}

/// The addresses of servers by small numbers, so that a session can remember its server in two bytes.
struct ServerNumbers {
    private var numbers: [Endpoint: UInt16] = [:]
    private var servers: [Endpoint] = []

    /// The number of a server. Beyond a bound that no configuration reaches, and DNS only in years, there is none.
    mutating func number(of server: Endpoint) -> UInt16 {
        if let number = numbers[server] { return number }
        guard servers.count < Self.most else { return SessionRecord.none }
        let number = UInt16(servers.count)
        servers.append(server)
        numbers[server] = number
        return number
    }

    /// The server of a number; nil for none.
    subscript(number: UInt16) -> Endpoint? { number < servers.count ? servers[Int(number)] : nil }

    /// How many servers have a number at most.
    static let most = 4_096
}

/// A client's address in as few bytes as it needs.
struct ClientAddress {
    private let high: UInt64
    private let low: UInt64
    /// The number of the protocol; 0 for a client that is not known.
    private let version: UInt8

    init(_ address: IPAddress?) {
        switch address {
        case .v4(let number)?: (high, low, version) = (0, UInt64(number), 4)
        case .v6(let number)?:
            (high, low, version) = (UInt64(truncatingIfNeeded: number >> 64), UInt64(truncatingIfNeeded: number), 6)
        case nil: (high, low, version) = (0, 0, 0)
        }
    }

    /// The address; nil for a client that is not known.
    var address: IPAddress? {
        switch version {
        case 4: .v4(UInt32(truncatingIfNeeded: low))
        case 6: .v6(UInt128(high) << 64 | UInt128(low))
        default: nil
        }
    }
}

/// A session that has ended, as it was then.
struct SessionEnd {
    /// Its name in the log.
    let name: String
    let reason: EndReason
    let side: SessionPlace.Side
    let client: ClientAddress
    let record: SessionRecord
    let at: MonotonicInstant

    /// How long it lived.
    var age: Duration { record.age(now: at) }
}

/// The sessions of a worker that have ended last, for an operator who looks for one of them.
struct RecentEnds {
    private var ends: [SessionEnd] = []
    /// Where the next one goes once there are as many as are kept: in the place of the oldest.
    private var next = 0

    /// Keeps another one, in the place of the oldest when there are many.
    mutating func add(_ end: SessionEnd) {
        guard ends.count >= Self.most else {
            ends.append(end)
            return
        }
        ends[next] = end
        next = (next + 1) % Self.most
    }

    /// All that are kept, the last one first.
    var newestFirst: [SessionEnd] { (ends[next...] + ends[..<next]).reversed() }

    /// How many are kept.
    static let most = 256
}

extension SessionPlace.Side {
    /// Its name in the log and in answers to operators.
    var word: String {
        switch self {
        case .bosh: "bosh"
        case .webSocket: "websocket"
        case .polling: "polling"
        }
    }
}
