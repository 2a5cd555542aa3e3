import Primitives

/// What the connection found in the bytes it read.
package enum HTTPEvent: Sendable, Equatable {
    /// A complete request. `HTTPConnection.respond(to:with:)` answers it.
    case request(HTTPRequest)
    /// The client waits for `100 Continue` before it sends the body (H-18). The interim answer is already in the
    /// output, unless answers are owed before it: then it follows them, and an owner that holds one of them may want to
    /// give it now.
    case continueExpected
    /// The input was refused. The answer is in the output, or follows the answers owed; nothing more is read.
    case refused(HTTPFault)
}

/// The server's side of one HTTP/1.x connection: turns bytes into requests, and answers into bytes, in the order of
/// requests.
///
/// Duties: strict framing (RFC 9112), pipelining up to a bound, persistence, `100 Continue`, the fields that every
/// answer has. It knows no socket and no clock, and does not know what the requests mean.
///
/// Rules:
/// - A request is delivered as soon as it is complete, whether or not earlier ones were answered (H-12).
/// - The result depends on the bytes, not on how they were split; only `continueExpected` is left out when the body
///   came along.
/// - After a refusal, or a request or an answer that ends the connection, further input is dropped unread.
/// - Only the bytes of an unfinished message are kept; an idle connection owns no buffer.
///
/// All in one file, because each step of reading and answering changes the same private state.
package struct HTTPConnection: ~Copyable {
    /// What the connection is reading; its owner sets the deadlines by it (H-26).
    package enum Phase: Sendable, Equatable {
        /// Between requests. Empty lines before a request do not end this phase.
        case idle
        case readingHead
        case readingBody
        /// The head has come, and the client waits for `100 Continue`, which follows answers that are owed. The time
        /// until then does not count against the client.
        case owingContinue
        /// The input was refused.
        case refusing
        /// No further requests are taken.
        case closing
    }

    private enum Stage: Sendable {
        case idle
        /// Boxed, like `chunks`: most of the time a connection is in neither stage.
        indirect case head(HeadParser)
        case length(remaining: Int)
        indirect case chunks(ChunkedDecoder)
        case refusing
        case closing
    }

    let rules: HTTPRules
    /// The part of the head that has come, while it is incomplete.
    private var partialHead: [UInt8] = []
    /// The head of a request whose body is not complete.
    private var pendingHead: Boxed<RequestHead>?
    /// The part of the body that has come, while it is incomplete.
    private var partialBody: [UInt8] = []
    private var queue = AnswerQueue()
    private var output = AnswerOutput()
    private var stage = Stage.idle
    private var emptyLines: UInt8 = 0
    private var isInsideEmptyLine = false
    /// Whether `100 Continue` waits for the answers before it.
    private var owesContinue = false
    /// The bytes of input in which requests may still begin, once the owner wants the connection to end.
    private var inputLeft = Self.endless

    /// A connection on which nothing was read.
    package init(rules: HTTPRules) {
        self.rules = rules
    }

    private var limits: HTTPLimits { rules.limits }
    private var crossOrigin: CrossOriginPolicy { rules.crossOrigin }
    private var captures: CapturedField { rules.captures }

    // MARK: State

    /// Whether a field is captured in which a proxy says something of its client.
    package var capturesForwarded: Bool {
        switch captures {
        case .xForwardedFor, .forwarded, .xRealIP: true
        case .none, .provenance: rules.capturesScheme
        }
    }

    package var phase: Phase {
        switch stage {
        case .idle: .idle
        case .head: .readingHead
        case .length, .chunks: owesContinue ? .owingContinue : .readingBody
        case .refusing: .refusing
        case .closing: .closing
        }
    }

    /// Whether another request may begin. False while as many requests wait for answers as pipelining allows, while
    /// their answers take too much, and once no more requests are taken. The caller offers input that `next` did not
    /// consume again when this is true.
    package var mayRead: Bool {
        switch stage {
        case .idle: mayBegin
        case .head, .length, .chunks: true
        case .refusing, .closing: false
        }
    }

    private var mayBegin: Bool { queue.count < limits.pipelining && queue.waitingBytes <= limits.answers }

    /// Whether requests are still taken from input that `closeAfterAnswers` announced and `next` has not seen.
    package var expectsInput: Bool {
        inputLeft > 0 && inputLeft < Self.endless && phase != .refusing && phase != .closing
    }

    /// Whether the bytes of answers that wait after an unanswered request keep the next request from being read.
    package var isFullOfAnswers: Bool { queue.waitingBytes > limits.answers }

    /// Whether the connection is to be closed once the output has left: every answer was given and no more requests are
    /// taken. Close the sending side first: closing with unread input makes the kernel reset the connection, and the
    /// client may lose the answer (RFC 9112 §9.6).
    package var closesWhenDrained: Bool {
        switch stage {
        case .refusing, .closing: queue.isEmpty
        case .idle, .head, .length, .chunks: false
        }
    }

    /// The number of unanswered requests.
    package var owed: Int { queue.openCount }

    /// The unanswered exchanges, in order; they are aborted when the peer closes (P-13).
    package var openExchanges: [UInt64] { queue.open }

    /// The memory reserved for unfinished messages and for output; 0 while nothing is half read or unsent.
    package var reservedBytes: Int { unfinishedBytes + answerBytes }

    /// The memory that a half-read message takes.
    package var unfinishedBytes: Int { partialHead.capacity + partialBody.capacity }

    /// The captured field of the request whose body is being read, or which was refused: it names the client before the
    /// body has come. Empty when there is no such request or no such field.
    package var pendingForwarded: [UInt8] {
        pendingHead?.value.forwarded ?? []
    }

    /// The memory of answers that have not left.
    package var answerBytes: Int { output.reservedBytes + queue.reservedBytes }

    // MARK: Output

    package var hasOutput: Bool { !output.isEmpty }

    /// The number of bytes to send.
    package var outputCount: Int { output.count }

    /// Whether the answer to `exchange` would leave at once and would need new storage.
    package func lacksRoom(for exchange: UInt64) -> Bool { output.lacksRoom && queue.isFront(exchange) }

    /// Takes over an empty array with storage, for the next answer.
    package mutating func takeRoom(_ room: consuming [UInt8]) { output.takeRoom(room) }

    /// Moves the output to `target`. Large shared answers move only until `target` has `limit` bytes. An empty target
    /// takes over the buffer without a copy.
    package mutating func takeOutput(into target: inout [UInt8], limit: Int = .max) {
        output.take(into: &target, limit: limit)
    }

    /// Drops the output.
    package mutating func dropOutput() { output = AnswerOutput() }

    // MARK: Input

    /// Reads from `offset` up to the next event and moves `offset` past what was consumed. The caller repeats this
    /// until nil, which means that more bytes are needed, or that reading pauses before `input[offset]` (`mayRead` is
    /// false). `date` is for the answer to a refusal.
    package mutating func next(_ input: Span<UInt8>, offset: inout Int, date: HTTPDate? = nil) -> HTTPEvent? {
        var room: [UInt8] = []
        return next(input, offset: &offset, date: date, room: &room)
    }

    /// The same with storage for the body of a request that lies whole in the input: such a body takes over the array
    /// `room`, whose content is of no use, and leaves an empty one.
    package mutating func next(
        _ input: Span<UInt8>, offset: inout Int, date: HTTPDate? = nil, room: inout [UInt8]
    ) -> HTTPEvent? {
        guard offset >= 0 else { return nil }
        while offset < input.count {
            let from = offset
            var event: HTTPEvent?
            switch stage {
            case .idle:
                guard mayBegin else { return nil }
                event = begin(input, &offset, date, &room)
            case .head(let parser):
                event = resume(parser, input, &offset, date, &room)
            case .length(let remaining):
                event = takeBody(remaining, input, &offset)
            case .chunks(let decoder):
                event = takeChunks(decoder, input, &offset, date)
            case .refusing, .closing:
                offset = input.count
            }
            if inputLeft != Self.endless { closeAfterAnswers(behind: Int(inputLeft) - (offset - from)) }
            if let event { return event }
        }
        return nil
    }

    /// Answers the request whose body is being read with 503, because the owner has no room for it, and ends the
    /// connection after that. Does nothing and returns false while no body is being read.
    @discardableResult
    package mutating func encodeOverload(date: HTTPDate? = nil) -> Bool {
        guard phase == .readingBody || phase == .owingContinue else { return false }
        _ = refuse(.overloaded, origin: pendingOrigin, date: date)
        return true
    }

    /// Handles a passed deadline. In the middle of a request it answers 408 and returns true. Otherwise it does
    /// nothing: an idle connection is closed without an answer, because a client would take a 408 for the answer to its
    /// next request.
    @discardableResult
    package mutating func encodeTimeout(date: HTTPDate? = nil) -> Bool {
        switch stage {
        case .head(let parser):
            let bytes = partialHead
            _ = refuse(.timeout, origin: parser.origin(bytes.span, base: 0), date: date)
            return true
        case .length, .chunks:
            _ = refuse(.timeout, origin: pendingOrigin, date: date)
            return true
        case .idle, .refusing, .closing:
            return false
        }
    }

    // MARK: Answers

    /// The coding that the request's `Accept-Encoding` prefers for the answer's body (H-08); identity for an exchange
    /// that is unknown or answered.
    package func coding(of exchange: UInt64) -> ContentCoding {
        queue.terms(exchange)?.coding ?? .identity
    }

    /// Answers a request. The answer leaves after those before it. Does nothing and returns false for an exchange that
    /// is unknown or answered.
    @discardableResult
    package mutating func respond(to exchange: UInt64, with response: HTTPResponse, date: HTTPDate? = nil) -> Bool {
        guard var terms = queue.terms(exchange) else { return false }
        if response.closesConnection {
            terms.persistence = .ends
            queue.drop(after: exchange)
            stopReading()
        } else if inputLeft == 0, queue.isLast(exchange), !isInsideRequest {
            terms.persistence = .ends
        }
        let sharesBody = response.sharesBody(terms)
        if queue.isFront(exchange), !sharesBody {
            let policy = crossOrigin
            output.append { response.encode(terms, policy: policy, date: date, into: &$0) }
            leaveFront()
            return true
        }
        var answer = EncodedAnswer(start: [])
        response.encode(terms, policy: crossOrigin, date: date, into: &answer.start)
        if sharesBody {
            answer.shared = response.shared
            answer.end = response.end
        }
        if queue.isFront(exchange) {
            output.append(answer)
            leaveFront()
        } else {
            queue.keep(answer, for: exchange)
        }
        return true
    }

    private mutating func leaveFront() {
        queue.leaveFront(into: &output)
        guard owesContinue, queue.isEmpty else { return }
        owesContinue = false
        output.append { $0.append(contentsOf: Self.continueAnswer.utf8) }
    }

    /// Ends the connection in order: the request that is half read is still taken, and so are those that begin within
    /// the next `count` bytes of input, which have come already (RFC 9112 §9.6). Later ones are not. The last answer
    /// says `Connection: close`. A connection that owes nothing is to be closed at once (`closesWhenDrained`).
    ///
    /// A further call counts anew.
    package mutating func closeAfterAnswers(behind count: Int = 0) {
        inputLeft = min(UInt32(clamping: count), Self.endless - 1)
        if inputLeft == 0, case .idle = stage { stage = .closing }
    }

    // MARK: Reading the head

    /// Skips empty lines (RFC 9112 §2.2) and reads a head directly from the input, which is the usual case.
    private mutating func begin(
        _ input: Span<UInt8>, _ offset: inout Int, _ date: HTTPDate?, _ room: inout [UInt8]
    ) -> HTTPEvent? {
        let byte = input[offset]
        if isInsideEmptyLine || !byte.isTokenByte {
            offset += 1
            return skipEmptyLine(byte, date)
        }
        emptyLines = 0
        var parser = HeadParser(
            captures: captures, capturesScheme: rules.capturesScheme, tellsOrigins: crossOrigin.variesByOrigin,
            keepsAgents: rules.keepsAgents)
        switch parser.read(input, base: offset, limits: limits) {
        case .complete(let length):
            let head = parser.head(input, base: offset)
            offset += length
            return take(head, input, &offset, &room)
        case .needsMore:
            partialHead.append(copying: input.extracting(offset..<input.count))
            offset = input.count
            stage = .head(parser)
            return nil
        case .refused(let fault):
            return refuse(fault, parser, input, base: offset, date)
        }
    }

    /// Takes a byte that begins no request line.
    private mutating func skipEmptyLine(_ byte: UInt8, _ date: HTTPDate?) -> HTTPEvent? {
        switch byte {
        case ByteClass.lf where isInsideEmptyLine:
            isInsideEmptyLine = false
        case ByteClass.cr where !isInsideEmptyLine:
            guard emptyLines < HTTPLimits.emptyLines else {
                return refuse(.tooManyEmptyLines, origin: nil, date: date)
            }
            emptyLines += 1
            isInsideEmptyLine = true
        default:
            let isLineEnd = isInsideEmptyLine || byte == ByteClass.lf
            return refuse(isLineEnd ? .badLineEnd : .badRequestLine, origin: nil, date: date)
        }
        return nil
    }

    /// Continues a head that began in earlier input, line by line, so that nothing after the head is copied.
    private mutating func resume(
        _ parser: HeadParser, _ input: Span<UInt8>, _ offset: inout Int, _ date: HTTPDate?, _ room: inout [UInt8]
    ) -> HTTPEvent? {
        var parser = parser
        let outcome: HeadParser.Outcome
        if let lineFeed = input.indexOfLineFeed(from: offset) {
            partialHead.append(copying: input.extracting(offset..<lineFeed + 1))
            offset = lineFeed + 1
            outcome = parser.read(partialHead.span, base: 0, limits: limits)
        } else {
            partialHead.append(copying: input.extracting(offset..<input.count))
            offset = input.count
            outcome = parser.incompleteLine(arrived: partialHead.count, limits)
        }
        switch outcome {
        case .needsMore:
            stage = .head(parser)
            return nil
        case .complete:
            let head = parser.head(partialHead.span, base: 0)
            partialHead = []
            return take(head, input, &offset, &room)
        case .refused(let fault):
            let bytes = partialHead
            return refuse(fault, parser, bytes.span, base: 0, date)
        }
    }

    // MARK: Reading the body

    /// Takes a complete head; the body may follow it in the input.
    private mutating func take(
        _ head: consuming RequestHead, _ input: Span<UInt8>, _ offset: inout Int, _ room: inout [UInt8]
    ) -> HTTPEvent? {
        let available = input.count - offset
        switch head.framing {
        case .none:
            return deliver(head, [])
        case .length(let length) where length <= available:
            var body: [UInt8] = []
            swap(&body, &room)
            body.removeAll(keepingCapacity: true)
            body.append(copying: input.extracting(offset..<offset + length))
            offset += length
            return deliver(head, body)
        case .length(let length):
            stage = .length(remaining: length)
        case .chunked:
            stage = .chunks(ChunkedDecoder())
        }
        // A client that already sends the body does not wait (RFC 9110 §10.1.1).
        let waits = head.expectsContinue && available == 0
        pendingHead = Boxed(head)
        guard waits else { return nil }
        if queue.isEmpty {
            output.append { $0.append(contentsOf: Self.continueAnswer.utf8) }
        } else {
            owesContinue = true
        }
        return .continueExpected
    }

    private mutating func takeBody(_ remaining: Int, _ input: Span<UInt8>, _ offset: inout Int) -> HTTPEvent? {
        owesContinue = false
        let length = min(remaining, input.count - offset)
        let arrived = partialBody.count + length
        if arrived > partialBody.capacity {
            // Reserve no more than is to come, and at most twice what has come: an announced length costs no memory.
            partialBody.reserveCapacity(min(2 * arrived, partialBody.count + remaining))
        }
        partialBody.append(copying: input.extracting(offset..<offset + length))
        offset += length
        guard length == remaining else {
            stage = .length(remaining: remaining - length)
            return nil
        }
        return deliverPending()
    }

    private mutating func takeChunks(
        _ decoder: ChunkedDecoder, _ input: Span<UInt8>, _ offset: inout Int, _ date: HTTPDate?
    ) -> HTTPEvent? {
        owesContinue = false
        var decoder = decoder
        switch decoder.decode(input, offset: &offset, into: &partialBody, limit: limits.body) {
        case .needsMore:
            stage = .chunks(decoder)
            return nil
        case .complete:
            return deliverPending()
        case .refused(let fault):
            return refuse(fault, origin: pendingOrigin, date: date)
        }
    }

    private mutating func deliverPending() -> HTTPEvent? {
        guard let head = pendingHead?.value else { return nil }
        pendingHead = nil
        var body: [UInt8] = []
        swap(&body, &partialBody)
        return deliver(head, body)
    }

    private mutating func deliver(_ head: consuming RequestHead, _ body: consuming [UInt8]) -> HTTPEvent {
        var terms = AnswerTerms()
        terms.grant = crossOrigin.grant(head.origin)
        terms.withholdsBody = head.method == .head
        terms.coding = head.acceptedCoding
        if head.keepAlive { terms.persistence = head.version == .http11 ? .implied : .stated }
        stage = head.keepAlive && inputLeft != 0 ? .idle : .closing
        return .request(HTTPRequest(exchange: queue.open(terms), head: head, body: body))
    }

    // MARK: Refusing

    private mutating func refuse(
        _ fault: HTTPFault, _ parser: HeadParser, _ bytes: Span<UInt8>, base: Int, _ date: HTTPDate?
    ) -> HTTPEvent {
        let event = refuse(
            fault, origin: parser.origin(bytes, base: base), isHead: parser.requestLine.method == .head, date: date)
        if !parser.forwarded.isEmpty { pendingHead = Boxed(RequestHead(refusedFrom: parser.forwarded)) }
        return event
    }

    private mutating func refuse(
        _ fault: HTTPFault, origin: String?, isHead: Bool = false, date: HTTPDate?
    ) -> HTTPEvent {
        let head = pendingHead
        stopReading()
        stage = .refusing
        // It still says whose request this was.
        pendingHead = head
        var terms = AnswerTerms()
        terms.grant = crossOrigin.grant(origin)
        terms.withholdsBody = isHead
        var answer: [UInt8] = []
        HTTPResponse(fault).encode(terms, policy: crossOrigin, date: date, into: &answer)
        queue.close(with: answer, into: &output)
        return .refused(fault)
    }

    /// Takes no more input and drops a message that is half read.
    private mutating func stopReading() {
        if phase != .refusing { stage = .closing }
        partialHead = []
        partialBody = []
        pendingHead = nil
        owesContinue = false
    }

    private var isInsideRequest: Bool {
        switch stage {
        case .head, .length, .chunks: true
        case .idle, .refusing, .closing: false
        }
    }

    private var pendingOrigin: String? {
        pendingHead?.value.origin
    }

    /// The value of `inputLeft` before `closeAfterAnswers`: no end of the input is known.
    private static let endless = UInt32.max

    private static let continueAnswer = "HTTP/1.1 100 Continue\r\n\r\n"
}
