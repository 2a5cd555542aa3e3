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
        lines += limits
        lines.append(("reached", nonZero("limits")))
        for (tag, worker) in members("workers").sorted(by: { Int($0.key) ?? 0 < Int($1.key) ?? 0 }) {
            guard case .object(let members) = worker else { continue }
            var parts = [Self.counts(members.compactMapValues(\.whole), order: Self.ofWorker)].filter { !$0.isEmpty }
            if let generation = members["generation"]?.whole { parts.append("generation \(generation)") }
            if members["retired"]?.whole == 1 { parts.append("keeps old sessions") }
            lines.append(("worker \(tag)", parts.joined(separator: ", ")))
        }
        lines.append(("supervisor", nonZero("supervisor")))
        return lines.filter { !$0.1.isEmpty }.map { name, value in
            Self.padded(name, to: 12, isAtLeastOne: true) + value + "\n"
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

    /// How near each limit is that is set, the nearest first; the first line alone has a name.
    private var limits: [(String, String)] {
        let rows = members("capacity").keys.compactMap(limit).sorted { ($1.share, $0.name) < ($0.share, $1.name) }
        func width(_ column: (Limit) -> String) -> Int { rows.map { column($0).count }.max() ?? 0 }
        let (names, used, most) = (width(\.words), width(\.used), width(\.most))
        return rows.enumerated().map { index, row in
            let columns = [
                Self.padded(row.words, to: names), Self.padded(row.used, to: used, isRight: true), "of",
                Self.padded(row.most, to: most, isRight: true), Self.padded("\(row.share)", to: 3, isRight: true),
            ]
            return (index == 0 ? "limits" : " ", columns.joined(separator: " ") + " %" + row.remark)
        }
    }

    /// A limit, and how much of it is used.
    private struct Limit {
        let name: String
        let words: String
        let used: String
        let most: String
        /// In percent.
        let share: Int

        /// What is said of a limit that is near, from 80 % on as on the page for operators.
        var remark: String {
            switch share {
            case ..<80: ""
            case ..<100: ", nearly reached"
            default: ", reached"
            }
        }
    }

    private func limit(_ name: String) -> Limit? {
        guard let used = number("capacity", name, "used"), let most = number("capacity", name, "limit"), most > 0 else {
            return nil
        }
        let isBytes = name == "memory-limit"
        let share = Double(used) / Double(most) * 100
        return Limit(
            name: name, words: Self.limitWords[name] ?? name, used: isBytes ? Self.bytes(used) : "\(used)",
            most: isBytes ? Self.bytes(most) : "\(most)", share: Int(min(max(share, 0), Self.mostPercent)))
    }

    /// Whoever answers may say anything.
    private static let mostPercent = 999_999.0

    /// The words of the page for operators.
    private static let limitWords = [
        "max-sessions": "sessions (max-sessions)", "descriptors": "open files for sessions",
        "memory-limit": "memory for peers (memory-limit)", "login-sessions": "without login (login-sessions)",
        "upstream-connections": "streams to one server (upstream-connections)",
        "local-ports": "local ports to one server",
    ]

    private static func bytes(_ count: Int) -> String {
        switch count {
        case ..<10_240: "\(count) B"
        case ..<10_485_760: "\(count / 1_024) KiB"
        default: "\(count / 1_048_576) MiB"
        }
    }

    private static func padded(
        _ text: String, to width: Int, isRight: Bool = false, isAtLeastOne: Bool = false
    ) -> String {
        let space = String(repeating: " ", count: max(width - text.count, isAtLeastOne ? 1 : 0))
        return isRight ? space + text : text + space
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
