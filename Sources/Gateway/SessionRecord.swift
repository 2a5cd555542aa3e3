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
    /// What the server calls its first stream.
    var streamID = StreamIDStart()

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

/// The first eight bytes of the name that a server gives to a stream, to find the stream in the server's log. Names are
/// random, and whole ones would take more memory than all else that is noted of a session.
struct StreamIDStart {
    private let first: UInt32
    private let second: UInt32

    /// Of no stream, or of one without a name.
    init() { (first, second) = (0, 0) }

    init(_ id: String) {
        var bits: UInt64 = 0
        for byte in id.utf8.prefix(8) {
            bits = bits << 8 | UInt64((0x21...0x7E).contains(byte) ? byte : UInt8(ascii: "?"))
        }
        (first, second) = (UInt32(truncatingIfNeeded: bits >> 32), UInt32(truncatingIfNeeded: bits))
    }

    /// The beginning of the name; nil when there is none.
    var text: String? {
        let bits = UInt64(first) << 32 | UInt64(second)
        guard bits != 0 else { return nil }
        var text = ""
        for shift in stride(from: UInt64(56), through: 0, by: -8) {
            let byte = UInt8(truncatingIfNeeded: bits >> shift)
            if byte != 0 { text.unicodeScalars.append(Unicode.Scalar(byte)) }
        }
        return text
    }
}

/// A client's address in sixteen bytes that need no alignment to eight.
struct ClientAddress {
    /// As IPv6 from the highest bits on, an IPv4 address mapped; 0, which is nobody's address, for a client that is not
    /// known.
    private let words: (UInt32, UInt32, UInt32, UInt32)

    init(_ address: IPAddress?) {
        let number = address?.mapped ?? 0
        words = (
            UInt32(truncatingIfNeeded: number >> 96), UInt32(truncatingIfNeeded: number >> 64),
            UInt32(truncatingIfNeeded: number >> 32), UInt32(truncatingIfNeeded: number)
        )
    }

    /// The address; nil for a client that is not known.
    var address: IPAddress? {
        let high = UInt128(words.0) << 96 | UInt128(words.1) << 64
        let number = high | UInt128(words.2) << 32 | UInt128(words.3)
        return number == 0 ? nil : IPAddress.v6(number).unmapped
    }
}

/// A session that has ended, as it was then.
struct SessionEnd {
    /// Its name in the log.
    let name: String
    let reason: EndReason
    let side: SessionPlace.Side
    let client: ClientAddress
    /// Its user's bare JID, if that is known.
    var user: String?
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
