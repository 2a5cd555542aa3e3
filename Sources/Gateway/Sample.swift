/// One number of the statistics: its name, its kind and its value.
///
/// The statistics are a list of samples; `StatisticsJSON` prints it as `/stats`.
struct Sample: Equatable {
    /// How a number behaves over time.
    enum Kind: Equatable {
        /// The number only grows.
        case counter
        /// The number goes up and down.
        case gauge
        /// The number says how something stands; of several workers the largest one counts.
        case state
        /// The sample says which program this is.
        case information
    }

    enum Value: Equatable {
        case whole(UInt64)
        /// Seconds, or another quantity with a fraction.
        case real(Double)
        case text(String)
    }

    /// The names that lead to the number, from the outermost on; they are stable.
    let path: [String]
    let kind: Kind
    let value: Value
}

/// A list of samples that is being built.
struct SampleList {
    private(set) var samples: [Sample] = []

    mutating func add(_ path: String..., counter: UInt64) { add(path, .counter, .whole(counter)) }

    mutating func add(_ path: String..., gauge: Int) { add(path, .gauge, .whole(UInt64(max(gauge, 0)))) }

    mutating func add(_ path: String..., state: Int) { add(path, .state, .whole(UInt64(max(state, 0)))) }

    mutating func add(_ path: String..., information: String) { add(path, .information, .text(information)) }

    /// Adds the count of each case of a closed list.
    mutating func add<Key: RawRepresentable<String>>(_ path: String..., tally: Tally<Key>) {
        for (name, count) in tally.byName { add(path + [name], .counter, .whole(count)) }
    }

    /// Adds a distribution of durations. `at_most` counts by upper bound, and each count includes those of the lower
    /// bounds.
    mutating func add(_ path: String..., latency: LatencySummary) {
        add(path + ["count"], .counter, .whole(latency.count))
        add(path + ["sum"], .counter, .real(latency.sum / .seconds(1)))
        add(path + ["longest"], .state, .real(latency.longest / .seconds(1)))
        var total: UInt64 = 0
        let bounds = latency.scale.boundNames
        for index in 0..<latency.bucketCount {
            total &+= latency.buckets[index]
            let bound = index < bounds.count ? bounds[index] : "inf"
            add(path + ["at_most", bound], .counter, .whole(total))
        }
    }

    /// Adds a sample.
    mutating func add(_ path: [String], _ kind: Sample.Kind, _ value: Sample.Value) {
        samples.append(Sample(path: path, kind: kind, value: value))
    }
}
