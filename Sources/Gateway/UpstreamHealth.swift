import StreamCore

/// How the servers of one site have been doing; every number only grows, except how many streams there are.
struct UpstreamHealth {
    var connects: UInt64 = 0
    /// Streams that were opened: connected, secured, features received.
    var opened: UInt64 = 0
    /// Streams that are open.
    var openNow = 0
    /// Handshakes that went on with an earlier session's keys.
    var resumedHandshakes: UInt64 = 0
    /// By reason: a closed list of short words.
    var failures = Tally<StreamFailure.Label>()
    var connectTime = LatencySummary()
    var handshakeTime = LatencySummary()
    /// From the connection to the stream's features, TLS included.
    var openTime = LatencySummary()
}

/// How long something took: enough to draw a graph of it, in a fixed space.
struct LatencySummary {
    /// The upper bounds of the buckets; the last one, for everything longer, has none.
    static let bounds: [Duration] = [
        .milliseconds(1), .milliseconds(5), .milliseconds(25), .milliseconds(100), .milliseconds(500), .seconds(2),
        .seconds(10),
    ]

    /// How many buckets there are.
    static var bucketCount: Int { bounds.count + 1 }

    private(set) var count: UInt64 = 0
    private(set) var sum = Duration.zero
    private(set) var longest = Duration.zero
    /// How many were at most as long as each bound, and longer than the one before.
    private(set) var buckets = InlineArray<8, UInt64>(repeating: 0)

    mutating func record(_ duration: Duration) {
        count &+= 1
        sum += duration
        longest = max(longest, duration)
        buckets[Self.bounds.firstIndex { duration <= $0 } ?? Self.bounds.count] &+= 1
    }
}
