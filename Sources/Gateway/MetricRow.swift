/// What `/stats` and `/metrics` say about one number, or about all numbers of one form. docs/statistics.md is made from
/// these rows.
struct MetricRow {
    /// What stands at the path.
    enum Kind: String {
        case counter, gauge, state, information
        /// The numbers of one distribution: `count`, `sum`, `longest` and `at_most`.
        case histogram
    }

    /// Whether Prometheus gets the number.
    enum Export: Equatable {
        /// Under this name without `holdfast_`, with labels of fixed values, and with a label for each `*` of the path.
        case metric(name: String, fixed: String, labels: [String])
        /// Not at all, for this reason.
        case none(reason: String)
    }

    /// The path in `/stats`, with slashes between the names; a `*` stands for any one name.
    let path: [String]
    let kind: Kind
    let export: Export
    /// What the number means, as one sentence.
    let help: String

    /// A number with a metric.
    ///
    /// - Parameters:
    ///   - metric: the name of the metric, and in braces its labels of fixed values.
    ///   - labels: the names of the labels for the stars in the path.
    init(_ path: String, _ kind: Kind, _ metric: String, _ labels: String..., help: String) {
        self.path = path.split(separator: "/").map(String.init)
        self.kind = kind
        let parts = metric.split(separator: "{", maxSplits: 1)
        export = .metric(
            name: String(parts[0]), fixed: parts.count > 1 ? String(parts[1].dropLast()) : "", labels: labels)
        self.help = help
    }

    /// A number that Prometheus does not get.
    init(_ path: String, _ kind: Kind, without reason: String, help: String) {
        self.path = path.split(separator: "/").map(String.init)
        self.kind = kind
        export = .none(reason: reason)
        self.help = help
    }

    /// Whether this is the row of numbers of this kind.
    func fits(_ other: Sample.Kind) -> Bool {
        switch kind {
        case .counter: other == .counter
        case .gauge: other == .gauge
        case .state: other == .state
        case .information: other == .information
        case .histogram: other == .counter || other == .state
        }
    }
}
