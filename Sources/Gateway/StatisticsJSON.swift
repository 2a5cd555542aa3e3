/// Prints samples as one JSON object. The names that lead to a number become nested objects.
enum StatisticsJSON {
    private enum Node {
        case value(Sample.Value)
        case object([String: Node])

        mutating func set(_ path: ArraySlice<String>, to value: Sample.Value) {
            guard let name = path.first else {
                self = .value(value)
                return
            }
            var members: [String: Node] = [:]
            if case .object(let known) = self { members = known }
            // The dictionary is changed in place, because there can be thousands of samples.
            self = .object([:])
            members[name, default: .object([:])].set(path.dropFirst(), to: value)
            self = .object(members)
        }

        func print(indent: Int, to output: inout String) {
            switch self {
            case .value(.whole(let number)): output += "\(number)"
            case .value(.real(let number)): output += number.isFinite ? "\(number)" : "0"
            case .value(.text(let text)): StatisticsJSON.print(text, to: &output)
            case .object(let members):
                guard !members.isEmpty else {
                    output += "{}"
                    return
                }
                let margin = String(repeating: " ", count: indent + 2)
                var separator = "{\n"
                for (name, node) in members.sorted(by: { StatisticsJSON.isBefore($0.key, $1.key) }) {
                    output += separator + margin
                    StatisticsJSON.print(name, to: &output)
                    output += " : "
                    node.print(indent: indent + 2, to: &output)
                    separator = ",\n"
                }
                output += "\n" + String(repeating: " ", count: indent) + "}"
            }
        }
    }

    /// The text of an object with all samples. Its names are sorted, and numbers among them by their size.
    static func text(_ samples: [Sample]) -> [UInt8] {
        var root = Node.object([:])
        for sample in samples { root.set(sample.path[...], to: sample.value) }
        var output = ""
        root.print(indent: 0, to: &output)
        return Array(output.utf8) + [0x0A]
    }

    /// Whether a name comes before another one; the bounds of a distribution are in the order of their size.
    private static func isBefore(_ one: String, _ other: String) -> Bool {
        if let first = Double(one), let second = Double(other), first != second { return first < second }
        return one < other
    }

    private static func print(_ text: String, to output: inout String) {
        output += "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": output += "\\\""
            case "\\": output += "\\\\"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                output += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: output.unicodeScalars.append(scalar)
            }
        }
        output += "\""
    }
}
