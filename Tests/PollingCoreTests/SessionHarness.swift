import Bridge
import Primitives

@testable import PollingCore

/// A session under a clock that the test moves, whose effects are told as lines.
struct SessionHarness {
    var policy = PollingPolicy(
        hold: .milliseconds(500), inactivity: .seconds(300), loginTimeout: .seconds(90),
        registrationTimeout: .seconds(300), outboundBound: 10_000, inboundBound: 1_000)
    var session: PollingSession
    var now = MonotonicInstant(nanoseconds: 1_000_000_000_000)
    private var exchanges: UInt64 = 0

    init(key: PeerText? = nil) {
        session = PollingSession(key: key, bits: 0xABC, now: now, policy: policy)
    }

    static let target = PollingOpening(.served(StreamRequest(domain: "example.org", language: nil)))
    static let identity = StreamIdentity(id: "id1", version: ProtocolVersion(major: 1, minor: 0))

    /// A session whose stream is open; the first answer was given.
    static func opened(key: PeerText? = nil) -> SessionHarness {
        var session = SessionHarness(key: key)
        _ = session.request("first", key: key, [.header(target)])
        _ = session.upstream(.opened(identity, features: Array("<stream:features/>".utf8)))
        _ = session.wait(20)
        return session
    }

    /// The same, logged in.
    static func loggedIn(key: PeerText? = nil) -> SessionHarness {
        var session = opened(key: key)
        _ = session.upstream(.loggedIn)
        return session
    }

    /// A request with this body, which brings these items. Its number is the next one.
    ///
    /// `digest` stands for the hash of the key.
    mutating func request(
        _ body: String, key: PeerText? = nil, digest: PeerText? = nil, newKey: PeerText? = nil,
        _ items: [PollingInput] = []
    ) -> [String] {
        exchanges += 1
        let request = PollingRequest(
            PollingExchange(connection: 1, number: exchanges), key: key, newKey: newKey, keyDigest: digest,
            mark: BodyMark(Array(body.utf8).span), hasContent: !body.isEmpty)
        return effects(of: request, items).map(Self.line)
    }

    /// A request, and what it brings.
    mutating func effects(of request: PollingRequest, _ items: [PollingInput]) -> [PollingEffect] {
        var effects: [PollingEffect] = []
        if session.admit(request, now: now, policy: policy, into: &effects) == .read {
            for item in items { session.handle(item, now: now, policy: policy, into: &effects) }
            session.handle(.bodyRead, now: now, policy: policy, into: &effects)
        }
        return effects
    }

    mutating func effects(of input: PollingInput) -> [PollingEffect] {
        var effects: [PollingEffect] = []
        session.handle(input, now: now, policy: policy, into: &effects)
        return effects
    }

    mutating func callAsFunction(_ input: PollingInput) -> [String] { effects(of: input).map(Self.line) }

    mutating func upstream(_ event: UpstreamEvent) -> [String] { self(.upstream(event)) }

    mutating func stanza(_ text: String) -> [String] { upstream(.stanzas(Array(text.utf8))) }

    /// The connection of a request is gone.
    mutating func abort(_ number: UInt64) -> [String] {
        self(.aborted(PollingExchange(connection: 1, number: number)))
    }

    /// Moves the clock, and lets deadlines come on the way.
    mutating func wait(_ milliseconds: Int) -> [String] {
        effects(in: .milliseconds(milliseconds)).map(Self.line)
    }

    /// The same for any time.
    mutating func effects(in time: Duration) -> [PollingEffect] {
        let end = now.advanced(by: time)
        var effects: [PollingEffect] = []
        while let due = session.nextDeadline(by: policy), due <= end {
            now = max(now, due)
            effects += self.effects(of: .deadlineReached)
        }
        now = end
        return effects
    }

    static func line(_ effect: PollingEffect) -> String {
        switch effect {
        case .answer(let exchange, .stream(let bytes)): "\(exchange.number): \(String(decoding: bytes, as: UTF8.self))"
        case .answer(let exchange, .again(let bytes)):
            "\(exchange.number) again: \(String(decoding: bytes, as: UTF8.self))"
        case .answer(let exchange, .error(let error)): "\(exchange.number) error \(error.identifier)"
        case .upstream(.open(let request)): "open \(request.domain)"
        case .upstream(.forward(let bytes)): "forward \(String(decoding: bytes, as: UTF8.self))"
        case .upstream(.restart): "restart"
        case .upstream(.pauseReading): "pause"
        case .upstream(.resumeReading): "resume"
        case .upstream(.returnUnfetched(let bytes)): "return \(String(decoding: bytes, as: UTF8.self))"
        case .upstream(.leave(.close)): "leave"
        case .upstream(.leave(.drop)): "drop"
        case .ended(let reason): "ended \(reason.rawValue)"
        case .forgotten: "forgotten"
        }
    }

    static func header(_ id: String, version: Bool = true) -> String {
        "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
            + "from='example.org' id='\(id)' xml:lang='en'\(version ? " version='1.0'" : "")>"
    }

    static func error(_ condition: String) -> String {
        "<stream:error><\(condition) xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>"
    }
}
