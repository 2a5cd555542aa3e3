import StreamCore

/// How well the servers of one site have worked. Every number only grows, except the number of open streams.
struct UpstreamHealth {
    var connects: UInt64 = 0
    /// Streams that were opened: connected, secured, and with their features received.
    var opened: UInt64 = 0
    /// Streams that are open now.
    var openNow = 0
    /// Handshakes that resumed an earlier TLS session.
    var resumedHandshakes: UInt64 = 0
    /// Failures by reason; the reasons are a closed list of short words.
    var failures = Tally<StreamFailure.Label>()
    var connectTime = LatencySummary()
    var handshakeTime = LatencySummary()
    /// The time from the connection to the stream's features, including TLS.
    var openTime = LatencySummary()
}

/// A distribution of durations, in a fixed space: enough to draw a graph.
struct LatencySummary {
    /// The upper bounds of the buckets; the last bucket, for everything longer, has none.
    static let bounds: [Duration] = [
        .milliseconds(1), .milliseconds(5), .milliseconds(25), .milliseconds(100), .milliseconds(500), .seconds(2),
        .seconds(10),
    ]

    /// How many buckets there are.
    static var bucketCount: Int { bounds.count + 1 }

    private(set) var count: UInt64 = 0
    private(set) var sum = Duration.zero
    private(set) var longest = Duration.zero
    /// How many durations were at most as long as each bound, and longer than the bound before.
    private(set) var buckets = InlineArray<8, UInt64>(repeating: 0)

    mutating func record(_ duration: Duration) {
        count &+= 1
        sum += duration
        longest = max(longest, duration)
        buckets[Self.bounds.firstIndex { duration <= $0 } ?? Self.bounds.count] &+= 1
    }
}
