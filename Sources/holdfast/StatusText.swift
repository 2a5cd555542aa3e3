import FoundationEssentials

/// The content of `/stats` as a few lines for a person.
struct StatusText {
    fileprivate enum Node: Decodable {
        case number(Int)
        case fraction(Double)
        case text(String)
        case object([String: Node])

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let number = try? container.decode(Int.self) {
                self = .number(number)
            } else if let fraction = try? container.decode(Double.self) {
                self = .fraction(fraction)
            } else if let object = try? container.decode([String: Node].self) {
                self = .object(object)
            } else {
                self = .text(try container.decode(String.self))
            }
        }
    }

    private let root: Node

    /// - Throws: the bytes are not the JSON of `/stats`.
    init(json: [UInt8]) throws {
        root = try JSONDecoder().decode(Node.self, from: Data(json))
    }

    /// The number of the process to which signals go; nil when the program does not say it.
    var processID: Int32? { number("process", "pid").flatMap { Int32(exactly: $0) } }

    /// How many sessions there are.
    var sessions: Int { number("sessions", "now") ?? 0 }

    /// All lines, each with its end.
    var text: String {
        var lines: [(String, String)] = [("holdfast", program)]
        lines.append(("sessions", counts(["sessions"], ["now", "ever", "opening", "not_logged_in", "held_requests"])))
        lines.append(("ended", nonZero("sessions", "ended")))
        lines.append(("refused", nonZero("sessions", "refused")))
        lines.append(
            ("http", counts(["http"], ["connections_now", "connections_ever", "requests", "requests_refused"])))
        lines.append(("upstream", counts(["upstream"], ["streams_now", "connects", "stanzas_in", "stanzas_out"])))
        lines.append(("failures", nonZero("upstream", "failures")))
        lines.append(("limits", nonZero("limits")))
        lines.append(("memory", memory))
        for (tag, worker) in members("workers").sorted(by: { Int($0.key) ?? 0 < Int($1.key) ?? 0 }) {
            guard case .object(let members) = worker else { continue }
            var parts = [Self.counts(members.compactMapValues(\.whole), order: Self.ofWorker)].filter { !$0.isEmpty }
            if let generation = members["generation"]?.whole { parts.append("generation \(generation)") }
            if members["retired"]?.whole == 1 { parts.append("keeps old sessions") }
            lines.append(("worker \(tag)", parts.joined(separator: ", ")))
        }
        lines.append(("supervisor", nonZero("supervisor")))
        return lines.filter { !$0.1.isEmpty }.map { name, value in
            name + String(repeating: " ", count: max(12 - name.count, 1)) + value + "\n"
        }.joined()
    }

    private var program: String {
        var parts: [String] = []
        if case .text(let version)? = node("version") { parts.append(version) }
        if let seconds = number("uptime_seconds") { parts.append("up \(Self.duration(seconds))") }
        if let pid = processID { parts.append("pid \(pid)") }
        if number("process", "stopping") == 1 { parts.append("ending") }
        return parts.joined(separator: ", ")
    }

    private var memory: String {
        guard let held = number("memory", "held"), let limit = number("memory", "limit") else { return "" }
        return "\(held / 1_024) KiB of \(limit / 1_048_576) MiB held for clients and servers"
    }

    private static let ofWorker = ["pid", "sessions", "connections", "streams", "requests", "moved_in", "moved_out"]

    private func node(_ path: String...) -> Node? { node(path) }

    private func node(_ path: [String]) -> Node? {
        path.reduce(root as Node?) { node, name in
            guard case .object(let members)? = node else { return nil }
            return members[name]
        }
    }

    private func number(_ path: String...) -> Int? { node(path)?.whole }

    private func members(_ path: String...) -> [String: Node] { members(path) }

    private func members(_ path: [String]) -> [String: Node] {
        guard case .object(let members)? = node(path) else { return [:] }
        return members
    }

    private func counts(_ path: [String], _ order: [String]) -> String {
        Self.counts(members(path).compactMapValues(\.whole), order: order)
    }

    private func nonZero(_ path: String...) -> String {
        let numbers = members(path).compactMapValues(\.whole).filter { $0.value > 0 }
        return Self.counts(numbers, order: numbers.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map(\.key))
    }

    /// `12 now, 3 ever`.
    private static func counts(_ numbers: [String: Int], order: [String]) -> String {
        order.compactMap { name in
            numbers[name].map { "\($0) \(name.split(separator: "_").joined(separator: " "))" }
        }.joined(separator: ", ")
    }

    private static func duration(_ seconds: Int) -> String {
        switch seconds {
        case ..<120: "\(seconds) s"
        case ..<7_200: "\(seconds / 60) min"
        case ..<172_800: "\(seconds / 3_600) h \(seconds % 3_600 / 60) min"
        default: "\(seconds / 86_400) days"
        }
    }
}

extension StatusText.Node {
    fileprivate var whole: Int? {
        if case .number(let number) = self { number } else { nil }
    }
}
