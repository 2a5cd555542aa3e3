import Bridge

/// The words of a notation: a misspelt word is a fault and not a line that asserts less.
struct DialogueVocabulary: Sendable {
    /// What a line may consist of besides its payload.
    struct Part: Sendable {
        /// Whether the first word is the name of a request.
        var isNamed = false
        /// The words without a value.
        var words: Set<String> = []
        /// The keys of words with a value.
        var keys: Set<String> = []
        /// Whether an `EndReason` may stand there.
        var takesReason = false
    }

    /// By the letter at the beginning of a line. Time is the same everywhere.
    private let parts: [Character: Part]

    init(_ parts: [Character: Part]) { self.parts = parts }

    /// What is wrong with a line; nil when nothing is.
    func fault(in line: DialogueLine) -> String? {
        var words = line.words[...]
        if line.kind == "T" {
            guard words.count == 1, let step = words.first, step.hasPrefix("+"), line.payload.isEmpty,
                Duration(dialogue: String(step.dropFirst())) != nil
            else { return "no time: \(line)" }
            return nil
        }
        guard let part = parts[line.kind] else { return "no line begins with \(line.kind)" }
        if part.isNamed {
            guard let name = words.popFirst(), !name.contains("="), !name.hasPrefix("!") else {
                return "no name: \(line)"
            }
        }
        guard let unknown = words.first(where: { !part.knows($0) }) else { return nil }
        return "unknown word '\(unknown)': \(line)"
    }
}

extension DialogueVocabulary.Part {
    fileprivate func knows(_ word: String) -> Bool {
        if word.hasPrefix("!") { return keys.contains(String(word.dropFirst())) }
        if let border = word.firstIndex(of: "=") { return keys.contains(String(word[..<border])) }
        return words.contains(word) || takesReason && EndReason(rawValue: word) != nil
    }
}

extension DialogueDoor {
    var vocabulary: DialogueVocabulary {
        switch self {
        case .bosh: Self.boshWords
        case .webSocket: Self.webSocketWords
        case .polling: Self.pollingWords
        }
    }

    private static let boshWords = DialogueVocabulary([
        "P": .init(keys: [
            "max-wait", "max-hold", "inactivity", "polling", "maxpause", "outbound", "inbound", "domains", "streams",
            "responses", "response-bytes", "spare-bytes", "login", "registration", "requests-a-second",
            "repeats-a-second",
        ]),
        "C": .init(
            isNamed: true, words: ["malformed", "oversized"],
            keys: [
                "rid", "to", "from", "wait", "hold", "ver", "pause", "type", "restart", "lang", "content", "ack", "key",
                "newkey", "stream",
            ]),
        "A": .init(isNamed: true),
        "U": server(keys: ["on"]),
        "X": ends,
        "S": .init(
            isNamed: true, words: ["empty", "create", "error", "unavailable", "terminate"],
            keys: [
                "wait", "requests", "hold", "polling", "inactivity", "maxpause", "from", "stream", "ack", "ver",
                "authid", "version", "content", "condition", "report", "time",
            ]),
        "F": forwarded(keys: ["on"]), "R": .init(keys: ["on"]), "B": reading(keys: ["on"]),
        "E": .init(takesReason: true),
    ])

    private static let webSocketWords = DialogueVocabulary([
        "P": .init(keys: ["ping", "login", "registration", "outbound", "inbound", "domains"]),
        "C": .init(
            words: [
                "open", "close", "space", "foreign", "unqualified", "malformed", "comment", "forbidden", "oversized",
                "binary", "latin", "unmasked",
            ],
            keys: ["to", "from", "lang", "version", "pong", "see-other-uri"]),
        "A": .init(words: ["lost", "stalled"], keys: ["closed", "unread"]),
        "U": server(), "X": ends,
        "S": .init(
            words: ["open", "close", "closed", "dropped", "error"],
            keys: ["from", "id", "to", "lang", "version", "condition", "closed", "ping"]),
        "F": forwarded(keys: ["for"]), "R": .init(), "B": reading(), "E": .init(takesReason: true),
    ])

    private static let pollingWords = DialogueVocabulary([
        "P": .init(
            keys: ["hold", "settling", "inactivity", "login", "registration", "outbound", "inbound", "domains"]),
        "C": .init(
            isNamed: true, words: ["open", "close", "malformed", "comment", "forbidden", "oversized", "headless"],
            keys: ["to", "lang", "version", "key", "newkey", "id"]),
        "A": .init(isNamed: true),
        "U": server(), "X": ends,
        "S": .init(
            isNamed: true, words: ["empty", "open", "close", "again"],
            keys: ["from", "id", "lang", "version", "condition", "error"]),
        "F": forwarded(), "R": .init(), "B": reading(), "E": .init(words: ["forgotten"], takesReason: true),
    ])

    /// What a server does, whatever its client speaks.
    private static func server(keys: Set<String> = []) -> DialogueVocabulary.Part {
        .init(
            words: [
                "open", "features", "login", "register", "managed", "resumable", "stall", "full", "overfull", "flow",
                "end",
            ], keys: keys.union(["id", "version"]), takesReason: true)
    }

    private static let ends = DialogueVocabulary.Part(words: ["shutdown", "displace"])

    private static func forwarded(keys: Set<String> = []) -> DialogueVocabulary.Part {
        .init(words: ["open", "restart", "close", "drop"], keys: keys.union(["to", "lang"]))
    }

    private static func reading(keys: Set<String> = []) -> DialogueVocabulary.Part {
        .init(words: ["stop", "go"], keys: keys)
    }
}
