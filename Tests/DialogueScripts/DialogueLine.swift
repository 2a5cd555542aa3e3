/// One line of a dialogue; the notation is described in Tests/Dialogues/README.md.
///
/// Unit tests, dialogue scripts and the histories that a property test prints all use it.
package struct DialogueLine: Sendable, CustomStringConvertible {
    /// The letter before the colon.
    package var kind: Character
    /// The words after the colon; the request's name is the first where there is one.
    package var words: [String]
    /// Everything from the first `<` on.
    package var payload: String
    /// The number of the line in its script, from 1; 0 for a line that is in none.
    package var number = 0

    /// A line made of its parts.
    package init(_ kind: Character, _ words: [String], payload: String = "") {
        self.kind = kind
        self.words = words
        self.payload = payload
    }

    /// Reads a line; nil when it is not of the form `K: words <payload/>`.
    package init?(parsing line: Substring) {
        guard let first = line.first, line.dropFirst().first == ":" else { return nil }
        let rest = line.dropFirst(2)
        let start = rest.firstIndex(of: "<") ?? rest.endIndex
        var payload = rest[start...]
        while payload.last == " " { payload.removeLast() }
        self.init(first, rest[..<start].split(separator: " ").map(String.init), payload: String(payload))
    }

    /// The line as it stands in a script.
    package var description: String {
        ([String(kind) + ":"] + words + (payload.isEmpty ? [] : [payload])).joined(separator: " ")
    }

    // MARK: Words

    /// The words that are not of the form `key=value`.
    package var plain: [String] { words.filter { !$0.contains("=") } }

    /// The words of the form `key=value`, in order.
    package var values: [(key: String, value: String)] {
        words.compactMap { word in
            guard let border = word.firstIndex(of: "=") else { return nil }
            return (String(word[..<border]), String(word[word.index(after: border)...]))
        }
    }

    /// The value of the word `key=value`; nil when there is none.
    package subscript(key: String) -> String? { values.first { $0.key == key }?.value }

    /// Whether this line says what must happen, and not what happens.
    package var isExpectation: Bool { "SFRBE".contains(kind) }

    // MARK: Comparison

    /// The keys that a line must name if they occur; other words with a value are only compared when a line names them.
    private static let strict: Set = ["condition", "report", "on", "stream", "closed", "ping", "error"]

    /// Whether the actual line is as expected.
    package func expects(_ actual: DialogueLine) -> Bool {
        guard kind == actual.kind, payload == actual.payload else { return false }
        // Every creation response names its stream.
        let strict = actual.words.contains("create") ? [] : Self.strict
        let mustBeNamed = { (word: String) in
            word.firstIndex(of: "=").map { strict.contains(String(word[..<$0])) } ?? true
        }
        let present = words.filter { !$0.hasPrefix("!") }
        guard present.filter(mustBeNamed) == actual.words.filter(mustBeNamed) else { return false }
        return words.allSatisfy { word in
            word.hasPrefix("!") ? actual[String(word.dropFirst())] == nil : actual.words.contains(word)
        }
    }
}

extension Duration {
    /// Reads seconds with at most three decimals; nil for anything else.
    package init?(dialogue text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard let whole = parts.first.flatMap({ Int64($0) }), parts.count <= 2 else { return nil }
        guard parts.count == 2 else {
            self = .seconds(whole)
            return
        }
        guard parts[1].count <= 3, let fraction = Int64(parts[1]) else { return nil }
        let scale: [Int64] = [1000, 100, 10, 1]
        self = .seconds(whole) + .milliseconds(fraction * scale[parts[1].count])
    }
}
