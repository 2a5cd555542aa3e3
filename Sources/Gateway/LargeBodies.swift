import Addresses
import Deflate
import HTTPWire
import XMLCodec

/// Request bodies that take more than a share of one turn of the loop. They are worked on in the order they came in, one step
/// a turn, so that nobody waits for them but who sent them.
///
/// The connection of such a body is not read meanwhile: the order of its requests holds. The requests of one session that
/// came over several connections are put in order by their rids, as ever.
struct LargeBodies: ~Copyable {
    /// A body that waits, with all that is needed to serve it even if its connection closes meanwhile.
    struct Waiting {
        var request: HTTPRequest
        let connection: ClientConnection
        let coding: ContentCoding
        /// What came over the wire for it.
        let wireCount: Int
        /// Whom it counts for as long as it is here.
        let account: AddressLedger.Account
    }

    private enum Stage {
        case waiting, expanding, expanded, parsing
        /// How far the weighing has come, and to what.
        case weighing(offset: Int, weight: Int)
    }

    private var queue: [Waiting?] = []
    /// The first of the queue that has not been served; those before it are nil.
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

    /// What a body came to.
    enum Outcome {
        case parsed(BodyParse)
        case refused(BodyCoder.Refusal)
    }

    /// Does one step's work on the first body.
    ///
    /// - Returns: the body and what it came to when this was the last step of it; then it is gone from here.
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

    /// The body that is expanded and waits for a decision whether it is read: `admit` or `drop`.
    var expandedBody: Waiting? {
        guard case .expanded = stage, first < queue.count else { return nil }
        return queue[first]
    }

    /// The expanded body is to be read.
    mutating func admit() {
        guard let waiting = expandedBody else { return }
        parser.begin(waiting.request.body)
        stage = .parsing
    }

    /// The expanded body was answered unread.
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
        // The places go when they are the larger part, so that the others are moved seldom.
        if first * 2 >= queue.count {
            queue.removeFirst(first)
            first = 0
        }
        return waiting
    }

    /// The most bytes of a body that are worked on in one turn; a body that is no longer is served at once. The dearest 64 KiB
    /// that the limits let pass take some 2 ms.
    static let step = 64 * 1024
}
