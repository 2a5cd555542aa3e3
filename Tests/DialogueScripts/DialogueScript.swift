import Foundation

/// Why a text is no script.
package struct ScriptFault: Error, CustomStringConvertible {
    package let description: String

    /// A fault in these words.
    package init(_ description: String) { self.description = description }
}

/// A door of the program, which has scripts of its own.
package enum DialogueDoor: String, Sendable, CaseIterable {
    case bosh = ""
    case webSocket = "WebSocket"
    case polling = "Polling"

    /// The folder of the door's scripts.
    fileprivate var folder: URL {
        let scripts = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Dialogues")
        return self == .bosh ? scripts : scripts.appendingPathComponent(rawValue)
    }
}

/// A script of Tests/Dialogues: inputs, each followed by its expected effects.
///
/// Its lines have only words that the notation knows, and at least one of them is an input and one an expectation: what
/// asserts nothing would hold whatever happens.
package struct DialogueScript: Sendable, CustomStringConvertible {
    package let name: String
    /// The lines that are neither empty nor comments.
    package var lines: [DialogueLine]

    /// The name, which is that of the test.
    package var description: String { name }

    /// Reads a script.
    ///
    /// - Throws: a fault that names the line, when the text is not in the door's notation or asserts nothing.
    package init(name: String, text: String, door: DialogueDoor) throws(ScriptFault) {
        self.name = name
        lines = []
        for (index, raw) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if raw.isEmpty || raw.hasPrefix("#") { continue }
            let place = "\(name):\(index + 1): "
            guard var line = DialogueLine(parsing: raw) else {
                throw ScriptFault(place + "cannot be read: \(raw)")
            }
            line.number = index + 1
            if let fault = door.vocabulary.fault(in: line) { throw ScriptFault(place + fault) }
            lines.append(line)
        }
        guard lines.contains(where: { !$0.isExpectation && $0.kind != "P" }) else {
            throw ScriptFault("\(name): nothing happens")
        }
        guard lines.contains(where: \.isExpectation) else {
            throw ScriptFault("\(name): asserts nothing")
        }
    }

    /// Every script of a door, by name.
    package static func all(of door: DialogueDoor) throws -> [DialogueScript] {
        try FileManager.default.contentsOfDirectory(atPath: door.folder.path)
            .filter { $0.hasSuffix(".txt") }.sorted()
            .map { name in
                let text = try String(contentsOfFile: "\(door.folder.path)/\(name)", encoding: .utf8)
                return try DialogueScript(name: name, text: text, door: door)
            }
    }
}

/// A session under a clock that a script moves.
package protocol DialogueStage {
    /// Takes in an input.
    ///
    /// - Returns: all its effects, in order, as lines; one that begins with `?` says what is wrong with the script. Nil
    ///   for an input that means nothing.
    mutating func act(_ line: DialogueLine) -> [String]?
}

extension DialogueScript {
    /// Plays the script.
    ///
    /// - Returns: the first fault, with the number of its line; nil when there is none.
    package func fault(on stage: consuming some DialogueStage) -> String? {
        var pending: [String] = []
        for line in lines {
            let place = "\(name):\(line.number): "
            if line.isExpectation {
                guard !pending.isEmpty else { return place + "expected \(line), nothing happened" }
                let actual = pending.removeFirst()
                guard let happened = DialogueLine(parsing: actual[...]), line.expects(happened) else {
                    return place + "expected \(line), got \(actual)"
                }
            } else {
                if let unexpected = pending.first { return place + "not expected before this line: \(unexpected)" }
                guard let effects = stage.act(line) else { return place + "means nothing: \(line)" }
                if let fault = effects.first(where: { $0.hasPrefix("?") }) { return place + fault }
                pending = effects
            }
        }
        return pending.first.map { "\(name): not expected at the end: \($0)" }
    }
}
