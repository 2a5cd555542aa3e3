/// A distribution of durations, in a fixed space: enough to draw a graph.
struct LatencySummary {
    /// Which durations a distribution tells apart. The bounds are part of `/stats` and `/metrics`.
    enum Scale: UInt8, CaseIterable {
        /// The way to a server: 1 ms to 10 s.
        case servers
        /// Work of this program: 0.1 ms to 1 s.
        case turns
        /// Waiting of clients: 5 ms to 120 s.
        case waits
        /// Logins: 10 ms to 60 s.
        case logins

        /// The upper bounds of the buckets; the last bucket, for everything longer, has none.
        var bounds: [Duration] {
            switch self {
            case .servers: Self.serverBounds
            case .turns: Self.turnBounds
            case .waits: Self.waitBounds
            case .logins: Self.loginBounds
            }
        }

        /// The upper bounds in seconds, as they stand in `/stats`.
        var boundNames: [String] { Self.names[Int(rawValue)] }

        /// By scale. They are made once, because all numbers are shown several times a second.
        private static let names = allCases.map { scale in scale.bounds.map { "\($0 / .seconds(1))" } }

        private static let serverBounds: [Duration] = [
            .milliseconds(1), .milliseconds(5), .milliseconds(25), .milliseconds(100), .milliseconds(500), .seconds(2),
            .seconds(10),
        ]
        private static let turnBounds: [Duration] = [
            .microseconds(100), .microseconds(250), .microseconds(500), .milliseconds(1), .microseconds(2_500),
            .milliseconds(5), .milliseconds(10), .milliseconds(25), .milliseconds(50), .milliseconds(100),
            .milliseconds(250), .milliseconds(500), .seconds(1),
        ]
        private static let waitBounds: [Duration] = [
            .milliseconds(5), .milliseconds(25), .milliseconds(100), .milliseconds(500), .seconds(1), .seconds(2),
            .seconds(5), .seconds(10), .seconds(20), .seconds(30), .seconds(45), .seconds(60), .seconds(90),
            .seconds(120),
        ]
        private static let loginBounds: [Duration] = [
            .milliseconds(10), .milliseconds(25), .milliseconds(50), .milliseconds(100), .milliseconds(250),
            .milliseconds(500), .seconds(1), .milliseconds(2_500), .seconds(5), .seconds(10), .seconds(30),
            .seconds(60),
        ]
    }

    /// How many buckets there is room for; a test compares it with the scales.
    static var capacity: Int { 16 }

    let scale: Scale
    private(set) var count: UInt64 = 0
    private(set) var sum = Duration.zero
    private(set) var longest = Duration.zero
    /// How many durations were at most as long as each bound, and longer than the bound before.
    private(set) var buckets = InlineArray<16, UInt64>(repeating: 0)

    init(_ scale: Scale = .servers) {
        self.scale = scale
    }

    /// How many buckets are in use: one for each bound, and the last one.
    var bucketCount: Int { scale.bounds.count + 1 }

    /// Counts a duration, as often as `times` says.
    mutating func record(_ duration: Duration, times: UInt64 = 1) {
        count &+= times
        // The library's product of a duration and a number takes as long as all the rest.
        sum += times == 1 ? duration : Duration(attoseconds: duration.attoseconds &* Int128(times))
        longest = max(longest, duration)
        let bounds = scale.bounds
        buckets[bounds.firstIndex { duration <= $0 } ?? bounds.count] &+= times
    }
}
