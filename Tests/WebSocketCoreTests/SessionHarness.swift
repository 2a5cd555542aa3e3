import Bridge
import Primitives

@testable import WebSocketCore

/// A session under a fake clock. What it does is told as lines of text.
struct SessionHarness {
    static let policy = WebSocketPolicy(
        pingInterval: .seconds(25), loginTimeout: .seconds(60), registrationTimeout: .seconds(300),
        outboundBound: 1_000, inboundBound: 1_000)

    private(set) var session: WebSocketSession
    var policy: WebSocketPolicy
    private(set) var now: MonotonicInstant

    init(policy: WebSocketPolicy = Self.policy) {
        self.policy = policy
        now = MonotonicInstant(nanoseconds: 1_000_000_000_000)
        session = WebSocketSession(bits: 0xABC, now: now, policy: policy)
    }

    /// A session whose stream is open; `isLoggedIn`: and whose client has logged in.
    static func opened(isLoggedIn: Bool = true) -> SessionHarness {
        var harness = SessionHarness()
        _ = harness.open()
        _ = harness.upstream(.opened(StreamIdentity(id: "s1", version: nil), features: bytes("<stream:features/>")))
        if isLoggedIn { _ = harness.upstream(.loggedIn) }
        return harness
    }

    static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    // MARK: Inputs

    mutating func effects(of input: WebSocketInput) -> [WebSocketEffect] {
        var effects: [WebSocketEffect] = []
        session.handle(input, now: now, policy: policy, into: &effects)
        return effects
    }

    mutating func callAsFunction(_ input: WebSocketInput) -> [String] { effects(of: input).map(Self.line) }

    mutating func open(_ to: String = "example.org", account: PeerText? = nil, language: String? = nil) -> [String] {
        self(
            .open(
                StreamOpening(
                    .served(StreamRequest(domain: to, account: account, language: language)), account: account,
                    language: language)))
    }

    mutating func upstream(_ event: UpstreamEvent) -> [String] { self(.upstream(event)) }

    mutating func element(_ text: String) -> [String] { self(.element(Self.bytes(text))) }

    mutating func stanzas(_ texts: String...) -> [String] {
        var bytes: [UInt8] = []
        var borders: [Int] = []
        for text in texts {
            if !bytes.isEmpty { borders.append(bytes.count) }
            bytes.append(contentsOf: text.utf8)
        }
        return upstream(.stanzas(bytes, borders: borders))
    }

    mutating func effects(ofUnsent count: Int) -> [WebSocketEffect] {
        var effects: [WebSocketEffect] = []
        session.noteUnsent(count, policy: policy, into: &effects)
        return effects
    }

    mutating func unsent(_ count: Int) -> [String] { effects(ofUnsent: count).map(Self.line) }

    mutating func noteRead() { session.noteRead(now: now) }

    /// Lets time pass without an input.
    mutating func wait(_ time: Duration) { now = now.advanced(by: time) }

    /// Lets time pass, with the deadlines in it, each a little late as in a loop.
    mutating func effects(in time: Duration) -> [WebSocketEffect] {
        let end = now.advanced(by: time)
        var effects: [WebSocketEffect] = []
        while let due = session.nextDeadline(by: policy), due <= end {
            now = max(now, due).advanced(by: .milliseconds(1))
            effects += self.effects(of: .deadlineReached)
        }
        now = max(now, end)
        return effects
    }

    mutating func pass(_ time: Duration) -> [String] { effects(in: time).map(Self.line) }

    // MARK: Effects

    private static func line(_ effect: WebSocketEffect) -> String {
        switch effect {
        case .send(let text): return "send \(String(decoding: text, as: UTF8.self))"
        case .deliver(let bytes, let borders):
            var parts: [String] = []
            var start = 0
            for border in borders + [bytes.count] {
                parts.append(String(decoding: bytes[start..<border], as: UTF8.self))
                start = border
            }
            return "deliver \(parts.joined(separator: " | "))"
        case .ping(let number): return "ping \(number)"
        case .upstream(.open(let request)):
            return "open \(request.domain)" + (request.account.map { " for \($0.text)" } ?? "")
                + (request.language.map { " in \($0)" } ?? "")
        case .upstream(.forward(let bytes)): return "forward \(String(decoding: bytes, as: UTF8.self))"
        case .upstream(.restart): return "restart"
        case .upstream(.pauseReading): return "pause"
        case .upstream(.resumeReading): return "resume"
        case .upstream(.returnUnfetched(let bytes)): return "return \(String(decoding: bytes, as: UTF8.self))"
        case .upstream(.leave(.close)): return "leave"
        case .upstream(.leave(.drop)): return "drop"
        case .close(let code): return "close \(code.map { "\($0.rawValue)" } ?? "as asked")"
        case .abandon: return "abandon"
        case .ended(let reason): return "ended \(reason.rawValue)"
        }
    }

    static let goodbye = "send <close xmlns=\"urn:ietf:params:xml:ns:xmpp-framing\" />"

    static func greeting(_ id: String = "s1", from: String? = "example.org", to: String? = nil, lang: String = "en")
        -> String
    {
        "send <open xmlns=\"urn:ietf:params:xml:ns:xmpp-framing\"" + (from.map { " from=\"\($0)\"" } ?? "")
            + " id=\"\(id)\"" + (to.map { " to=\"\($0)\"" } ?? "") + " version=\"1.0\" xml:lang=\"\(lang)\"/>"
    }

    static func error(_ condition: String) -> String {
        "send <stream:error xmlns:stream=\"http://etherx.jabber.org/streams\"><\(condition) "
            + "xmlns=\"urn:ietf:params:xml:ns:xmpp-streams\"/></stream:error>"
    }

    static let features = "send <stream:features xmlns:stream=\"http://etherx.jabber.org/streams\"/>"
}
