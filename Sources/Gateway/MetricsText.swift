/// Prints samples in the text format of Prometheus, version 0.0.4.
enum MetricsText {
    /// The type of the text, as Prometheus knows it.
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// One line that is still without its name.
    private struct Line {
        let suffix: String
        let labels: String
        let value: String
    }

    /// All metrics that samples have a row for. Each metric comes once, with its help and its type before its lines.
    static func text(_ samples: [Sample]) -> [UInt8] {
        var lines = [[Line]](repeating: [], count: MetricTable.rows.count)
        for sample in samples {
            guard let (place, values, rest) = MetricTable.match(sample.path),
                let line = line(of: sample, MetricTable.rows[place], values, rest)
            else { continue }
            lines[place].append(line)
        }
        var output = ""
        for group in groups {
            guard group.rows.contains(where: { !lines[$0].isEmpty }) else { continue }
            output.append("# HELP \(group.name) \(group.help)\n# TYPE \(group.name) \(group.type)\n")
            for place in group.rows {
                for line in lines[place] {
                    output.append("\(group.name)\(line.suffix)\(line.labels) \(line.value)\n")
                }
            }
        }
        return Array(output.utf8)
    }

    /// The rows of one metric, which have different fixed labels.
    private struct Group {
        let name: String
        let help: String
        let type: String
        var rows: [Int]
    }

    private static let groups: [Group] = {
        var groups: [Group] = []
        for (place, row) in MetricTable.rows.enumerated() {
            guard case .metric(let name, _, _) = row.export else { continue }
            let full = fullName(name)
            if let known = groups.firstIndex(where: { $0.name == full }) {
                groups[known].rows.append(place)
            } else {
                groups.append(Group(name: full, help: row.help, type: typeName(row.kind), rows: [place]))
            }
        }
        return groups
    }()

    private static func line(
        of sample: Sample, _ row: MetricRow, _ values: [String], _ rest: ArraySlice<String>
    ) -> Line? {
        assert(row.fits(sample.kind), "the row of \(sample.path) is of another kind")
        guard case .metric(_, let fixed, let names) = row.export else { return nil }
        var labels: [(String, String)] = []
        for label in fixed.split(separator: ",") {
            let parts = label.split(separator: "=", maxSplits: 1)
            labels.append((String(parts[0]), String(parts[1])))
        }
        // The site of all domains that an open proxy reaches is called `*`.
        for (name, value) in zip(names, values) { labels.append((name, value == "*" ? "other" : value)) }
        let number: String
        switch sample.value {
        case .whole(let whole): number = "\(whole)"
        case .real(let real): number = real.isFinite ? "\(real)" : "0"
        case .text(let text):
            // What is a text stands in a label of the number one.
            if let name = names.first { labels.append((name, text)) }
            number = "1"
        }
        guard row.kind == .histogram else { return Line(suffix: "", labels: written(labels), value: number) }
        switch rest.first {
        case "count": return Line(suffix: "_count", labels: written(labels), value: number)
        case "sum": return Line(suffix: "_sum", labels: written(labels), value: number)
        case "at_most":
            guard let bound = rest.last else { return nil }
            return Line(
                suffix: "_bucket", labels: written(labels + [("le", bound == "inf" ? "+Inf" : bound)]), value: number)
        default: return nil
        }
    }

    private static func typeName(_ kind: MetricRow.Kind) -> String {
        switch kind {
        case .counter: "counter"
        case .gauge, .state, .information: "gauge"
        case .histogram: "histogram"
        }
    }

    /// The names that all programs have in common begin with `process_`.
    static func fullName(_ name: String) -> String { name.hasPrefix("process_") ? name : "holdfast_\(name)" }

    private static func written(_ labels: [(String, String)]) -> String {
        guard !labels.isEmpty else { return "" }
        return "{" + labels.map { "\($0)=\"\(escaped($1))\"" }.joined(separator: ",") + "}"
    }

    private static func escaped(_ value: String) -> String {
        guard value.utf8.contains(where: { $0 == 0x5C || $0 == 0x22 || $0 < 0x20 }) else { return value }
        var text = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            case _ where scalar.value < 0x20: text += " "
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
