import Foundation
import TestSupport
import Testing

/// A script of Tests/Dialogues; the notation is described in its README.md.
struct DialogueScript: CustomTestStringConvertible, Sendable {
    /// One line: a letter, words, and from the first `<` on a payload.
    struct Line: Sendable {
        let number: Int
        let kind: Character
        let words: [String]
        let payload: String

        init?(_ text: Substring, number: Int) {
            guard let first = text.first, text.dropFirst().first == ":" else { return nil }
            let rest = text.dropFirst(2)
            let start = rest.firstIndex(of: "<") ?? rest.endIndex
            self.number = number
            kind = first
            words = rest[..<start].split(separator: " ").map(String.init)
            payload = rest[start...].trimmingCharacters(in: .whitespaces)
        }

        /// The words of the form `key=value`.
        var values: [(key: String, value: String)] {
            words.compactMap { word in
                let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                return parts.count == 2 ? (String(parts[0]), String(parts[1])) : nil
            }
        }
    }

    let testDescription: String
    let lines: [Line]

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

    /// Whether it can be played without a clock that jumps, with the settings that have flags.
    private var isPlayable: Bool {
        let flags: Set = ["max-wait", "max-hold", "inactivity", "domains"]
        let ends: Set = ["upstream-lost", "upstream-closed", "upstream-stream-error", "upstream-unreachable"]
        return lines.allSatisfy { line in
            switch line.kind {
            case "T": false
            case "P": line.values.allSatisfy { flags.contains($0.key) }
            case "U":
                switch line.words.first {
                case "end": line.words.dropFirst().allSatisfy(ends.contains)
                case "open", "features", "resumable", nil: true
                default: false
                }
            default: true
            }
        }
    }

    /// Every script that can be played over sockets, by name.
    static func playable() throws -> [DialogueScript] {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Dialogues")
        return try FileManager.default.contentsOfDirectory(atPath: folder.path)
            .filter { $0.hasSuffix(".txt") }.sorted()
            .map { name in
                try DialogueScript(name: name, text: String(contentsOfFile: "\(folder.path)/\(name)", encoding: .utf8))
            }
            .filter(\.isPlayable)
    }
}

/// The names of the top-level elements of a piece of well-formed XML without comments and CDATA.
func topLevelNames(_ xml: String) -> [String] {
    var names: [String] = []
    var depth = 0
    for tag in xml.split(separator: "<") {
        guard let end = tag.lastIndex(of: ">") else { continue }
        if tag.hasPrefix("/") {
            depth -= 1
            continue
        }
        if depth == 0 { names.append(String(tag.prefix { !" />".contains($0) })) }
        if !tag[..<end].hasSuffix("/") { depth += 1 }
    }
    return names
}
