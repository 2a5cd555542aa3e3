import BOSHCore
import Bridge
import DialogueScripts

/// Plays scripts of Tests/Dialogues.
extension SessionHarness: DialogueStage {
    mutating func act(_ line: DialogueLine) -> [String]? {
        switch line.kind {
        case "P": return adjust(line) ? [] : nil
        case "C":
            guard let name = line.words.first else { return nil }
            let rest = line.words.dropFirst().joined(separator: " ")
            return send(name, "\(rest) \(line.payload)")
        case "A": return line.words.first.map { abort($0) }
        case "U": return upstream("\(line.words.joined(separator: " ")) \(line.payload)")
        case "T":
            guard let step = line.words.first, step.hasPrefix("+") else { return nil }
            return Duration(dialogue: String(step.dropFirst())).map { jump($0) }
        case "X":
            switch line.words {
            case ["shutdown"]: return shutDown()
            case ["displace"]: return handle(.displaced)
            default: return nil
            }
        default: return nil
        }
    }

    private mutating func adjust(_ line: DialogueLine) -> Bool {
        for (key, value) in line.values {
            let number = Int(value) ?? 0
            switch key {
            case "max-wait": policy.maxWait = .seconds(number)
            case "max-hold": policy.maxHold = number
            case "inactivity": policy.inactivity = .seconds(number)
            case "polling": policy.polling = .seconds(number)
            case "maxpause": policy.maxpause = .seconds(number)
            case "outbound": policy.outboundBound = number
            case "inbound": policy.inboundBound = number
            case "domains":
                let names = value.split(separator: ",").map { (String($0), [String]()) }
                policy.domains = ServedDomains(names: Dictionary(uniqueKeysWithValues: names))
            case "login": policy.loginTimeout = .seconds(number)
            case "registration": policy.registrationTimeout = .seconds(number)
            case "requests-a-second": policy.requestsPerSecond = number
            case "repeats-a-second": policy.repeatsPerSecond = number
            case "streams": policy.maxStreams = number
            case "responses": policy.extraResponses = number
            case "spare-bytes": policy.spareBytes = number
            case "response-bytes": policy.responseBytes = number
            default: return false
            }
        }
        return true
    }
}
