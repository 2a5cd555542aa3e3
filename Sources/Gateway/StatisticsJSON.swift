import FoundationEssentials

/// Prints samples as one JSON object. The names that lead to a number become nested objects.
enum StatisticsJSON {
    private indirect enum Node: Encodable {
        case value(Sample.Value)
        case object([String: Node])

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .value(.whole(let number)): try container.encode(number)
            case .value(.real(let number)): try container.encode(number)
            case .value(.text(let text)): try container.encode(text)
            case .object(let members): try container.encode(members)
            }
        }

        mutating func set(_ path: ArraySlice<String>, to value: Sample.Value) {
            guard let name = path.first else {
                self = .value(value)
                return
            }
            var members: [String: Node] = [:]
            if case .object(let known) = self { members = known }
            var member = members[name] ?? .object([:])
            member.set(path.dropFirst(), to: value)
            members[name] = member
            self = .object(members)
        }
    }

    /// - Throws: when a value is not a number (NaN) or infinite.
    static func text(_ samples: [Sample]) throws -> [UInt8] {
        var root = Node.object([:])
        for sample in samples { root.set(sample.path[...], to: sample.value) }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        return try Array(encoder.encode(root)) + [0x0A]
    }
}
