import Primitives

/// What reading a connection's bytes came to.
package enum HTTPEvent: Sendable, Equatable {
    /// A complete request. It is owed an answer: `HTTPConnection.respond(to:with:)`.
    case request(HTTPRequest)
    /// The client waits for `100 Continue` before it sends the body (H-18). The interim answer is in the output already,
    /// unless answers are owed before it; then it follows them. So an owner that holds one may want to give it now.
    case continueExpected
    /// The input was refused. The answer is in the output or follows the answers owed; nothing more is read.
    case refused(HTTPFault)
}

/// The server's side of one HTTP/1.x connection: bytes to requests, answers to bytes, in the order of the requests.
///
/// Duties: framing and its strictness (RFC 9112), pipelining up to a bound, persistence, `100 Continue`, the fields that
/// every answer carries. It knows no socket, no clock and nothing of what the requests mean.
///
/// Rules:
/// - A request is delivered as soon as it is complete, whether or not earlier ones were answered (H-12).
/// - The outcome depends on the bytes, not on how they were split; only `continueExpected` may be absent when the body came along.
/// - After a refusal, or a request or answer that ends the connection, further input is dropped unread.
/// - Only the bytes of an unfinished message are kept; an idle connection owns no buffer.
package struct HTTPConnection: ~Copyable, Sendable {
    /// What the connection is reading; the owner arms its deadlines by it (H-26).
    package enum Phase: Sendable, Equatable {
        /// Between requests; empty lines before a request do not count as one.
        case idle
        case readingHead
        case readingBody
        /// The head has come, and its client waits for `100 Continue`, which stands behind answers that are owed. The time
        /// until then is not the client's.
        case owingContinue
        /// The input was refused.
        case refusing
        /// No more requests are taken.
        case closing
    }

    private enum Stage: Sendable {
        case idle
        /// Boxed, as is `chunks`: most of the time a connection is at neither.
        indirect case head(HeadParser)
        case length(remaining: Int)
        indirect case chunks(ChunkedDecoder)
        case refusing
        case closing
    }

    private let rules: HTTPRules
    /// The head so far, while it is incomplete.
    private var partialHead: [UInt8] = []
    /// The head of a request whose body is not complete.
    private var pendingHead: Boxed<RequestHead>?
    /// The body so far, while it is incomplete.
    private var partialBody: [UInt8] = []
    private var queue = AnswerQueue()
    private var output = AnswerOutput()
    private var stage = Stage.idle
    private var emptyLines: UInt8 = 0
    private var isInsideEmptyLine = false
    /// `100 Continue` waits for the answers before it.
    private var owesContinue = false
    /// The owner wants the connection to end: behind so many bytes of input no request begins any more.
    private var inputLeft = Self.endless

    /// A connection on which nothing was read yet.
    package init(rules: HTTPRules) {
        self.rules = rules
    }

    private var limits: HTTPLimits { rules.limits }
    private var crossOrigin: CrossOriginPolicy { rules.crossOrigin }
    private var captures: CapturedField { rules.captures }

    // MARK: State

    package var phase: Phase {
        switch stage {
        case .idle: .idle
        case .head: .readingHead
        case .length, .chunks: owesContinue ? .owingContinue : .readingBody
        case .refusing: .refusing
        case .closing: .closing
        }
    }

    /// False while as many requests wait for answers as pipelining allows or their answers take too much, and once no more
    /// requests are taken. What `next` did not consume then has to be offered again when this is true.
    package var mayRead: Bool {
        switch stage {
        case .idle: mayBegin
        case .head, .length, .chunks: true
        case .refusing, .closing: false
        }
    }

    private var mayBegin: Bool { queue.count < limits.pipelining && queue.waitingBytes <= limits.answers }

    /// Whether `closeAfterAnswers` named input that has not come to `next` yet, and requests in it are still taken.
    package var expectsInput: Bool {
        inputLeft > 0 && inputLeft < Self.endless && phase != .refusing && phase != .closing
    }

    /// Whether it is the bytes of answers behind a held one that keep the next request from being read.
    package var isFullOfAnswers: Bool { queue.waitingBytes > limits.answers }

    /// The connection must be closed once the output is flushed: every answer was given and no more requests are taken.
    /// The sending side first: closing with input unread makes the kernel reset the connection, and the client may lose
    /// the answer (RFC 9112 §9.6).
    package var closesWhenDrained: Bool {
        switch stage {
        case .refusing, .closing: queue.isEmpty
        case .idle, .head, .length, .chunks: false
        }
    }

    /// How many requests no answer was given to.
    package var owed: Int { queue.openCount }

    /// The exchanges that no answer was given to, in order; to abort them when the peer closes (P-13).
    package var openExchanges: [UInt64] { queue.open }

    /// Bytes of memory set aside for unfinished messages and for output; 0 while nothing is half read or unsent.
    package var reservedBytes: Int { unfinishedBytes + answerBytes }

    /// Bytes of memory that a message takes which is half read.
    package var unfinishedBytes: Int { partialHead.capacity + partialBody.capacity }

    /// The captured field of the request whose body is being read: who sends it is known before the body has come. Empty
    /// while there is no such request, or no such field.
    package var pendingForwarded: [UInt8] {
        pendingHead?.value.forwarded ?? []
    }

    /// Bytes of memory that answers take which have not left.
    package var answerBytes: Int { output.reservedBytes + queue.reservedBytes }

    // MARK: Output

    package var hasOutput: Bool { !output.isEmpty }

    /// How many bytes are to be sent.
    package var outputCount: Int { output.count }

    /// Whether the answer to `exchange` would leave at once, and have to set storage aside.
    package func lacksRoom(for exchange: UInt64) -> Bool { output.lacksRoom && queue.isFront(exchange) }

    /// Takes an empty array with storage over, for the next answer to be written to.
    package mutating func takeRoom(_ room: consuming [UInt8]) { output.takeRoom(room) }

    /// Appends what is to be sent and forgets it; of large answers, which others keep too, only until `target` has `limit`
    /// bytes. An empty target takes the buffer over uncopied.
    package mutating func takeOutput(into target: inout [UInt8], limit: Int = .max) {
        output.take(into: &target, limit: limit)
    }

    /// Forgets what is to be sent.
    package mutating func dropOutput() { output = AnswerOutput() }

    // MARK: Input

    /// Reads on from `offset` up to the next event and leaves `offset` behind what was consumed; to be called again until
    /// nil. Nil means that more bytes are needed, or that reading pauses (`mayRead` is false) before `input[offset]`.
    /// `date` is for the answer to a refusal.
    package mutating func next(_ input: Span<UInt8>, offset: inout Int, date: HTTPDate? = nil) -> HTTPEvent? {
        guard offset >= 0 else { return nil }
        while offset < input.count {
            let from = offset
            var event: HTTPEvent?
            switch stage {
            case .idle:
                guard mayBegin else { return nil }
                event = begin(input, &offset, date)
            case .head(let parser):
                event = resume(parser, input, &offset, date)
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

    /// The owner has no room for the body that is being read: the answer is 503, and the connection ends behind it. False,
    /// and nothing done, while none is.
    @discardableResult
    package mutating func encodeOverload(date: HTTPDate? = nil) -> Bool {
        guard phase == .readingBody || phase == .owingContinue else { return false }
        _ = refuse(.overloaded, origin: pendingOrigin, date: date)
        return true
    }

    /// A deadline passed. In the middle of a request the answer is 408 and true; else nothing is done: an idle connection
    /// is closed without a word, because a client would take a 408 for the answer to its next request.
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

    /// The coding that the answer's body may have by the request's `Accept-Encoding`, and would best have (H-08); identity
    /// for an exchange that is unknown or was answered.
    package func coding(of exchange: UInt64) -> ContentCoding {
        queue.terms(exchange)?.coding ?? .identity
    }

    /// Answers a request. The answer leaves when those before it have left. False, and nothing done, for an exchange that
    /// is unknown or was answered.
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

    /// Ends the connection in good order: a request that is half read is still taken, and so are those that begin within the
    /// next `count` bytes of input, which have come already (RFC 9112 §9.6); no other is. The last answer says
    /// `Connection: close`. A connection that owes nothing is to be closed at once (`closesWhenDrained`).
    ///
    /// Said again, it counts anew.
    package mutating func closeAfterAnswers(behind count: Int = 0) {
        inputLeft = min(UInt32(clamping: count), Self.endless - 1)
        if inputLeft == 0, case .idle = stage { stage = .closing }
    }

    // MARK: Reading the head

    /// Skips empty lines (RFC 9112 §2.2) and reads a head straight from the input, the usual case.
    private mutating func begin(_ input: Span<UInt8>, _ offset: inout Int, _ date: HTTPDate?) -> HTTPEvent? {
        let byte = input[offset]
        if isInsideEmptyLine || !byte.isTokenByte {
            offset += 1
            return skipEmptyLine(byte, date)
        }
        emptyLines = 0
        var parser = HeadParser(captures: captures, tellsOrigins: crossOrigin.variesByOrigin)
        switch parser.read(input, base: offset, limits: limits) {
        case .complete(let length):
            let head = parser.head(input, base: offset)
            offset += length
            return take(head, input, &offset)
        case .needsMore:
            partialHead.append(copying: input.extracting(offset..<input.count))
            offset = input.count
            stage = .head(parser)
            return nil
        case .refused(let fault):
            return refuse(fault, parser, input, base: offset, date)
        }
    }

    /// A byte that begins no request line.
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

    /// Goes on with a head that began in earlier input, one line at a time, so that nothing behind the head is copied.
    private mutating func resume(
        _ parser: HeadParser, _ input: Span<UInt8>, _ offset: inout Int, _ date: HTTPDate?
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
            return take(head, input, &offset)
        case .refused(let fault):
            let bytes = partialHead
            return refuse(fault, parser, bytes.span, base: 0, date)
        }
    }

    // MARK: Reading the body

    /// The head is complete; the body may stand behind it.
    private mutating func take(_ head: RequestHead, _ input: Span<UInt8>, _ offset: inout Int) -> HTTPEvent? {
        let available = input.count - offset
        switch head.framing {
        case .none:
            return deliver(head, [])
        case .length(let length) where length <= available:
            var body: [UInt8] = []
            body.append(copying: input.extracting(offset..<offset + length))
            offset += length
            return deliver(head, body)
        case .length(let length):
            stage = .length(remaining: length)
        case .chunked:
            stage = .chunks(ChunkedDecoder())
        }
        pendingHead = Boxed(head)
        // a client that sends the body already does not wait (RFC 9110 §10.1.1)
        guard head.expectsContinue, available == 0 else { return nil }
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
            // Never more than is to come, and never more than twice what has come: a promise costs nothing.
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

    private mutating func deliver(_ head: RequestHead, _ body: [UInt8]) -> HTTPEvent {
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
        refuse(
            fault, origin: parser.origin(bytes, base: base), isHead: parser.requestLine.method == .head, date: date)
    }

    private mutating func refuse(
        _ fault: HTTPFault, origin: String?, isHead: Bool = false, date: HTTPDate?
    ) -> HTTPEvent {
        stopReading()
        stage = .refusing
        var terms = AnswerTerms()
        terms.grant = crossOrigin.grant(origin)
        terms.withholdsBody = isHead
        var answer: [UInt8] = []
        HTTPResponse(fault).encode(terms, policy: crossOrigin, date: date, into: &answer)
        queue.close(with: answer, into: &output)
        return .refused(fault)
    }

    /// Takes no more input, and lets go of a message that is half read.
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

    /// No end of the input is known.
    private static let endless = UInt32.max

    private static let continueAnswer = "HTTP/1.1 100 Continue\r\n\r\n"
}
