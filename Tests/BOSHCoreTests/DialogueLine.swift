import BOSHCore
import Bridge

/// One line of a dialogue; the notation is described in Tests/Dialogues/README.md.
///
/// Unit tests, dialogue scripts and the histories that a property test prints all use it.
struct DialogueLine: Equatable, CustomStringConvertible {
    /// The letter before the colon.
    var kind: Character
    /// The words after the colon; the request's name is the first where there is one.
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

    /// The words that a line must name if they occur; other words with a value are only compared when a line names
    /// them.
    private static let strict = ["condition", "report", "on", "stream"]

    /// Whether the actual line is as expected.
    func expects(_ actual: DialogueLine) -> Bool {
        guard kind == actual.kind, payload == actual.payload else { return false }
        // Every creation response names its stream.
        let strict = actual.words.contains("create") ? [] : Self.strict
        let mustBeNamed = { (word: String) in
            !word.contains("=") || strict.contains { word.hasPrefix($0 + "=") }
        }
        let present = words.filter { !$0.hasPrefix("!") }
        guard present.filter(mustBeNamed) == actual.words.filter(mustBeNamed) else { return false }
        return words.allSatisfy { word in
            word.hasPrefix("!") ? actual.value(of: String(word.dropFirst())) == nil : actual.words.contains(word)
        }
    }
}

extension DialogueLine {
    /// The line for an effect; nil for the opening of the first stream, with which every session begins.
    init?(effect: SessionEffect, name: (ExchangeID) -> String, stream: (StreamNumber) -> String) {
        var on: StreamNumber
        switch effect {
        case .respond(let exchange, let response), .respondAgain(let exchange, let response):
            self.init(response: response, to: name(exchange))
            return
        case .turnAway(let exchange):
            self.init("S", [name(exchange), "unavailable"])
            return
        case .ended(let reason):
            self.init("E", [reason.rawValue])
            return
        case .upstream(.open(let request), on: let number):
            guard number != .first else { return nil }
            self.init("F", ["open", "to=\(request.domain)"])
            if let language = request.language { words.append("lang=\(language)") }
            on = number
        case .upstream(.forward(let bytes), on: let number):
            self.init("F", [], payload: bytes.text)
            on = number
        case .upstream(.restart, on: let number):
            self.init("F", ["restart"])
            on = number
        case .upstream(.returnUnfetched(let bytes), on: let number):
            self.init("R", [], payload: bytes.text)
            on = number
        case .upstream(.leave(let farewell), on: let number):
            self.init("F", [farewell == .close ? "close" : "drop"])
            on = number
        case .upstream(.pauseReading, on: let number):
            self.init("B", ["stop"])
            on = number
        case .upstream(.resumeReading, on: let number):
            self.init("B", ["go"])
            on = number
        }
        if on != .first { words.append("on=\(stream(on))") }
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
                "maxpause=\(grant.maxpause.seconds)", "from=\(grant.from)", "stream=\(grant.stream.bits)",
                "ack=\(grant.ack.value)",
            ]
            if let version = grant.version { words.append("ver=\(version.text)") }
        }
        if let identity = response.opening?.value {
            words.append("authid=\(identity.id)")
            if let version = identity.version { words.append("version=\(version.text)") }
        }
        if words.count == 1, response.payload.isEmpty { words.append("empty") }
        if let from = response.opening?.value.from { words.append("from=\(from)") }
        if let stream = response.stream { words.append("stream=\(stream.bits)") }
        if let ack = response.ack { words.append("ack=\(ack.value)") }
        if let report = response.report {
            words += ["report=\(report.rid.value)", "time=\(report.age.milliseconds)"]
        }
        self.init("S", words, payload: response.payload.text)
    }

    /// The attributes of a `C` line.
    var attributes: BodyAttributes {
        var attributes = BodyAttributes()
        let number = { (key: String) -> NumberAttribute in
            self.value(of: key).map { NumberAttribute(parsing: Array($0.utf8).span) } ?? .absent
        }
        attributes.rid = number("rid")
        attributes.rare.wait = number("wait")
        attributes.rare.hold = number("hold")
        attributes.pause = number("pause")
        attributes.ack = number("ack")
        attributes.rare.to = value(of: "to").map { PeerText($0) }
        attributes.rare.from = value(of: "from").map { PeerText($0) }
        attributes.rare.version = value(of: "ver").flatMap { ProtocolVersion(parsing: Array($0.utf8).span) }
        attributes.type = value(of: "type").map { $0 == "terminate" ? .terminate : .other }
        attributes.isRestart = value(of: "restart") == "true"
        attributes.rare.language = value(of: "lang").map { PeerText($0) }
        attributes.rare.content = value(of: "content").map { PeerText($0) }
        attributes.rare.stream = value(of: "stream").map { text in
            PeerText(UInt64(text).map { StreamName(bits: $0).text } ?? text)
        }
        attributes.rare.newkey = value(of: "newkey").map { PeerText(ChainKey.text($0)) }
        if let key = value(of: "key").map({ ChainKey.text($0) }) {
            attributes.rare.key = PeerText(key)
            attributes.rare.keyDigest = PeerText(SHA1.hex(of: key))
        }
        // A stream has the name of the rid that asked for it.
        attributes.rare.freshStreamName = StreamName(bits: attributes.rid.number ?? 0)
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
    /// Whole seconds, as in the attributes.
    var seconds: Int64 { components.seconds }

    /// Whole milliseconds, as in `time`.
    var milliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }

    /// Reads seconds with at most three decimals.
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
