import Addresses
import Deflate
import HTTPWire
import XMLCodec

/// Request bodies that take more than their share of a turn of the loop. They are worked on in the order of arrival,
/// one step each turn, so that only their own senders wait for them.
///
/// The connection of such a body is not read meanwhile, so its requests stay in order. Requests of one session that
/// come over several connections are ordered by their rids, as always.
struct LargeBodies: ~Copyable {
    /// A waiting body, with all that is needed to serve it even if its connection closes meanwhile.
    struct Waiting {
        var request: HTTPRequest
        let connection: ClientConnection
        let coding: ContentCoding
        /// The size of the body on the wire.
        let wireCount: Int
        /// The account of the client address that the body counts for while it is here.
        let account: AddressLedger.Account
    }

    private enum Stage {
        case waiting, expanding, expanded, parsing
        /// How far the weighing has come, and the weight so far.
        case weighing(offset: Int, weight: Int)
    }

    private var queue: [Waiting?] = []
    /// The position of the first unserved body in the queue; the places before it are nil.
    private var first = 0
    private var stage = Stage.waiting
    private let parser: BodyParser
    private var inflater: Inflater?
    private var expanded: [UInt8] = []
    /// How many bytes of bodies are held here, expanded or not.
    private(set) var byteCount = 0

    init(limits: XMLLimits) {
        parser = BodyParser(limits: limits)
    }

    var isEmpty: Bool { first == queue.count }

    mutating func append(_ waiting: consuming Waiting) {
        byteCount += waiting.request.body.count
        queue.append(waiting)
    }

    /// The result of working on a body.
    enum Outcome {
        case parsed(BodyParse)
        case refused(BodyCoder.Refusal)
    }

    /// Does one step of work on the first body.
    ///
    /// - Returns: the body and its result if this was its last step; then the body has left the queue.
    mutating func step(_ bounds: ExpansionBounds) -> (Waiting, Outcome)? {
        guard first < queue.count, let waiting = queue[first] else { return nil }
        switch stage {
        case .waiting:
            return begin(waiting, bounds)
        case .expanding:
            return expand(waiting.request.body, bounds)
        case .weighing(let offset, let weight):
            let body = waiting.request.body
            let end = min(offset + Self.step, body.count)
            let weight = weight + BodyWeight.of(body.span.extracting(offset..<end))
            guard bounds.allowsWeight(weight, from: waiting.wireCount) else {
                return finish(.refused(.expandsTooFar))
            }
            stage = .weighing(offset: end, weight: weight)
            if end == body.count { stage = .expanded }
            return nil
        case .expanded:
            return nil
        case .parsing:
            guard let result = parser.proceed(budget: Self.step) else { return nil }
            return finish(.parsed(result))
        }
    }

    /// The body that is expanded and waits for the decision whether it is parsed: `admit` or `drop`.
    var expandedBody: Waiting? {
        guard case .expanded = stage, first < queue.count else { return nil }
        return queue[first]
    }

    /// Lets the expanded body be parsed.
    mutating func admit() {
        guard let waiting = expandedBody else { return }
        parser.begin(waiting.request.body)
        stage = .parsing
    }

    /// Removes the expanded body, which was answered without being parsed.
    mutating func drop() {
        if expandedBody != nil { takeFirst() }
    }

    private mutating func begin(_ waiting: Waiting, _ bounds: ExpansionBounds) -> (Waiting, Outcome)? {
        guard waiting.coding != .identity else {
            parser.begin(waiting.request.body)
            stage = .parsing
            return nil
        }
        if inflater == nil { inflater = Inflater() }
        guard inflater != nil else { return finish(.refused(.noMemory)) }
        let body = waiting.request.body
        do throws(DeflateError) {
            let limit = bounds.bytes(from: body.count)
            try inflater?.begin(as: DeflateFormat(waiting.coding, of: body.span), limit: limit)
        } catch {
            return finish(.refused(BodyCoder.Refusal(error, isBelowBodyLimit: bounds.isBelowBodyLimit(body.count))))
        }
        stage = .expanding
        return nil
    }

    private mutating func expand(_ body: [UInt8], _ bounds: ExpansionBounds) -> (Waiting, Outcome)? {
        let before = expanded.count
        do throws(DeflateError) {
            let isComplete = try inflater?.proceed(body.span, step: Self.step, into: &expanded) ?? true
            byteCount += expanded.count - before
            guard isComplete else { return nil }
        } catch {
            byteCount -= before
            return finish(.refused(BodyCoder.Refusal(error, isBelowBodyLimit: bounds.isBelowBodyLimit(body.count))))
        }
        byteCount -= body.count
        queue[first]?.request.body = expanded
        queue[first]?.request.head.coding = .identity
        expanded = []
        stage = .weighing(offset: 0, weight: 0)
        return nil
    }

    private mutating func finish(_ outcome: Outcome) -> (Waiting, Outcome)? {
        takeFirst().map { ($0, outcome) }
    }

    /// Takes the first body out of the queue.
    @discardableResult
    private mutating func takeFirst() -> Waiting? {
        expanded = []
        stage = .waiting
        guard let waiting = queue[first] else { return nil }
        byteCount -= waiting.request.body.count
        queue[first] = nil
        first += 1
        // Free places are removed once they are the larger part, so that the rest is moved seldom.
        if first * 2 >= queue.count {
            queue.removeFirst(first)
            first = 0
        }
        return waiting
    }

    /// How many bytes of a body are worked on in one turn at most; shorter bodies are served at once. The most
    /// expensive 64 KiB within the limits take about 2 ms.
    static let step = 64 * 1024
}
