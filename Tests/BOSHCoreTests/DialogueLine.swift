import BOSHCore

/// One line of a dialogue; the notation is described in Tests/Dialogues/README.md.
///
/// Unit tests, dialogue scripts and the histories that a property test prints all use it.
struct DialogueLine: Equatable, CustomStringConvertible {
    /// What stands before the colon.
    var kind: Character
    /// The words behind it, the request's name first where there is one.
    var words: [String]
    /// Everything from the first `<` on.
    var payload: String

    init(_ kind: Character, _ words: [String], payload: String = "") {
        self.kind = kind
        self.words = words
        self.payload = payload
    }

    /// Reads a line; nil when it is not of the form `K: words <payload/>`.
    init?(parsing line: Substring) {
        guard let first = line.first, line.dropFirst().first == ":" else { return nil }
        let rest = line.dropFirst(2)
        let start = rest.firstIndex(of: "<") ?? rest.endIndex
        self.init(
            first, rest[..<start].split(separator: " ").map(String.init),
            payload: rest[start...].trimmed())
    }

    var description: String {
        ([String(kind) + ":"] + words + (payload.isEmpty ? [] : [payload])).joined(separator: " ")
    }

    /// The value of the word `key=value`; nil when there is none.
    func value(of key: String) -> String? {
        for word in words where word.hasPrefix(key + "=") { return String(word.dropFirst(key.count + 1)) }
        return nil
    }

    /// Whether what happened is what this line expects: words with a value that the line does not name are not looked at,
    /// except a condition, which must be named.
    func expects(_ actual: DialogueLine) -> Bool {
        guard kind == actual.kind, payload == actual.payload else { return false }
        let bare = { (word: String) in !word.contains("=") || word.hasPrefix("condition=") }
        return words.filter(bare) == actual.words.filter(bare) && words.allSatisfy(actual.words.contains)
    }
}

extension DialogueLine {
    /// The line that tells of an effect.
    init(effect: SessionEffect, name: (ExchangeID) -> String) {
        switch effect {
        case .respond(let exchange, let response):
            self.init(response: response, to: name(exchange))
        case .forward(let bytes): self.init("F", [], payload: bytes.text)
        case .restartStream: self.init("F", ["restart"])
        case .leaveStream(.close): self.init("F", ["close"])
        case .leaveStream(.drop): self.init("F", ["drop"])
        case .pauseReading: self.init("B", ["stop"])
        case .resumeReading: self.init("B", ["go"])
        case .ended(let reason): self.init("E", [reason.rawValue])
        }
    }

    private init(response: BodyResponse, to name: String) {
        var words = [name]
        switch response.kind {
        case .plain: break
        case .error: words.append("error")
        case .terminate(let condition):
            words.append("terminate")
            if let condition { words.append("condition=\(condition.rawValue)") }
        case .creation(let grant):
            words += [
                "create", "wait=\(grant.wait.seconds)", "requests=\(grant.requests)", "hold=\(grant.hold)",
                "polling=\(grant.polling.seconds)", "inactivity=\(grant.inactivity.seconds)",
                "maxpause=\(grant.maxpause.seconds)", "from=\(grant.from)",
            ]
            if let version = grant.version { words.append("ver=\(version.text)") }
        }
        if case .stream(let identity) = response.opening {
            words.append("authid=\(identity.id)")
            if let version = identity.version { words.append("version=\(version.text)") }
        }
        if words.count == 1, response.payload.isEmpty { words.append("empty") }
        self.init("S", words, payload: response.payload.text)
    }

    /// The attributes of a `C` line.
    var attributes: BodyAttributes {
        var attributes = BodyAttributes()
        let number = { (key: String) -> NumberAttribute in
            self.value(of: key).map { NumberAttribute(parsing: Array($0.utf8).span) } ?? .absent
        }
        attributes.rid = number("rid")
        attributes.wait = number("wait")
        attributes.hold = number("hold")
        attributes.pause = number("pause")
        attributes.ack = number("ack")
        attributes.to = value(of: "to")
        attributes.from = value(of: "from")
        attributes.version = value(of: "ver").flatMap { ProtocolVersion(parsing: Array($0.utf8).span) }
        attributes.type = value(of: "type").map { $0 == "terminate" ? .terminate : .other }
        attributes.isRestart = value(of: "restart") == "true"
        return attributes
    }
}

extension Collection where Element == UInt8 {
    /// The bytes as text.
    var text: String { String(decoding: self, as: UTF8.self) }
}

extension Substring {
    fileprivate func trimmed() -> String {
        var text = self
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}

extension Duration {
    /// Whole seconds, as the attributes give them.
    var seconds: Int64 { components.seconds }

    /// Reads seconds with at most three digits behind the dot.
    init?(dialogue text: String) {
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
