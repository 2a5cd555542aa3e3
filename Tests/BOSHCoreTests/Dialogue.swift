import Bridge
import BOSHCore
import Foundation
import Testing

/// A script of Tests/Dialogues: inputs, each followed by its expected effects.
struct Dialogue: CustomTestStringConvertible, Sendable {
    let name: String
    let text: String

    var testDescription: String { name }

    /// The folder of the scripts.
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Dialogues")

    /// Every script, by name.
    static func all() throws -> [Dialogue] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path)
            .filter { $0.hasSuffix(".txt") }
            .map { Dialogue(name: $0, text: try String(contentsOfFile: "\(folder.path)/\($0)", encoding: .utf8)) }
            .sorted { $0.name < $1.name }
    }

    /// Runs the script against a session.
    ///
    /// - Returns: the first fault, with the number of its line; nil when there is none.
    func run() -> String? {
        var harness = SessionHarness()
        var pending: [String] = []
        for (index, raw) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if raw.isEmpty || raw.hasPrefix("#") { continue }
            let place = "\(name):\(index + 1): "
            guard let line = DialogueLine(parsing: raw) else { return place + "cannot be read: \(raw)" }
            switch line.kind {
            case "S", "F", "R", "B", "E":
                guard !pending.isEmpty else { return place + "expected \(line), nothing happened" }
                let actual = pending.removeFirst()
                guard let happened = DialogueLine(parsing: actual[...]), line.expects(happened) else {
                    return place + "expected \(line), got \(actual)"
                }
            default:
                if let unexpected = pending.first { return place + "not expected before this line: \(unexpected)" }
                guard let lines = Self.act(line, on: &harness) else { return place + "cannot be read: \(raw)" }
                if let fault = lines.first(where: { $0.hasPrefix("?") }) { return place + fault }
                pending = lines
            }
        }
        return pending.first.map { "\(name): not expected at the end: \($0)" }
    }

    private static func act(_ line: DialogueLine, on harness: inout SessionHarness) -> [String]? {
        switch line.kind {
        case "P": return adjust(&harness.policy, line) ? [] : nil
        case "C":
            guard let name = line.words.first else { return nil }
            let rest = line.words.dropFirst().joined(separator: " ")
            return harness.send(name, "\(rest) \(line.payload)")
        case "A": return line.words.first.map { harness.abort($0) }
        case "U": return harness.upstream("\(line.words.joined(separator: " ")) \(line.payload)")
        case "T":
            guard let step = line.words.first, step.hasPrefix("+") else { return nil }
            return Duration(dialogue: String(step.dropFirst())).map { harness.jump($0) }
        case "X":
            switch line.words {
            case ["shutdown"]: return harness.shutDown()
            case ["displace"]: return harness.handle(.displaced)
            default: return nil
            }
        default: return nil
        }
    }

    private static func adjust(_ policy: inout SessionPolicy, _ line: DialogueLine) -> Bool {
        for word in line.words {
            let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2 else { return false }
            let number = Int(parts[1]) ?? 0
            switch parts[0] {
            case "max-wait": policy.maxWait = .seconds(number)
            case "max-hold": policy.maxHold = number
            case "inactivity": policy.inactivity = .seconds(number)
            case "polling": policy.polling = .seconds(number)
            case "maxpause": policy.maxpause = .seconds(number)
            case "outbound": policy.outboundBound = number
            case "inbound": policy.inboundBound = number
            case "domains":
                let names = parts[1].split(separator: ",").map { (String($0), [String]()) }
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
