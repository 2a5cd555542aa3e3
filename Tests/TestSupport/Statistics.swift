import FoundationEssentials

/// The content of `/stats`, as whole numbers by their path.
package struct Statistics {
    private enum Value: Decodable {
        case number(Int)
        case fraction
        case text(String)
        case object([String: Value])

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let number = try? container.decode(Int.self) {
                self = .number(number)
            } else if (try? container.decode(Double.self)) != nil {
                self = .fraction
            } else if let object = try? container.decode([String: Value].self) {
                self = .object(object)
            } else {
                self = .text(try container.decode(String.self))
            }
        }
    }

    private let root: Value

    package init(json: String) throws {
        root = try JSONDecoder().decode(Value.self, from: Data(json.utf8))
    }

    /// The number at a path such as `sessions.ended.terminated`.
    ///
    /// - Throws: `TestFault` when there is none: a mistyped path must not look like something that never happened.
    package func number(_ path: String) throws -> Int {
        try number(at: path.split(separator: ".").map(String.init))
    }

    /// The number of one site, such as `failures.lost`.
    ///
    /// - Throws: `TestFault` when there is none.
    package func number(_ path: String, ofSite site: String) throws -> Int {
        try number(at: ["sites", site] + path.split(separator: ".").map(String.init))
    }

    /// Whether there is a site of that name.
    package func hasSite(_ site: String) -> Bool {
        guard case .object(let members) = root, case .object(let sites)? = members["sites"] else { return false }
        return sites[site] != nil
    }

    /// The paths of all numbers and texts, each as its names from the outermost on.
    package var paths: [[String]] {
        func paths(in value: Value, under path: [String]) -> [[String]] {
            guard case .object(let members) = value else { return [path] }
            return members.flatMap { paths(in: $0.value, under: path + [$0.key]) }
        }
        return paths(in: root, under: [])
    }

    /// The number of one server, such as `connects`.
    ///
    /// - Throws: `TestFault` when there is none.
    package func number(_ path: String, ofServer server: String) throws -> Int {
        try number(at: ["servers", server] + path.split(separator: ".").map(String.init))
    }

    /// The names of what is under a top-level name, such as the tags under `workers`; none when there is nothing.
    package func names(under name: String) -> [String] {
        guard case .object(let members) = root, case .object(let inner)? = members[name] else { return [] }
        return inner.keys.sorted()
    }

    /// The text at a path such as `version`.
    ///
    /// - Throws: `TestFault` when there is none.
    package func text(_ path: String) throws -> String {
        guard case .text(let text) = try value(at: path.split(separator: ".").map(String.init)) else {
            throw TestFault("\(path) in /stats is no text")
        }
        return text
    }

    private func value(at path: [String]) throws -> Value {
        var value = root
        for name in path {
            guard case .object(let members) = value, let member = members[name] else {
                throw TestFault("/stats has no \(path.joined(separator: "."))")
            }
            value = member
        }
        return value
    }

    private func number(at path: [String]) throws -> Int {
        guard case .number(let number) = try value(at: path) else {
            throw TestFault("\(path.joined(separator: ".")) of /stats is no whole number")
        }
        return number
    }
}
