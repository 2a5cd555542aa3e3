/// One line of a scenario: a kind, and numbers with names. A number that is not given is 0.
struct Plan: Equatable, CustomStringConvertible {
    var kind: String
    private(set) var values: [(name: String, value: Int)] = []

    init(_ kind: String) { self.kind = kind }

    /// Reads a line; nil for anything else.
    init?(line: Substring) {
        let words = line.split(separator: " ")
        guard let first = words.first else { return nil }
        kind = String(first)
        for word in words.dropFirst() {
            let parts = word.split(separator: "=")
            guard parts.count == 2, let value = Int(parts[1]) else { return nil }
            values.append((String(parts[0]), value))
        }
    }

    subscript(_ name: String) -> Int {
        get { values.first { $0.name == name }?.value ?? 0 }
        set {
            values.removeAll { $0.name == name }
            if newValue != 0 { values.append((name, newValue)) }
        }
    }

    var names: [String] { values.map(\.name) }

    var description: String {
        ([kind] + values.map { "\($0.name)=\($0.value)" }).joined(separator: " ")
    }

    static func == (one: Plan, other: Plan) -> Bool { one.description == other.description }
}
