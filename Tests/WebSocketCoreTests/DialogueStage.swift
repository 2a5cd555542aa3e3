import Bridge
import DialogueScripts

@testable import WebSocketCore

/// A session over WebSocket for the scripts of Tests/Dialogues/WebSocket. Its client's lines stand for whole messages,
/// as the parser hands them over.
struct WebSocketStage: DialogueStage {
    private var harness = SessionHarness()
    private var domains = ServedDomains(names: ["example.org": []])

    mutating func act(_ line: DialogueLine) -> [String]? {
        switch line.kind {
        case "P": return adjust(line) ? [] : nil
        case "C":
            guard let input = client(line) else { return nil }
            harness.noteRead()
            return input.map { lines(harness.effects(of: $0)) } ?? []
        case "A": return connection(line)
        case "U":
            do {
                return try line.upstreamEvents().flatMap { lines(harness.effects(of: .upstream($0))) }
            } catch {
                return ["?: \(error)"]
            }
        case "T":
            let time = line.words.first.flatMap { Duration(dialogue: String($0.dropFirst())) }
            return time.map { lines(harness.effects(in: $0)) }
        case "X":
            switch line.words {
            case ["shutdown"]: return lines(harness.effects(of: .shutdownRequested))
            case ["displace"]: return lines(harness.effects(of: .displaced))
            default: return nil
            }
        default: return nil
        }
    }

    private mutating func adjust(_ line: DialogueLine) -> Bool {
        var policy = harness.policy
        for (key, value) in line.values {
            if key == "domains" {
                let names = value.split(separator: ",").map { (String($0), [String]()) }
                domains = ServedDomains(names: Dictionary(names) { first, _ in first })
                continue
            }
            guard let number = Int(value) else { return false }
            switch key {
            case "ping": policy.pingInterval = .seconds(number)
            case "login": policy.loginTimeout = .seconds(number)
            case "registration": policy.registrationTimeout = .seconds(number)
            case "outbound": policy.outboundBound = number
            case "inbound": policy.inboundBound = number
            default: return false
            }
        }
        harness = SessionHarness(policy: policy)
        return true
    }

    /// What a message of the client is to the session; nil within for bytes that only show that it lives.
    private func client(_ line: DialogueLine) -> WebSocketInput?? {
        if let number = line["pong"] { return UInt32(number).map { .pong($0) } }
        switch line.plain {
        case ["open"]: return .open(opening(line))
        case ["open", "foreign"]: return .element(Array("<open xmlns='urn:example:foreign'/>".utf8))
        case ["close"]: return .close
        case ["space"]: return .some(nil)
        case ["unqualified"]: return .refused(.invalidNamespace)
        case ["malformed"]: return .refused(.notWellFormed)
        case ["comment"]: return .refused(.restrictedXML)
        case ["forbidden"]: return .refused(.policyViolation)
        case ["oversized"]: return .tooLarge
        case ["binary"]: return .frameFault(.unsupportedData)
        case ["latin"]: return .frameFault(.invalidData)
        case ["unmasked"]: return .frameFault(.protocolError)
        case [] where !line.payload.isEmpty: return .element(Array(line.payload.utf8))
        default: return nil
        }
    }

    private func opening(_ line: DialogueLine) -> StreamOpening {
        let language = line["lang"]
        do throws(AddressRefusal) {
            let domain = try domains.domain(meantBy: line["to"].map { PeerText($0) })
            let account = domains.account(line["from"].map { PeerText($0) }, at: domain)
            let request = StreamRequest(domain: domain, account: account, language: language)
            return StreamOpening(.served(request), account: account, language: language)
        } catch {
            return StreamOpening(.refused(error), language: language)
        }
    }

    /// What becomes of the client's connection.
    private mutating func connection(_ line: DialogueLine) -> [String]? {
        if line["closed"] != nil { return lines(harness.effects(of: .socketClosed)) }
        if let count = line["unread"] { return Int(count).map { lines(harness.effects(ofUnsent: $0)) } }
        switch line.plain {
        case ["lost"]: return lines(harness.effects(of: .lost(.clientLost)))
        case ["stalled"]: return lines(harness.effects(of: .lost(.clientStalled)))
        default: return nil
        }
    }

    private func lines(_ effects: [WebSocketEffect]) -> [String] {
        effects.flatMap { DialogueLine.lines(for: $0) }.map(\.description)
    }
}

extension DialogueLine {
    /// The lines for an effect: one for each message to the client.
    static func lines(for effect: WebSocketEffect) -> [DialogueLine] {
        switch effect {
        case .send(let text): [DialogueLine(sent: String(decoding: text, as: UTF8.self), text)]
        case .deliver(let bytes, let borders):
            zip([0] + borders, borders + [bytes.count]).map { start, end in
                DialogueLine("S", [], payload: String(decoding: bytes[start..<end], as: UTF8.self))
            }
        case .ping(let number): [DialogueLine("S", ["ping=\(number)"])]
        case .close(let code): [DialogueLine("S", [code.map { "closed=\($0.rawValue)" } ?? "closed"])]
        case .abandon: [DialogueLine("S", ["dropped"])]
        case .upstream(let command): [DialogueLine(command)]
        case .ended(let reason): [DialogueLine("E", [reason.rawValue])]
        }
    }

    private init(sent text: String, _ bytes: [UInt8]) {
        if bytes == FramedText.close {
            self.init("S", ["close"])
        } else if let condition = StreamCondition.allCases.first(where: { bytes == FramedText.error($0) }) {
            self.init("S", ["error", "condition=\(condition.rawValue)"])
        } else if text.hasPrefix("<open xmlns=\"urn:ietf:params:xml:ns:xmpp-framing\" "), text.hasSuffix("/>") {
            self.init("S", ["open"] + DialogueLine.attributes(text.dropLast(2), quote: "\""))
        } else {
            self.init("S", [], payload: text)
        }
    }
}
