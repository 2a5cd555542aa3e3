import Foundation
import TestSupport
import Testing

/// A script of Tests/Dialogues; the notation is described in its README.md.
struct DialogueScript: CustomTestStringConvertible, Sendable {
    /// One line: a letter, words, and a payload that starts at the first `<`.
    struct Line: Sendable {
        let number: Int
        let kind: Character
        /// The words without those of the form `key=value`.
        let words: [String]
        /// The words of the form `key=value`.
        fileprivate(set) var values: [(key: String, value: String)]
        let payload: String

        init?(_ text: Substring, number: Int) {
            guard let first = text.first, text.dropFirst().first == ":" else { return nil }
            let rest = text.dropFirst(2)
            let start = rest.firstIndex(of: "<") ?? rest.endIndex
            self.number = number
            kind = first
            payload = rest[start...].trimmingCharacters(in: .whitespaces)
            var words: [String] = []
            values = []
            for word in rest[..<start].split(separator: " ") {
                let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                if parts.count == 2 {
                    values.append((String(parts[0]), String(parts[1])))
                } else {
                    words.append(String(word))
                }
            }
            self.words = words
        }

        /// The value of the word `key=value`; nil when there is none.
        subscript(key: String) -> String? { values.first { $0.key == key }?.value }

        /// Whether this says that a server cannot be reached.
        var isUnreachable: Bool { kind == "U" && words == ["end", "upstream-unreachable"] }
    }

    let testDescription: String
    private(set) var lines: [Line]

    init(name: String, text: String) throws {
        testDescription = name
        lines = try text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().compactMap {
            index, line in
            if line.isEmpty || line.hasPrefix("#") { return nil }
            guard let line = Line(line, number: index + 1) else {
                throw TestFault("\(name):\(index + 1): cannot be read")
            }
            return line
        }
    }

    /// Whether its client names no version, and so is a legacy one (`T-10`).
    var isLegacy: Bool {
        guard let creation = lines.first(where: { $0.kind == "C" }) else { return false }
        return creation["ver"] == nil
    }

    /// The same script with a client that is not a legacy one.
    var modern: DialogueScript {
        guard isLegacy, let index = lines.firstIndex(where: { $0.kind == "C" }) else { return self }
        var script = self
        script.lines[index].values.append(("ver", "1.6"))
        return script
    }

    /// Whether a legacy client learns of its end in another way than other clients.
    private var endsByStatus: Bool {
        let conditions: Set = ["bad-request", "policy-violation", "item-not-found"]
        return lines.contains { $0.kind == "S" && $0["condition"].map { conditions.contains($0) } ?? false }
    }

    /// The part that can be played with a real clock and with settings that have flags; nil when there is none.
    private var playablePart: DialogueScript? {
        let flags: Set = ["max-wait", "max-hold", "inactivity", "domains"]
        var script = self
        let levels = ["stall", "full", "overfull", "flow"]
        script.lines = Array(lines.prefix { $0.kind != "T" && !levels.contains($0.words.first ?? "") })
        let isPlayable = script.lines.allSatisfy { line in
            line.kind != "P" || line.values.allSatisfy { flags.contains($0.key) }
        }
        // Scripts that end with the creation are played often enough elsewhere.
        let isShort = script.lines.count < lines.count && script.lines.filter { $0.kind == "C" }.count < 2
        return isPlayable && !isShort ? script : nil
    }

    /// Every script that can be played over sockets, by name.
    static func playable() throws -> [DialogueScript] {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Dialogues")
        return try FileManager.default.contentsOfDirectory(atPath: folder.path)
            .filter { $0.hasSuffix(".txt") }.sorted()
            .compactMap { name in
                let text = try String(contentsOfFile: "\(folder.path)/\(name)", encoding: .utf8)
                return try DialogueScript(name: name, text: text).playablePart
            }
    }

    /// The playable scripts that end differently for a legacy client.
    static func legacy() throws -> [DialogueScript] {
        try playable().filter { $0.isLegacy && $0.endsByStatus }
    }
}

/// The names that a script uses for the top-level elements of well-formed XML without comments and CDATA: their `id`,
/// or else their element name.
func topLevelNames(_ xml: String) -> [String] {
    var names: [String] = []
    var depth = 0
    for tag in xml.split(separator: "<") {
        guard let end = tag.lastIndex(of: ">") else { continue }
        if tag.hasPrefix("/") {
            depth -= 1
            continue
        }
        if depth == 0 {
            let name = tag.prefix { !" />".contains($0) }
            if let id = tag.range(of: " id='") {
                names.append(String(tag[id.upperBound...].prefix { $0 != "'" }))
            } else {
                names.append(String(name))
            }
        }
        if !tag[..<end].hasSuffix("/") { depth += 1 }
    }
    return names
}
