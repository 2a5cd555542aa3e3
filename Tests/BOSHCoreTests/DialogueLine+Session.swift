import BOSHCore
import Bridge
import DialogueScripts

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
            self[key].map { NumberAttribute(parsing: Array($0.utf8).span) } ?? .absent
        }
        attributes.rid = number("rid")
        attributes.rare.wait = number("wait")
        attributes.rare.hold = number("hold")
        attributes.pause = number("pause")
        attributes.ack = number("ack")
        attributes.rare.to = self["to"].map { PeerText($0) }
        attributes.rare.from = self["from"].map { PeerText($0) }
        attributes.rare.version = self["ver"].flatMap { ProtocolVersion(parsing: Array($0.utf8).span) }
        attributes.type = self["type"].map { $0 == "terminate" ? .terminate : .other }
        attributes.isRestart = self["restart"] == "true"
        attributes.rare.language = self["lang"].map { PeerText($0) }
        attributes.rare.content = self["content"].map { PeerText($0) }
        attributes.rare.stream = self["stream"].map { text in
            PeerText(UInt64(text).map { StreamName(bits: $0).text } ?? text)
        }
        attributes.rare.newkey = self["newkey"].map { PeerText(ChainKey.text($0)) }
        if let key = self["key"].map({ ChainKey.text($0) }) {
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

extension Duration {
    /// Whole seconds, as in the attributes.
    var seconds: Int64 { components.seconds }

    /// Whole milliseconds, as in `time`.
    var milliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}
