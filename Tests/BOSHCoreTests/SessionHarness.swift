import Bridge
import DialogueScripts
import Primitives

@testable import BOSHCore

/// A session with a clock that stands still until a test moves it.
///
/// Every input returns its effects, in order, as lines of the dialogue notation.
struct SessionHarness {
    /// The policy of most tests.
    static let policy = {
        var policy = SessionPolicy(
            maxWait: .seconds(60), maxHold: 3, inactivity: .seconds(30), polling: .seconds(5), maxpause: .seconds(120),
            outboundBound: 100, inboundBound: 100, domains: ServedDomains(names: ["example.org": []]))
        policy.extraResponses = 8
        policy.responseBytes = 262_144
        policy.spareBytes = 262_144
        return policy
    }()

    static let id = SessionID(node: NodeName(ofHost: "n1"), worker: 1, high: 1, low: 2)

    var policy = SessionHarness.policy
    private(set) var now = MonotonicInstant(nanoseconds: 1_000_000_000_000)
    private(set) var session: Session?
    private(set) var isOver = false
    private var names: [String] = []
    private var streams: [StreamNumber: StreamName] = [:]

    /// A session that has not been created.
    init() {}

    /// A session that was created with rid 100 and has told its features.
    init(hold: Int, wait: Int = 60) {
        _ = send("create", "rid=100 to=example.org ver=1.11 wait=\(wait) hold=\(hold)")
        _ = upstream("open id=s1 version=1.0 <f/>")
        if wait == 0 { _ = send("features", "rid=101") }
    }

    /// Sends the client's request `name` with the words and the payload in `text`; the first request creates the
    /// session.
    mutating func send(_ name: String, _ text: String) -> [String] {
        guard let line = DialogueLine(parsing: "C: \(text)") else { return ["?: cannot be read: \(text)"] }
        names.append(name)
        let exchange = ExchangeID(connection: UInt64(names.count - 1), number: 0)
        let attributes = line.attributes
        let payload = Array(line.payload.utf8)
        guard session == nil else {
            if line.words.contains("malformed") { return handle(.malformedRequest(exchange, attributes)) }
            if line.words.contains("oversized") { return handle(.oversizedRequest(exchange, attributes)) }
            return handle(.request(exchange, attributes, payload: payload))
        }
        var effects: [SessionEffect] = []
        do {
            let opening = try SessionOpening(judging: attributes, by: policy)
            session = Session(
                id: Self.id, opening: opening, stream: attributes.rare.freshStreamName, exchange: exchange,
                payload: payload, now: now, policy: policy, into: &effects)
        } catch {
            guard case .condition(let condition) = error else { return [] }
            effects = [.respond(exchange, BodyResponse(.terminate(condition)))]
        }
        return render(effects)
    }

    /// The client closes the newest connection of request `name`.
    mutating func abort(_ name: String) -> [String] {
        guard let index = names.lastIndex(of: name) else { return ["?: no request \(name)"] }
        return handle(.requestAborted(ExchangeID(connection: UInt64(index), number: 0)))
    }

    /// The client of request `name` sends nothing more on its connection until it has the response.
    mutating func await(_ name: String) -> [String] {
        guard let index = names.lastIndex(of: name) else { return ["?: no request \(name)"] }
        return handle(.answerAwaited(ExchangeID(connection: UInt64(index), number: 0)))
    }

    /// The upstream does what `text` says.
    mutating func upstream(_ text: String) -> [String] {
        guard let line = DialogueLine(parsing: "U: \(text)") else { return ["?: cannot be read: \(text)"] }
        guard let stream = line["on"].map({ number($0) }) ?? .first else { return ["?: no such stream: \(text)"] }
        do {
            return try line.upstreamEvents().flatMap { handle(.upstream($0, on: stream)) }
        } catch {
            return ["?: \(error)"]
        }
    }

    /// The stream for which the request with this rid asked.
    private func number(_ rid: String) -> StreamNumber? {
        streams.first { String($0.value.bits) == rid }?.key
    }

    /// Moves the clock; every deadline on the way is kept to the nanosecond.
    mutating func jump(_ duration: Duration) -> [String] {
        let target = now.advanced(by: duration)
        var lines: [String] = []
        while let next = session?.nextDeadline, next <= target, !isOver {
            now = max(now, next)
            let before = session?.nextDeadline
            lines += handle(.deadlineReached)
            if session?.nextDeadline == before, !isOver { return lines + ["?: the deadline does not move"] }
        }
        now = target
        return lines
    }

    /// This program is being shut down.
    mutating func shutDown() -> [String] { handle(.shutdownRequested) }

    /// Gives the session any input.
    mutating func handle(_ input: SessionInput) -> [String] {
        var effects: [SessionEffect] = []
        session?.handle(input, now: now, policy: policy, into: &effects)
        return render(effects)
    }

    private mutating func render(_ effects: [SessionEffect]) -> [String] {
        effects.compactMap { effect in
            if case .ended = effect { isOver = true }
            if case .upstream(.open, on: let number) = effect {
                streams[number] = session?.streams.first { $0.number == number }?.name
            }
            var line = DialogueLine(effect: effect) {
                names[Int($0.connection)]
            } stream: {
                streams[$0].map { String($0.bits) } ?? "?"
            }
            if let type = session?.contentType, line?.words.contains("create") == true {
                line?.words.append("content=\(type)")
            }
            return line?.description
        }
    }
}
