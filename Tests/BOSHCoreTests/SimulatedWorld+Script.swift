import BOSHCore
import DialogueScripts

/// A history as a dialogue that can be read, and run again.
extension SimulatedWorld {
    mutating func tellArrival(_ exchange: Int, _ request: Request) {
        var line = DialogueLine("C", ["x\(exchange)"])
        let number = exchanges[exchange].request
        line.words.append("rid=\(setting.firstRid + UInt64(number))")
        switch request.content {
        case .pause: line.words.append("pause=\(Self.pauseLength)")
        case .restart: line.words.append("restart=true")
        case .terminate, .close: line.words.append("type=terminate")
        case .add: line.words.append("to=example.org")
        case .creation, .plain: break
        }
        if let target = request.target { line.words.append("stream=\(streams[target].rid)") }
        if let ack = request.ack { line.words.append("ack=\(setting.firstRid + UInt64(ack))") }
        if setting.usesKeys {
            let keys = key(of: number)
            if let key = keys.key { line.words.append("key=\(key)") }
            if let newkey = keys.newkey { line.words.append("newkey=\(newkey)") }
        }
        line.payload = Self.elements((request.from..<request.to).map { UInt8($0) }, "m")
        script?.append(line.description)
    }

    mutating func tellEffects() {
        for effect in effects {
            var told = effect
            switch effect {
            case .respond(let id, var response), .respondAgain(let id, var response):
                let isFeatures = response.usesStreamPrefix
                response.payload = Array((isFeatures ? "<f/>" : Self.elements(response.payload, "n")).utf8)
                told = .respond(id, response)
            case .upstream(.forward(let bytes), on: let stream):
                told = .upstream(.forward(Array(Self.elements(bytes, "m").utf8)), on: stream)
            case .upstream(.returnUnfetched(let bytes), on: let stream):
                told = .upstream(.returnUnfetched(Array(Self.elements(bytes, "n").utf8)), on: stream)
            default: break
            }
            let line = DialogueLine(effect: told) {
                "x\($0.connection)"
            } stream: {
                "\(streams[Int($0.value)].rid)"
            }
            if let line { script?.append(line.description) }
        }
    }

    /// Adds a line for an upstream.
    mutating func tell(_ text: @autoclosure () -> String, on stream: Int) {
        guard script != nil else { return }
        let name = stream == 0 ? "" : "on=\(streams[stream].rid) "
        script?.append("U: \(name)\(text())")
    }

    /// One element for each number.
    static func elements(_ numbers: [UInt8], _ letter: Character) -> String {
        numbers.map { "<\(letter)\($0)/>" }.joined()
    }
}
