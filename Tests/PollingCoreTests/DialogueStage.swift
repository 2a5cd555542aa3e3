import Bridge
import DialogueScripts

@testable import PollingCore

/// A session over HTTP polling for the scripts of Tests/Dialogues/Polling. Requests come as whole bodies, so their
/// heads and keys are read as in the program; their XML comes as the items that the parser hands over.
struct PollingStage: DialogueStage {
    /// The identifier of the session.
    private static let identifier = "n1-1-abc"

    /// What comes for a request that is held is answered at once here, so that scripts need no clock for it.
    private var policy = {
        var policy = SessionHarness().policy
        policy.settling = .zero
        return policy
    }()
    private var domains = ServedDomains(names: ["example.org": []])
    /// Nil before the first request.
    private var harness: SessionHarness?
    /// The names of the requests, by the numbers of their exchanges.
    private var names: [String] = []

    mutating func act(_ line: DialogueLine) -> [String]? {
        switch line.kind {
        case "P": return adjust(line) ? [] : nil
        case "C": return line.words.first.map { send($0, line) }
        case "A":
            guard let name = line.words.first, let index = names.lastIndex(of: name) else {
                return ["?: no such request"]
            }
            return effects(of: .aborted(exchange(index)))
        case "U":
            do {
                return try line.upstreamEvents().flatMap { effects(of: .upstream($0)) }
            } catch {
                return ["?: \(error)"]
            }
        case "T":
            let time = line.words.first.flatMap { Duration(dialogue: String($0.dropFirst())) }
            return time.map { lines(harness?.effects(in: $0) ?? []) }
        case "X":
            switch line.words {
            case ["shutdown"]: return effects(of: .shutdownRequested)
            case ["displace"]: return effects(of: .displaced)
            default: return nil
            }
        default: return nil
        }
    }

    private mutating func adjust(_ line: DialogueLine) -> Bool {
        for (key, value) in line.values {
            if key == "domains" {
                let names = value.split(separator: ",").map { (String($0), [String]()) }
                domains = ServedDomains(names: Dictionary(names) { first, _ in first })
                continue
            }
            guard let time = Duration(dialogue: value) else { return false }
            switch key {
            case "hold": policy.hold = time
            case "settling": policy.settling = time
            case "inactivity": policy.inactivity = time
            case "login": policy.loginTimeout = time
            case "registration": policy.registrationTimeout = time
            case "outbound": policy.outboundBound = Int(time.components.seconds)
            case "inbound": policy.inboundBound = Int(time.components.seconds)
            default: return false
            }
        }
        return true
    }

    // MARK: Requests

    private mutating func send(_ name: String, _ line: DialogueLine) -> [String] {
        names.append(name)
        let identifier = line["id"] ?? (harness == nil ? "0" : Self.identifier)
        let content = line.words.dropFirst().filter { !$0.contains("=") || $0.hasPrefix("to=") } + [line.payload]
        let text = line.pollingHead(identifier) + content.joined(separator: " ")
        let body = Array(text.utf8)
        guard let head = PollingHead(of: body.span) else { return ["S: \(name) error=-2:0"] }
        if head.beginsSession, harness == nil {
            var first = SessionHarness(key: head.key)
            first.policy = policy
            first.session = PollingSession(key: head.key, bits: 0xABC, now: first.now, policy: policy)
            harness = first
        } else if head.identifier != Array(Self.identifier.utf8) {
            return ["S: \(name) error=0:0"]
        }
        guard var harness else { return ["S: \(name) error=0:0"] }
        let digest = harness.session.looksAtKeys(now: harness.now) ? head.key.map { SHA1.base64(of: $0.text) } : nil
        let items = items(of: line)
        let request = PollingRequest(
            exchange(names.count - 1), key: head.key, newKey: head.newKey, keyDigest: digest.map { PeerText($0) },
            mark: BodyMark(body.span), hasContent: !items.isEmpty)
        let effects = harness.effects(of: request, items)
        self.harness = harness
        return lines(effects)
    }

    /// What the parser finds behind the head of a request.
    private func items(of line: DialogueLine) -> [PollingInput] {
        var items: [PollingInput] = []
        let words = line.plain.dropFirst()
        if words.contains("open") { items.append(.header(opening(line))) }
        items += topLevelElements(line.payload).map { .element(Array($0.utf8)) }
        if words.contains("malformed") { items.append(.refused(.notWellFormed)) }
        if words.contains("comment") { items.append(.refused(.restrictedXML)) }
        if words.contains("forbidden") { items.append(.refused(.policyViolation)) }
        if words.contains("oversized") { items.append(.tooLarge) }
        if words.contains("close") { items.append(.end) }
        return items
    }

    private func opening(_ line: DialogueLine) -> PollingOpening {
        let hasVersion = line["version"] != nil
        do throws(AddressRefusal) {
            let domain = try domains.domain(meantBy: line["to"].map { PeerText($0) })
            let request = StreamRequest(domain: domain, language: line["lang"])
            return PollingOpening(.served(request), language: line["lang"], hasVersion: hasVersion)
        } catch {
            return PollingOpening(.refused(error), language: line["lang"], hasVersion: hasVersion)
        }
    }

    // MARK: Effects

    private func exchange(_ index: Int) -> PollingExchange { PollingExchange(connection: 1, number: UInt64(index)) }

    private mutating func effects(of input: PollingInput) -> [String] { lines(harness?.effects(of: input) ?? []) }

    private func lines(_ effects: [PollingEffect]) -> [String] {
        effects.map { effect in
            switch effect {
            case .answer(let exchange, let answer):
                DialogueLine("S", [names[Int(exchange.number)]], answer: answer).description
            case .upstream(let command): DialogueLine(command).description
            case .ended(let reason): DialogueLine("E", [reason.rawValue]).description
            case .forgotten: DialogueLine("E", ["forgotten"]).description
            }
        }
    }
}

extension DialogueLine {
    /// The line for an answer: what of the stream it holds.
    fileprivate init(_ kind: Character, _ words: [String], answer: PollingAnswer) {
        var words = words
        let bytes: [UInt8]
        switch answer {
        case .error(let error):
            self.init(kind, words + ["error=\(error.identifier)"])
            return
        case .again(let again):
            words.append("again")
            bytes = again
        case .stream(let stream): bytes = stream
        }
        var rest = Substring(String(decoding: bytes, as: UTF8.self))
        if rest.isEmpty { words.append("empty") }
        let header = "<?xml version='1.0'?><stream:stream "
        if rest.hasPrefix(header), let end = rest.firstIndex(of: ">", after: header) {
            words += ["open"] + DialogueLine.attributes(rest[..<end].dropFirst(header.count), quote: "'")
            rest = rest[end...].dropFirst()
        }
        let close = String(decoding: PollingText.end, as: UTF8.self)
        let isClosed = rest.hasSuffix(close)
        if isClosed { rest = rest.dropLast(close.count) }
        for condition in StreamCondition.allCases {
            let error = String(decoding: PollingText.error(condition), as: UTF8.self)
            guard rest.hasSuffix(error) else { continue }
            words.append("condition=\(condition.rawValue)")
            rest = rest.dropLast(error.count)
        }
        if isClosed { words.append("close") }
        self.init(kind, words, payload: String(rest))
    }
}

extension Substring {
    fileprivate func firstIndex(of character: Character, after beginning: String) -> Index? {
        dropFirst(beginning.count).firstIndex(of: character)
    }
}
