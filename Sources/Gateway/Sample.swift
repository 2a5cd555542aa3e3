/// One number of the statistics: where it stands, what it is, and how much it is now.
///
/// All that the statistics say is a list of these; `StatisticsJSON` prints it as `/stats`.
struct Sample: Equatable {
    /// How a number behaves over time.
    enum Kind: Equatable {
        /// It only grows.
        case counter
        /// It goes up and down.
        case gauge
        /// It tells which program this is.
        case information
    }

    enum Value: Equatable {
        case whole(UInt64)
        /// Seconds, or another quantity with a fraction.
        case real(Double)
        case text(String)
    }

    /// The names on the way to it, from the outermost; they are stable.
    let path: [String]
    let kind: Kind
    let value: Value
}

/// A list of samples in the making.
struct SampleList {
    private(set) var samples: [Sample] = []

    mutating func add(_ path: String..., counter: UInt64) { add(path, .counter, .whole(counter)) }

    mutating func add(_ path: String..., gauge: Int) { add(path, .gauge, .whole(UInt64(max(gauge, 0)))) }

    mutating func add(_ path: String..., information: String) { add(path, .information, .text(information)) }

    /// Adds what each case of a closed list was counted.
    mutating func add<Key: RawRepresentable<String>>(_ path: String..., tally: Tally<Key>) {
        for (name, count) in tally.byName { add(path + [name], .counter, .whole(count)) }
    }

    /// Adds how long something took; `at_most` counts by upper bound, each with those below it.
    mutating func add(_ path: String..., latency: LatencySummary) {
        add(path + ["count"], .counter, .whole(latency.count))
        add(path + ["sum"], .counter, .real(latency.sum / .seconds(1)))
        add(path + ["longest"], .gauge, .real(latency.longest / .seconds(1)))
        var total: UInt64 = 0
        for index in 0..<LatencySummary.bucketCount {
            total &+= latency.buckets[index]
            let bound = index < LatencySummary.bounds.count ? "\(LatencySummary.bounds[index] / .seconds(1))" : "inf"
            add(path + ["at_most", bound], .counter, .whole(total))
        }
    }

    private mutating func add(_ path: [String], _ kind: Sample.Kind, _ value: Sample.Value) {
        samples.append(Sample(path: path, kind: kind, value: value))
    }
}
