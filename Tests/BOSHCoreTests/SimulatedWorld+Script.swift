import BOSHCore

/// A history as a dialogue that can be read, and run again.
extension SimulatedWorld {
    mutating func tellArrival(_ exchange: Int, _ request: Request) {
        var line = DialogueLine("C", ["x\(exchange)"])
        line.words.append("rid=\(setting.firstRid + UInt64(exchanges[exchange].request))")
        switch request.content {
        case .pause: line.words.append("pause=\(Self.pauseLength)")
        case .restart: line.words.append("restart=true")
        case .terminate: line.words.append("type=terminate")
        case .creation, .plain: break
        }
        line.payload = Self.elements((request.from..<request.to).map { UInt8($0) }, "m")
        script?.append(line.description)
    }

    mutating func tellEffects() {
        for effect in effects {
            var told = effect
            switch effect {
            case .respond(let id, var response):
                let isFeatures = response.usesStreamPrefix
                response.payload = Array((isFeatures ? "<f/>" : Self.elements(response.payload, "n")).utf8)
                told = .respond(id, response)
            case .forward(let bytes, on: let stream):
                told = .forward(Array(Self.elements(bytes, "m").utf8), on: stream)
            case .returnUnfetched(let bytes, on: let stream):
                told = .returnUnfetched(Array(Self.elements(bytes, "n").utf8), on: stream)
            default: break
            }
            let line = DialogueLine(effect: told) {
                "x\($0.connection)"
            } stream: {
                "\($0.value)"
            }
            if let line { script?.append(line.description) }
        }
    }

    /// One element for each number.
    static func elements(_ numbers: [UInt8], _ letter: Character) -> String {
        numbers.map { "<\(letter)\($0)/>" }.joined()
    }
}
